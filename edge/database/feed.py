"""What a database holds beyond a position, in order: for whoever passes rows on and must miss none.

A position names the last row of each kind that was passed on; it is only good for the database that it was taken in.
This module must never write, and never hold more rows than it was asked for.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from calibration.certificate import Certificate, certificate_hash
from calibration.certificate import loads as loads_certificate
from edge.errors import HalfpercentError
from edge.records.event import EventKind
from edge.records.run import RunState

from .connection import Database, parsed_rows, translated_errors
from .reading import open_readonly
from .run_check import check_run

START = -1
MOST_SKIPPED = 1000


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far rows were passed on: of the station's log, and of the run that is being passed on.

    ``run_uid`` is that run's own name, '' before the first; ``told`` says that its result was passed on. ``amendments``
    are those dealt with, in the order in which they were written: a new result of a run that was passed on before, or a
    declared fact of it that was corrected.
    """

    station_event: int = START
    run_id: int = 0
    run_uid: str = ""
    second: int = START
    event: int = START
    told: bool = False
    amendments: int = 0


class FeedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that rows are of."""

    run_id: int
    run_uid: str
    sample_id: str
    kind: str
    state: str
    certificate_sha256: str
    started_utc: str
    result_json: str | None
    altered: str | None = None
    """What of an ended run first differs from its chain (the quick check); None: nothing."""
    amended: int = 0
    """How often its result was amended."""
    amends_sha256: str | None = None
    """Of the result that stood before the newest one; None where there was none."""

    @property
    def ended(self) -> bool:
        """Say whether nothing more will come of it."""
        return self.state != RunState.RUNNING


class SecondRow(msgspec.Struct, frozen=True, kw_only=True):
    """A second as it is stored. Masses in g, temperatures in °C, pressure in Pa; null is not known."""

    second: int
    elapsed_s: float
    phase: str
    mass_g: float | None
    sd_g: float | None
    temp_c: float | None
    cell_temp_c: float | None
    pressure_pa: float | None
    qualified: int
    hold_s: float
    loss_pct: float | None
    drift_g_per_h: float | None
    samples_ok: int
    samples_bad: int
    samples_spike: int


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a run, ``second`` null for the station's own."""

    event: int
    wall_utc: str
    kind: str
    who: str
    data_json: str
    second: int | None = None


class Amended(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was passed on and of which more was said since: ``result`` says whether it has another one now."""

    run: FeedRun
    events: tuple[EventRow, ...]
    result: bool


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What is beyond a position: rows of the station's log, a result that was amended, and rows of one run.

    ``run`` is None where there is no run beyond it. ``same`` says that the position is of this database.
    ``amendments``, corrections too, are dealt with before ``amended``, which is one more.
    """

    same: bool
    amendments: int = 0
    amended: Amended | None = None
    station: tuple[EventRow, ...] = ()
    run: FeedRun | None = None
    seconds: tuple[SecondRow, ...] = ()
    events: tuple[EventRow, ...] = ()


_RUN = ", ".join(name for name in FeedRun.__struct_fields__ if name not in ("altered", "amended", "amends_sha256"))
_SECOND = ", ".join(SecondRow.__struct_fields__)
_EVENT = "event, wall_utc, kind, who, data_json"


def rows_after(path: Path, at: Position, *, every_s: int = 1, most: int = 200) -> Feed:
    """Get at most ``most`` rows of each kind beyond a position: of seconds each ``every_s``-th.

    A run is gone through to its end before the next one; one that nobody measures any more has ended once there is a
    run after it. Raises ``BadDatabase``.
    """
    with closing(open_readonly(path)) as db, translated_errors(path), parsed_rows(f"{path}: a row of it"):
        db.execute("begin")  # all of it as it is in one moment, whoever writes meanwhile
        if not _same(db, at):
            return Feed(same=False)
        amendments, amended = _amended(db, at)
        run = _run(db, at)
        station = _events(db, "station_events", "1", at.station_event, most)
        if run is None:
            return Feed(same=True, station=station, amendments=amendments, amended=amended)
        second, event = (at.second, at.event) if run.run_uid == at.run_uid else (START, START)
        seconds = db.query(
            f"select {_SECOND} from seconds where run_id = :run and second > :after and second % :every = 0 "
            "order by second limit :most",
            {"run": run.run_id, "after": second, "every": every_s, "most": most},
        )
        return Feed(
            same=True,
            station=station,
            amendments=amendments,
            amended=amended,
            run=run,
            seconds=tuple(msgspec.convert(list(seconds), list[SecondRow])),
            events=_events(db, "events", f"run_id = {run.run_id}", event, most),
        )


def certificate_of(path: Path, run: FeedRun) -> Certificate | None:
    """Get the certificate by which a run was measured; None where it is not stored whole. Raises ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path):
        found = db.execute("select toml from certificates where sha256 = ?", [run.certificate_sha256]).fetchone()
    try:
        certificate = None if found is None else loads_certificate(str(found[0]), "a stored certificate")
    except HalfpercentError:
        return None
    known = certificate is not None and certificate_hash(certificate) == run.certificate_sha256
    return certificate if known else None


def newest_second(path: Path) -> SecondRow | None:
    """Get the newest stored second of the newest run; None where there is none. Raises ``BadDatabase``."""
    sql = f"select {_SECOND} from seconds order by run_id desc, second desc limit 1"
    with closing(open_readonly(path)) as db, translated_errors(path), parsed_rows(f"{path}: its newest second"):
        found = list(db.query(sql))
        return msgspec.convert(found[0], SecondRow) if found else None


def last_events(path: Path, most: int) -> list[EventRow]:
    """Get the newest events of the station and of its runs, at most so many of each. Raises ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path), parsed_rows(f"{path}: an event of it"):
        station = list(db.query(f"select {_EVENT} from station_events order by event desc limit ?", [most]))
        runs = list(db.query(f"select {_EVENT}, second from events order by run_id desc, event desc limit ?", [most]))
        return msgspec.convert(station[::-1] + runs[::-1], list[EventRow])


