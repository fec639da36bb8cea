"""A test of the rig itself: something whose loss is known, and what was recovered of it.

The names are in stored settings and results: frozen. This module must never compute.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ControlKind = Literal["liquid", "hydrate", "inert"]
"""A liquid in an open vial on steel, a hydrate that loses a known share, or an inert dummy, which loses nothing."""
KnownG = Annotated[float, Meta(ge=0, le=1000, description="a mass in g, 0 to 1000")]


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What a test of the rig is of: ``known_g`` will leave it, with the standard uncertainty ``u_known_g``, in g."""

    kind: ControlKind
    known_g: KnownG
    u_known_g: KnownG


class SuitabilityTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was recovered of a known loss, in g, and whether the rig is fit; ``fit_until`` is null where it is not.

    ``e_n`` is |found − known| / √(U² + U²) (ISO 13528); null where the run could not be judged.
    """

    kind: ControlKind
    known_g: float
    U_known_g: float
    found_g: float | None
    U_found_g: float | None
    e_n: float | None
    fit: bool
    fit_until: datetime.date | None
    why: str

    def in_a_line(self) -> str:
        """Get what it says of the rig in one line: it is no verdict on a cell."""
        fit = f"the rig is fit until {self.fit_until}" if self.fit else "the rig is NOT fit"
        return f"test of the rig ({self.kind}): {fit}: {self.why}"


class RigShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest test of the rig with a kind of control had said of it when a run began.

    ``lapsed`` is why it does not hold any more (null: it does).
    """

    run_id: int
    kind: ControlKind
    fit: bool
    fit_until: datetime.date | None
    why: str
    lapsed: str | None = None
