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

from .forecast_live import RISE, RISE_PCT_PER_H, STRETCH_H, stretch_rate


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
    """Get the rate over the newest ``STRETCH_H`` of a curve, of about a point a minute; None where that is too short.

    ``t_h`` rises, in h; ``loss_pct`` is finite, in % of M1.
    """
    t, y = np.asarray(t_h, np.float64), np.asarray(loss_pct, np.float64)
    if not len(t):
        return None
    newest_h = math.nextafter(float(t[-1]), math.inf) - STRETCH_H
    newer = stretch_rate(t, y, newest_h)
    if not math.isfinite(newer):
        return None
    older = stretch_rate(t, y, newest_h - STRETCH_H)
    if not math.isfinite(older):
        return LossRate(newer, None)
    apart = max(RISE * abs(older), RISE_PCT_PER_H)
    trend = Trend.RISING if newer - older > apart else Trend.FALLING if older - newer > apart else Trend.STEADY
    return LossRate(newer, trend)