def _same(db: Database, at: Position) -> bool:
    """Say whether the run that a position names is in this database, and not another of its number."""
    if not at.run_uid:
        return True
    found = db.execute("select run_uid from runs where run_id = ?", [at.run_id]).fetchone()
    return found is not None and found[0] == at.run_uid


def _run(db: Database, at: Position) -> FeedRun | None:
    """Get the run to go on with: the position's own until its result was passed on, else the next."""
    first = at.run_id + 1 if at.told else at.run_id
    sql = f"select {_RUN} from runs where run_id >= ? order by run_id limit 2"
    found = msgspec.convert(list(db.query(sql, [first])), list[FeedRun])
    if not found:
        return None
    run = found[0]
    if run.result_json is not None:
        return _checked(db, run)
    left = len(found) > 1 and not run.ended  # another was begun after it
    return msgspec.structs.replace(run, state="interrupted") if left else run


def _checked(db: Database, run: FeedRun) -> FeedRun:
    """Get a run that has a result with what its chain says of it."""
    altered = check_run(db, run.run_id, full=False)
    sql = (
        "select count(*), (select json_extract(data_json, '$.was_sha256') from events where run_id = :run and "
        "kind = :kind order by event desc limit 1) from events where run_id = :run and kind = :kind"
    )
    amended, amends = db.execute(sql, {"run": run.run_id, "kind": str(EventKind.AMENDED)}).fetchone()
    why = None if altered is None else str(altered)
    was = amends if isinstance(amends, str) else None
    return msgspec.structs.replace(run, altered=why, amended=int(amended), amends_sha256=was)


def _amended(db: Database, at: Position) -> tuple[int, Amended | None]:
    """Get how many amendments and corrections are dealt with, and the next of a run that was passed on already.

    One of a run that is still to come is in that run's own result. SQLite may number rows anew; their order it keeps.
    """
    later = [str(EventKind.AMENDED), str(EventKind.CORRECTED)]
    (all_of_them,) = db.execute("select count(*) from events where kind in (?, ?)", later).fetchone()
    done = min(at.amendments, all_of_them)  # an older copy of the database has fewer
    sql = "select run_id, event, kind from events where kind in (?, ?) order by rowid limit ? offset ?"
    for run_id, event, kind in db.execute(sql, [*later, MOST_SKIPPED, done]).fetchall():
        if run_id < at.run_id or (run_id == at.run_id and at.told):
            found = list(db.query(f"select {_RUN} from runs where run_id = ?", [run_id]))
            runs = msgspec.convert(found, list[FeedRun])
            if runs:
                since = _since_last_result(db, run_id, event)
                return done, Amended(run=_checked(db, runs[0]), events=since, result=kind == EventKind.AMENDED)
        done += 1
    return done, None


def _since_last_result(db: Database, run_id: int, upto: int) -> tuple[EventRow, ...]:
    """Get what was said of a run after the result before, down to the event that amends it."""
    sql = (
        f"select {_EVENT}, second from events where run_id = :run and event <= :upto and event > coalesce((select "
        "max(event) from events where run_id = :run and event < :upto and kind in (:ended, :amended)), -1) "
        "order by event desc limit 100"
    )
    kinds = {"ended": str(EventKind.ENDED), "amended": str(EventKind.AMENDED)}
    rows = list(db.query(sql, {"run": run_id, "upto": upto} | kinds))
    return tuple(msgspec.convert(rows[::-1], list[EventRow]))


def _events(db: Database, table: str, where: str, after: int, most: int) -> tuple[EventRow, ...]:
    second = ", second" if table == "events" else ""
    sql = f"select {_EVENT}{second} from {table} where {where} and event > ? order by event limit ?"
    return tuple(msgspec.convert(list(db.query(sql, [after, most])), list[EventRow]))
