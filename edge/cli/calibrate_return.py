"""``halfpercent calibrate return``: what a cell keeps of its creep, after a night's weight was taken off.

This module must never say of a return that it was seen where the creep was too small to see it.
"""

from __future__ import annotations

from typing import Unpack

import click

from .calibration_bench import BenchOptions, of_a_bench, open_place
from .calibration_finish import finish
from .say import say


@click.command("return")
@of_a_bench
def calibrate_return(**options: Unpack[BenchOptions]) -> None:
    """Take the night's weight off and wait two hours: how much of its creep comes back, as a second zero sees it."""
    from edge.guided_calibration.certify import certify, span_done
    from edge.guided_calibration.place import today
    from edge.guided_calibration.returning import read_return
    from edge.guided_calibration.steps import Reporting

    with open_place(options) as place:
        say("Leave the weight of the night on until you are asked to take it off. The oven stays cold.")
        every_min = 30 if place.seed is not None else 1
        session = read_return(place.bench, place.session(), Reporting(place.keep, click.echo, every_min))
        if span_done(session):
            made = certify(session, today(place.bench), place.bench.clock_set())
            if made.found.returned is None:
                say("The creep is too small against the wander of the zero to see whether it comes back: ±50 % stays.")
        finish(place, session)
