"""From a vacuum gauge's raw codes to pascals, by the settings: the one place where that is done.

An analogue gauge's curve is followed in volts and in the logarithm of the pressure, as such gauges are made.
What comes out qualifies seconds, so it has the same bits on every machine: ``+ − × ÷`` and comparisons only. This
module must never give a number outside the curve (a broken wire is no pressure), and never call a limit shown that
a gauge cannot show.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]

MPRLS_ZERO, MPRLS_FULL = 0x19999A, 0xE66666
"""The MPR's 24-bit codes at 0 and 25 psi: 10 and 90 % of the range (data sheet 32332628, transfer function A)."""
MPRLS_FULL_PA = 25 * 6894.757293
MPRLS_ERROR_PA = 0.015 * MPRLS_FULL_PA
"""Its total error band: ±1.5 % of full scale. ``zero_pa`` takes most of it away near zero."""
ADS1115_ZERO = 0x8000
_LN2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # ln 2 in two parts, the first with 32 bits (fdlibm)


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


def pascals(codes: npt.ArrayLike, vacuum: VacuumGauge) -> F8:
    """Get the pressures in Pa that raw ``codes`` of the gauge stand for; NaN where there is none.

    The codes' statuses are the caller's business.
    """
    raw = np.asarray(codes, np.float64)
    if vacuum.gauge == "mprls":
        # The driver drops the last eight bits: the middle of what they may have been.
        share = (raw * 256.0 + 128.0 - MPRLS_ZERO) / (MPRLS_FULL - MPRLS_ZERO)
        return share * MPRLS_FULL_PA - vacuum.zero_pa
    volts = np.array([v for v, _ in vacuum.curve])
    logs = np.array([float(Decimal(pa).ln()) for _, pa in vacuum.curve])  # correctly rounded
    at = (raw - ADS1115_ZERO) * (vacuum.full_scale_v / 32768.0) * vacuum.divider
    below = np.clip(np.searchsorted(volts, at, "right") - 1, 0, len(volts) - 2)
    share = (at - volts[below]) / (volts[below + 1] - volts[below])
    inside = (at >= volts[0]) & (at <= volts[-1])
    return np.where(inside, _exp(logs[below] + share * (logs[below + 1] - logs[below])), np.nan)


def _exp(x: F8) -> F8:
    """Get e^x for |x| < 700, by its series about the nearest multiple of ln 2: alike on every machine, to 1e-15."""
    n = np.rint(np.clip(x, -700.0, 700.0) / math.log(2.0))
    r = (x - n * _LN2[0]) - n * _LN2[1]
    total = np.ones_like(r)
    for i in range(18, 0, -1):
        total = 1.0 + r / i * total
    return np.ldexp(total, n.astype(np.int64))


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
