"""A load cell's numbers from readings of it: span, linearity, hysteresis, and what temperature does.

Codes against check weights, and codes against the cell's temperature over hours. Every number comes with its
standard uncertainty, and what the points cannot decide is refused with what to do. This module must never fit a
line through points that do not carry one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calibration.certificate import CONVERTER_COUNTS
from calibration.errors import BadFit
from calibration.leastsquares import Fit, fit_polynomial

F8 = npt.NDArray[np.float64]

LEAST_SPAN = 0.01  # of full scale, between the lightest and the heaviest weight
LEAST_SWING_K = 5.0  # a coefficient from less is mostly noise
BIN_S = 60.0  # readings are averaged over a minute before a temperature fit
LAGS_S = tuple(float(60 * 2**i) for i in range(9))  # 1 min to about 4 h, the first look


@dataclass(frozen=True, slots=True)
class SpanPoint:
    """A check weight on the cell: its mass and what that is good for, the code, its noise, and going up or down.

    ``u_mass_g`` is the weight's standard uncertainty (its class's tolerance over √3), ``u_code`` that of the mean code.
    """

    mass_g: float
    u_mass_g: float
    code: float
    u_code: float
    rising: bool = True


@dataclass(frozen=True, slots=True)
class SpanFit:
    """What span points say. Masses in g; ``linearity_per_g`` is q in mass = load + q·load² (0 where not worth having).

    ``hysteresis_g`` is the largest difference between going up and coming down at one weight (NaN: not measured),
    ``residual_g`` the standard deviation about the fit. ``covariance`` is that of (zero code, code per g[, per g²]).
    """

    counts_per_g: float
    u_counts_per_g: float
    zero_code: float
    u_zero_code: float
    linearity_per_g: float
    u_linearity_per_g: float
    hysteresis_g: float
    residual_g: float
    quadratic: bool
    covariance: tuple[tuple[float, ...], ...]


def fit_span(points: Sequence[SpanPoint], capacity_g: float) -> SpanFit:
    """Fit code = zero + S·m (+ c·m²) by weighted least squares; the quadratic only where it is worth having.

    A point's weight is that of its code's noise and of its mass (through S). The quadratic is kept if its term is more
    than twice its own standard uncertainty (JCGM 100, G.3: a coverage of 95 %) and then q = −c/S. Raises ``BadFit`` for
    fewer than two different weights, a span of less than 1 % of full scale, weights beyond the capacity (grams?),
    codes on the converter's rails, and weights that do not move the code.
    """
    masses = sorted({p.mass_g for p in points})
    if any(not (math.isfinite(p.mass_g) and p.mass_g >= 0.0 and p.u_mass_g >= 0.0) for p in points):
        raise BadFit("a weight's mass or uncertainty is not a number of grams: enter it again")
    if any(not math.isfinite(p.code) or abs(p.code) >= CONVERTER_COUNTS - 1 for p in points):
        raise BadFit("a code lies on the converter's rail: use a lighter weight or a lower gain")
    if len(masses) < 2:
        raise BadFit("all weights are the same: use at least two different ones, the empty holder (0 g) may be one")
    if masses[-1] > 1.2 * capacity_g:
        raise BadFit(f"{masses[-1]:g} g is more than the cell's {capacity_g:g} g: enter grams, never overload a cell")
    if masses[-1] - masses[0] < LEAST_SPAN * capacity_g:
        raise BadFit(
            f"the weights differ by {masses[-1] - masses[0]:g} g, less than 1 % of {capacity_g:g} g: use a heavier "
            "weight (and enter grams, not kilograms)"
        )
    m, code = [p.mass_g for p in points], [p.code for p in points]
    first = fit_polynomial(m, code, 1)
    s = first.coefficients[1]
    if s == 0.0 or abs(s) * (masses[-1] - masses[0]) < 10.0 * max(p.u_code for p in points):
        raise BadFit("the weights hardly move the code: check that they rest on the cell, and its four wires")
    u = [max(math.hypot(p.u_code, s * p.u_mass_g), 1e-9 * abs(s) * capacity_g) for p in points]
    line = fit_polynomial(m, code, 1, u, scatter=len(points) > 2)
    chosen, quadratic = line, False
    if len(masses) >= 3 and len(points) >= 4:
        bent = fit_polynomial(m, code, 2, u, scatter=True)
        if abs(bent.coefficients[2]) > 2.0 * bent.u(2):
            chosen, quadratic = bent, True
    s, u_s = chosen.coefficients[1], chosen.u(1)
    c, u_c = (chosen.coefficients[2], chosen.u(2)) if quadratic else (0.0, _open_bend(m, code, u))
    rest = [y - _value(chosen, x) for x, y in zip(m, code, strict=True)]
    dof = max(1, len(points) - len(chosen.coefficients))
    return SpanFit(
        counts_per_g=s,
        u_counts_per_g=u_s,
        zero_code=chosen.coefficients[0],
        u_zero_code=chosen.u(0),
        linearity_per_g=-c / s if quadratic else 0.0,
        u_linearity_per_g=abs(u_c / s),
        hysteresis_g=_hysteresis_g(points, s),
        residual_g=math.sqrt(math.fsum(r * r for r in rest) / dof) / abs(s),
        quadratic=quadratic,
        covariance=chosen.covariance,
    )


def _value(f: Fit, x: float) -> float:
    return math.fsum(b * x**i for i, b in enumerate(f.coefficients))


def _open_bend(m: list[float], code: list[float], u: list[float]) -> float:
    """Get the standard uncertainty of a bend that was not kept: what three weights allow, else 0.01 % at the top."""
    if len(set(m)) >= 3 and len(m) >= 4:
        bent = fit_polynomial(m, code, 2, u, scatter=True)
        return math.hypot(bent.u(2), bent.coefficients[2])
    top = max(m)
    return abs(max(code) - min(code)) * 1e-4 / (top * top)


def _hysteresis_g(points: Sequence[SpanPoint], s: float) -> float:
    up = {p.mass_g: p.code for p in points if p.rising}
    down = {p.mass_g: p.code for p in points if not p.rising}
    both = up.keys() & down.keys()
    return max((abs(up[m] - down[m]) / abs(s) for m in both), default=math.nan)


@dataclass(frozen=True, slots=True)
class TemperatureFit:
    """What temperature does to a code: its slope, the drift that was taken out, and how well they are known.

    ``per_k`` in codes per K (positive: the code rises when the cell warms), ``drift_per_h`` in codes per hour,
    ``swing_k`` the span of temperatures, ``residual`` the standard deviation of a minute about the fit, in codes;
    ``inflation`` is how much the residuals' autocorrelation has widened the uncertainties (1: not at all).
    """

    per_k: float
    u_per_k: float
    at_ref: float
    u_at_ref: float
    drift_per_h: float
    u_drift_per_h: float
    swing_k: float
    residual: float
    inflation: float


def fit_temperature(t_s: F8, cell_c: F8, code: F8, t_ref_c: float) -> TemperatureFit:
    """Fit code = z + k·(T − t_ref) + d·t + e·t² to readings over hours, averaged to minutes.

    Without the drift d a slow warming could not be told from a wandering zero, without its bend e not from the creep
    that a change of load leaves. The residuals of neighbouring minutes are alike, so the uncertainties are those for
    residuals that are white noise and a random walk, both estimated from them. Raises ``BadFit`` for less than 5 K of
    swing or fewer than 20 minutes.
    """
    minute, temp, value = _minutes(t_s, cell_c, code)
    swing_k = float(np.ptp(temp)) if len(temp) else 0.0
    if len(minute) < 20:
        raise BadFit(f"{len(minute)} minutes of readings: record at least 20, better some hours")
    if swing_k < LEAST_SWING_K:
        raise BadFit(
            f"the cell's temperature moved by {swing_k:.1f} K: warm and cool it by at least {LEAST_SWING_K:g} K"
        )
    hours = (minute - minute[0]) / 3600.0
    late = hours - hours.mean()
    design = np.column_stack([np.ones_like(temp), temp - t_ref_c, late, late * late])
    b, covariance, rest = _ordinary(design, value)
    sd = math.sqrt(float(rest @ rest) / (len(rest) - design.shape[1]))
    widened = _with_walk(design, minute, rest, covariance)
    u = [math.sqrt(max(covariance[i, i], widened[i, i])) for i in range(3)]
    inflation = u[1] / math.sqrt(covariance[1, 1]) if covariance[1, 1] > 0.0 else 1.0
    return TemperatureFit(float(b[1]), u[1], float(b[0]), u[0], float(b[2]), u[2], swing_k, sd, inflation)


def _with_walk(design: F8, minute: F8, rest: F8, covariance: F8) -> F8:
    """Get the covariance of ordinary least squares where the residuals are white noise and a random walk.

    (XᵀX)⁻¹ Xᵀ Σ X (XᵀX)⁻¹ with Σ = q²·min(ti, tj) + σ²·1, q from the residuals' own increments (:func:`fit_walk`);
    a record too short for that is taken as white.
    """
    try:
        walk = fit_walk(minute, rest)
    except BadFit:
        return covariance
    hours = (minute - minute[0]) / 3600.0
    q2 = walk.per_sqrt_h**2
    white = float(np.mean(np.diff(rest) ** 2)) / 2.0
    sigma = q2 * np.minimum.outer(hours, hours) + white * np.eye(len(hours))
    bread = np.linalg.inv(design.T @ design) @ design.T
    return np.asarray(bread @ sigma @ bread.T)


def _ordinary(design: F8, y: F8) -> tuple[F8, F8, F8]:
    """Least squares of many points (QR): coefficients, covariance from the scatter, residuals."""
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    b = inverse @ (q.T @ y)
    rest = y - design @ b
    variance = float(rest @ rest) / (len(y) - design.shape[1])
    return b, variance * (inverse @ inverse.T), rest


def _minutes(t_s: F8, *columns: F8) -> tuple[F8, ...]:
    """Average columns over whole minutes; readings that are not finite are left out."""
    good = np.all([np.isfinite(c) for c in columns], axis=0)
    t_s = t_s[good]
    if not len(t_s):
        return tuple(np.empty(0) for _ in range(len(columns) + 1))
    which = np.floor((t_s - t_s[0]) / BIN_S).astype(int)
    n = np.bincount(which)
    seen = n > 0
    means = [np.bincount(which, weights=c[good])[seen] / n[seen] for c in columns]
    return np.bincount(which, weights=t_s)[seen] / n[seen], *means


@dataclass(frozen=True, slots=True)
class WalkFit:
    """How a zero wanders by itself: the standard deviation (in codes) of its random walk after one hour."""

    per_sqrt_h: float
    dof: float


def fit_walk(t_s: F8, code: F8, *, short_s: float = 120.0, long_s: float = 1200.0) -> WalkFit:
    """Find a random walk in a steady code's record from its increments over a long and a short time.

    The variance of an increment is 2σ² + q²·τ for white noise σ and a walk q: the difference of the two leaves the
    walk. ``dof`` is the number of long increments that do not overlap. Give it codes from which temperature has been
    taken out. Raises ``BadFit`` for a record shorter than ten long increments.
    """
    minute, value = _minutes(t_s, code)
    short, long = round(short_s / BIN_S), round(long_s / BIN_S)
    n = len(value) // long - 1 if len(value) else 0
    if n < 9:
        raise BadFit(f"{len(value)} minutes of readings: record at least {10 * long}, better a night")
    even = np.interp(np.arange(minute[0], minute[-1], BIN_S), minute, value)
    over_long, over_short = even[long:] - even[:-long], even[short:] - even[:-short]
    q2 = (float(np.mean(over_long**2)) - float(np.mean(over_short**2))) / (long_s - short_s)
    return WalkFit(math.sqrt(max(0.0, q2) * 3600.0), float(n))


CREEP_FROM_S = 1200.0  # M1 is taken about so long after the load is on
CREEP_MEAN_S = 600.0


def creep_pct(t_s: F8, code: F8, load_code: float) -> float:
    """Get how much a load has crept, in % of it, from 20 min after it was put on to the end of the record.

    ``code`` from the moment the load is on, at one temperature; ``load_code`` is the load in codes. Means over ten
    minutes around the 20th and at the end. Raises ``BadFit`` for less than an hour of record, or a load of nothing.
    """
    minute, value = _minutes(t_s, code)
    if not len(minute) or minute[-1] - minute[0] < 3540.0:
        raise BadFit("less than an hour of readings under load: leave the weight on for two hours")
    if load_code == 0.0:
        raise BadFit("the load is nothing: put a weight on")
    since = minute - minute[0]
    early = np.abs(since - CREEP_FROM_S) <= CREEP_MEAN_S / 2.0
    late = since >= since[-1] - CREEP_MEAN_S
    return float(np.mean(value[late]) - np.mean(value[early])) / load_code * 100.0


@dataclass(frozen=True, slots=True)
class LagFit:
    """How the load cell's temperature follows the oven's: a first-order lag towards offset + gain · T_oven.

    ``lag_s`` with its standard uncertainty; ``fit`` is that of the code against the lagged oven temperature.
    """

    lag_s: float
    u_lag_s: float
    fit: TemperatureFit


def lagged(t_s: F8, oven_c: F8, lag_s: float) -> F8:
    """Get the oven's temperature behind a first-order lag, started in equilibrium (backward Euler, as the fold)."""
    out: list[float] = []
    state = float(oven_c[0])
    for dt, oven in zip(np.diff(t_s, prepend=t_s[0]).tolist(), oven_c.tolist(), strict=True):
        state += dt / (lag_s + dt) * (oven - state)
        out.append(state)
    return np.array(out)


