"""What is stored, for whoever asks: runs, their results, and what was commanded in them.

Read-only, without compiler or chips. Nothing read is believed before its chain was followed. This module must never
write.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace as with_fields

from calibration.certificate import Certificate, certificate_hash
from calibration.certificate import loads as loads_certificate
from edge.errors import BadDatabase, DamagedDatabase, NoSuchRun
from edge.records import command as commands
from edge.records.balance import BalanceMass
from edge.records.barometer import BarometerTold
from edge.records.command import Command
from edge.records.correction import amended
from edge.records.event import EventKind
from edge.records.result import (
    ConverterResetTold,
    HappenedKind,
    HappenedTold,
    Result,
    StopTold,
    from_json,
    require_whole,
)
from edge.records.run import RunKind, RunState
from edge.records.specimen import HandOver
from hw.protocols import REGISTERS

from . import hash_chain, writer_lock
from .connection import Database, parsed_rows, translated_errors
from .corrections import stored_amendments, stored_corrections
from .reading import open_readonly
from .stored_json import decoded, require_finite
from .two_chains import StoredRow

MOST_INTERRUPTED = 100
"""One process leaves one; a station that takes up more is kept from measuring."""
MOST_LISTED = 1000
SHOWN_CHARS = 200
MEASURED = (RunKind.TEST, RunKind.BLANK)
"""Kinds of runs that a station measures, and takes up again."""


class RunListed(msgspec.Struct, frozen=True, kw_only=True):
    """A run as ``runs`` lists it."""

    run_id: int
    sample_id: str
    kind: str
    state: str
    verdict: str | None
    loss_pct: float | None
    u_pct: float | None
    U_pct: float | None
    limit_pct: float | None
    invalid_because: str | None
    standard_id: str
    started_utc: str
    ended_utc: str | None
    operator: str = ""


INTERRUPTED = "interrupted"
"""The state of a run that is said to be measured and is not: no writer holds the database. It is never stored."""

_COLUMN_OF = {"u_pct": "standard_uncertainty_pct", "U_pct": "expanded_uncertainty_pct"}
"""Columns of ``runs`` that are called otherwise than the field that they fill."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run's header as it is stored; ``settings`` are the plain JSON that was hashed."""

    run_id: int
    operator: str
    kind: RunKind
    standard_toml: str
    certificate_sha256: str
    settings: StoredRow
    t0_ns: int
    run_uid: str = ""
    started_utc: str = ""
    ended_utc: str | None = None


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """A run's header by its columns, each of the type that was written."""

    operator: str
    kind: RunKind
    standard_toml: str
    certificate_sha256: str
    settings_json: str
    t0_ns: int
    run_uid: str
    started_utc: str
    ended_utc: str | None


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, by its columns."""

    run_id: int
    state: str
    invalid_because: str | None
    result_json: str | None


def list_runs(path: Path, *, before: int | None = None, most: int = MOST_LISTED) -> list[RunListed]:
    """Get the newest runs of a database, oldest first: at most ``most``, and with ``before`` only those before it.

    One that nobody measures any more is ``interrupted``. Names are cut to ``SHOWN_CHARS``. Raises ``BadDatabase``.
    """
    with closing(open_readonly(path)) as db, translated_errors(path):
        return listed_runs(db, path, before=before, most=most)


def listed_runs(db: Database, path: Path, *, before: int | None, most: int) -> list[RunListed]:
    """Get the same of a database that is open. Raises as :func:`list_runs`."""
    kinds = msgspec.structs.fields(RunListed)
    select = ", ".join(f"{_shortened(_COLUMN_OF.get(f.name, f.name), f.type)} as {f.name}" for f in kinds)
    older = "" if before is None else "where run_id < :before"
    sql = f"select {select} from runs {older} order by run_id desc limit :most"
    rows = list(db.query(sql, {"before": before, "most": most}))
    measured = writer_lock.is_held(path)
    with parsed_rows(f"{path}: the list of runs"):
        require_finite(value for row in rows for value in row.values())
        found = msgspec.convert(rows[::-1], list[RunListed])
    return [r if measured or r.state != RunState.RUNNING else with_fields(r, state=INTERRUPTED) for r in found]


def _shortened(column: str, kind: Any) -> str:
    """Get the SQL of a column that is shown: a text is cut, whatever else it is comes as it is."""
    text = f"case typeof({column}) when 'text' then substr({column}, 1, {SHOWN_CHARS}) else {column} end"
    return text if kind in (str, str | None) else column


def result_of_run(path: Path, run: str) -> Result:
    """Get the stored result of a run, by its number or ``last``. Raises ``NoSuchRun``, ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path):
        return result_in(db, path, run_number(db, path, run))


