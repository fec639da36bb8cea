"""How fast the sample loses now, and whether that falls: the slopes of the curve's two newest stretches.

It is for whoever looks at a running test. This module must never reach a verdict, and never call a rate risen or fallen
by less than a load cell's own walk may make.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .forecast_live import RISE, WALK_PCT, stretch_rate

OVER_H = 0.5
"""So long is each of the two stretches."""
WALK_PCT_PER_H = 2.0 * math.sqrt(2.0 * 6.0 / 5.0 / OVER_H) * WALK_PCT
"""Twice what a random walk makes of the difference of two slopes: each has 6/5 of the walk's variance over its time."""


class Trend(StrEnum):
    """What a rate does."""

    FALLING = "falling"
    STEADY = "steady"
    RISING = "rising"


@dataclass(frozen=True, slots=True)
class LossRate:
    """A rate of loss in % of M1 per h; ``trend`` None where there is nothing before to hold it against."""

    pct_per_h: float
    trend: Trend | None


def loss_rate(t_h: Sequence[float], loss_pct: Sequence[float]) -> LossRate | None:
    """Get the rate over the newest ``OVER_H`` of a curve, of about a point a minute; None where that is too short.

    ``t_h`` rises, in h; ``loss_pct`` is finite, in % of M1.
    """
    t, y = np.asarray(t_h, np.float64), np.asarray(loss_pct, np.float64)
    if not len(t):
        return None
    newest_h = float(t[-1]) - OVER_H + 1e-6
    newer = stretch_rate(t, y, newest_h, OVER_H)
    if not math.isfinite(newer):
        return None
    older = stretch_rate(t, y, newest_h - OVER_H, OVER_H)
    if not math.isfinite(older):
        return LossRate(newer, None)
    apart = max(RISE * abs(older), WALK_PCT_PER_H)
    trend = Trend.RISING if newer - older > apart else Trend.FALLING if older - newer > apart else Trend.STEADY
    return LossRate(newer, trend)
