"""The air around M1 and M2: what its density was, how far it moved between them, and how well that is known.

A sample that loses the air around it gains apparent mass, in the direction that hides a loss (100 g at 2.5 g/cm³ gains
48 mg). The density is by CIPM-2007 where pressure, temperature and humidity were measured or declared, else assumed.
This module must never take two weighings for alike that a gauge has seen to differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.air import U_REL_FORMULA, density_kg_m3
from calibration.vacuum_gauge import VacuumGauge, u_in_air_pa
from edge.records.result import Origin
from edge.records.sample import PA_PER_HPA, Air
from edge.records.weighing import Weighing

from .room_pressure import NOT_READ, RoomAir, RoomPressure

ASSUMED_G_CM3 = 1.184e-3
"""Air at 25 °C and 1013 hPa, where nothing was measured or declared."""
ASSUMED_U = 0.05 / math.sqrt(3.0)  # relative: ±5 %, weather and height above the sea up to 400 m
CHANGE = 0.02
"""Weather, door and heating over a test: how far the air's density may move between two cold weighings (relative)."""
U_READ_PA, U_READ_C, U_READ_PCT = 100.0, 0.5, 5.0  # of a room's barometer, thermometer and hygrometer
ROOM_C, U_ROOM_C = 23.0, 5.0 / math.sqrt(3.0)  # where nobody measured it
HUMIDITY_PCT, U_HUMIDITY_PCT = 50.0, 50.0 / math.sqrt(3.0)  # where nobody said
THIN_PA = 50_000.0  # below it there is no weather, and a dry ideal gas is good to 0.1 %
VAGUE_U = 0.3  # relative, of a pressure by a gauge that is not made for it
_GAS_J_PER_MOL_K, _DRY_KG_PER_MOL, _ZERO_C_K = 8.314462618, 28.965e-3, 273.15


@dataclass(frozen=True, slots=True)
class AirAround:
    """The air's density at M1 and its change to M2, in g/cm³, each with its standard uncertainty and where it is from.

    ``differs`` says how, where a gauge saw the pressure at M2 differ from that at M1 by more than weather ("" if not).
    """

    m1_g_cm3: float
    u_m1: float
    change_g_cm3: float
    u_change: float
    origin: Origin
    why: str
    change_origin: Origin
    change_why: str
    differs: str = ""


@dataclass(frozen=True, slots=True)
class _At:
    """The density of the air at one weighing, g/cm³."""

    value: float
    u: float
    origin: Origin
    why: str
    by_gauge: bool = False


def air_around(
    before: Weighing,
    after: Weighing,
    declared: Sequence[Air] = (),
    vacuum: VacuumGauge | None = None,
    room: RoomAir = NOT_READ,
) -> AirAround:
    """Get the air around M1 and M2: measured, else declared (at M1, and at M2 where it was read again), else assumed.

    A weighing with a pressure has it from a gauge with the settings ``vacuum`` (None: from a recording's own column),
    and its temperature from the oven's probe; ``room`` is what a barometer in the room said, which counts unless a
    gauge contradicts it. Where the measured pressures are alike, their difference and the assumption that air moves by
    no more than 2 % are two statements about one quantity, and their weighted mean counts.
    """
    first = _at(before, declared[0] if declared else None, vacuum, room.at_m1)
    second = _at(after, declared[-1] if declared else None, vacuum, room.at_m2)
    measured = first.origin == second.origin == "measured"
    thin = [w.pressure_pa < THIN_PA for w in (before, after) if math.isfinite(w.pressure_pa)]
    measured = measured or (len(thin) == 2 and thin[0] != thin[1])  # any gauge tells air from none
    u_weather = CHANGE / math.sqrt(3.0) * first.value
    weather = f"±{CHANGE * 100:g} % between M1 and M2"
    if not measured and len(declared) < 2:
        return AirAround(first.value, first.u, 0.0, u_weather, first.origin, first.why, "assumed", weather)
    change, u = second.value - first.value, math.hypot(first.u, second.u)
    origin: Origin = "measured" if measured else "declared"
    why = f"{second.why}, less that at M1"
    if abs(change) > 3.0 * math.hypot(u, u_weather):
        differs = ""
        if measured and (first.by_gauge or second.by_gauge):
            differs = f"M1 at {before.pressure_pa / 1e3:.3g} kPa and M2 at {after.pressure_pa / 1e3:.3g} kPa"
        return AirAround(first.value, first.u, change, u, first.origin, first.why, origin, why, differs)
    weight = u_weather**2 / (u_weather**2 + u**2)
    why = f"{why}, weight {weight:.2f} against {weather}"
    return AirAround(first.value, first.u, weight * change, math.sqrt(weight) * u, first.origin, first.why, origin, why)