def result_in(db: Database, path: Path, run_id: int) -> Result:
    """Get the stored result of a run of a database that is open, with what was corrected since. Raises as above."""
    columns = ", ".join(_Ended.__struct_fields__)
    (found,) = db.query(f"select {columns} from runs where run_id = ?", [run_id])
    with parsed_rows(f"{path}: the result of run {run_id}"):
        row = msgspec.convert(found, _Ended)
    if row.state == RunState.DAMAGED:
        raise NoSuchRun(f"{path}: run {run_id} was ended as damaged and has no result: {row.invalid_because}")
    if row.result_json is None:
        ended = "has not ended" if writer_lock.is_held(path) else "was interrupted: nobody measures it any more"
        raise NoSuchRun(f"{path}: run {run_id} {ended}: it has no result yet")
    with parsed_rows(f"{path}: the result of run {run_id}"):
        result = require_whole(from_json(decoded(row.result_json) | {"run_id": run_id}))
    was = tuple(stored_amendments(db, run_id))
    return amended(with_fields(result, amends=was) if was else result, stored_corrections(db, run_id))


def _which(run: str) -> tuple[str, int | None]:
    """Get the SQL condition and the number that name a run. Raises ``NoSuchRun`` for what is no run's name."""
    if run == "last":
        return "1", None
    if not (run.isascii() and run.isdigit() and len(run) < 18):
        raise NoSuchRun(f"run {run[:40]!r}: give a run's number, or last; halfpercent runs lists them")
    return "run_id = :run", int(run)


def run_number(db: Database, path: Path, run: str) -> int:
    """Get the number of a run by its number or ``last``. Raises ``NoSuchRun``."""
    which, number = _which(run)
    sql = f"select run_id from runs where {which} order by run_id desc limit 1"
    found = list(db.query(sql, {"run": number}))
    if not found:
        raise NoSuchRun(f"{path}: no run {run}: halfpercent runs lists them")
    return int(found[0]["run_id"])


def stored_run(db: Database, run_id: int) -> StoredRun:
    """Get a run's header. Raises ``BadDatabase`` where there is none, or where it is damaged."""
    columns = ", ".join(_Header.__struct_fields__)
    found = list(db.query(f"select {columns} from runs where run_id = ?", [run_id]))
    if not found:
        raise BadDatabase(f"run {run_id}: there is none: halfpercent runs lists them")
    with parsed_rows(f"run {run_id}: its header"):
        row = msgspec.convert(found[0], _Header)
        settings = decoded(row.settings_json)
    return StoredRun(
        run_id=run_id,
        operator=row.operator,
        kind=row.kind,
        standard_toml=row.standard_toml,
        certificate_sha256=row.certificate_sha256,
        settings=settings,
        t0_ns=row.t0_ns,
        run_uid=row.run_uid,
        started_utc=row.started_utc,
        ended_utc=row.ended_utc,
    )


def stored_certificate(db: Database, run: StoredRun) -> Certificate:
    """Get the certificate by which a run was measured. Raises ``BadDatabase`` where it is not stored."""
    sql = "select toml from certificates where sha256 = ?"
    found = db.execute(sql, [run.certificate_sha256]).fetchone()
    if found is None:
        raise BadDatabase(f"run {run.run_id}: its certificate is not stored: restore the database from a copy")
    certificate = loads_certificate(found[0], f"run {run.run_id}: its certificate")
    if certificate_hash(certificate) != run.certificate_sha256:
        raise DamagedDatabase(f"run {run.run_id}: its certificate was changed: restore the database from a copy")
    return certificate


def interrupted_runs(db: Database, of_kinds: Sequence[RunKind] = MEASURED) -> list[int]:
    """Get the runs that were being measured when their process ended, oldest first."""
    others = ", ".join(f"'{kind}'" for kind in RunKind if kind not in of_kinds)
    ended = f"'{RunState.DONE}', '{RunState.DAMAGED}'"
    # A state or a kind that nobody wrote is one of a run that was being measured.
    where = f"coalesce(state, '') not in ({ended}) and coalesce(kind, '') not in ({others})"
    rows = db.execute(f"select run_id from runs where {where} order by run_id limit ?", [MOST_INTERRUPTED])
    return [int(run_id) for (run_id,) in rows.fetchall()]


