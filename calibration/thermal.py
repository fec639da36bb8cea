"""What temperature and time do to a load cell, from readings of it over hours: slope, lag, wander and creep.

Every number comes with its standard uncertainty, and what the readings cannot decide is refused with what to do. This
module must never take a drift for temperature, or neighbouring minutes for independent ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calibration.errors import BadFit

F8 = npt.NDArray[np.float64]

LEAST_MINUTES = 60  # from fewer a wandering zero cannot be told from temperature
LEAST_SWING_K = 5.0  # a coefficient from less is mostly noise
BIN_S = 60.0  # readings are averaged over a minute before a temperature fit
SHORT_S, LONG_S = 120.0, 1200.0  # between which increments a random walk is told from white noise
LAGS_S = tuple(float(60 * 2**i) for i in range(9))  # 1 min to about 4 h, the first look


@dataclass(frozen=True, slots=True)
class TemperatureFit:
    """What temperature does to a code: its slope, the drift that was taken out, and how well they are known.

    ``per_k`` in codes per K (positive: the code rises when the cell warms), ``drift_per_h`` in codes per hour,
    ``swing_k`` the span of temperatures, ``residual`` the standard deviation of a minute about the fit, in codes;
    ``inflation`` is how much the residuals' autocorrelation has widened the uncertainties (1: not at all); ``u_more``
    are the standard uncertainties of the coefficients of what else was fitted along.
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
    offsets: tuple[float, ...] = (0.0,)
    minutes: int = 0
    low_c: float = math.nan
    high_c: float = math.nan
    u_more: tuple[float, ...] = ()


def fit_temperature(
    t_s: F8, cell_c: F8, code: F8, t_ref_c: float, piece: F8 | None = None, more: Sequence[F8] = ()
) -> TemperatureFit:
    """Fit code = z + k·(T − t_ref) + d·t + e·t² to readings over hours, averaged to minutes.

    ``piece`` numbers the power-ups of the converter, from 0: each may have moved the code by an offset of its own
    (``offsets``, the first 0), which is fitted along, as are columns of ``more``.

    Without the drift d a slow warming could not be told from a wandering zero, without its bend e not from the creep
    that a change of load leaves. The residuals of neighbouring minutes are alike, so the uncertainties are those for
    residuals that are white noise and a random walk, both estimated from them. Raises ``BadFit`` for less than 5 K of
    swing or fewer than 60 minutes.
    """
    which_s = np.zeros_like(t_s) if piece is None else piece
    minute, temp, value, which, *extra = minute_means(t_s, cell_c, code, which_s, *more)
    # the very first minute's number of a piece is a mean of two where a power-up fell into a minute
    pieces = np.unique(np.rint(which))
    swing_k = float(np.ptp(temp)) if len(temp) else 0.0
    if len(minute) < LEAST_MINUTES:
        raise BadFit(f"{len(minute)} minutes of readings: record at least {LEAST_MINUTES}, better some hours")
    if swing_k < LEAST_SWING_K:
        raise BadFit(
            f"the cell's temperature moved by {swing_k:.1f} K: warm and cool it by at least {LEAST_SWING_K:g} K"
        )
    hours = (minute - minute[0]) / 3600.0
    late = hours - hours.mean()
    later = [(np.rint(which) == p).astype(np.float64) for p in pieces[1:]]
    design = np.column_stack([np.ones_like(temp), temp - t_ref_c, late, late * late, *later, *extra])
    b, covariance, rest = _ordinary(design, value)
    sd = math.sqrt(float(rest @ rest) / (len(rest) - design.shape[1]))
    widened = _with_walk(design, minute, rest, covariance)
    u = [math.sqrt(max(covariance[i, i], widened[i, i])) for i in range(len(b))]
    inflation = u[1] / math.sqrt(covariance[1, 1]) if covariance[1, 1] > 0.0 else 1.0
    return TemperatureFit(
        per_k=float(b[1]),
        u_per_k=u[1],
        at_ref=float(b[0]),
        u_at_ref=u[0],
        drift_per_h=float(b[2]),
        u_drift_per_h=u[2],
        swing_k=swing_k,
        residual=sd,
        inflation=inflation,
        offsets=(0.0, *(float(v) for v in b[4 : 4 + len(later)])),
        minutes=len(minute),
        low_c=float(np.min(temp)),
        high_c=float(np.max(temp)),
        u_more=tuple(u[4 + len(later) :]),
    )


