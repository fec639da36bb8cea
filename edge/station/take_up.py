"""A run that was interrupted is taken up again, or ended as damaged: whatever is in the database, the station starts.

Its chains are followed before anything in it is parsed. What cannot be gone on with stays where it is, marked, with the
reason; where not even that can be written, the file is put aside. This module must never let what is stored end the
station, and never delete a row.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.toml_file import one_line
from edge.database.connection import Database, SqliteError
from edge.database.hash_chain import follow_all
from edge.database.queries import RunAsLeft, has_result, interrupted_runs, measured_in_last_lives, run_as_left
from edge.database.reading import has_text_beyond
from edge.database.stored_json import MOST_CHARS
from edge.errors import BadDatabase, DamagedDatabase, HalfpercentError, StorageFull, StorageSlow
from edge.records.run import RunKind
from edge.run.live_run import LiveRun
from edge.run.resume import resume
from hw.clock import NS_PER_S, Clock

from .retrying_writer import RetryingWriter

LIVES, SHORT_LIFE_S = 20, 10
"""A run that ends the station so many times in a row, each within so many s on average, is not gone on with: systemd
gives up after thirty starts."""
FUTURE_NS = 5 * NS_PER_S
"""A frame that is newer than now by more was never measured."""

_log = logging.getLogger("halfpercent")


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A run that goes on, and how it was left."""

    live: LiveRun
    left: RunAsLeft


def interrupted(writer: RetryingWriter, clock: Clock, kinds: Sequence[RunKind]) -> list[int]:
    """Get the runs that were being measured when their process ended; none where the list cannot be read."""
    try:
        return interrupted_runs(writer.journal.db, kinds)
    except StorageSlow:
        return []
    except (BadDatabase, SqliteError) as e:
        _put_aside(writer, clock, f"the list of runs cannot be read ({_why(e)})")
        return []


def take_up(writer: RetryingWriter, clock: Clock, run_id: int, clock_set: bool | None) -> TakenUp | None:
    """Go on with an interrupted run. None where the disk fails, where it had to be ended as damaged, or has ended."""
    found: list[TakenUp] = []

    def act() -> None:
        with writer.journal.patiently():
            db = writer.journal.db
            if has_result(db, run_id):  # written together with its state, which somebody has changed since
                writer.journal.mark_done(run_id)
                writer.notice(f"run {run_id} has a result, and its state did not say so: it is done")
            elif _is_there(db, run_id):
                found.append(_taken_up(writer, clock, run_id, clock_set))

    try:
        act()
    except (StorageFull, StorageSlow, OSError) as e:
        writer.failed(e)
    except Exception as e:  # whatever a row made of it: a station that does not start measures nothing
        _end_damaged(writer, clock, run_id, _why(e))
        return None
    return found[0] if found else None


def _is_there(db: Database, run_id: int) -> bool:
    return db.execute("select 1 from runs where run_id = ?", [run_id]).fetchone() is not None


def _taken_up(writer: RetryingWriter, clock: Clock, run_id: int, clock_set: bool | None) -> TakenUp:
    db = writer.journal.db
    if has_text_beyond(db, run_id, MOST_CHARS):
        raise DamagedDatabase(f"run {run_id}: a text in it has more than {MOST_CHARS} characters, and none of ours has")
    follow_all(db, run_id)
    measured_s = measured_in_last_lives(db, run_id, LIVES)
    if measured_s is not None and measured_s < LIVES * SHORT_LIFE_S:
        raise DamagedDatabase(
            f"run {run_id}: it was taken up {LIVES} times, and the station ended within seconds each time: report "
            "this, with the database"
        )
    left = run_as_left(db, run_id)
    live = resume(writer.journal, run_id, clock, clock_set=clock_set, batch_s=writer.batch_s)
    if live.next_ns() > clock.now_ns() + FUTURE_NS:
        raise DamagedDatabase(f"run {run_id}: its newest frame is of a time that has not come")
    live.ended()  # what is read when it ends can be read
    return TakenUp(live, left)


def _end_damaged(writer: RetryingWriter, clock: Clock, run_id: int, why: str) -> None:
    """End a run of which nothing can be made; its rows stay as they are."""
    _log.error("run %d is ended as damaged: %s", run_id, why)
    try:
        writer.journal.end_damaged(run_id, why, clock.wall_s())
    except (HalfpercentError, SqliteError, OSError) as e:
        _put_aside(writer, clock, f"run {run_id} cannot be gone on with ({why}), nor be ended ({_why(e)})")
    else:
        writer.notice(f"run {run_id} cannot be gone on with, and is ended as damaged: {why}")


def _put_aside(writer: RetryingWriter, clock: Clock, why: str) -> None:
    try:
        aside = writer.journal.recover(clock.wall_s(), damaged=True)
    except (HalfpercentError, SqliteError, OSError) as e:
        writer.failed(e)
        return
    writer.notice(f"{why}: the database is put aside{'' if aside is None else f' as {aside.name}'}")


def _why(e: Exception) -> str:
    return one_line(str(e) if isinstance(e, HalfpercentError) else f"{type(e).__name__}: {e}")
