"""What the air's pressure may do to a load cell's zero: as it was measured, or by the class that cells are made to.

OIML R 60-1 (5.6.2) allows one verification interval a kilopascal; a calibration under the oven's own vacuum says what
it is. This module must never take a pressure that nobody read for one that did not change.
"""

from __future__ import annotations

import math

from calibration.certificate import Certificate
from calibration.weather import VMIN_PER_CAPACITY

NIGHT_KPA = 1.0
"""What the weather may do to the air's pressure in a night where nobody read it."""
PRESSURE_KPA_PER_H = 0.1
"""What it may do to it in an hour."""


def per_kpa_g(certificate: Certificate) -> float:
    """Get what a kilopascal may do to the zero, in g: as it was measured, else a ten-thousandth of the capacity."""
    stability = certificate.stability
    if stability.zero_g_per_kpa is not None:
        return math.hypot(stability.zero_g_per_kpa, stability.u_zero_g_per_kpa)
    return certificate.cell.capacity_g / VMIN_PER_CAPACITY
