"""Runs that are to be compared: each held against its chain, with its result, its facts and its curve.

Only reads, bounded, from a database that may be anybody's. This module must never leave out a run because something of
it cannot be read: it says what.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import BadInput, HalfpercentError
from edge.records.curve import RecordedCurve
from edge.records.report_facts import RunFacts
from edge.records.result import Result

from .connection import Database, parsed_rows, translated_errors
from .curve import MOST_COLUMNS, read_curve
from .facts import read_facts
from .queries import SHOWN_CHARS, result_in, run_number
from .reading import open_readonly
from .run_check import Altered, check_run
from .shown_runs import KeptHead, cpu_s_of

MOST_RUNS = 12
"""So many lines can still be told apart in one drawing."""
COLUMNS_IN_ALL = 2400


@dataclass(frozen=True, slots=True)
class RunToCompare:
    """A run as it is stored. ``altered`` is what first differs from its chain; ``missing`` says what cannot be read.

    ``result`` and ``facts`` are None where they are among that, and the curve has no columns then.
    """

    run_id: int
    sample_id: str
    kind: str
    started_utc: str
    result: Result | None
    facts: RunFacts | None
    curve: RecordedCurve
    altered: Altered | None
    missing: tuple[str, ...] = ()


class _Header(msgspec.Struct, frozen=True, array_like=True):
    sample_id: str
    kind: str
    started_utc: str


def runs_to_compare(path: Path, runs: Sequence[str], kept: KeptHead) -> tuple[RunToCompare, ...]:
    """Get runs by their numbers or ``last``, in that order; ``kept`` gets the head of a chain that lies elsewhere.

    Raises ``BadInput`` where they are not 2 to 12 different ones, ``NoSuchRun``, ``BadDatabase``.
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise BadInput(f"{len(runs)} runs: name 2 to {MOST_RUNS} of them")
    most = min(MOST_COLUMNS, COLUMNS_IN_ALL // len(runs))
    found: list[RunToCompare] = []
    for run in runs:
        with closing(open_readonly(path, cpu_s=cpu_s_of(path))) as db, translated_errors(path):
            run_id = run_number(db, path, run)
            if any(run_id == other.run_id for other in found):
                raise BadInput(f"run {run_id} is named twice: name each run once")
            found.append(_read(db, path, run_id, kept, most))
    return tuple(found)


def _read(db: Database, path: Path, run_id: int, kept: KeptHead, most: int) -> RunToCompare:
    sealed = kept(run_id)  # before what it is held against is read: what is written meanwhile is only more
    db.execute("begin")
    altered = check_run(db, run_id, full=True, sealed=sealed)
    sql = "select sample_id, kind, started_utc from runs where run_id = ?"
    with parsed_rows(f"run {run_id}: its header"):
        header = msgspec.convert(db.execute(sql, [run_id]).fetchone(), _Header)
    result, facts, curve = None, None, RecordedCurve(())
    missing: list[str] = []
    try:
        result = result_in(db, path, run_id)
    except HalfpercentError as e:
        missing.append(_without(path, e))
    try:
        facts = read_facts(db, run_id)
        curve = read_curve(db, run_id, most=most)
    except HalfpercentError as e:
        missing.append(_without(path, e))
    sample_id = header.sample_id if result is None else result.sample_id
    return RunToCompare(
        run_id=run_id,
        sample_id=sample_id[:SHOWN_CHARS],
        kind=header.kind[:SHOWN_CHARS],
        started_utc=header.started_utc[:SHOWN_CHARS],
        result=result,
        facts=facts,
        curve=curve,
        altered=altered,
        missing=tuple(missing),
    )


def _without(path: Path, e: HalfpercentError) -> str:
    return str(e).removeprefix(f"{path}: ")[: 2 * SHOWN_CHARS]
