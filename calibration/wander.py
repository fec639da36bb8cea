"""How a zero wanders over hours: means of ten minutes, hours apart, as a test takes them.

A walk that is known from minutes is extrapolated by the root of time. Where hours say otherwise, hours count: what
stays within bounds (an undulation, a draught) is no walk, and what goes one way is a drift, about which it bends. This
module must never extrapolate where the hours were seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.thermal import BIN_S, F8, WalkFit, minute_means

MEAN_MIN = 10
"""As long as a weighing."""
HOURS = (2.0, 4.0)
"""The longest times that a night of calibration holds some of."""
BENDS_H = (1.0, 2.0)
"""Times over which a drift's bends are looked for: a second zero leaves about so much of a night unseen."""
BOUNDED = ((BENDS_H, 0.25), (HOURS, 0.15))
"""What has less than these shares of the variances that its walk makes in the same times is bounded: so little in both
is no chance of a walk that two nights saw."""
DRIFTS = 3.2
"""Over a test a drift counts as one where its variance is so many times that of the walk, whose own fitted lines have
1.2 times."""
WANDERS = 2.7
"""What wanders over hours by more than its walk of minutes says has so many times its variance there (F of the three
stretches that two nights hold, 95 %)."""
LEAST_DRIFT_DOF = 2.0
"""A single night is taken for two: the walk is an estimate of the same thing, and says what is usual."""
TEST_H = 8.5
"""From M1 to M2 it takes about so long."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The root mean square of the difference of two ten-minute means some hours apart, with degrees of freedom."""

    rms: float
    dof: float


@dataclass(frozen=True, slots=True)
class Wander:
    """What a zero does by itself, in codes: its walk; its bound, or its drift an hour, where it has one of them.

    Where it drifts, the walk is what it bends about its drift by.
    """

    walk: WalkFit
    bound: Apart | None
    drift_per_h: Apart | None

    def over(self, hours: float) -> Apart:
        """Get how far it may have moved in so many hours: walk and drift are two estimates of one thing."""
        walked = Apart(self.walk.per_sqrt_h * math.sqrt(hours), self.walk.dof)
        if self.bound is not None:
            return min(walked, self.bound, key=lambda a: a.rms)
        if self.drift_per_h is None:
            return walked
        drifted = Apart(self.drift_per_h.rms * hours, self.drift_per_h.dof)
        return max(walked, drifted, key=lambda a: a.rms)


def fit_wander(nights: Sequence[tuple[F8, F8]], drifts_per_h: Sequence[float], walk: WalkFit) -> Wander:
    """Hold a walk that is known from minutes against the hours of ``nights``: times in s, codes without temperature.

    ``drifts_per_h`` are the straight lines fitted through them: their number is all the freedom that a drift has
    (two at least).
    """
    means = [_ten_minutes(t_s, code) for t_s, code in nights]
    bound = _bound(means, walk)
    if bound is not None:
        return Wander(walk, bound, None)
    per_h = math.sqrt(math.fsum(d * d for d in drifts_per_h) / max(1, len(drifts_per_h)))
    if (per_h * TEST_H) ** 2 <= DRIFTS * walk.per_sqrt_h**2 * TEST_H:
        return Wander(_seen_over_hours(means, walk), None, None)
    bends = _apart([_without_line(values) for values in means], BENDS_H)
    if bends is not None:
        each = WalkFit(bends.rms / math.sqrt(sum(BENDS_H) / 2.0), bends.dof)
        walk = max(walk, each, key=lambda w: w.per_sqrt_h)
    return Wander(walk, None, Apart(per_h, max(LEAST_DRIFT_DOF, float(len(drifts_per_h)))))


def _seen_over_hours(means: Sequence[F8], walk: WalkFit) -> WalkFit:
    """Get the walk as hours show it, where that is more than the few stretches of a calibration let chance make."""
    apart = _apart(means, HOURS)
    if apart is None:
        return walk
    hours = WalkFit(apart.rms / math.sqrt(sum(HOURS) / 2.0), apart.dof)
    return hours if hours.per_sqrt_h**2 > WANDERS * walk.per_sqrt_h**2 else walk


def _bound(means: Sequence[F8], walk: WalkFit) -> Apart | None:
    """Get within what means stay over hours, where that is far less than a walk from minutes (None: it is not)."""
    rms, dof = 0.0, math.inf
    for hours, share in BOUNDED:
        apart = _apart(means, hours)
        if apart is None or apart.rms**2 >= share * walk.per_sqrt_h**2 * sum(hours) / 2.0:
            return None
        rms, dof = max(rms, apart.rms), min(dof, apart.dof)
    return Apart(rms, dof)


def _ten_minutes(t_s: F8, code: F8) -> F8:
    """Get means of ten minutes, one after the other; holes are bridged by straight lines."""
    minute, value = minute_means(t_s, code)
    if len(minute) < MEAN_MIN:
        return np.empty(0)
    even = np.interp(np.arange(minute[0], minute[-1], BIN_S), minute, value)
    whole = len(even) // MEAN_MIN
    means: F8 = even[: whole * MEAN_MIN].reshape(whole, MEAN_MIN).mean(axis=1)
    return means


def _without_line(values: F8) -> F8:
    if len(values) < 3:
        return values
    x = np.arange(len(values), dtype=np.float64)
    rest: F8 = values - np.polyval(np.polyfit(x, values, 1), x)
    return rest


def _apart(series: Sequence[F8], hours: tuple[float, float]) -> Apart | None:
    """Get how far means are apart so many hours from each other (None: no record is long enough).

    The degrees of freedom are the stretches of that length which do not overlap.
    """
    low, high = (round(h * 60.0 / MEAN_MIN) for h in hours)
    squares: list[float] = []
    dof = 0.0
    for values in series:
        if len(values) <= high:
            continue
        dof += max(1.0, len(values) / ((low + high) / 2.0) - 1.0)
        squares += [float(np.mean((values[lag:] - values[:-lag]) ** 2)) for lag in range(low, high + 1)]
    return Apart(math.sqrt(math.fsum(squares) / len(squares)), dof) if squares else None