def has_result(db: Database, run_id: int) -> bool:
    """Say whether a run has ended with a result, whatever its state says."""
    found = db.execute("select result_json is not null from runs where run_id = ?", [run_id]).fetchone()
    return found is not None and bool(found[0])


def stored_commands(db: Database, run_id: int) -> list[tuple[int, Command]]:
    """Get what was commanded in a run, and the second from which on it held. Raises ``BadDatabase``."""
    events = list(hash_chain.events(db, run_id))
    # Before commands were written down as they were given, what became of them was all that was stored.
    said = any(e["kind"] == EventKind.SAID for e in events)
    kinds: Sequence[str] = (EventKind.SAID,) if said else (EventKind.OPERATOR, EventKind.REFUSED)
    found = (e for e in events if e["kind"] in kinds)
    with parsed_rows(f"run {run_id}: a command in it"):
        return [(int(e["second"]), commands.from_text(decoded(e["data_json"])["word"])) for e in found]


def zeros_of_clocks(db: Database, run_id: int) -> dict[str, int]:
    """Get, for each boot that took a run up again, the ns of its clock that count as second 0."""
    resumed = (e for e in hash_chain.events(db, run_id) if e["kind"] == EventKind.RESUMED)
    with parsed_rows(f"run {run_id}: a stop in it"):
        data = (decoded(e["data_json"]) for e in resumed)
        return {str(d["boot_id"]): int(d["t0_ns"]) for d in data}


@dataclass(frozen=True, slots=True)
class RunAsLeft:
    """How a run was left: on which devices it began, the converter's registers, the boot that measured it last.

    ``boot_id`` is None where nothing was measured yet, ``rig_changed`` why it was being ended because the rig had
    changed ('' where it was not).
    """

    devices: dict[str, dict[str, str | int | float]]
    registers: dict[str, str | None]
    boot_id: str | None
    rig_changed: str


def run_as_left(db: Database, run_id: int) -> RunAsLeft:
    """Get how a run was left when it was last measured. Raises ``BadDatabase``."""
    with parsed_rows(f"run {run_id}: its devices"):
        told = stored_run(db, run_id).settings.get("devices", {})
        devices = msgspec.convert(told, dict[str, dict[str, str | int | float]])
        registers: StoredRow = dict(devices.get("bridge", {}))
        for reset in _told(db, run_id, EventKind.CONVERTER_RESET):
            registers = dict(reset["after"])
    sql = "select boot_id from chunks join boots using (boot) where run_id = ? order by chunk desc limit 1"
    boot = db.execute(sql, [run_id]).fetchone()
    known = {name: registers.get(name) for name in REGISTERS}
    return RunAsLeft(devices, known, None if boot is None else str(boot[0]), rig_changed(db, run_id))


def rig_changed(db: Database, run_id: int) -> str:
    """Get why a run was ended because the rig had changed; '' where it was not."""
    with parsed_rows(f"run {run_id}: a change of the rig in it"):
        return next((str(told["why"]) for told in _told(db, run_id, EventKind.RIG_CHANGED)), "")


def converter_resets(db: Database, run_id: int) -> tuple[ConverterResetTold, ...]:
    """Get the resets of the load cell's converter in a run, in their order. Raises ``BadDatabase``."""
    events = (e for e in hash_chain.events(db, run_id) if e["kind"] == EventKind.CONVERTER_RESET)
    with parsed_rows(f"run {run_id}: a reset in it"):
        told = ((e["elapsed_s"], decoded(e["data_json"])) for e in events)
        return tuple(
            ConverterResetTold(at_s=at_s, from_s=data["from_s"], cause=data["cause"], chip=data["chip"])
            for at_s, data in told
        )


def stops_told(db: Database, run_id: int) -> tuple[StopTold, ...]:
    """Get the times in which nothing was measured because the process or the machine had stopped.

    Raises ``BadDatabase``.
    """
    with parsed_rows(f"run {run_id}: a stop in it"):
        return tuple(
            StopTold(from_s=told["from_s"], length_s=told["gap_s"], at_least_s=told["at_least_s"])
            for told in _told(db, run_id, EventKind.RESUMED)
            if "from_s" in told and told["gap_s"] != 0.0
        )


