"""A vacuum gauge as it was fitted, and what it can show: how far it may be off, and what is declared because of that.

:mod:`calibration.gauge_curve` makes pascals of its codes. This module must never call a limit shown that a gauge cannot
show.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

MPRLS_ZERO, MPRLS_FULL = 0x19999A, 0xE66666
"""The MPR's 24-bit codes at 0 and 25 psi: 10 and 90 % of the range (data sheet 32332628, transfer function A)."""
MPRLS_FULL_PA = 25 * 6894.757293
MPRLS_ERROR_PA = 0.015 * MPRLS_FULL_PA
"""Its total error band: ±1.5 % of full scale. ``zero_pa`` takes most of it away near zero."""
ADS1115_ZERO = 0x8000


class VacuumGauge(msgspec.Struct, frozen=True, kw_only=True):
    """A vacuum gauge as it was fitted: all that turns its codes into Pa, and where it is read.

    ``curve`` is an analogue gauge's: pairs of V at its output and Pa, volts rising. ``divider`` is how many times
    smaller the ADS1115's input is, ``full_scale_v`` that input's range. ``zero_pa`` is what an MPRLS shows where the
    pressure is next to nothing. ``i2c_bus``, ``address`` and ``channel`` are for the record. The names are those under
    which it is stored with a run.
    """

    gauge: Literal["mprls", "ads1115"]
    i2c_bus: int = 1
    address: int | None = None
    zero_pa: float = 0.0
    channel: int = 0
    full_scale_v: float = 4.096
    divider: float = 1.0
    curve: tuple[tuple[float, float], ...] = ()


def error_pa(vacuum: VacuumGauge) -> float:
    """Get how far the gauge may be off near a vacuum, a half-width in Pa; NaN where nobody states it."""
    return MPRLS_ERROR_PA if vacuum.gauge == "mprls" else math.nan


def u_in_air_pa(vacuum: VacuumGauge | None) -> float:
    """Get the standard uncertainty in Pa of a pressure near the atmosphere's; NaN: it shows air or no air, no more.

    An analogue gauge measures how gas conducts heat or ions, which says little there. A recording's own column
    (``None``) is taken to be good to ±1 hPa, as the cheapest barometers are.
    """
    if vacuum is None:
        return 100.0 / math.sqrt(3.0)
    return MPRLS_ERROR_PA / math.sqrt(3.0) if vacuum.gauge == "mprls" else math.nan


def qualifying_limit_pa(limit_pa: float, vacuum: VacuumGauge) -> float:
    """Get below what the gauge must read for a second to qualify under ``limit_pa``.

    A gauge that can show the limit must read below it by its own error; one whose error is as large as the limit can
    only contradict it, and does so above the limit and its error; one whose error nobody states is believed.
    """
    error = error_pa(vacuum)
    if not math.isfinite(error):
        return limit_pa
    return limit_pa - error if error < limit_pa else limit_pa + error


def declared_of(limit_pa: float, vacuum: VacuumGauge) -> list[str]:
    """Get what a gauge leaves to be declared under ``limit_pa``: one line, or none."""
    error = error_pa(vacuum)
    if not math.isfinite(error):
        return [f"pressure: measured; how good the {vacuum.gauge} gauge's curve is, is not stated"]
    if error < limit_pa:
        return []
    return [
        f"pressure: the gauge is good to ±{error:.0f} Pa: below its error the vacuum is declared; a reading above "
        f"{qualifying_limit_pa(limit_pa, vacuum):.0f} Pa does not count as {limit_pa:g} Pa"
    ]