def _at(w: Weighing, declared: Air | None, vacuum: VacuumGauge | None, room: RoomPressure | None) -> _At:
    which = w.which.upper()
    gauge_pa, u_gauge_pa = w.pressure_pa, u_in_air_pa(vacuum)
    by_gauge = math.isfinite(gauge_pa) and math.isfinite(w.temp_c)
    if by_gauge and gauge_pa < THIN_PA:
        return _thin(w, vacuum)
    by_gauge = by_gauge and math.isfinite(u_gauge_pa)
    if room is not None and by_gauge and abs(gauge_pa - room.pa) > 3.0 * math.hypot(u_gauge_pa, U_READ_PA):
        room = None  # the chamber is not open to the room
    by_gauge = by_gauge and room is None
    if by_gauge or room is not None:
        pressure = (gauge_pa, u_gauge_pa) if room is None else (room.pa, math.hypot(U_READ_PA, room.half_pa))
        humidity = (HUMIDITY_PCT, U_HUMIDITY_PCT) if declared is None else (declared.humidity_pct, U_READ_PCT)
        temp, temp_why = _temperature(w, declared)
        value, u = _moist(pressure, temp, humidity)
        why = f"CIPM-2007 at {which}: {pressure[0]:.0f} Pa, {temp_why}, {humidity[0]:.0f} % RH"
        return _At(value, u, "measured", why + (" assumed" if declared is None else " declared"), by_gauge)
    if declared is not None:
        pressure = (declared.pressure_hpa * PA_PER_HPA, U_READ_PA)
        value, u = _moist(pressure, (declared.temp_c, U_READ_C), (declared.humidity_pct, U_READ_PCT))
        why = f"CIPM-2007: {declared.pressure_hpa:g} hPa, {declared.temp_c:g} °C, {declared.humidity_pct:g} % RH"
        return _At(value, u, "declared", why)
    return _At(ASSUMED_G_CM3, ASSUMED_U * ASSUMED_G_CM3, "assumed", "25 °C and 1013 hPa, ±5 %")


def _temperature(w: Weighing, declared: Air | None) -> tuple[tuple[float, float], str]:
    """Get the air's temperature in °C with its u, and how it is known."""
    if math.isfinite(w.temp_c):
        return (w.temp_c, U_READ_C), f"{w.temp_c:.1f} °C measured"
    if declared is not None:
        return (declared.temp_c, U_READ_C), f"{declared.temp_c:g} °C declared"
    return (ROOM_C, U_ROOM_C), f"{ROOM_C:g} °C assumed"


def _thin(w: Weighing, vacuum: VacuumGauge | None) -> _At:
    """Get the density under a vacuum: a dry ideal gas."""
    per_pa = _DRY_KG_PER_MOL / (_GAS_J_PER_MOL_K * (w.temp_c + _ZERO_C_K)) / 1e3
    u_pa = u_in_air_pa(vacuum)
    pressure_pa = max(0.0, w.pressure_pa)
    u = per_pa * (u_pa if math.isfinite(u_pa) else VAGUE_U * pressure_pa)
    return _At(per_pa * pressure_pa, u, "measured", f"{pressure_pa:.0f} Pa at {w.which.upper()} measured", True)


def _moist(
    pressure: tuple[float, float], temp: tuple[float, float], humidity: tuple[float, float]
) -> tuple[float, float]:
    """Get CIPM-2007's density in g/cm³ and its standard uncertainty; each input is (value, u)."""
    (p, u_p), (t, u_t), (h, u_h) = pressure, temp, humidity
    rho = density_kg_m3(t, p, h)
    dry, wet = density_kg_m3(t, p, 0.0), density_kg_m3(t, p, 100.0)
    parts = (u_p / p, u_t / (t + _ZERO_C_K), (wet - dry) / 100.0 * u_h / rho, U_REL_FORMULA)
    return rho / 1e3, rho / 1e3 * math.hypot(*parts)
