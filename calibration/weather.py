"""What the air's pressure does to a load cell's zero, from hours in which a barometer was read beside it.

Weather moves the pressure by some hectopascals in a night, and a zero wanders meanwhile: what the code does with the
pressure is told from temperature, drift and wander by least squares that know of the wander. A night of still weather
says nothing, and then what the class of cells allows is all that is known. This module must never take a wander for
weather.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.thermal import BIN_S, F8, minute_means, walk_left

VMIN_PER_CAPACITY = 10_000.0
"""A C3 cell's usual Y = Emax / vmin (OIML R 60-1); 5.6.2 allows the zero one vmin a kilopascal."""
MEAN_MIN, LEAST_MIN = 10, 5
"""Means of ten minutes, of five at least: a barometer's own noise is small against what weather does in that time."""
LAGS = range(9, 25, 3)
"""The wander is looked for over 1.5 to 4 hours too, in means: what is red is more there than minutes say."""
LEAST_MEANS = 18
LEAST_KPA = 0.1
"""Weather that moves by less says nothing: a barometer's own drift with the room's warmth is some pascals."""
AIR_G_CM3_PER_KPA = 1.2e-3 / 101.325
HOLDER_CM3 = 20.0
"""What holds the sample is at most so large, and lighter by the air that it displaces; steel besides has 7.95 g/cm³."""
STEEL_G_CM3 = 7.95
SCALE_REL = 0.03
"""How far a barometer's own hectopascal may be off (BST-BMP280-DS001: ±0.12 hPa over some hPa of weather)."""


@dataclass(frozen=True, slots=True)
class AirNight:
    """Hours with one load on: times in s, codes, the cell's temperature in °C (NaN: not known) and the air in kPa.

    ``piece`` numbers the power-ups of the converter; ``weight_g`` is the steel that hung there.
    """

    t_s: F8
    code: F8
    temp_c: F8
    kpa: F8
    piece: F8 | None = None
    weight_g: float = 0.0


@dataclass(frozen=True, slots=True)
class WeatherFit:
    """By how many grams the zero rises with a kilopascal, ± u, as nights from ``low_kpa`` to ``high_kpa`` alone say it.

    ``class_g_per_kpa`` is what the cell's class allows either way.
    """

    g_per_kpa: float
    u_g_per_kpa: float
    low_kpa: float
    high_kpa: float
    class_g_per_kpa: float

    @property
    def range_hpa(self) -> float:
        """Get how far the weather moved the pressure, in hPa."""
        return 10.0 * (self.high_kpa - self.low_kpa)

    @property
    def says_more(self) -> bool:
        """Say whether it knows more than the class, or that the cell is none of it."""
        beyond = abs(self.g_per_kpa) > self.class_g_per_kpa + 2.0 * self.u_g_per_kpa
        return beyond or self.u_g_per_kpa < self.class_g_per_kpa / math.sqrt(3.0)

    @property
    def with_class(self) -> tuple[float, float]:
        """Get coefficient and u of nights and class together: two statements about one cell, while they agree."""
        u_class = self.class_g_per_kpa / math.sqrt(3.0)
        if abs(self.g_per_kpa) > 2.0 * math.hypot(u_class, self.u_g_per_kpa):
            return self.g_per_kpa, self.u_g_per_kpa
        weight = u_class**2 / (u_class**2 + self.u_g_per_kpa**2)
        return weight * self.g_per_kpa, math.sqrt(weight) * self.u_g_per_kpa


def fit_weather(nights: Sequence[AirNight], counts_per_g: float, capacity_g: float) -> WeatherFit | None:
    """Find what a kilopascal does to the zero from all nights in which the air was read (None: in none of them).

    Their weighted mean by 1/u², widened where they are further apart than their u lets expect (Birge); where it cannot
    be told in any of them its u is infinite.
    """
    read = [night.kpa[np.isfinite(night.kpa)] for night in nights]
    if not any(map(len, read)):
        return None
    kpa, each_class = np.concatenate(read), capacity_g / VMIN_PER_CAPACITY
    low, high = float(kpa.min()), float(kpa.max())
    found = [(one, night) for night in nights if (one := per_kilopascal(night)) is not None]
    if not found:
        return WeatherFit(0.0, math.inf, low, high, each_class)
    each = []
    for (per_kpa, u), night in found:
        displaced_g = AIR_G_CM3_PER_KPA * (HOLDER_CM3 / 2.0 + night.weight_g / STEEL_G_CM3)
        u_displaced_g = AIR_G_CM3_PER_KPA * HOLDER_CM3 / 2.0 / math.sqrt(3.0)
        each.append((per_kpa / counts_per_g + displaced_g, math.hypot(u / counts_per_g, u_displaced_g)))
    weights = [1.0 / u**2 for _, u in each]
    mean = math.fsum(w * g for w, (g, _) in zip(weights, each, strict=True)) / math.fsum(weights)
    chi2 = math.fsum(w * (g - mean) ** 2 for w, (g, _) in zip(weights, each, strict=True))
    birge = math.sqrt(max(1.0, chi2 / max(1, len(each) - 1)))
    u = math.hypot(birge / math.sqrt(math.fsum(weights)), SCALE_REL * mean)
    return WeatherFit(mean, u, low, high, each_class)


