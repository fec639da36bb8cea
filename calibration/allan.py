"""How long a mean is worth taking: the Allan deviation of the very seconds that are averaged.

A load cell's noise falls with averaging for some seconds or minutes, then drift takes over; past that, more
averaging buys nothing and hides a change. This module must never assume that noise is white. Its sums are
taken in order or exactly rounded, so that they come out the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from calibration.integrated import Integrated

F8 = npt.NDArray[np.float64]


def deviation(values: F8, m: int) -> float:
    """Get the overlapping Allan deviation of evenly spaced ``values`` for means of ``m`` of them.

    W. J. Riley, NIST SP 1065 (2008), section 5.2.4, for frequency-like data. Needs ``2·m <= len(values)``;
    raises ``ValueError`` otherwise.
    """
    n = len(values)
    if m < 1 or 2 * m > n:
        raise ValueError(f"an Allan deviation over {m} of {n} values: at most half of them")
    # Around the first value: the sums of a large constant would cost digits.
    total = np.concatenate(([0.0], np.add.accumulate(values - values[0])))
    step = (total[2 * m :] - 2.0 * total[m:-m] + total[: -2 * m]) / m
    return math.sqrt(float(np.add.accumulate(step * step)[-1]) / (2.0 * len(step)))


def degrees_of_freedom(n: int, m: int) -> float:
    """Get the equivalent degrees of freedom of :func:`deviation` for white noise (NIST SP 1065, table 5)."""
    edf = (3.0 * (n - 1) / (2.0 * m) - 2.0 * (n - 2) / n) * 4.0 * m * m / (4.0 * m * m + 5.0)
    return max(1.0, edf)


def mean_over_stable_window(values: Sequence[float], edge: Literal["first", "last"]) -> Integrated:
    """Take the mean at one edge of ``values``, as long as their Allan deviation justifies.

    The window is the octave at which the deviation is smallest; where it still falls at the longest octave
    that leaves three independent means, the whole stretch. ``u`` is that smallest deviation: where drift has
    taken over it is the instability, not a number that averaging has made small. With fewer than six values
    the window is all of them and ``u`` the sample's standard deviation (0 for a single value: not known).
    Raises ``ValueError`` without values or with one that is not finite.
    """
    n = len(values)
    if n == 0 or not all(math.isfinite(v) for v in values):
        raise ValueError("a mean needs values, all finite")
    if n < 6:
        mean = math.fsum(values) / n
        u = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)) if n > 1 else 0.0
        return Integrated(mean, u, max(1.0, n - 1.0), n, 0, n)
    array = np.asarray(values, np.float64)
    octaves = [1 << i for i in range((n // 3).bit_length()) if 1 << i <= n // 3]
    found = [(deviation(array, m), m) for m in octaves]
    u, m = min(found)
    length = n if m == octaves[-1] else m
    start = 0 if edge == "first" else n - length
    mean = math.fsum(values[start : start + length]) / length
    return Integrated(mean, u, degrees_of_freedom(n, m), length, start, n)


BLOCKS = 20
"""A window is cut into so many means to see whether its noise has a memory."""
MEMORY = 0.1
"""Neighbouring means that are correlated by more have one."""


def mean_over_whole_window(values: Sequence[float]) -> Integrated:
    """Take the mean of all ``values``, with the uncertainty that the scatter of its own parts shows.

    Of twenty means, less the straight line through them (a drift within the window is no error of its mean), the lag-1
    correlation is taken, with what removing the line hides of it. Where they are next to independent, u is their
    standard deviation over √20, widened for what correlation is left (GUM 4.2.7; (1 + r)/(1 − r) for a noise of one
    memory). Where they are not, the noise may have any memory: then u is the Allan deviation at a third of the window
    (NIST SP 1065, 5.2.4), the instability of its longest means, with the few degrees of freedom that it has. Fewer than
    three values a mean have that too, and fewer than six the sample's standard deviation.
    """
    n = len(values)
    if n < 6:
        return mean_over_stable_window(values, "last")
    if not all(math.isfinite(v) for v in values):
        raise ValueError("a mean needs values, all finite")
    mean = math.fsum(values) / n
    independent = _independent(values, mean) if n >= 3 * BLOCKS else None
    if independent is not None:
        return Integrated(mean, *independent, n, 0, n)
    m = n // 3
    return Integrated(mean, deviation(np.asarray(values, np.float64), m), degrees_of_freedom(n, m), n, 0, n)


def _independent(values: Sequence[float], mean: float) -> tuple[float, float] | None:
    """Get the u of the mean and its dof from means that hardly know of each other (None: they do)."""
    n, k = len(values), BLOCKS
    cuts = [n * i // k for i in range(k + 1)]
    means = [math.fsum(v - mean for v in values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    x = [i - (k - 1) / 2.0 for i in range(k)]
    middle = math.fsum(means) / k
    slope = math.fsum(a * b for a, b in zip(x, means, strict=True)) / math.fsum(a * a for a in x)
    rest = [g - middle - slope * a for a, g in zip(x, means, strict=True)]
    squares = math.fsum(d * d for d in rest)
    if not squares > 0.0:
        return 0.0, k - 2.0
    seen = math.fsum(a * b for a, b in pairwise(rest)) / squares
    r = (seen + 2.0 / k) / (1.0 - 6.0 / k)  # a line takes about (2 + 6r)/k of it away
    if r >= MEMORY:
        return None
    memory = (1.0 + max(r, 0.0)) / (1.0 - max(r, 0.0))
    scatter2 = squares / (k - 2.0) / (1.0 - 2.0 * (memory - 1.0) / k)
    return math.sqrt(scatter2 * memory / k), max(3.0, k / memory - 2.0)


def uncertainty_of_mean(values: Sequence[float]) -> float:
    """Get the standard uncertainty of the mean of all ``values`` as their longest averages show it.

    The Allan deviation at its largest over the octaves from a tenth of the record on is what means of that length still
    scatter by; it falls with the root of how many of them the record holds where they are independent (NIST SP 1065,
    5.2). 0 with fewer than six values: not known.
    """
    n = len(values)
    if n < 6:
        return 0.0
    array = np.asarray(values, np.float64)
    octaves = [m for m in (1 << i for i in range((n // 3).bit_length())) if n / 10.0 <= m <= n // 3] or [max(1, n // 3)]
    return max(deviation(array, m) * math.sqrt(m / n) for m in octaves)
