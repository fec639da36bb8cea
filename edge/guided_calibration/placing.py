"""Where on the holder a load lies, and that it is put there again: one weight, five times and near four edges.

This module must never take an edge for a place where a sample belongs: it says what a sample put back may differ by.
"""

from __future__ import annotations

from collections.abc import Callable

from calibration.calibration_record import Point, Weight
from edge.errors import BadValue

from .bench import Bench
from .session import Session
from .steps import weigh

MIDDLE = "in the middle"
EDGES = (
    "halfway to the left edge",
    "halfway to the right edge",
    "halfway to the front edge",
    "halfway to the back edge",
)
PLACES = (MIDDLE, EDGES[0], MIDDLE, EDGES[1], MIDDLE, EDGES[2], MIDDLE, EDGES[3], MIDDLE)
"""In the order in which they are read, after the empty holder."""
LEAST_PART = 0.1
"""Of the capacity: with less on, the corners of a cell do not show."""


def read_placings(bench: Bench, session: Session, weight: Weight, say: Callable[[str], None]) -> tuple[Point, ...]:
    """Read the empty holder, then the weight at each of ``PLACES``, taken off in between.

    Raises ``BadValue`` for too small a weight, ``CalibrationRefused`` for readings that are not good.
    """
    least_g = LEAST_PART * session.cell.capacity_g
    if not least_g <= weight.mass_g <= session.cell.capacity_g:
        raise BadValue("weight", f"{weight.mass_g:g} g", f"give {least_g:g} to {session.cell.capacity_g:g} g")
    bench.put(None)
    points = [weigh(bench, session, 0.0, True, -1)]
    for where in PLACES:
        bench.place(weight, where)
        points.append(weigh(bench, session, weight.mass_g, True, -1))
        say(f"  {where:26}  {points[-1].code:12.2f} ± {points[-1].u_code:.2f} codes")
    return tuple(points)
