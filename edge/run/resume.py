"""A stored run taken up again: folded from its raw frames, with the time in which nobody measured.

This module must never fill a gap, nor call a stop shorter than it may have been.
"""

from __future__ import annotations

import json
import math
from typing import Any

from calibration.certificate import loads as loads_certificate
from edge.database.journal import Journal
from edge.errors import BadDatabase
from edge.procedure.parameters import RunParameters
from edge.records.sample import Sample
from edge.standards.standard import loads_standard
from hw.clock import NS_PER_S, Clock

from .definition import RunDefinition
from .live_run import Interruption, LiveRun, _believed
from .refold import RESUMED, fold_again


def interrupted(journal: Journal) -> list[int]:
    """Get the runs on the instrument that were being measured when their process ended, oldest first."""
    rows = journal.db.table("runs").rows_where("state = 'running' and kind in ('test', 'blank')", order_by="run_id")
    return [int(row["run_id"]) for row in rows]


def resume(journal: Journal, run_id: int, clock: Clock, *, trusted: bool | None, batch_s: int) -> LiveRun:
    """Go on with a run from what is stored: fold it again, say how long nothing was measured, open its chains.

    ``trusted``: the wall clock is set (None: nobody knows). On the same boot the length of the stop is known from the
    boot clock; after a new start only where the wall clock was set before and after, else it is at least the time since
    the start, and unknown. Raises ``BadDatabase`` where a chain is broken.
    """
    row = next(iter(journal.db.table("runs").rows_where("run_id = ?", [run_id])))
    again = fold_again(journal.db, run_id)
    given = _given(journal, row)
    writing = journal.go_on(run_id, boot_id=clock.boot_id, wall_s=clock.wall_s(), batch_s=batch_s)
    run = LiveRun(given, writing, again.course, clock, again.last + 1)
    run.journal.catch_up(again.rows, again.names, again.events, clock.wall_s())
    if again.last < 0:  # nothing was measured yet: the run begins now
        again.course.t0_ns = clock.now_ns() - clock.now_ns() % NS_PER_S + NS_PER_S
        stop = Interruption(0.0, 0.0)
    elif again.boot_id == clock.boot_id:
        length_s = max(0.0, (clock.now_ns() - again.course.t0_ns) / NS_PER_S - (again.last + 1))
        stop = Interruption(length_s, length_s)
        run.next_ns()
    else:
        stop = _across_boots(journal, run_id, clock, trusted)
        run.next_seq = again.last + 1 + math.ceil(stop.least_s if stop.length_s is None else stop.length_s)
        again.course.t0_ns = clock.now_ns() - run.next_seq * NS_PER_S
    about = {"boot_id": clock.boot_id, "t0_ns": again.course.t0_ns, "clock_set": trusted, "from_s": again.last + 1.0}
    run.happened(RESUMED, about | {"gap_s": stop.length_s, "at_least_s": stop.least_s}, "instrument")
    run.stopped(stop)
    return run


def _given(journal: Journal, row: dict[str, Any]) -> RunDefinition:
    """Get what a stored run is of and goes by."""
    found = journal.db.execute("select toml from certificates where sha256 = ?", [row["certificate_sha256"]]).fetchone()
    if found is None:
        raise BadDatabase(f"run {row['run_id']}: its certificate is not stored: restore the database from a copy")
    settings = json.loads(row["settings_json"])
    return RunDefinition(
        sample=Sample.from_settings(settings["sample"]),
        operator=row["operator"],
        kind=row["kind"],
        standard=loads_standard(row["standard_toml"], f"run {row['run_id']}: its standard"),
        certificate=loads_certificate(found[0], f"run {row['run_id']}: its certificate"),
        terms=RunParameters.from_settings(settings),
        subtract=settings["blank"],
    )


def _across_boots(journal: Journal, run_id: int, clock: Clock, trusted: bool | None) -> Interruption:
    """Get how long nothing was measured where the machine has started since: by the wall clock, if it was set."""
    least_s = clock.now_ns() / NS_PER_S
    one = journal.db.execute
    newest = one("select wall_ms from chunks where run_id = ? order by chunk desc limit 1", [run_id]).fetchone()
    was_set = one(
        "select json_extract(data_json, '$.clock_set') from events where run_id = ? and kind in ('clock', ?) "
        "order by event desc limit 1",
        [run_id, RESUMED],
    ).fetchone()
    from_wall_s = newest[0] / 1000.0 if was_set == (1,) else None
    if not trusted or from_wall_s is None:
        return Interruption(None, least_s, from_wall_s)
    return Interruption(_believed(clock.wall_s() - from_wall_s, least_s), least_s, from_wall_s)
