"""Runs beside each other as plain text and as CSV: verdicts, the loss by the hour, and in what they differ.

It shows the record and computes nothing. This module must never show the numbers of an altered run as its own.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from calibration.visible_text import visible
from edge.database.compared import RunToCompare
from edge.trends.comparison import ComparedRun, RunsCompared, held_curve

from .decimals import decimals

SHOWN_OF_HASH = 12
_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
NOT_STATED = "not stated"
CSV_HEAD = ("run", "hold_from_s", "hold_to_s", "loss_low_pct", "loss_high_pct", "oven_low_c", "oven_high_c")


def short_hashes(value: str) -> str:
    """Write each hash in a value by its first digits."""
    return _HASH.sub(r"\1…", value)


def verdict_word(run: ComparedRun) -> str:
    """Get what stands for a verdict: ALTERED, the verdict, or that there is none."""
    return "ALTERED" if run.altered else "no result" if run.verdict is None else run.verdict.value


def loss_of(run: ComparedRun) -> tuple[str, str]:
    """Write a run's loss and U in % with the digits that U gives them; '' where there is none."""
    if run.loss_pct is None or run.U_pct is None:
        return "", ""
    places = decimals(run.U_pct)
    return f"{run.loss_pct:.{places}f}", f"{run.U_pct:.{places}f}"


def remarks(run: ComparedRun) -> Iterator[str]:
    """Get what is to be known of a run before its numbers are compared."""
    if run.altered is not None:
        yield f"ALTERED: {run.altered}" + (f"; it says {run.says}" if run.says else "")
    if run.invalid_because:
        yield f"INVALID: {run.invalid_because}"
    if run.on_declared and run.loss_pct is not None:
        yield f"on {' and '.join(run.on_declared)}"
    yield from run.missing
    if run.hold_from_s is None and not run.missing:
        yield "it had no hold: its curve has no place among the others"


def compare_text(told: RunsCompared) -> str:
    """Get runs beside each other as text of several lines."""
    return "\n".join(map(visible, _lines(told)))


def _lines(told: RunsCompared) -> Iterator[str]:
    yield f"     {'run':>4}  {'verdict':12}  {'loss %':>9}  {'± %':>7}  {'limit %':>7}  {'kind':9}  sample"
    for run in told.runs:
        loss, plus_minus = loss_of(run)
        limit = "" if run.limit_pct is None else f"{run.limit_pct:g}"
        yield (
            f"({run.number:>2}) {run.run_id:>4}  {verdict_word(run):12}  {loss:>9}  {plus_minus:>7}  {limit:>7}  "
            f"{run.kind:9}  {run.sample_id}"
        )
        for remark in remarks(run):
            yield f"           {remark}"
    if told.hours:
        yield ""
        yield "Loss as it was weighed, in %, so many hours after each hold's begin:"
        yield f"{'h':>6}" + "".join(f"  {f'({run.number})':>8}" for run in told.runs)
        for row in told.hours:
            yield f"{row.hour:>6.4g}" + "".join(f"  {_pct(loss):>8}" for loss in row.losses_pct)
    yield ""
    yield "In what they differ:" if told.differences else "They differ in nothing that is stored."
    for difference in told.differences:
        yield f"  {difference.what}"
        for value, runs in _by_value(difference.values):
            yield f"    {runs}: {value}"
    if told.left_out:
        yield f"  and {told.left_out} more"
    if told.same:
        yield f"Alike in all: {', '.join(told.same)}."


def _pct(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.3f}"


def _by_value(values: Sequence[str | None]) -> Iterator[tuple[str, str]]:
    """Get each value once, and which runs have it."""
    for value in dict.fromkeys(values):
        numbers = " ".join(f"({i})" for i, other in enumerate(values, 1) if other == value)
        yield NOT_STATED if value is None else short_hashes(value), numbers


def compare_csv(runs: Sequence[RunToCompare]) -> str:
    """Get the curves as CSV: a row a column of a curve, times in s since its hold began; numbers alone, no names.

    What is altered or had no hold has no row.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for run in runs:
        curve = held_curve(run)
        for c in () if curve is None else curve.columns:
            values = (c.from_s, c.to_s, c.low_pct, c.high_pct, c.oven_low_c, c.oven_high_c)
            writer.writerow((run.run_id, *("" if v is None else f"{v:.10g}" for v in values)))
    return out.getvalue()
