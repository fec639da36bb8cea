"""From one weight, put on again and again, to what another place and another time make of its indication.

Between two placings in the middle lies one near an edge, so that what creeps or drifts meanwhile is in neither number.
This module must never read a cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from calibration.calibration_record import Placing, Point
from calibration.errors import BadFit

SHOWS_CODES = 100.0
"""A weight that moves the code by less was not on the holder."""


def placing_of(points: Sequence[Point]) -> Placing:
    """Get repeatability and eccentricity from placings in turns: middle, edge, middle …, after the empty holder.

    The repeatability is the standard deviation of the placings in the middle from their successive differences
    (von Neumann), the eccentricity the largest difference of an edge from the mean of the middles beside it. Raises
    ``BadFit`` where the weight does not show.
    """
    empty, *placed = points
    codes = [p.code for p in placed]
    middles, edges = codes[::2], codes[1::2]
    shown = math.fsum(middles) / len(middles) - empty.code
    if abs(shown) < SHOWS_CODES:
        raise BadFit("the weight does not show: was it on the holder? Read the corners again")
    per_code_g = abs(placed[0].mass_g / shown)
    steps = [b - a for a, b in pairwise(middles)]
    off = [edge - (a + b) / 2.0 for edge, (a, b) in zip(edges, pairwise(middles), strict=True)]
    return Placing(
        weight_g=placed[0].mass_g,
        repeatability_g=math.sqrt(math.fsum(s * s for s in steps) / (2.0 * len(steps))) * per_code_g,
        repeatability_n=len(middles),
        eccentricity_g=max(map(abs, off)) * per_code_g,
    )
