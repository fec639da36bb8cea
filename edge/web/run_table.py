"""A list of runs as its rows: verdict, loss ± U as a block on a scale with the limit in its middle, or what is wrong.

A row of a run that is altered has no verdict and no number as its own. This module must never make markup of a name.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edge.database.queries import INTERRUPTED
from edge.database.shown_runs import RunOnPage
from edge.records.result import Verdict
from edge.report.language import Language, Words
from edge.report.live_text import VERDICT_MARKS
from edge.report.numbers import two_digits

RUN_SCALE_PX = 150.0
USUAL_LIMIT_PCT = 0.5
"""Of a run that has no result yet."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list, with its loss ± U as a block on a scale that all rows share."""

    run_id: int
    mark: str
    verdict: str
    sample: str
    loss: str
    U: str
    reason: str
    ended: str
    operator: str
    limit_x: float
    low_x: float
    high_x: float
    off: bool


def run_row(w: Words, run: RunOnPage) -> RunRow:
    """Get a run as it stands in a list; of one that is altered what differs, and no verdict nor number as its own."""
    r = run.listed
    if run.altered is not None:
        r = msgspec.structs.replace(r, verdict=None, loss_pct=None, U_pct=None, invalid_because=str(run.altered))
    known = r.verdict is not None and r.verdict in list(Verdict)
    word = w(f"verdict_{r.verdict}") if known else w("page_interrupted" if r.state == INTERRUPTED else "page_running")
    mark = VERDICT_MARKS[Verdict(r.verdict)].value if known and r.verdict is not None else ""
    if run.altered is not None:
        word, mark = w("page_altered"), VERDICT_MARKS[Verdict.INVALID].value
    limit = _limit_pct(run)
    whole = 2.0 * limit
    loss, U, low, high = "", "", 0.0, 0.0
    if r.loss_pct is not None and r.U_pct is not None and r.verdict != Verdict.INVALID:
        loss, U = two_digits(r.loss_pct, r.U_pct)
        low, high = (min(max(v, 0.0), whole) for v in (r.loss_pct - r.U_pct, r.loss_pct + r.U_pct))
    ended = "" if r.ended_utc is None else _day(r.ended_utc, w.language)
    per_pct = RUN_SCALE_PX / whole
    return RunRow(
        run_id=r.run_id,
        mark=mark,
        verdict=word,
        sample=r.sample_id,
        loss=loss,
        U=U,
        reason=w.said(r.invalid_because or ""),
        ended=ended,
        operator=r.operator,
        limit_x=round(limit * per_pct, 1),
        low_x=round(low * per_pct, 1),
        high_x=round(max(high, low + whole / 100.0) * per_pct, 1),
        off=r.loss_pct is not None and r.U_pct is not None and r.loss_pct - r.U_pct > whole,
    )


@dataclass(frozen=True, slots=True)
class RunTable:
    """Runs in a list, and what its scale's head says: each row's scale is twice its own limit long."""

    rows: tuple[RunRow, ...]
    scale: str


def run_table(w: Words, runs: Sequence[RunOnPage]) -> RunTable:
    """Get runs as they stand in a list; where their limits differ, its head names none of them."""
    limits = {_limit_pct(run) for run in runs}
    limit = next(iter(limits)) if len(limits) == 1 else None
    one = None if limit is None else w("page_scale_head", end=f"{2.0 * limit:g}", limit=f"{limit:g}")
    return RunTable(tuple(run_row(w, run) for run in runs), w("page_scale_own") if one is None else one)


def _limit_pct(run: RunOnPage) -> float:
    return run.listed.limit_pct or USUAL_LIMIT_PCT


def _day(utc: str, language: Language) -> str:
    try:
        at = datetime.datetime.fromisoformat(utc).astimezone()
        return f"{at:%m-%d}" if language is Language.CHINESE else f"{at:%d %b}"
    except ValueError:
        return "?"
