"""What hung on the load cell before a run, and for how long the holder was empty since: stored with the run's settings.

The names are in stored settings: frozen. This module must never compute.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

TimeS = Annotated[float, Meta(ge=0, le=1e8, description="a time in s, 0 to 1e8")]
RestKnown = Literal["measured", "declared", "assumed"]
"""Whether a run's own weighings say when the load was taken off, a person does, or nobody."""


class EarlierLoad(msgspec.Struct, frozen=True, kw_only=True):
    """A load of ``mass_g`` that hung for ``hung_s`` at most, and was off for ``rested_s`` at least when the run began.

    ``of`` names it: ``run 7``, ``the calibration``.
    """

    of: Annotated[str, Meta(max_length=200)]
    mass_g: Annotated[float, Meta(ge=0, le=1e6, description="a mass in g, 0 to 1e6")]
    hung_s: TimeS
    rested_s: TimeS
    rest: RestKnown
