"""When a quantity that drifts leaves its limits: a straight line through its values, and when that gets there.

The interval is of the line alone: a drift that changes its pace is not foreseen, and nothing is said where the line
does not surely move. This module must never look at what is measured now, only at what is given.

Source: inverse prediction from a straight line by Fieller's theorem (Draper and Smith, Applied Regression Analysis,
3.2), with Student's factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

COVERAGE = 0.90
LEAST = 6
"""Values, to speak of a drift."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line y = ``mean`` + ``slope``·(t − ``mean_t``) through n values: with the variances of both.

    ``k`` is Student's factor for ``COVERAGE``, two-sided.
    """

    mean_t: float
    mean: float
    slope: float
    var_mean: float
    var_slope: float
    n: int
    k: float

    @property
    def moves(self) -> bool:
        """Say whether the slope is surely not nothing."""
        return abs(self.slope) > self.k * math.sqrt(self.var_slope)

    @property
    def slope_half(self) -> float:
        """Get the half-width of the slope's interval."""
        return self.k * math.sqrt(self.var_slope)


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a line reaches a limit: the estimate and its interval, on the scale of t. ``latest`` may be infinite."""

    at: float
    earliest: float
    latest: float
    limit: float


def line_through(times: Sequence[float], values: Sequence[float]) -> Line | None:
    """Fit a straight line by least squares. None for fewer than ``LEAST`` values, or where all are of one time."""
    from scipy import special

    n = len(values)
    if n < LEAST:
        return None
    mean_t, mean = math.fsum(times) / n, math.fsum(values) / n
    sxx = math.fsum((t - mean_t) ** 2 for t in times)
    if sxx <= 0.0:
        return None
    slope = math.fsum((t - mean_t) * (y - mean) for t, y in zip(times, values, strict=True)) / sxx
    rest = math.fsum((y - mean - slope * (t - mean_t)) ** 2 for t, y in zip(times, values, strict=True))
    var = rest / (n - 2)
    k = float(special.stdtrit(n - 2, (1.0 + COVERAGE) / 2.0))
    return Line(mean_t, mean, slope, var / n, var / sxx, n, k)


def crossing(line: Line, low: float, high: float) -> Crossing | None:
    """Get when a line that surely moves leaves low … high. None where it does not move, or has left long before.

    By Fieller: those t for which (limit − mean − slope·(t − mean_t))² ≤ k²·(var_mean + (t − mean_t)²·var_slope).
    """
    if not line.moves:
        return None
    limit = high if line.slope > 0.0 else low
    away = limit - line.mean
    k2 = line.k * line.k
    a = line.slope * line.slope - k2 * line.var_slope  # > 0, since it surely moves
    b = -2.0 * away * line.slope
    c = away * away - k2 * line.var_mean
    root = math.sqrt(max(0.0, b * b - 4.0 * a * c))
    at = line.mean_t + away / line.slope
    return Crossing(at, line.mean_t + (-b - root) / (2.0 * a), line.mean_t + (-b + root) / (2.0 * a), limit)
