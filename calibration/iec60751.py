"""Industrial platinum resistance thermometers: resistance to temperature and back, and their tolerance.

The functions are the standard's own, IEC 60751:2008 (clause 4.2, equations for R(t); table 3, tolerance
classes), for any R0. This module must never extrapolate: outside −200 … 850 °C it raises, once for below and
once for above.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.errors import AboveDomain, BelowDomain, OutOfDomain

A = 3.9083e-3
"""IEC 60751:2008, 4.2, 1/°C."""
B = -5.775e-7
"""IEC 60751:2008, 4.2, 1/°C²."""
C = -4.183e-12
"""IEC 60751:2008, 4.2, 1/°C⁴; only below 0 °C."""

TEMP_MIN_C = -200.0
TEMP_MAX_C = 850.0

ToleranceClass: TypeAlias = Literal["AA", "A", "B", "C"]

TOLERANCE_C: dict[ToleranceClass, tuple[float, float]] = {
    "AA": (0.10, 0.0017),
    "A": (0.15, 0.002),
    "B": (0.30, 0.005),
    "C": (0.60, 0.01),
}
"""Tolerance class: (°C, °C per |°C|), IEC 60751:2008, table 3."""

_Floats: TypeAlias = NDArray[np.float64]


@overload
def resistance_ohm(temp_c: float, r0_ohm: float = 100.0) -> float: ...
@overload
def resistance_ohm(temp_c: ArrayLike, r0_ohm: float = 100.0) -> float | _Floats: ...
def resistance_ohm(temp_c: ArrayLike, r0_ohm: float = 100.0) -> float | _Floats:
    """Get the resistance in Ω at ``temp_c`` (°C, −200 … 850; a number or an array of any shape).

    ``r0_ohm`` is the resistance at 0 °C (> 0): 100 for a Pt100, 1000 for a Pt1000. A number gives a float,
    an array one of the same shape. IEC 60751:2008, 4.2: ``R = R0·(1 + A·t + B·t² + C·(t − 100)·t³)``,
    the last term only below 0 °C.

    Raises :class:`~calibration.errors.BelowDomain` or :class:`~calibration.errors.AboveDomain`, and
    :class:`~calibration.errors.OutOfDomain` for nan and for an ``r0_ohm`` that is no resistance.
    """
    t = np.asarray(temp_c, dtype=np.float64)
    _check_r0(r0_ohm)
    _check("temp_c", t, TEMP_MIN_C, TEMP_MAX_C, "°C")
    return _plain(r0_ohm * _ratio(t))


@overload
def temperature_c(resistance_ohm: float, r0_ohm: float = 100.0) -> float: ...
@overload
def temperature_c(resistance_ohm: ArrayLike, r0_ohm: float = 100.0) -> float | _Floats: ...
def temperature_c(resistance_ohm: ArrayLike, r0_ohm: float = 100.0) -> float | _Floats:
    """Get the temperature in °C (−200 … 850) at ``resistance_ohm`` (Ω; a number or an array of any shape).

    From 0 °C upwards the quadratic of IEC 60751:2008, 4.2 is solved for t; below, Newton's method on its
    quartic, to the last bits of a float.

    Raises as :func:`resistance_ohm` does, for a resistance below R(−200 °C) or above R(850 °C).
    """
    r = np.asarray(resistance_ohm, dtype=np.float64)
    _check_r0(r0_ohm)
    low, high = (r0_ohm * float(_ratio(np.asarray(t))) for t in (TEMP_MIN_C, TEMP_MAX_C))
    _check("resistance_ohm", r, low, high, "Ω")
    ratio = r / r0_ohm
    t = (-A + np.sqrt(A * A - 4.0 * B * (1.0 - ratio))) / (2.0 * B)
    cold = ratio < 1.0
    if np.any(cold):
        target = np.where(cold, ratio, 1.0)
        below = np.minimum(t, 0.0)
        # The quadratic starts within 2.5 °C; each step squares the error, so four reach the last bits.
        for _ in range(4):
            below -= (_ratio(below) - target) / _slope_below(below)
        t = np.where(cold, below, t)
    return _plain(np.clip(t, TEMP_MIN_C, TEMP_MAX_C))


@overload
def tolerance_c(temp_c: float, tolerance_class: ToleranceClass) -> float: ...
@overload
def tolerance_c(temp_c: ArrayLike, tolerance_class: ToleranceClass) -> float | _Floats: ...
def tolerance_c(temp_c: ArrayLike, tolerance_class: ToleranceClass) -> float | _Floats:
    """Get the tolerance in °C (a half-width, ±) at ``temp_c`` (°C, −200 … 850) of class AA, A, B or C.

    IEC 60751:2008, table 3. The classes hold over narrower ranges than the function (a film resistor of
    class A: −30 … 300 °C); which holds for a sensor is on its data sheet. Raises as :func:`resistance_ohm`
    does, and :class:`~calibration.errors.OutOfDomain` for another class.
    """
    if tolerance_class not in TOLERANCE_C:
        raise OutOfDomain(f"tolerance_class = {tolerance_class!r}: give {', '.join(TOLERANCE_C)}")
    t = np.asarray(temp_c, dtype=np.float64)
    _check("temp_c", t, TEMP_MIN_C, TEMP_MAX_C, "°C")
    fixed, per_c = TOLERANCE_C[tolerance_class]
    return _plain(fixed + per_c * np.abs(t))


def _ratio(t: _Floats) -> _Floats:
    """Get R(t)/R0."""
    cold = np.minimum(t, 0.0)
    out: _Floats = 1.0 + t * (A + t * B) + C * (cold - 100.0) * cold**3
    return out


def _slope_below(t: _Floats) -> _Floats:
    """Get d(R/R0)/dt for t <= 0."""
    out: _Floats = A + 2.0 * B * t + C * (4.0 * t**3 - 300.0 * t**2)
    return out


def _plain(values: _Floats) -> float | _Floats:
    return float(values) if np.ndim(values) == 0 else values


def _check_r0(r0_ohm: float) -> None:
    if not 0.0 < r0_ohm < np.inf:
        raise OutOfDomain(f"r0_ohm = {r0_ohm:g}: give the resistance at 0 °C, above 0 (100 for a Pt100)")


def _check(name: str, values: _Floats, low: float, high: float, unit: str) -> None:
    if np.any(np.isnan(values)):
        raise OutOfDomain(f"{name} = nan: give numbers from {low:g} to {high:g} {unit}")
    if np.any(values < low):
        raise BelowDomain(f"{name} = {np.min(values):g} {unit}: below {low:g}, where IEC 60751 begins")
    if np.any(values > high):
        raise AboveDomain(f"{name} = {np.max(values):g} {unit}: above {high:g}, where IEC 60751 ends")
