"""The density of moist air, and what its buoyancy does to a weighing.

A sample that loses its surrounding air on pump-down gains apparent mass, in the direction that hides a loss.
This module must never answer for air that is not there: outside a formula's physical domain it raises. (In
a vacuum no density is needed: the buoyancy factor is 1.)
"""

from __future__ import annotations

import math

from calibration.errors import AboveDomain, BelowDomain, OutOfDomain

# Picard, Davis, Gläser, Fujii: Revised formula for the density of moist air (CIPM-2007). Metrologia 45 (2008)
# 149–155, appendix A.1 and A.2, constants by the paper's own symbols.
_R = 8.314472  # J/(mol·K), CODATA 2006 as the paper uses it: part of the formula, not to be updated
_MV = 18.01528e-3  # kg/mol, water
_PSV = (1.2378847e-5, -1.9121316e-2, 33.93711047, -6.3431645e3)  # A 1/K², B 1/K, C, D K
_F = (1.00062, 3.14e-8, 5.6e-7)  # α, β 1/Pa, γ 1/°C²
_A0, _A1, _A2 = 1.58123e-6, -2.9331e-8, 1.1043e-10  # K/Pa, 1/Pa, 1/(K·Pa)
_B0, _B1 = 5.707e-6, -2.051e-8  # K/Pa, 1/Pa
_C0, _C1 = 1.9898e-4, -2.376e-6  # K/Pa, 1/Pa
_D, _E = 1.83e-11, -0.765e-8  # K²/Pa²
_ZERO_C_K = 273.15

U_REL_FORMULA = 22e-6
"""Relative standard uncertainty of CIPM-2007 itself, without that of its inputs (Picard et al. 2008, 3)."""


def density_kg_m3(temp_c: float, pressure_pa: float, humidity_pct: float, co2_ppm: float = 400.0) -> float:
    """Get the density of moist air in kg/m³ by CIPM-2007.

    ``temp_c`` in °C (−40 … 100), ``pressure_pa`` in Pa (above 0, at most 200 000), relative ``humidity_pct``
    in % (0 … 100), ``co2_ppm`` as mole fraction in 1e-6 (0 … 10 000). The formula's authors vouch for
    15 … 27 °C and 600 … 1100 hPa; beyond, it is an extrapolation.

    Picard et al., Metrologia 45 (2008) 149, eq. 1: ``ρ = p·Ma/(Z·R·T)·(1 − xv·(1 − Mv/Ma))``.
    Raises :class:`~calibration.errors.BelowDomain` or :class:`~calibration.errors.AboveDomain`, and for more
    water than air :class:`~calibration.errors.OutOfDomain`.
    """
    _check_air(temp_c, pressure_pa, humidity_pct)
    _check("co2_ppm", co2_ppm, 0.0, 10_000.0, "ppm")
    kelvin = temp_c + _ZERO_C_K
    a, b, c, d = _PSV
    saturation_pa = math.exp((a * kelvin + b) * kelvin + c + d / kelvin)
    alpha, beta, gamma = _F
    enhancement = alpha + beta * pressure_pa + gamma * temp_c**2
    xv = humidity_pct / 100.0 * enhancement * saturation_pa / pressure_pa
    if xv > 1.0:
        raise OutOfDomain(
            f"humidity_pct = {humidity_pct:g}: more water than gas at {pressure_pa:g} Pa and {temp_c:g} °C: "
            "give the humidity at that pressure"
        )
    ma = (28.96546 + 12.011 * (co2_ppm * 1e-6 - 0.0004)) * 1e-3
    per_t = pressure_pa / kelvin
    z = (
        1.0
        - per_t * (_A0 + (_A1 + _A2 * temp_c) * temp_c + (_B0 + _B1 * temp_c) * xv + (_C0 + _C1 * temp_c) * xv**2)
        + per_t**2 * (_D + _E * xv**2)
    )
    return per_t * ma / (z * _R) * (1.0 - xv * (1.0 - _MV / ma))


def density_simplified_kg_m3(temp_c: float, pressure_pa: float, humidity_pct: float) -> float:
    """Get the density of moist air in kg/m³ by the approximate formula, as a check on the full one.

    OIML R 111-1:2004, E.3: ``ρ = (0.34848·p − 0.009·h·exp(0.061·t))/(273.15 + t)`` with p in hPa; relative
    uncertainty 2e-4 for 900 … 1100 hPa, 10 … 30 °C and h < 80 %. It was fitted to CIPM-81/91, which lies
    7e-5 below CIPM-2007 (Picard et al. 2008). Takes and raises what :func:`density_kg_m3` does.
    """
    _check_air(temp_c, pressure_pa, humidity_pct)
    rho = (0.34848 * pressure_pa / 100.0 - 0.009 * humidity_pct * math.exp(0.061 * temp_c)) / (_ZERO_C_K + temp_c)
    if rho <= 0.0:
        raise OutOfDomain(
            f"humidity_pct = {humidity_pct:g}: more water than gas at {pressure_pa:g} Pa and {temp_c:g} °C: "
            "give the humidity at that pressure"
        )
    return rho


def buoyancy_factor(air_kg_m3: float, sample_kg_m3: float) -> float:
    """Get ``1 − ρ_air/ρ_sample``: apparent mass over mass in air (1 in vacuum), a ratio above 0.

    ``air_kg_m3`` in kg/m³ (0 in vacuum … 100), ``sample_kg_m3`` in kg/m³ (above the air's, at most 30 000).
    OIML R 111-1:2004, 10 (buoyancy); JCGM 101:2008, 9.3. Raises
    :class:`~calibration.errors.BelowDomain` or :class:`~calibration.errors.AboveDomain`.
    """
    _check("air_kg_m3", air_kg_m3, 0.0, 100.0, "kg/m³")
    _check("sample_kg_m3", sample_kg_m3, 0.0, 30_000.0, "kg/m³")
    if sample_kg_m3 <= air_kg_m3:
        raise BelowDomain(
            f"sample_kg_m3 = {sample_kg_m3:g}: not above the air's {air_kg_m3:g}: give kg/m³ (2500, not 2.5)"
        )
    return 1.0 - air_kg_m3 / sample_kg_m3


def _check_air(temp_c: float, pressure_pa: float, humidity_pct: float) -> None:
    _check("temp_c", temp_c, -40.0, 100.0, "°C")
    _check("humidity_pct", humidity_pct, 0.0, 100.0, "%")
    _check("pressure_pa", pressure_pa, 0.0, 200_000.0, "Pa")
    if pressure_pa == 0.0:
        raise BelowDomain("pressure_pa = 0: there is no air in a vacuum: use a density of 0")


def _check(name: str, value: float, low: float, high: float, unit: str) -> None:
    right = f"give {low:g} to {high:g} {unit}"
    if math.isnan(value):
        raise OutOfDomain(f"{name} = nan: {right}")
    if value < low:
        raise BelowDomain(f"{name} = {value:g}: {right}")
    if value > high:
        raise AboveDomain(f"{name} = {value:g}: {right}")
