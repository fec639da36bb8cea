"""What a reader needs of a run that is still being measured, beside its curve: its header, course and minutes.

Only reads, bounded, from a database that may be anybody's; names come out as they are stored. This module must never
write, and never say a mass that no second had.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from edge.errors import NoSuchRun
from edge.records.command import OperatorWord
from edge.records.event import EventKind
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind

from . import hash_chain
from .connection import Database, parsed_rows
from .stored_json import decoded, require_finite
from .two_chains import StoredRow

MINUTE_S = 60
MOST_MINUTES = 3000
MOST_SECONDS = 20_000
"""Of a part of a run that is read second by second."""


class MassAt(NamedTuple):
    """A time in s since the run's start, and the mass in g that was indicated."""

    t_s: float
    mass_g: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A weighing that was taken, in its unit, with its standard uncertainty."""

    value: float
    u: float


@dataclass(frozen=True, slots=True)
class Course:
    """Which phases a run entered and when, what was weighed, and the second of its hold clock.

    ``vented_s`` is when somebody said that air was let in (None: nobody did).
    """

    phase: Phase
    entered_s: dict[Phase, float]
    weighings: dict[WeighingKind, Taken]
    vented_s: float | None
    last_s: float
    hold_s: float


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """A run's header as it is stored; ``settings`` the plain JSON that was hashed."""

    run_id: int
    run_uid: str
    sample_id: str
    operator: str
    kind: str
    state: str
    started_utc: str
    standard_toml: str
    certificate_sha256: str
    settings_json: str
    verdict: str | None

    @property
    def settings(self) -> StoredRow:
        """Get the settings."""
        return decoded(self.settings_json)


def newest_run(db: Database) -> int | None:
    """Get the number of the newest run; None where there is none."""
    found = db.execute("select max(run_id) from runs").fetchone()
    return int(found[0]) if found and isinstance(found[0], int) else None


def run_head(db: Database, run_id: int) -> RunHead:
    """Get a run's header. Raises ``NoSuchRun``, ``BadDatabase``."""
    columns = ", ".join(RunHead.__struct_fields__)
    found = list(db.query(f"select {columns} from runs where run_id = ?", [run_id]))
    if not found:
        raise NoSuchRun(f"no run {run_id}: halfpercent runs lists them")
    with parsed_rows(f"run {run_id}: its header"):
        return msgspec.convert(found[0], RunHead)


def course(db: Database, run_id: int) -> Course:
    """Get a run's course so far. Raises ``BadDatabase``."""
    with parsed_rows(f"run {run_id}: its course"):
        phase, entered, weighings, vented = Phase.TARE, dict[Phase, float](), dict[WeighingKind, Taken](), None
        for event in hash_chain.events(db, run_id):
            kind, at_s = event["kind"], float(event["elapsed_s"])
            data = decoded(event["data_json"])
            if kind == EventKind.PHASE:
                phase = Phase(data["to"])
                entered[phase] = at_s
            elif kind == EventKind.WEIGHING:
                weighings[WeighingKind(data["which"])] = Taken(float(data["value"]), float(data["u"]))
            elif kind == EventKind.OPERATOR and data.get("word") == OperatorWord.VENT:
                vented = at_s
        sql = "select elapsed_s, hold_s from seconds where run_id = ? order by second desc limit 1"
        last = db.execute(sql, [run_id]).fetchone() or (0.0, 0.0)
        require_finite(last)
        return Course(phase, entered, weighings, vented, float(last[0]), float(last[1] or 0.0))


def masses(db: Database, run_id: int, from_s: float, to_s: float) -> list[MassAt]:
    """Get the good seconds from ``from_s`` to ``to_s``, both included, at most ``MOST_SECONDS``."""
    sql = (
        "select elapsed_s, mass_g from seconds where run_id = ? and second between ? and ? and samples_ok > 0 "
        "and mass_g is not null order by second limit ?"
    )
    return _masses(db, run_id, sql, [run_id, int(from_s), int(to_s) + 1, MOST_SECONDS])


def minutes_of(db: Database, run_id: int, from_s: float) -> list[MassAt]:
    """Get the means of the good seconds of each minute from ``from_s`` on, at most ``MOST_MINUTES``."""
    sql = (
        "select avg(elapsed_s), avg(mass_g) from seconds where run_id = ? and second >= ? and samples_ok > 0 "
        f"and mass_g is not null group by second / {MINUTE_S} order by second / {MINUTE_S} limit ?"
    )
    return _masses(db, run_id, sql, [run_id, int(from_s), MOST_MINUTES])


