"""While the hold runs: the loss to be expected at its end, with a 90 % interval, and on which course that is.

An exponential approach and a slow rate, fitted again each minute to the newest part of the curve:

    loss(now + h) = c + v·((1 − ρ)·τ·(1 − exp(−h/τ)) + ρ·h)

``v`` is the rate now, ``τ`` how long it takes to fall, ``ρ`` which part of it is a slow one that stays. What the curve
cannot tell of τ and ρ stays open: each pair counts by how well it fits (a mixture, weighted by likelihood), and so the
interval is as wide as the laws that fit are apart. Where the rate has risen (a second onset), what was before is left
out, and the interval is as wide as the little that is left makes it. What no such law describes (two approaches at
once, diffusion) is in a correlated deviation of a few parts in a hundred of what was lost in the window; what the load
cell does by itself, in a random walk that the residuals may enlarge. This module must never reach a verdict, and never
wear its words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from edge.records.curve import larger_half_pct

F8 = npt.NDArray[np.float64]

INTERVAL = 0.90
LEAST_H = 0.5
"""Of the hold: before it there is no forecast."""
LEAST_POINTS = 12
WINDOW = 0.4
"""Of the hold so far: the newest part is fitted, an hour of it at least. The oldest says little of what is to come."""
WINDOW_LEAST_H = 1.0
STRETCH_H, STRETCH_POINTS = 0.25, 6
"""Two stretches beside each other show whether the rate rises,"""
RISE, RISE_PCT_PER_H = 0.08, 0.004
"""by such a part of it, and by more than this: a load cell's own walk may do so too, and then the interval is wider."""
AFTER_RISE_H = 0.25
"""After a rise so much of the curve is fitted at least."""
BLOCKS = 40
SLOW_PARTS = np.linspace(0.0, 0.85, 8)
FALLS_H = np.geomspace(0.08, 20.0, 28)
NOISE_PCT = 0.0004
"""Of a minute's mean, at least, in % of the sample."""
WALK_PCT = 0.0015
"""In an hour, at least: what a load cell does by itself, as a random walk."""
DEVIATION = 0.015
"""Of what was lost in the window: how far a true curve may lie from the law, for half a window at a time."""
LIKELY = 1e-4  # of the best: what fits worse is left out
UNDECIDED = 0.3
"""Of the limit: with a wider interval about the limit it is too early to say."""
AHEAD = 8  # points of the path


class Outlook(StrEnum):
    """On which course a test is. None of these is a verdict."""

    TOO_EARLY = "too early"
    PASS = "on course to pass"
    FAIL = "on course to fail"
    CLOSE = "too close to call"


@dataclass(frozen=True, slots=True)
class Expected:
    """A loss to be expected at ``t_h`` of the hold, and the ends of its 90 % interval, in %."""

    t_h: float
    low_pct: float
    loss_pct: float
    high_pct: float


@dataclass(frozen=True, slots=True)
class LiveForecast:
    """The loss to be expected at the hold's end, and the way there, from now on."""

    end: Expected
    path: tuple[Expected, ...]

    @property
    def half_pct(self) -> float:
        """Get the larger half of the interval at the end, in %."""
        return larger_half_pct(self.end.low_pct, self.end.loss_pct, self.end.high_pct)


def forecast_loss(t_h: Sequence[float], loss_pct: Sequence[float], end_h: float) -> LiveForecast | None:
    """Get the forecast from a curve so far (None: too short to say anything).

    ``t_h`` rises, in h since the hold began, about a point a minute; ``loss_pct`` is finite, in % of M1, with the
    air's step taken out (a constant step does not matter to what is to come). ``end_h`` is when the hold will end.
    """
    t, y = np.asarray(t_h, np.float64), np.asarray(loss_pct, np.float64)
    if len(t) < LEAST_POINTS or t[-1] - t[0] < LEAST_H or not end_h > t[-1]:
        return None
    now_h = float(t[-1])
    from_h = now_h - max(WINDOW_LEAST_H, WINDOW * (now_h - float(t[0])))
    newest = t >= max(from_h, min(_newest_rise(t, y), now_h - AFTER_RISE_H))
    fit = _Fit(*_blocks(t[newest] - now_h, y[newest]))
    ahead = np.linspace(0.0, end_h - now_h, AHEAD)
    path = tuple(Expected(now_h + h, *fit.quantiles(h)) for h in ahead.tolist())
    return LiveForecast(path[-1], path)


def outlook(forecast: LiveForecast | None, limit_pct: float, expanded_pct: float) -> Outlook:
    """Say on which course a test is: with ``expanded_pct`` (U) of the verdict to come on top of the interval."""
    if forecast is None:
        return Outlook.TOO_EARLY
    if forecast.end.low_pct - expanded_pct > limit_pct:
        return Outlook.FAIL
    if forecast.end.high_pct + expanded_pct <= limit_pct:
        return Outlook.PASS
    return Outlook.CLOSE if forecast.half_pct <= UNDECIDED * limit_pct else Outlook.TOO_EARLY


def _newest_rise(t_h: F8, y: F8) -> float:
    """Get since when the rate has not risen, in h: from the newest pair of neighbouring stretches that show a rise on.

    What lies before a second onset follows another law; fitted with the rest, it would promise what is not to come.
    """
    since_h = at_h = float(t_h[0])
    while (at_h := at_h + STRETCH_H / 2.0) <= t_h[-1] - STRETCH_H:
        older, newer = (stretch_rate(t_h, y, from_h) for from_h in (at_h - STRETCH_H, at_h))
        if newer - older > max(RISE * abs(older), RISE_PCT_PER_H):
            since_h = at_h + STRETCH_H / 2.0
    return since_h


