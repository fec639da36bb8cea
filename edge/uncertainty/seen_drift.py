"""A drift that a run itself shows: what moves alike at M1 and at M2, or rises in the hold, is the balance's.

A sample that dries falls before M1 and rises after the venting; a balance that drifts does one and the same at both,
and all the night between them. In a vacuum at 120 °C no sample gains. This module must never correct a loss for it:
nobody knows how it went on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge.procedure.masses import Stretch
from edge.records.weighing import Weighing, WeighingKind

from .slopes import Slope

MEANS_S = 600.0
"""As long as a weighing: what is slower is not in its noise."""
RISES = 5.0
"""So many standard uncertainties of a mean's difference are a rise: the largest of some thirty means' is less."""


@dataclass(frozen=True, slots=True)
class SeenDrift:
    """A rate in g/h that both weighings show, and what it makes in g from the middle of M1 to that of M2."""

    rate_g_per_h: float
    gained_g: float


def drift_seen(slopes: Sequence[Slope], m1: Weighing, m2: Weighing) -> SeenDrift | None:
    """Get the drift that the slopes at M1 and M2 have in common (None: one is noise, or they point apart).

    The rate is their mean, as a straight line between the two has it.
    """
    at = {slope.which: slope for slope in slopes if slope.counts}
    before, after = at.get(WeighingKind.M1), at.get(WeighingKind.M2)
    if before is None or after is None or before.rate_g_per_h * after.rate_g_per_h <= 0.0:
        return None
    rate = (before.rate_g_per_h + after.rate_g_per_h) / 2.0
    return SeenDrift(rate, rate * (m2.middle_s - m1.middle_s) / 3600.0)


def risen_g(hold: Stretch, u_mean_g: float, resolution_g: float = 0.0) -> float:
    """Get the most that the indication rose by within the hold, in g: 0 where that is noise, or a display's steps.

    ``hold`` are its rows without jumps; ``u_mean_g`` is the standard uncertainty of a weighing's mean. Medians of as
    long as a weighing are compared, a later one with the least before it: a balance that goes up and down for hours
    does so beside the loss, which hides some of it. What the hold gained in all is not among it: it is told as a gain.
    """
    if not len(hold.t_s):
        return 0.0
    cuts = np.searchsorted(hold.t_s, np.arange(hold.t_s[0], hold.t_s[-1] + MEANS_S, MEANS_S))
    level_g = np.array([np.median(hold.mass_g[a:b]) for a, b in pairwise(cuts) if b > a])
    if len(level_g) < 2:
        return 0.0
    rose_g = float(np.max(level_g - np.minimum.accumulate(level_g)) - max(0.0, level_g[-1] - level_g[0]))
    return rose_g if rose_g > max(RISES * math.sqrt(2.0) * u_mean_g, 2.0 * resolution_g) else 0.0