def noise_g(db: Database, run_id: int, until_s: float) -> float | None:
    """Get the standard deviation of the samples within the seconds of the last minute, pooled, in g; None for none."""
    sql = "select avg(sd_g * sd_g) from seconds where run_id = ? and second > ? and samples_ok > 1 and sd_g is not null"
    with parsed_rows(f"run {run_id}: its noise"):
        found = db.execute(sql, [run_id, int(until_s) - MINUTE_S]).fetchone()
        require_finite(found)
        return None if found[0] is None else math.sqrt(found[0])


def _masses(db: Database, run_id: int, sql: str, values: list[int]) -> list[MassAt]:
    with parsed_rows(f"run {run_id}: its masses"):
        rows = db.execute(sql, values).fetchall()
        require_finite(value for row in rows for value in row)
        return [MassAt(float(t_s), float(mass_g)) for t_s, mass_g in rows]


# its alarms


class AlarmOver(NamedTuple):
    """An alarm that was closed and acknowledged: when, in s since the run's start, by whom, and how soon."""

    alarm: str
    from_s: float
    to_s: float
    who: str
    acknowledged_after_s: float


@dataclass(slots=True)
class _Alarm:
    from_s: float
    to_s: float | None = None
    who: str = ""
    seen_s: float | None = None


def alarms_over(db: Database, run_id: int) -> tuple[AlarmOver, ...]:
    """Get the alarms of a run that are over and acknowledged, in order of opening. Raises ``BadDatabase``."""
    with parsed_rows(f"run {run_id}: an alarm in it"):
        standing, over = dict[str, _Alarm](), list[AlarmOver]()
        for event in hash_chain.events(db, run_id):
            if event["kind"] not in (EventKind.ALARM_OPENED, EventKind.ALARM_ACKNOWLEDGED, EventKind.ALARM_CLOSED):
                continue
            name, at_s = str(decoded(event["data_json"])["alarm"]), float(event["elapsed_s"])
            if event["kind"] == EventKind.ALARM_OPENED:
                standing[name] = _Alarm(at_s)
            if (it := standing.get(name)) is None:
                continue  # it opened before the run began
            if event["kind"] == EventKind.ALARM_CLOSED:
                it.to_s = at_s
            if event["kind"] == EventKind.ALARM_ACKNOWLEDGED:
                it.who, it.seen_s = str(event["who"]), at_s
            if it.to_s is not None and it.seen_s is not None:
                over.append(AlarmOver(name, it.from_s, it.to_s, it.who, it.seen_s - it.from_s))
                del standing[name]
        return tuple(sorted(over, key=lambda a: a.from_s))


# what a rig's page shows


class CertificateUsed(NamedTuple):
    """A certificate that runs went by: its text and hash, and how many did."""

    name: str
    sha256: str
    toml: str
    runs: int


class StationLogged(NamedTuple):
    """Something that happened where no run was on."""

    wall_utc: str
    kind: str
    what: str
    why: str


MOST_CERTIFICATES = 20
MOST_LOGGED = 30


def certificates_used(db: Database) -> list[CertificateUsed]:
    """Get the certificates that the newest runs went by, the one used last first."""
    sql = (
        "select name, sha256, toml, count(run_id) as runs from certificates join runs on certificate_sha256 = sha256 "
        "group by sha256 order by max(run_id) desc limit ?"
    )
    with parsed_rows("the certificates"):
        rows = db.execute(sql, [MOST_CERTIFICATES]).fetchall()
        return [CertificateUsed(str(n), str(s), str(t), int(r)) for n, s, t, r in rows]


def station_log(db: Database) -> list[StationLogged]:
    """Get the newest of the station's own log, the newest first."""
    sql = "select wall_utc, kind, data_json from station_events order by event desc limit ?"
    with parsed_rows("the station's log"):
        found = []
        for wall_utc, kind, data_json in db.execute(sql, [MOST_LOGGED]).fetchall():
            data = decoded(str(data_json))
            what, why = str(data.get("alarm", "")), str(data.get("why") or data.get("text") or "")
            found.append(StationLogged(str(wall_utc), str(kind), what, why[:300]))
        return found
