"""A series of cells of one kind: each verdict, mean and scatter of the losses, an outlier by its name.

How cells combine is the standard's file's word; what no source says is assumed, and said to be. An outlier is named and
never taken out. This module must never make a verdict of the series better than its worst cell, where each must pass.

Sources: Grubbs' test as in ISO 5725-2, 7.3.4 (two-sided; its table of critical values is in the tests), NIST/SEMATECH
e-Handbook 1.3.5.17.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from edge.database.series import RunOfSeries
from edge.records.result import Verdict
from edge.records.run import RunKind
from edge.standards.standard import Standard

SURE, PERHAPS = 0.01, 0.05
"""ISO 5725-2: beyond the critical value at 1 % an outlier, beyond that at 5 % a straggler."""
LEAST = 3


class CellOfSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the series: ``counts`` says that it is one of the cells, ``why_not`` why it is none."""

    run_id: int
    sample_id: str
    started_utc: str
    verdict: Verdict | None
    loss_pct: float | None
    U_pct: float | None
    counts: bool
    why_not: str | None = None


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """The cell farthest from the mean: Grubbs' G, the critical value beyond which it lies, and at what level."""

    run_id: int
    sample_id: str
    g: float
    critical: float
    level: float


class SeriesTold(msgspec.Struct, frozen=True, kw_only=True):
    """A series: its cells, what they come to by the standard's file, and how they scatter (in % of the mass).

    ``verdict`` is null where it is not complete: fewer cells than the file asks for.
    """

    name: str
    standard: str
    designation: str
    replicates: int
    replicates_assumed: bool
    combine: str
    combine_assumed: bool
    cells: tuple[CellOfSeries, ...]
    verdict: Verdict | None
    why: str
    mean_pct: float | None = None
    sd_pct: float | None = None
    U_mean_pct: float | None = None
    outlier: Outlier | None = None
    said: tuple[str, ...] = ()


def series_told(name: str, runs: Sequence[RunOfSeries], standard: Standard) -> SeriesTold:
    """Get what a series comes to. ``standard`` is that of its newest run."""
    cells = tuple(_cell(run, standard) for run in runs)
    losses = [(c, c.loss_pct, c.U_pct) for c in cells if c.counts and c.loss_pct is not None and c.U_pct is not None]
    rule = standard.replicates_combine
    combine = "each" if rule is None else rule.value
    values = [loss for _, loss, _ in losses]
    mean = statistics.fmean(values) if values else None
    sd = statistics.stdev(values) if len(values) > 1 else None
    widest = max((expanded for _, _, expanded in losses), default=0.0)
    of_mean = None if mean is None else _of_mean(len(values), sd, widest, standard)
    verdict, why = _combined(cells, combine, standard, mean, of_mean)
    found = grubbs(values)
    outlier = None
    if found is not None:
        cell = losses[found.index][0]
        outlier = Outlier(
            run_id=cell.run_id, sample_id=cell.sample_id, g=found.g, critical=found.critical, level=found.level
        )
    return SeriesTold(
        name=name,
        standard=standard.id,
        designation=standard.designation,
        replicates=standard.replicates.value,
        replicates_assumed=standard.replicates.assumed,
        combine=combine,
        combine_assumed=rule is None or rule.assumed,
        cells=cells,
        verdict=verdict,
        why=why,
        mean_pct=mean,
        sd_pct=sd,
        U_mean_pct=of_mean,
        outlier=outlier,
        said=tuple(_said(cells, losses, sd, widest)),
    )


def _cell(run: RunOfSeries, standard: Standard) -> CellOfSeries:
    result, why_not = run.result, None
    if result is None:
        why_not = "it has no result"
    elif result.blank_run or result.kind in (RunKind.BLANK, RunKind.REPLAY):
        why_not = "it is no test of a cell"
    elif result.suitability is not UNSET:
        why_not = "it is a test of the rig"
    elif result.verdict is Verdict.INVALID:
        why_not = f"INVALID: {result.invalid_because}"
    elif result.standard.sha256 != standard.sha256:
        why_not = f"judged by another file of a standard ({result.standard.designation})"
    return CellOfSeries(
        run_id=run.run_id,
        sample_id=run.sample_id,
        started_utc=run.started_utc,
        verdict=None if result is None else result.verdict,
        loss_pct=None if result is None else result.loss_pct,
        U_pct=None if result is None else result.U_pct,
        counts=why_not is None,
        why_not=why_not,
    )


