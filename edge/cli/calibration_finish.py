"""How a step of a calibration ends: a certificate where there is a span, and what comes next.

This module must never write a person's config: it says which line to put into it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .say import say, say_lines

if TYPE_CHECKING:
    from edge.guided_calibration.place import Place
    from edge.guided_calibration.session import Session


def again(place: Place) -> str:
    """Get what the next step must be given again to be of the same rig."""
    return "" if place.seed is None else f" --simulate {place.seed}"


def finish(place: Place, session: Session, *, quiet: bool = False) -> None:
    """Write a certificate where there is a span, and say what was found and what comes next."""
    from calibration.certificate import loads, to_toml
    from edge.guided_calibration.certify import certify, span_done
    from edge.guided_calibration.place import today
    from edge.guided_calibration.session import write_certificate
    from edge.guided_calibration.summary import lines

    place.keep(session)
    if not span_done(session):
        say(f"Kept in {place.path}. Next: halfpercent calibrate span --weight 100:F1 --weight 200:F1{again(place)}")
        return
    made = certify(session, today(place.bench), place.bench.clock_set())
    loads(to_toml(made.certificate), "the certificate")  # what the numbers say must be a load cell's
    if not quiet:
        for line in lines(made):
            say(line)
        if session.empty is None:
            line = f"Next: halfpercent calibrate temperature{again(place)}"
            say(f"{line}, over hours: what is assumed of temperature weighs most.")
        elif session.loaded is None:
            line = f"Next: halfpercent calibrate temperature --weight 200:F1{again(place)}"
            say(f"{line} shows the span's coefficient and the creep.")
    path = write_certificate(place.folder, session.name, made.certificate).resolve()
    say()
    say(f"Certificate: {path}")
    say_lines("Put it into the config:\n\n    [test]")
    say(f"    certificate = {json.dumps(str(path))}")
    say()