def without_weather(t_s: F8, code: F8, kpa: F8 | None, code_per_kpa: float, at_kpa: float) -> F8:
    """Get codes as they would be at one pressure; where nobody read it, it lies between its neighbours."""
    known = np.isfinite(kpa) if kpa is not None else np.zeros(len(t_s), bool)
    if kpa is None or not np.any(known):
        return code
    rest: F8 = code - code_per_kpa * (np.interp(t_s, t_s[known], kpa[known]) - at_kpa)
    return rest


def per_kilopascal(night: AirNight) -> tuple[float, float] | None:
    """Get codes per kPa in one night, with its u (None: it is too short, or the pressure cannot be told apart).

    Temperature, drift and its bend are fitted along. The residuals are a walk and white noise: generalized least
    squares over means of ten minutes, Σ = q²·min(ti, tj) + σ²·1, with q from the residuals, over minutes and over
    hours, whichever says more.
    """
    which_s = np.zeros_like(night.t_s) if night.piece is None else night.piece
    minute, temp, value, kpa, which = minute_means(night.t_s, night.temp_c, night.code, night.kpa, which_s)
    if len(minute) < LEAST_MEANS * MEAN_MIN:
        return None
    hours = (minute - minute[0]) / 3600.0
    late, pieces = hours - hours.mean(), np.unique(np.rint(which))
    later = [(np.rint(which) == p).astype(np.float64) for p in pieces[1:]]
    warm = [temp - temp.mean()] if float(np.ptp(temp)) > 0.5 else []
    design = np.column_stack([np.ones_like(late), kpa - kpa.mean(), late, late * late, *later, *warm])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None  # the pressure stood still, or went as straight as the time
    rest = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
    left = walk_left(design, minute, rest)
    if left is None:
        return None
    q2, white = left
    n, (y, at_h, *columns) = _means(minute, [value, hours, *design.T])
    if len(y) < LEAST_MEANS:
        return None
    x, walked = np.column_stack(columns), np.minimum.outer(at_h, at_h)
    if float(np.ptp(x[:, 1])) < LEAST_KPA:
        return None
    sigma = q2 * walked + np.diag(white / n)
    b, covariance, bread = _generalized(x, y, sigma)
    slow = _over_hours(y - x @ b, walked, np.eye(len(y)) - x @ bread, white / float(n.mean()), float(np.ptp(at_h)))
    if slow > q2:
        b, covariance, _ = _generalized(x, y, slow * walked + np.diag(white / n))
    return float(b[1]), math.sqrt(float(covariance[1, 1]))


def _over_hours(rest: F8, walked: F8, left: F8, white: float, hours: float) -> float:
    """Get the variance of a walk in an hour that would leave such residuals over 1.5 to 4 hours.

    ``left`` makes residuals of values, and so what it keeps of a walk. From the few stretches that a night holds it is
    known no better than Student's t says, whose variance is ν/(ν − 2).
    """
    made = left @ walked @ left.T

    def apart(lag: int) -> tuple[float, float]:
        own = np.diagonal(made)
        kept = float(np.mean(own[lag:] + own[:-lag] - 2.0 * np.diagonal(made, lag)))
        return float(np.mean((rest[lag:] - rest[:-lag]) ** 2)) - 2.0 * white, kept

    seen, kept = (math.fsum(each) for each in zip(*(apart(lag) for lag in LAGS), strict=True))
    dof = max(3.0, hours / (MEAN_MIN / 60.0 * sum(LAGS) / len(LAGS)) - 1.0)
    return max(0.0, seen / kept) * dof / (dof - 2.0)


def _means(minute: F8, columns: Sequence[F8]) -> tuple[F8, list[F8]]:
    """Get how many minutes each mean of ten has, and the means of columns; those of few minutes are left out."""
    which = np.floor((minute - minute[0]) / (MEAN_MIN * BIN_S)).astype(int)
    n = np.bincount(which)
    enough = n >= LEAST_MIN
    return n[enough].astype(np.float64), [np.bincount(which, weights=c)[enough] / n[enough] for c in columns]


def _generalized(x: F8, y: F8, sigma: F8) -> tuple[F8, F8, F8]:
    """Fit y = X·b with the covariance ``sigma`` of y (Aitken): coefficients, their covariance, what gives b of y."""
    weighted = np.linalg.solve(sigma, x)
    covariance = np.linalg.inv(x.T @ weighted)
    bread = covariance @ weighted.T
    return bread @ y, covariance, bread
