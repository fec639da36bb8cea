"""What the air's pressure does to a load cell's zero, from its code in air, under vacuum, and in air again.

A pump-down is a hundred times what weather does in a night, so that even the buoyancy of a holder of which nothing is
known hardly counts. This module must never take what a cell did over a hundred kilopascals for exact over one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from calibration.calibration_record import Point, PressureRecord
from calibration.errors import BadFit

LEAST_KPA = 20.0
"""A smaller change says less than the class does."""
HOLDER_CM3 = 20.0
"""What holds the sample is at most so large; under vacuum it loses the buoyancy of its air."""
AIR_G_CM3 = 1.2e-3
AIR_HPA = 1013.25
LINEAR_HALF = 0.3
"""Of the coefficient: how far over a kilopascal it may be from what it is over a hundred (assumed)."""
SETTLED_K = 2.0
"""The cell's temperature may have moved by so much under vacuum, where what that does is not known."""


@dataclass(frozen=True, slots=True)
class PressureFit:
    """By how many grams the zero rises with a kilopascal, and its standard uncertainty."""

    g_per_kpa: float
    u_g_per_kpa: float


def fit_pressure(of: PressureRecord, counts_per_g: float, per_k: float, u_per_k: float) -> PressureFit:
    """Find what a kilopascal does to the zero; ``per_k`` with its u is what a kelvin does to it, in codes.

    What the zero drifted by between the two readings in air is in the uncertainty. Raises ``BadFit`` for a change of
    less than 20 kPa.
    """
    kpa = (of.vacuum_hpa - of.air_hpa) / 10.0
    if not -kpa >= LEAST_KPA:
        raise BadFit(f"the pressure fell by {-kpa:.3g} kPa: pump the oven down by {LEAST_KPA:g} kPa or more")

    def code(p: Point) -> float:
        return p.code - per_k * (_away_k(p, of.before) or 0.0)

    apart = code(of.after) - code(of.before)
    air_code = code(of.before) + apart / 2.0
    buoyancy_g = HOLDER_CM3 / 2.0 * AIR_G_CM3 * (-kpa * 10.0 / AIR_HPA)
    moved_g = (code(of.vacuum) - air_code) / counts_per_g - buoyancy_g
    away_k = _away_k(of.vacuum, of.before)
    u_warm = per_k * SETTLED_K / math.sqrt(3.0) if away_k is None else 0.0
    u_code = math.sqrt(
        of.vacuum.u_code**2
        + (of.before.u_code**2 + of.after.u_code**2) / 4.0
        + apart**2 / 12.0
        + (u_per_k * (SETTLED_K if away_k is None else away_k)) ** 2
        + u_warm**2
    )
    u_g = math.hypot(u_code / counts_per_g, buoyancy_g / math.sqrt(3.0))
    per_kpa = moved_g / kpa
    u_rel = math.hypot(of.u_hpa / (abs(kpa) * 10.0), LINEAR_HALF / math.sqrt(3.0))
    return PressureFit(per_kpa, math.hypot(u_g / kpa, per_kpa * u_rel))


def _away_k(p: Point, q: Point) -> float | None:
    """Get by how much the cell was warmer than before (None: nobody read it)."""
    return None if p.cell_c is None or q.cell_c is None else p.cell_c - q.cell_c