def fit_lag(t_s: F8, oven_c: F8, code: F8, t_ref_c: float) -> LagFit:
    """Find the lag with which the code follows the oven, by the least scatter about :func:`fit_temperature`.

    Octaves first, then golden sections. ``u_lag_s`` is from the curvature of the sum of squares at its least, widened
    like the fit's own. Raises ``BadFit`` as :func:`fit_temperature`, and where no lag fits better than another.
    """
    seen = np.isfinite(oven_c)
    t_s, oven_c, code = t_s[seen], oven_c[seen], code[seen]

    def at(lag: float) -> TemperatureFit:
        return fit_temperature(t_s, lagged(t_s, oven_c, lag), code, t_ref_c)

    def scatter(lag: float) -> float:
        return at(lag).residual

    found = [(scatter(lag), lag) for lag in LAGS_S]
    best = min(found)[1]
    low, high = math.log(best / 2.0), math.log(best * 2.0)
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(30):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if scatter(math.exp(a)) <= scatter(math.exp(b)):
            high = b
        else:
            low = a
    lag_s = math.exp((low + high) / 2.0)
    least, step = at(lag_s), 0.05 * lag_s
    below, above = at(lag_s - step), at(lag_s + step)
    minutes = len(_minutes(t_s, code)[0])
    curve = (above.residual**2 - 2.0 * least.residual**2 + below.residual**2) * (minutes - 4) / step**2
    if not curve > 0.0:
        raise BadFit("no lag fits better than another: heat the oven once and record until the cell is warm")
    u_lag_s = least.residual * math.sqrt(2.0 / curve) * least.inflation
    # the coefficient and the lag were found together: what moves one moves the other
    u_per_k = math.hypot(least.u_per_k, (above.per_k - below.per_k) / (2.0 * step) * u_lag_s)
    return LagFit(lag_s, u_lag_s, replace(least, u_per_k=u_per_k))
