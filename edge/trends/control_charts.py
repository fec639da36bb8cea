"""Control charts of one quantity: Shewhart's for jumps, an exponentially weighted moving average (EWMA) for drifts.

The first values are the baseline; each later one is held against it, one after the other, so that a chart says today
what it would have said on the day. Limits count with how well the baseline itself is known. A chart must never go
across a change of what is charted (certificate, mount): whoever calls begins another.

Sources: NIST/SEMATECH e-Handbook, 2.2.2, 2.3.5.2 and 6.3.2.4 (EWMA: limits mean ± k·s·√(λ/(2 − λ))); the factor
1 + 1/n of a single future value and Student's k for an estimated s: ISO 16269-8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LAMBDA = 0.2
"""The newest value's weight in the moving average (NIST/SEMATECH 2.3.5.2.2: 0.2 to 0.3 for small shifts)."""
BASELINE = 20
"""So many values are the baseline."""
LEAST = 5
"""With fewer nothing can be said."""
FALSE_SHARE = 1.0 / 400.0
"""Share of values in control that one chart signals: both together at most one in 200. k = 3.02 for a known s."""
_KNOWN_DOF = 10_000


class ChartKind(StrEnum):
    """What a chart is for."""

    SHEWHART = "shewhart"
    EWMA = "ewma"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a quantity was while all was well: its mean, its standard deviation, of how many values.

    ``dof`` are the standard deviation's degrees of freedom, None where it is known from elsewhere.
    """

    mean: float
    sd: float
    n: int
    dof: int | None

    @property
    def k(self) -> float:
        """Get the coverage factor of a limit: Student's where the standard deviation is estimated."""
        from scipy import special

        p = 1.0 - FALSE_SHARE / 2.0
        if self.dof is None or self.dof > _KNOWN_DOF:
            return float(special.ndtri(p))
        return float(special.stdtrit(self.dof, p))


@dataclass(frozen=True, slots=True)
class Charted:
    """One value on both charts: the moving average after it, and the limits that each is held against."""

    value: float
    ewma: float
    low: float
    high: float
    ewma_low: float
    ewma_high: float

    @property
    def signals(self) -> tuple[ChartKind, ...]:
        """Get the charts that this value is outside of."""
        found = []
        if not self.low <= self.value <= self.high:
            found.append(ChartKind.SHEWHART)
        if not self.ewma_low <= self.ewma <= self.ewma_high:
            found.append(ChartKind.EWMA)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Chart:
    """A quantity's chart: its baseline, and each value after it."""

    baseline: Baseline
    charted: tuple[Charted, ...]

    @property
    def first_signal(self) -> int | None:
        """Get the number of the first value after the baseline that signals, from 0; None where none does."""
        return next((i for i, one in enumerate(self.charted) if one.signals), None)


def baseline_of(values: Sequence[float], sd: float | None = None) -> Baseline | None:
    """Get the baseline of values, or None for fewer than ``LEAST``; ``sd`` where it is known from elsewhere.

    Values that are all alike have a standard deviation of 0: then any other value signals.
    """
    n = len(values)
    if n < LEAST:
        return None
    mean = math.fsum(values) / n
    if sd is not None:
        return Baseline(mean, sd, n, None)
    return Baseline(mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)), n, n - 1)


def chart(values: Sequence[float], *, baseline_n: int = BASELINE, sd: float | None = None) -> Chart | None:
    """Chart values in order of time: the first ``baseline_n`` are the baseline. None where there are too few."""
    baseline = baseline_of(values[:baseline_n], sd)
    return None if baseline is None else Chart(baseline, charted(baseline, values[baseline_n:]))


def charted(baseline: Baseline, values: Sequence[float], weight: float = LAMBDA) -> tuple[Charted, ...]:
    """Hold values against a baseline, in order of time. ``weight`` is the newest value's in the average, 0 to 1."""
    out = []
    ewma, k = baseline.mean, baseline.k
    shewhart = k * baseline.sd * math.sqrt(1.0 + 1.0 / baseline.n)
    for number, value in enumerate(values, start=1):
        ewma = weight * value + (1.0 - weight) * ewma
        half = k * baseline.sd * math.sqrt(ewma_variance(weight, number, baseline.n))
        out.append(
            Charted(
                value,
                ewma,
                baseline.mean - shewhart,
                baseline.mean + shewhart,
                baseline.mean - half,
                baseline.mean + half,
            )
        )
    return tuple(out)


def ewma_variance(weight: float, number: int, baseline_n: int) -> float:
    """Get the variance of the average after ``number`` values about the baseline's mean, in units of one value's.

    The average's own, which tends to λ/(2 − λ), and what the baseline's mean of ``baseline_n`` values is off.
    """
    kept = (1.0 - weight) ** number
    return weight / (2.0 - weight) * (1.0 - kept * kept) + (1.0 - kept) ** 2 / baseline_n