def _with_walk(design: F8, minute: F8, rest: F8, covariance: F8) -> F8:
    """Get the covariance of ordinary least squares where the residuals are white noise and a random walk.

    (XᵀX)⁻¹ Xᵀ Σ X (XᵀX)⁻¹ with Σ = q²·min(ti, tj) + σ²·1, q from the residuals' own increments (:func:`fit_walk`),
    less what the fit itself has taken out of them. From ν increments q is known no better than Student's t says, whose
    variance is ν/(ν − 2). A record with too many holes for that is taken as white.
    """
    hours = (minute - minute[0]) / 3600.0
    found = walk_left(design, minute, rest)
    if found is None:
        return covariance
    q2, white = found
    bread = np.linalg.inv(design.T @ design) @ design.T
    sigma = q2 * np.minimum.outer(hours, hours) + white * np.eye(len(hours))
    return np.asarray(bread @ sigma @ bread.T)


def walk_left(design: F8, minute: F8, rest: F8) -> tuple[float, float] | None:
    """Get the variances of what a least-squares fit to minutes has left: of its walk in an hour, and of a minute alone.

    The walk is the residuals' own (:func:`fit_walk`), less what the fit has taken out of it, and widened for how few
    increments say it. None for a record with too many holes.
    """
    apart = min(round(LONG_S / BIN_S), len(minute) // 11)
    try:
        walk = fit_walk(minute, rest, long_s=apart * BIN_S)
    except BadFit:
        return None
    hours = (minute - minute[0]) / 3600.0
    wandered = np.minimum.outer(hours, hours)
    bread = np.linalg.inv(design.T @ design) @ design.T
    made = wandered - design @ (bread @ wandered)
    left = made - (made @ bread.T) @ design.T  # the covariance that a walk of 1 leaves in the residuals of such a fit

    def seen(steps: int) -> float:
        own = np.diagonal(left)
        return float(np.mean(own[steps:] + own[:-steps] - 2.0 * np.diagonal(left, steps)))

    short = round(SHORT_S / BIN_S)
    kept = (seen(apart) - seen(short)) * 60.0 / (apart - short)
    q2 = walk.per_sqrt_h**2 / min(1.0, max(kept, 0.1)) * walk.dof / (walk.dof - 2.0)
    return q2, float(np.mean(np.diff(rest) ** 2)) / 2.0


def _ordinary(design: F8, y: F8) -> tuple[F8, F8, F8]:
    """Least squares of many points (QR): coefficients, covariance from the scatter, residuals."""
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    b = inverse @ (q.T @ y)
    rest = y - design @ b
    variance = float(rest @ rest) / (len(y) - design.shape[1])
    return b, variance * (inverse @ inverse.T), rest


def minute_means(t_s: F8, *columns: F8) -> tuple[F8, ...]:
    """Average times and columns over whole minutes; readings that are not finite are left out."""
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


def fit_walk(t_s: F8, code: F8, *, short_s: float = SHORT_S, long_s: float = LONG_S) -> WalkFit:
    """Find a random walk in a steady code's record from its increments over a long and a short time.

    The variance of an increment is 2σ² + q²·τ for white noise σ and a walk q: the difference of the two leaves the
    walk. ``dof`` is the number of long increments that do not overlap. Give it codes from which temperature has been
    taken out. Raises ``BadFit`` for a record shorter than ten long increments.
    """
    minute, value = minute_means(t_s, code)
    short, long = round(short_s / BIN_S), round(long_s / BIN_S)
    n = len(value) // long - 1 if len(value) else 0
    if n < 9:
        raise BadFit(f"{len(value)} minutes of readings: record at least {10 * long}, better a night")
    even = np.interp(np.arange(minute[0], minute[-1], BIN_S), minute, value)
    over_long, over_short = even[long:] - even[:-long], even[short:] - even[:-short]
    q2 = (float(np.mean(over_long**2)) - float(np.mean(over_short**2))) / (long_s - short_s)
    return WalkFit(math.sqrt(max(0.0, q2) * 3600.0), float(n))


@dataclass(frozen=True, slots=True)
class LagFit:
    """How the load cell's temperature follows the oven's: a first-order lag towards offset + gain · T_oven.

    ``lag_s`` with its standard uncertainty; ``fit`` is that of the code against the lagged oven temperature.
    """

    lag_s: float
    u_lag_s: float
    fit: TemperatureFit


def lagged(t_s: F8, oven_c: F8, lag_s: float) -> F8:
    """Get the oven's temperature behind a first-order lag, started in equilibrium: means over the readings' own times.

    A reading stands for the time since the one before it, a second or a minute, within which it is taken as constant;
    so minutes give what seconds would.
    """
    out: list[float] = []
    state = float(oven_c[0])
    for dt, oven in zip(np.diff(t_s, prepend=t_s[0]).tolist(), oven_c.tolist(), strict=True):
        if dt > 0.0:
            left = math.exp(-dt / lag_s)
            out.append(oven + (state - oven) * (1.0 - left) * lag_s / dt)
            state = oven + (state - oven) * left
        else:
            out.append(state)
    return np.array(out)


def fit_lag(t_s: F8, oven_c: F8, code: F8, t_ref_c: float) -> LagFit:
    """Find the lag with which the code follows the oven, by the least scatter about :func:`fit_temperature`.

    Octaves first, then golden sections. Where the cell was not in equilibrium as the record began, what is left of that
    goes with the same lag, and is fitted along. Coefficient and lag were found together, and what moves one moves the
    other: their uncertainties are those of one fit, linear in the lag about its best value, with a walk in the
    residuals. Raises ``BadFit`` as :func:`fit_temperature`, and where no lag fits better than another.
    """
    seen = np.isfinite(oven_c)
    t_s, oven_c, code = t_s[seen], oven_c[seen], code[seen]
    if not len(t_s) or len(minute_means(t_s, code)[0]) < LEAST_MINUTES:
        raise BadFit(f"record the oven's temperature for at least {LEAST_MINUTES} minutes, better some hours")

    def fitted(lag: float) -> tuple[float, float]:
        """Get the sum of squares about the fit with this lag, and its coefficient."""
        minute, temp, value, begun = minute_means(t_s, lagged(t_s, oven_c, lag), code, _begun(t_s, lag))
        late = (minute - minute.mean()) / 3600.0
        design = np.column_stack([np.ones_like(temp), temp - t_ref_c, late, late * late, begun])
        b = np.linalg.lstsq(design, value, rcond=None)[0]
        rest = value - design @ b
        return float(rest @ rest), float(b[1])

    def scatter(lag: float) -> float:
        return fitted(lag)[0]

    best = min((scatter(lag), lag) for lag in LAGS_S)[1]
    low, high = math.log(best / 2.0), math.log(best * 2.0)
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(30):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if scatter(math.exp(a)) <= scatter(math.exp(b)):
            high = b
        else:
            low = a
    lag_s = math.exp((low + high) / 2.0)
    step = 0.05 * lag_s
    if not scatter(lag_s - step) + scatter(lag_s + step) > 2.0 * scatter(lag_s):
        raise BadFit("no lag fits better than another: heat the oven once and record until the cell is warm")
    temp_c, begun = lagged(t_s, oven_c, lag_s), _begun(t_s, lag_s)
    per_k = fit_temperature(t_s, temp_c, code, t_ref_c, more=(begun,)).per_k
    by_lag = per_k * (lagged(t_s, oven_c, lag_s + step) - lagged(t_s, oven_c, lag_s - step)) / (2.0 * step)
    fit = fit_temperature(t_s, temp_c, code, t_ref_c, more=(begun, by_lag))
    # A reading may stand for the time before it or around it: half an interval either way, which is in the lag whole.
    u_s = float(np.median(np.diff(t_s))) / 2.0 / math.sqrt(3.0)
    moves = (fitted(lag_s + step)[1] - fitted(lag_s - step)[1]) / (2.0 * step)
    fit = replace(fit, u_per_k=math.hypot(fit.u_per_k, moves * u_s))
    return LagFit(lag_s, math.hypot(fit.u_more[1], u_s), fit)


def _begun(t_s: F8, lag_s: float) -> F8:
    """Get what is left, of one at the start, of a cell that was not in equilibrium."""
    left: F8 = np.exp(-(t_s - t_s[0]) / lag_s)
    return left
