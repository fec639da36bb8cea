"""From a vacuum gauge's raw codes to pascals, by the settings: the one place where that is done.

An analogue gauge's curve is followed in volts and in the logarithm of the pressure, as such gauges are made.
What comes out qualifies seconds, so it has the same bits on every machine: ``+ − × ÷`` and comparisons only. This
module must never give a number outside the curve: a broken wire is no pressure.
"""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from calibration.vacuum_gauge import ADS1115_ZERO, MPRLS_FULL, MPRLS_FULL_PA, MPRLS_ZERO, VacuumGauge

F8 = npt.NDArray[np.float64]
_LN2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # ln 2 in two parts, the first with 32 bits (fdlibm)


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
