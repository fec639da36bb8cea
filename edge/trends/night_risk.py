"""How likely tonight's test is to end without a verdict, from how this rig's tests ended, and how such odds were kept.

Each past test is foretold from those before it alone, and scored (Brier: the mean square of odds less outcome), so that
whoever reads the odds sees what they have been worth. This module must never count a test that its operator aborted.

Source of the estimate: a share k of n with Jeffreys' prior, (k + 1/2)/(n + 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from edge.database.summaries import RunSummary
from edge.records.invalid import InvalidReason
from edge.records.result import Verdict

MOST = 20
"""Tests looked back at: a rig of a year ago is another."""
LEAST_SCORED = 5


class NightRisk(msgspec.Struct, frozen=True, kw_only=True):
    """The odds that tonight's test is INVALID or INCONCLUSIVE, and how such odds were kept so far."""

    tests: int
    p_invalid: float
    p_inconclusive: float
    brier_invalid: float | None = None
    brier_inconclusive: float | None = None
    said: str


def night_risk(runs: Sequence[RunSummary]) -> NightRisk:
    """Foretell the next test of a rig from its runs, oldest first."""
    tests = [run for run in runs if run.result.invalid_reason is not InvalidReason.ABORTED and not run.result.blank_run]
    invalid = [run.result.verdict is Verdict.INVALID for run in tests]
    undecided = [run.result.verdict is Verdict.INCONCLUSIVE for run in tests]
    return NightRisk(
        tests=len(tests),
        p_invalid=_share(invalid[-MOST:]),
        p_inconclusive=_share(undecided[-MOST:]),
        brier_invalid=_brier(invalid),
        brier_inconclusive=_brier(undecided),
        said=_said(tests, _share(invalid[-MOST:]), _share(undecided[-MOST:])),
    )


def _share(ended: Sequence[bool]) -> float:
    return (sum(ended) + 0.5) / (len(ended) + 1.0)


def _brier(ended: Sequence[bool]) -> float | None:
    """Get the mean square of odds less outcome over tests that were foretold from those before them."""
    scored = [(_share(ended[max(0, i - MOST) : i]) - was) ** 2 for i, was in enumerate(ended) if i >= LEAST_SCORED]
    return sum(scored) / len(scored) if scored else None


def _said(tests: Sequence[RunSummary], p_invalid: float, p_undecided: float) -> str:
    if len(tests) < LEAST_SCORED:
        return f"Tonight: {len(tests)} tests so far are too few to tell how the next one ends"
    line = f"Tonight: the chance of no verdict is {p_invalid:.0%} INVALID and {p_undecided:.0%} INCONCLUSIVE"
    reasons = Counter(str(t.result.invalid_reason) for t in tests[-MOST:] if t.result.verdict is Verdict.INVALID)
    if reasons and p_invalid >= p_undecided:
        reason, times = reasons.most_common(1)[0]
        return f"{line}; INVALID was most often {reason.replace('_', ' ')} ({times} of the last {len(tests[-MOST:])})"
    remedies = Counter(r for t in tests[-MOST:] for r in t.result.would_decide)
    if remedies and p_undecided > 0.1:
        return f"{line}; what would lower it: {remedies.most_common(1)[0][0]}"
    return line
