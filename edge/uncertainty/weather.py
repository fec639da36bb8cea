"""What the air's pressure may do to a load cell's zero, by the class that load cells are made to.

OIML R 60-1 (5.6.2) allows one verification interval a kilopascal. This module must never take a pressure that nobody
read for one that did not change.
"""

from __future__ import annotations

from calibration.certificate import Certificate

VMIN_PER_CAPACITY = 10_000.0  # a C3 cell's usual Y = Emax / vmin (OIML R 60-1)
NIGHT_KPA = 1.0
"""What the weather may do to the air's pressure in a night where nobody read it."""
PRESSURE_KPA_PER_H = 0.1
"""What it may do to it in an hour."""
READ_KPA = 0.1  # of a room's barometer


def per_kpa_g(certificate: Certificate) -> float:
    """Get what a kilopascal may do to the zero, in g: a ten-thousandth of the capacity."""
    return certificate.cell.capacity_g / VMIN_PER_CAPACITY
