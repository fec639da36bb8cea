"""Every finished run of a database in short, oldest first: for whoever compares runs with each other.

Results are parsed one after the other, and damaged ones left out and counted, so that one bad row hides no rig. This
module must never write.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from calibration.certificate import Certificate, certificate_hash
from calibration.certificate import loads as loads_certificate
from edge.errors import DamagedDatabase, HalfpercentError
from edge.records.result import Result, from_json, require_whole
from edge.records.run import RunKind, RunState
from hw.protocols import REGISTERS

from .connection import Database, parsed_rows, translated_errors
from .reading import open_readonly
from .run_check import check_run
from .stored_json import decoded
from .stored_rows import with_zone
from .two_chains import StoredRow

MOST = 5000
"""Runs of one database, the newest."""
MOST_CPU_S = 20.0
"""Processor time for them: two ms a run here."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A finished run: what it came to, on what it was measured, and how many samples a second it had.

    ``started`` is the wall clock's, with its zone. ``registers`` are the converter's at its start, ``mount`` counts how
    often holder or mount were said to be others before it.
    """

    run_id: int
    run_uid: str
    kind: RunKind
    started: datetime.datetime
    ended: datetime.datetime | None
    certificate_sha256: str
    mount: int
    registers: dict[str, str | None]
    rate_sps: float | None
    result: Result


@dataclass(frozen=True, slots=True)
class Summaries:
    """The finished runs of a database, oldest first, how many were left out, and the certificates by their hash.

    Left out (``damaged``) is what cannot be read, and what is not as its chain says.
    """

    runs: tuple[RunSummary, ...]
    damaged: int
    certificates: Mapping[str, Certificate]


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    run_id: int
    run_uid: str
    kind: RunKind
    started_utc: datetime.datetime
    ended_utc: datetime.datetime | None
    certificate_sha256: str
    settings_json: str
    result_json: str
    seconds: int | None
    samples: int | None


_SQL = f"""
select run_id, run_uid, kind, started_utc, ended_utc, certificate_sha256, settings_json, result_json,
    (select sum(seconds) from chunks where chunks.run_id = runs.run_id) as seconds,
    (select sum(samples) from chunks where chunks.run_id = runs.run_id) as samples
from runs where state = '{RunState.DONE}' and result_json is not null order by run_id desc limit {MOST}
"""


def finished_runs(path: Path) -> Summaries:
    """Get the newest ``MOST`` finished runs of a database. Raises ``BadDatabase``."""
    with closing(open_readonly(path, cpu_s=MOST_CPU_S)) as db, translated_errors(path):
        return _summaries(db)


def _summaries(db: Database) -> Summaries:
    found: list[RunSummary] = []
    mount = damaged = 0
    for row in reversed(list(db.query(_SQL))):
        try:
            summary, anew = _summary(row, mount)
            if check_run(db, summary.run_id, full=False) is not None:
                damaged += 1
                continue
        except DamagedDatabase:
            damaged += 1
            continue
        mount += anew
        found.append(summary)
    return Summaries(tuple(found), damaged, _certificates(db))


def _certificates(db: Database) -> dict[str, Certificate]:
    """Get the certificates that can be read, and are what their hash says."""
    found = {}
    for row in db.query(f"select sha256, toml from certificates limit {MOST}"):
        try:
            with parsed_rows("a certificate"):
                certificate = loads_certificate(str(row["toml"]), "a stored certificate")
        except HalfpercentError:
            continue
        if certificate_hash(certificate) == row["sha256"]:
            found[str(row["sha256"])] = certificate
    return found


def _summary(row: StoredRow, mount: int) -> tuple[RunSummary, bool]:
    with parsed_rows(f"run {row.get('run_id')}"):
        stored = msgspec.convert(row, _Row)
        settings = decoded(stored.settings_json)
        result = require_whole(from_json(decoded(stored.result_json) | {"run_id": stored.run_id}))
        anew = settings.get("new_holder") is True
        bridge: dict[str, Any] = settings.get("devices", {}).get("bridge", {})
        registers = {name: bridge[name] for name in REGISTERS if isinstance(bridge.get(name), str)}
        rate = stored.samples / stored.seconds if stored.samples and stored.seconds else None
        return RunSummary(
            run_id=stored.run_id,
            run_uid=stored.run_uid,
            kind=stored.kind,
            started=with_zone(stored.started_utc),
            ended=None if stored.ended_utc is None else with_zone(stored.ended_utc),
            certificate_sha256=stored.certificate_sha256,
            mount=mount + anew,
            registers={name: registers.get(name) for name in REGISTERS},
            rate_sps=rate,
            result=result,
        ), anew


def each_finished_run(paths: list[Path]) -> Iterator[tuple[Path, RunSummary]]:
    """Get the finished runs of many databases, one database after the other. Raises ``BadDatabase``."""
    for path in paths:
        for run in finished_runs(path).runs:
            yield path, run