def balance_masses(db: Database, run_id: int) -> tuple[BalanceMass, ...]:
    """Get the masses of the laboratory's balance in a run, in the order in which they were said."""
    events = (e for e in hash_chain.events(db, run_id) if e["kind"] == EventKind.BALANCE)
    with parsed_rows(f"run {run_id}: a mass of the balance"):
        told = ((e["elapsed_s"], decoded(e["data_json"])) for e in events)
        return tuple(msgspec.convert(data | {"said_s": at_s}, BalanceMass) for at_s, data in told)


def barometer_readings(db: Database, run_id: int) -> tuple[BarometerTold, ...]:
    """Get what the barometer said in a run, in its order. Raises ``BadDatabase``."""
    events = (e for e in hash_chain.events(db, run_id) if e["kind"] == EventKind.BAROMETER)
    with parsed_rows(f"run {run_id}: a reading of the barometer"):
        told = ((e["elapsed_s"], decoded(e["data_json"])) for e in events)
        return tuple(msgspec.convert(data | {"at_s": at_s}, BarometerTold) for at_s, data in told)


def hand_overs(db: Database, run_id: int) -> tuple[HandOver, ...]:
    """Get how the specimen went from hand to hand while it was tested, oldest first. Raises ``BadDatabase``."""
    events = (e for e in hash_chain.events(db, run_id) if e["kind"] == EventKind.HAND_OVER)
    with parsed_rows(f"run {run_id}: a hand-over in it"):
        return tuple(msgspec.convert(decoded(e["data_json"]) | {"at": e["wall_utc"]}, HandOver) for e in events)


def alarms_told(db: Database, run_id: int) -> tuple[HappenedTold, ...]:
    """Get the alarms of a run, each from its opening to its closing, in order of opening. Raises ``BadDatabase``.

    One that never closed lasts to its own opening: what came after it is not known.
    """
    with parsed_rows(f"run {run_id}: an alarm in it"):
        opened: dict[str, list[HappenedTold]] = {}
        for e in hash_chain.events(db, run_id):
            if e["kind"] not in (EventKind.ALARM_OPENED, EventKind.ALARM_CLOSED):
                continue
            data, at_s = decoded(e["data_json"]), float(e["elapsed_s"])
            of = opened.setdefault(str(data["alarm"]), [])
            if e["kind"] == EventKind.ALARM_OPENED:
                why = f"alarm {data['alarm']}: {data['why']}"
                of.append(HappenedTold(from_s=at_s, to_s=at_s, what=HappenedKind.ALARM, why=why))
            elif of:
                of[-1] = with_fields(of[-1], to_s=at_s)
        return tuple(sorted((a for of in opened.values() for a in of), key=lambda a: a.from_s))


def _told(db: Database, run_id: int, kind: EventKind) -> list[StoredRow]:
    return [decoded(e["data_json"]) for e in hash_chain.events(db, run_id) if e["kind"] == kind]


def measured_in_last_lives(db: Database, run_id: int, lives: int) -> int | None:
    """Get how many seconds were measured since a run was taken up ``lives`` times ago; None: it was fewer times."""
    resumed = [e["second"] for e in hash_chain.events(db, run_id) if e["kind"] == EventKind.RESUMED]
    if len(resumed) < lives:
        return None
    sql = "select coalesce(sum(seconds), 0) from chunks where run_id = ? and first_second >= ?"
    return int(db.execute(sql, [run_id, resumed[-lives]]).fetchone()[0])


def newest_wall_s(db: Database, run_id: int) -> float | None:
    """Get the wall time of a run's newest chunk; None where there is none."""
    sql = "select wall_ms from chunks where run_id = ? order by chunk desc limit 1"
    found = db.execute(sql, [run_id]).fetchone()
    return None if found is None else float(found[0]) / 1000.0


def clock_was_set(db: Database, run_id: int) -> bool:
    """Say whether the wall clock is known to have been set when a run was last measured."""
    sql = (
        "select json_extract(data_json, '$.clock_set') from events where run_id = ? and kind in (?, ?) "
        "order by event desc limit 1"
    )
    found = db.execute(sql, [run_id, str(EventKind.CLOCK), str(EventKind.RESUMED)]).fetchone()
    return bool(found == (1,))