def stretch_rate(t_h: F8, y: F8, from_h: float, long_h: float = STRETCH_H) -> float:
    """Get the slope of the ``long_h`` from ``from_h`` on, in % per h, by least squares; NaN for too few points."""
    part = (t_h >= from_h) & (t_h < from_h + long_h)
    x = t_h[part] - t_h[part].mean() if np.count_nonzero(part) >= STRETCH_POINTS else np.empty(0)
    return float(x @ y[part] / (x @ x)) if len(x) else math.nan


def _blocks(x_h: F8, y: F8) -> tuple[F8, F8, F8]:
    """Get means of neighbouring points, at most ``BLOCKS``: times, values, and how many points each is of."""
    ends = np.round(np.linspace(0, len(x_h), min(BLOCKS, len(x_h)) + 1)).astype(int)
    starts = ends[:-1][np.diff(ends) > 0]  # not numpy's unique: it loads masked arrays into a process that stays
    of = np.diff(np.append(starts, len(x_h))).astype(np.float64)
    return np.add.reduceat(x_h, starts) / of, np.add.reduceat(y, starts) / of, of


class _Fit:
    """All pairs of τ and ρ fitted to one window, each with its c, v and weight. Times in h from now on, so negative."""

    def __init__(self, x_h: F8, y: F8, of: F8) -> None:
        slow, falls = np.meshgrid(SLOW_PARTS, FALLS_H, indexing="ij")
        self._slow, self._falls = slow.ravel(), falls.ravel()
        lower = np.linalg.cholesky(_covariance(x_h, y, of))
        white_y = np.linalg.solve(lower, y)
        ones = np.linalg.solve(lower, np.ones_like(x_h))
        shapes = np.linalg.solve(lower, self._shape(x_h[:, None]))
        # two unknowns, c and v, by least squares: for every pair at once
        a, b, d = float(ones @ ones), ones @ shapes, (shapes * shapes).sum(axis=0)
        to_c, to_v = float(ones @ white_y), white_y @ shapes
        det = a * d - b * b
        c, v = (d * to_c - b * to_v) / det, (a * to_v - b * to_c) / det
        misfit = float(white_y @ white_y) - c * to_c - v * to_v
        # residuals larger than the least noise enlarge all of it
        self._scale = max(1.0, float(misfit.min()) / max(1, len(x_h) - 3))
        self._c, self._v = c, v
        self._var_c, self._cov, self._var_v = d / det, -b / det, a / det
        rising = np.where(v < 0.0, v * v / self._var_v, 0.0)  # a sample does not gain for ever
        log_weight = -0.5 * (misfit + rising) / self._scale - 0.5 * np.log(det)
        weight = np.exp(log_weight - log_weight.max())
        self._kept = weight > LIKELY
        self._weight = weight[self._kept] / weight[self._kept].sum()

    def _shape(self, h: F8 | float) -> F8:
        shape: F8 = (1.0 - self._slow) * self._falls * -np.expm1(-h / self._falls) + self._slow * h
        return shape

    def quantiles(self, ahead_h: float) -> tuple[float, float, float]:
        """Get the interval's low end, its middle and its high end, ``ahead_h`` from now."""
        shape = self._shape(ahead_h)
        mean = (self._c + self._v * shape)[self._kept]
        var = self._var_c + 2.0 * shape * self._cov + self._var_v * shape * shape
        sd = np.sqrt((var[self._kept] + WALK_PCT**2 * ahead_h) * self._scale)
        tail = (1.0 - INTERVAL) / 2.0
        low, middle, high = (_quantile(p, self._weight, mean, sd) for p in (tail, 0.5, 1.0 - tail))
        return low, middle, high


def _covariance(x_h: F8, y: F8, of: F8) -> F8:
    """Get what is not the law: noise of each mean, a walk that is 0 now, and a smooth deviation (Matérn, 3/2)."""
    near = np.minimum(np.abs(x_h)[:, None], np.abs(x_h)[None, :])
    lost_pct = max(float(np.ptp(y)), 2.0 * NOISE_PCT)
    apart = math.sqrt(3.0) * np.abs(x_h[:, None] - x_h[None, :]) / (0.5 * max(1e-3, -float(x_h[0])))
    smooth = (1.0 + apart) * np.exp(-apart)
    noise = np.diag(NOISE_PCT**2 * (1.0 / of + 0.04))
    found: F8 = noise + WALK_PCT**2 * near + (DEVIATION * lost_pct) ** 2 * smooth
    return found


def _quantile(p: float, weight: F8, mean: F8, sd: F8) -> float:
    """Get a quantile of a mixture of normal distributions, by halving."""
    low, high = float((mean - 6.0 * sd).min()), float((mean + 6.0 * sd).max())
    for _ in range(40):
        middle = (low + high) / 2.0
        below = sum(
            w * math.erfc((m - middle) / (s * math.sqrt(2.0))) / 2.0
            for w, m, s in zip(weight.tolist(), mean.tolist(), sd.tolist(), strict=True)
        )
        low, high = (middle, high) if below < p else (low, middle)
    return (low + high) / 2.0
