"""Stored runs as they are shown: each held against its chain first, with what was corrected since.

A page of runs gets the quick check, the newest first, for as long as there is time; one run gets the full one. This
module must never hand out a stored result without saying what differs, and never change a number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import BadDatabase, DamagedDatabase, HalfpercentError, NoSuchRun
from edge.records.result import CorrectionTold, Result

from .connection import Database, translated_errors
from .corrections import stored_corrections_by_run
from .queries import MOST_LISTED, RunListed, listed_runs, result_in, run_number
from .reading import READ_CPU_S, open_readonly
from .run_check import Altered, Head, check_run, not_in_chain

LIST_CPU_S = 1.5
"""Processor time for the checks of one page: 200 runs take 0.2 s here, 2 s on an old Pi."""
CPU_S_PER_MB = 0.5
"""The same for one run, by the size of its database: six hours take 0.1 s here."""
MOST_CPU_S = 120.0
MOST_LINK_BYTES = 32 << 20
"""The longest chunk: an hour of a thousand numbers a second."""


KeptHead = Callable[[int], Head | None]
"""Gets the head of a run's chain that was kept elsewhere, by the run's number; None where none was."""


def _none_kept(_run_id: int) -> None:
    """Say that no head was kept."""


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A stored result as it is shown: what first differs from its chain, and what of it is in no chain, in words."""

    result: Result
    altered: Altered | None
    not_in_chain: str | None


@dataclass(frozen=True, slots=True)
class RunOnPage:
    """A run of a list. ``checked``: it was held against its chain; ``result`` is None where it has none to be read."""

    listed: RunListed
    result: Result | None
    altered: Altered | None
    checked: bool


def shown_run(path: Path, run: str, sealed: KeptHead = _none_kept) -> ShownRun:
    """Get a run's result, by its number or ``last``, checked in full, also against the head that ``sealed`` has of it.

    Raises ``NoSuchRun``, ``BadDatabase``.
    """
    with closing(open_readonly(path, cpu_s=cpu_s_of(path))) as db, translated_errors(path):
        run_id = run_number(db, path, run)
        kept = sealed(run_id)  # before what it is held against is read: what is written meanwhile is only more
        db.execute("begin")  # what is checked is what is shown, whoever writes meanwhile
        altered = check_run(db, run_id, full=True, sealed=kept)
        outside = not_in_chain(db, run_id)
        try:
            result = result_in(db, path, run_id)
        except NoSuchRun as e:
            if altered is None:
                raise
            raise NoSuchRun(f"{e}; ALTERED: {altered}") from e
        except DamagedDatabase as e:
            raise BadDatabase(f"ALTERED: {altered}; {e}" if altered else str(e)) from e
        return ShownRun(result, altered, outside)


def unaltered_result(path: Path, run: str) -> Result:
    """Get a run's result for another run's sums. Raises ``DamagedDatabase`` where it is altered, and as above."""
    shown = shown_run(path, run)
    if shown.altered is not None:
        raise DamagedDatabase(f"{path}: run {run} is ALTERED: {shown.altered}: take it from a copy")
    return shown.result


def page_of_runs(path: Path, *, before: int | None = None, most: int = MOST_LISTED) -> list[RunOnPage]:
    """Get the newest runs, oldest first (:func:`edge.database.queries.list_runs`), each checked while there is time.

    Raises ``BadDatabase``.
    """
    with closing(open_readonly(path, cpu_s=READ_CPU_S)) as db, translated_errors(path):
        db.execute("begin")
        until_s = time.thread_time() + LIST_CPU_S
        corrections = stored_corrections_by_run(db)
        found = []
        for listed in reversed(listed_runs(db, path, before=before, most=most)):
            checked = time.thread_time() < until_s
            altered = check_run(db, listed.run_id, full=False) if checked else None
            result = _result_or_none(db, path, listed.run_id) if checked and altered is None else None
            renamed = _renamed(listed, corrections.get(listed.run_id, []))
            found.append(RunOnPage(renamed, result, altered, checked))
        return found[::-1]


def held_runs(path: Path, runs: Iterable[RunListed]) -> list[RunOnPage]:
    """Hold runs that were listed against their chains, quickly, in their order. Raises ``BadDatabase``."""
    with closing(open_readonly(path, cpu_s=READ_CPU_S)) as db, translated_errors(path):
        db.execute("begin")
        return [RunOnPage(run, None, check_run(db, run.run_id, full=False), True) for run in runs]


def runs_without_a_row(path: Path) -> list[int]:
    """Get runs of which events are stored, and no row of ``runs``: they were left out. Raises ``BadDatabase``."""
    sql = "select distinct run_id from events where run_id not in (select run_id from runs) order by run_id limit ?"
    with closing(open_readonly(path)) as db, translated_errors(path):
        return [run_id for (run_id,) in db.execute(sql, [MOST_LISTED]).fetchall() if isinstance(run_id, int)]


def _renamed(listed: RunListed, corrected: list[CorrectionTold]) -> RunListed:
    names = [c.now for c in corrected if c.field == "sample"]
    return msgspec.structs.replace(listed, sample_id=names[-1]) if names else listed


def _result_or_none(db: Database, path: Path, run_id: int) -> Result | None:
    try:
        return result_in(db, path, run_id)
    except HalfpercentError:  # none yet, or of a run that is damaged: its state says so
        return None


def cpu_s_of(path: Path) -> float:
    """Get how much processor time a full check may take: more for a larger file."""
    try:
        size_mb = path.stat().st_size / 1e6
    except OSError:
        size_mb = 0.0
    return min(MOST_CPU_S, READ_CPU_S + CPU_S_PER_MB * size_mb)
