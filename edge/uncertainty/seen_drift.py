"""A drift that the weighings themselves show: what moves alike at M1 and at M2 is the balance sooner than the sample.

A sample that dries falls before M1 and rises after the venting; a balance that drifts does one and the same at both,
and all the night between them. This module must never correct a loss for it: nobody knows that it went on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.records.weighing import Weighing, WeighingKind

from .slopes import Slope


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
    over_h = math.fsum((m2.from_s, m2.to_s, -m1.from_s, -m1.to_s)) / 2.0 / 3600.0
    return SeenDrift(rate, rate * over_h)
