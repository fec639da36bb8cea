"""From a vacuum gauge's raw codes to pascals, by the settings: the one place where that is done.

An analogue gauge's curve is followed in volts and in the logarithm of the pressure, as such gauges are made.
This module must never give a number outside the curve: a broken wire is no pressure.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .config import VacuumConfig

MPRLS_ZERO, MPRLS_FULL = 0x19999A, 0xE66666
"""The MPR's 24-bit codes at 0 and 25 psi: 10 and 90 % of the range (data sheet 32332628, transfer function A)."""
MPRLS_FULL_PA = 25 * 6894.757293
MPRLS_ERROR_PA = 0.015 * MPRLS_FULL_PA
"""Its total error band: ±1.5 % of full scale. ``zero_pa`` takes most of it away near zero."""
ADS1115_ZERO = 0x8000


def pascals(codes: npt.ArrayLike, vacuum: VacuumConfig) -> npt.NDArray[np.float64]:
    """Get the pressures in Pa that raw ``codes`` of the gauge stand for; NaN where there is none.

    The codes' statuses are the caller's business. Raises ``ValueError`` where the pressure is declared.
    """
    raw = np.asarray(codes, np.float64)
    if vacuum.gauge == "mprls":
        # The driver drops the last eight bits: the middle of what they may have been.
        share = (raw * 256.0 + 128.0 - MPRLS_ZERO) / (MPRLS_FULL - MPRLS_ZERO)
        return share * MPRLS_FULL_PA - vacuum.zero_pa
    if vacuum.gauge == "ads1115":
        volts, points = np.array(vacuum.curve).T
        at = (raw - ADS1115_ZERO) * (vacuum.full_scale_v / 32768.0) * vacuum.divider
        return np.asarray(np.exp(np.interp(at, volts, np.log(points), left=np.nan, right=np.nan)), np.float64)
    raise ValueError("the pressure is declared: there is no gauge")
