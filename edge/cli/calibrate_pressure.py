"""``halfpercent calibrate pressure``: what the air's pressure does to the empty load cell, by the oven's own pump.

This module must never take a pressure for measured that somebody only said: the command says so.
"""

from __future__ import annotations

from typing import Unpack

import click

from edge.errors import BadValue

from .calibration_bench import BenchOptions, of_a_bench, open_place
from .calibration_finish import finish
from .say import say

STANDARD_HPA = 1013.25
USUAL_HPA = 40.0
"""What weather and height do to the pressure of the air, where nobody read it; as a standard uncertainty."""
LEAST_FALL_HPA = 200.0


@click.command("pressure")
@click.option("--vacuum-hpa", type=float, required=True, help="What the oven is pumped down to, by its own gauge.")
@click.option("--air-hpa", type=float, help="What a barometer in the room shows [1013 ± 40].")
@of_a_bench
def calibrate_pressure(vacuum_hpa: float, air_hpa: float | None, **options: Unpack[BenchOptions]) -> None:
    """Pump the cold oven down and vent it, the holder empty: what the air's pressure does to the zero."""
    from edge.guided_calibration.certify import certify, span_done
    from edge.guided_calibration.place import today
    from edge.guided_calibration.steps import read_pressure
    from edge.records.formatting import with_u

    air, u_hpa = (STANDARD_HPA, USUAL_HPA) if air_hpa is None else (air_hpa, max(1.0, 0.1 * vacuum_hpa))
    if not 300.0 <= air <= 1100.0:
        raise BadValue("air_hpa", air, "give the room's pressure in hPa, 300 to 1100")
    if not 0.0 <= vacuum_hpa <= air - LEAST_FALL_HPA:
        most = f"0 to {air - LEAST_FALL_HPA:g}: {LEAST_FALL_HPA:g} below the room's"
        raise BadValue("vacuum_hpa", vacuum_hpa, f"give hPa, {most}")
    with open_place(options) as place:
        session = read_pressure(place.bench, place.session(), air, vacuum_hpa, u_hpa)
        place.keep(session)
        if span_done(session):
            stability = certify(session, today(place.bench), place.bench.clock_set()).certificate.stability
            found, u = (stability.zero_g_per_kpa or 0.0) * 1e3, stability.u_zero_g_per_kpa * 1e3
            say(
                f"The zero moves by {with_u(found, u)} mg a kilopascal; a cell's class allows "
                f"{session.cell.capacity_g / 10.0:.3g} mg. Both pressures are as you said."
            )
        finish(place, session, quiet=True)
