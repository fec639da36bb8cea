"""A load cell's span from readings of it under check weights: codes per gram, bend and hysteresis.

Every number comes with its standard uncertainty, and what the points cannot decide is refused with what to do. What
temperature and time do to it is in :mod:`calibration.thermal`. This module must never fit a line through points that
do not carry one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.certificate import CONVERTER_CODES
from calibration.errors import BadFit
from calibration.leastsquares import Fit, fit_polynomial

LEAST_SPAN = 0.01  # of full scale, between the lightest and the heaviest weight
LEAST_STRAIGHT = 0.005  # of full scale: ten times what the worst cells bend; beyond, a weight is not what was entered


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
    ``bend_per_g`` is the q that a quadratic would have, kept or not (NaN: too few weights to tell).
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
    dof: int = 1
    bend_per_g: float = math.nan
    u_bend_per_g: float = math.nan


def check_masses(masses_g: Sequence[float], capacity_g: float) -> None:
    """See that weights (the empty holder's 0 among them) can give a span, before any is put on.

    Raises ``BadFit`` with what to do: all alike, beyond the capacity (grams?), a span of less than 1 % of full scale.
    """
    masses = sorted(set(masses_g))
    if len(masses) < 2:
        raise BadFit("all weights are the same: use at least two different ones, the empty holder (0 g) may be one")
    if masses[-1] > 1.2 * capacity_g:
        raise BadFit(f"{masses[-1]:g} g is more than the cell's {capacity_g:g} g: enter grams, never overload a cell")
    if masses[-1] - masses[0] < LEAST_SPAN * capacity_g:
        raise BadFit(
            f"the weights differ by {masses[-1] - masses[0]:g} g, less than 1 % of {capacity_g:g} g: use a heavier "
            "weight (and enter grams, not kilograms)"
        )


def check_capacity(counts_per_g: float, capacity_g: float) -> None:
    """See that a cell of this sensitivity could carry what it is said to. Raises ``BadFit`` with what to do."""
    at_capacity = abs(counts_per_g) * capacity_g
    if at_capacity >= CONVERTER_CODES:
        holds_g = CONVERTER_CODES / abs(counts_per_g)
        raise BadFit(
            f"at {counts_per_g:.4g} codes a gram the converter is full at {holds_g:.3g} g, and the cell is said to "
            f"carry {capacity_g:g} g: enter its rated load and the weights in grams"
        )


def fit_span(points: Sequence[SpanPoint], capacity_g: float) -> SpanFit:
    """Fit code = zero + S·m (+ c·m²) by weighted least squares; the quadratic only where it is worth having.

    A point's weight is that of its code's noise and of its mass (through S). Points of one mass are the same weight and
    share its error, which the covariance takes into account. The quadratic is kept if its term is more than
    its own standard uncertainty times Student's t for 95 % (JCGM 100, G.3; 2 or more) and then q = −c/S. Raises
    ``BadFit`` for fewer than two different weights, a span of less than 1 % of full scale, weights beyond the capacity,
    codes on the converter's rails, weights that do not move the code, and points that lie on no line.
    """
    if any(not (math.isfinite(p.mass_g) and p.mass_g >= 0.0 and p.u_mass_g >= 0.0) for p in points):
        raise BadFit("a weight's mass or uncertainty is not a number of grams: enter it again")
    if any(not math.isfinite(p.code) or abs(p.code) >= CONVERTER_CODES - 1 for p in points):
        raise BadFit("a code lies on the converter's rail: use a lighter weight or a lower gain")
    masses = sorted({p.mass_g for p in points})
    check_masses(masses, capacity_g)
    m, code = [p.mass_g for p in points], [p.code for p in points]
    first = fit_polynomial(m, code, 1)
    s = first.coefficients[1]
    check_capacity(s, capacity_g)
    if s == 0.0 or abs(s) * (masses[-1] - masses[0]) < 10.0 * max(p.u_code for p in points):
        raise BadFit("the weights hardly move the code: check that they rest on the cell, and its four wires")
    u = [max(math.hypot(p.u_code, s * p.u_mass_g), 1e-9 * abs(s) * capacity_g) for p in points]
    line = _shared(fit_polynomial(m, code, 1, u, scatter=len(points) > 2), points, s, u)
    chosen, quadratic = line, False
    bent: Fit | None = None
    if len(masses) >= 3 and len(points) >= 4:
        bent = _shared(fit_polynomial(m, code, 2, u, scatter=True), points, s, u)
        if abs(bent.coefficients[2]) > worth_having(bent.dof) * bent.u(2):
            chosen, quadratic = bent, True
    rest = [y - _value(line, x) for x, y in zip(m, code, strict=True)]
    if max(map(abs, rest)) > LEAST_STRAIGHT * abs(s) * capacity_g:
        raise BadFit(_crooked(points, capacity_g))
    s, u_s = chosen.coefficients[1], chosen.u(1)
    c, u_c = (chosen.coefficients[2], chosen.u(2)) if quadratic else (0.0, _open_bend(m, code, bent))
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
        dof=dof,
        bend_per_g=-bent.coefficients[2] / s if bent is not None else math.nan,
        u_bend_per_g=abs(bent.u(2) / s) if bent is not None else math.nan,
    )


def worth_having(dof: int) -> float:
    """Get how many standard uncertainties a term must have to be kept: Student's t for 95 %, at least 2."""
    from scipy import special  # a quarter of a second to load

    return max(2.0, float(special.stdtrit(max(1, dof), 0.975)))


def _shared(f: Fit, points: Sequence[SpanPoint], s: float, u: Sequence[float]) -> Fit:
    """Get the fit with the covariance of masses that several points share: K·Σ·Kᵀ of what is off Σ's diagonal."""
    mass = np.array([p.mass_g for p in points])
    top = float(np.max(mass))  # in units of the heaviest, so that the normal equations are well conditioned
    x = np.column_stack([(mass / top) ** i for i in range(len(f.coefficients))])
    w = np.diag(1.0 / np.square(u))
    k = np.linalg.inv(x.T @ w @ x) @ x.T @ w
    common = np.equal.outer(mass, mass) * (s * np.array([p.u_mass_g for p in points])) ** 2
    np.fill_diagonal(common, 0.0)
    scale = np.array([top**-i for i in range(len(f.coefficients))])
    more = (k @ common @ k.T) * np.outer(scale, scale)
    both = np.array(f.covariance) + more
    return replace(f, covariance=tuple(tuple(float(v) for v in row) for row in both))


def _crooked(points: Sequence[SpanPoint], capacity_g: float) -> str:
    """Say which weight does not lie on the line through the others, and what it reads by them."""

    def without(mass_g: float) -> tuple[float, Fit]:
        rest = [p for p in points if p.mass_g != mass_g]
        f = fit_polynomial([p.mass_g for p in rest], [p.code for p in rest], 1)
        return max(abs(p.code - _value(f, p.mass_g)) for p in rest) / abs(f.coefficients[1] or math.inf), f

    masses = sorted({p.mass_g for p in points if p.mass_g > 0.0})
    if len(masses) < 2:
        return "going up and coming down differ by more than 0.5 % of full scale: see that nothing touches the holder"
    apart_g, mass_g = min((without(m)[0], m) for m in masses)
    f = without(mass_g)[1]
    code = math.fsum(p.code for p in points if p.mass_g == mass_g) / sum(p.mass_g == mass_g for p in points)
    if apart_g > LEAST_STRAIGHT * capacity_g or f.coefficients[1] == 0.0:
        return "the points lie on no line: see that nothing touches the holder, and weigh again"
    reads_g = (code - f.coefficients[0]) / f.coefficients[1]
    return (
        f"the weight entered as {mass_g:.4g} g reads {reads_g:.4g} g by the others: enter each in grams, put on the "
        "one that is asked for, and weigh again"
    )


def _value(f: Fit, x: float) -> float:
    return math.fsum(b * x**i for i, b in enumerate(f.coefficients))


def _open_bend(m: list[float], code: list[float], bent: Fit | None) -> float:
    """Get the standard uncertainty of a bend that was not kept: what three weights allow, else 0.01 % at the top."""
    if bent is not None:
        return math.hypot(bent.u(2), bent.coefficients[2])
    top = max(m)
    return abs(max(code) - min(code)) * 1e-4 / (top * top)


def _hysteresis_g(points: Sequence[SpanPoint], s: float) -> float:
    up = {p.mass_g: p.code for p in points if p.rising}
    down = {p.mass_g: p.code for p in points if not p.rising}
    both = up.keys() & down.keys()
    return max((abs(up[m] - down[m]) / abs(s) for m in both), default=math.nan)