def _combined(
    cells: Sequence[CellOfSeries], combine: str, standard: Standard, mean: float | None, of_mean: float | None
) -> tuple[Verdict | None, str]:
    """Get the verdict of the series (None: not complete), and why."""
    counted = [c for c in cells if c.counts]
    asked = standard.replicates.value
    if any(c.verdict is Verdict.FAIL for c in counted) and combine == "each":
        failed = ", ".join(c.sample_id for c in counted if c.verdict is Verdict.FAIL)
        return Verdict.FAIL, f"each cell must pass, and {failed} did not"
    if len(counted) < asked:
        return None, f"{len(counted)} of {asked} cells: not complete"
    if combine == "mean" and mean is not None and of_mean is not None:
        limit, guard = standard.limit_pct.value, of_mean if standard.decision_rule.value == "guarded" else 0.0
        of = f"the mean is {mean:.3g} ± {of_mean:.2g} %"
        if mean + guard <= limit:
            return Verdict.PASS, of
        return (Verdict.FAIL if mean - guard > limit else Verdict.INCONCLUSIVE), of
    if all(c.verdict is Verdict.PASS for c in counted):
        return Verdict.PASS, "each cell must pass, and each did"
    undecided = ", ".join(c.sample_id for c in counted if c.verdict is not Verdict.PASS)
    return Verdict.INCONCLUSIVE, f"each cell must pass, and {undecided} did not decide"


def _of_mean(n: int, sd: float | None, widest: float, standard: Standard) -> float:
    """Get U of the mean: what the rig leaves open is common to all cells, what the cells scatter by is not."""
    if sd is None:
        return widest
    from scipy import special

    p = (1.0 + standard.coverage_probability.value) / 2.0
    return math.hypot(widest, float(special.stdtrit(n - 1, p)) * sd / math.sqrt(n))


def _said(
    cells: Sequence[CellOfSeries], losses: Sequence[tuple[CellOfSeries, float, float]], sd: float | None, widest: float
) -> list[str]:
    out = []
    left = sum(not c.counts for c in cells)
    if left:
        out.append(f"{left} run{'s do' if left > 1 else ' does'} not count: see each")
    names = [c.sample_id for c in cells if c.counts]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        out.append(f"tested more than once: {', '.join(twice)}: a cell that was heated is another one")
    if sd is not None and len(losses) >= LEAST and sd > widest:
        out.append(f"the cells scatter by s = {sd:.2g} %, more than U of one ({widest:.2g} %): they are not alike")
    return out


@dataclass(frozen=True, slots=True)
class Grubbs:
    """The value farthest from the mean, where that is beyond the critical value at ``level``."""

    index: int
    g: float
    critical: float
    level: float


def grubbs(values: Sequence[float]) -> Grubbs | None:
    """Find one outlier by Grubbs' two-sided test, at 1 % or else at 5 % (None: there is none, or fewer than three)."""
    if len(values) < LEAST:
        return None
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    if not sd > 0.0:
        return None
    index = max(range(len(values)), key=lambda i: abs(values[i] - mean))
    g = abs(values[index] - mean) / sd
    for level in (SURE, PERHAPS):
        critical = grubbs_critical(len(values), level)
        if g > critical:
            return Grubbs(index, g, critical, level)
    return None


def grubbs_critical(n: int, level: float) -> float:
    """Get the two-sided critical value of Grubbs' G for ``n`` values: (n − 1)/√n · √(t²/(n − 2 + t²))."""
    from scipy import special

    t = float(special.stdtrit(n - 2, 1.0 - level / (2.0 * n)))
    return (n - 1.0) / math.sqrt(n) * math.sqrt(t * t / (n - 2.0 + t * t))
