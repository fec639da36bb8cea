"""``halfpercent calibrate corners``: what it makes where a load lies, and that it is put on again.

This module must never write over a certificate: it makes a new one.
"""

from __future__ import annotations

from typing import Unpack

import click

from .calibration_bench import BenchOptions, of_a_bench, open_place, weight_named
from .calibration_finish import finish
from .say import say


@click.command("corners")
@click.option("--weight", "text", required=True, metavar="G[:CLASS|:u=G]|FILE", help="One, near your sample's mass.")
@of_a_bench
def calibrate_corners(text: str, **options: Unpack[BenchOptions]) -> None:
    """Put one weight on five times in the middle and once near each edge: repeatability and eccentricity."""
    from msgspec.structs import replace

    from calibration.placing import placing_of
    from edge.guided_calibration.placing import read_placings
    from edge.records.formatting import significant

    weight = weight_named(text)
    with open_place(options) as place:
        points = read_placings(place.bench, place.session(), weight, click.echo)
        found = placing_of(points)
        session = replace(place.session(), placings=points)
        place.keep(session)
        say(
            f"Put on again it repeats within s = {significant(found.repeatability_g * 1e3, 2)} mg "
            f"({found.repeatability_n} times); near an edge it differs by "
            f"{significant(found.eccentricity_g * 1e3, 2)} mg at most, with {found.weight_g:g} g."
        )
        finish(place, session, quiet=True)
