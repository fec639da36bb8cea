"""A mass that the laboratory's own balance said, and what a result tells of such masses.

The names are in stored events and results: frozen. This module must never compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import msgspec

from .event import EventKind, Happening
from .weighing import WeighingKind

How = Literal["typed", "read"]
"""Whether a person typed a mass off the display, or the station read it over the balance's line."""


@dataclass(frozen=True, slots=True)
class BalanceSaid(Happening):
    """The balance said a mass: M1 or M2, by which balance, typed by whom or read, and when it was weighed.

    ``weighed_s`` is in s since the run's start (below 0: before it); ``raw_hex`` are the bytes of what was read,
    ``photograph_sha256`` is of a photograph of the display. ``after_end_s``: so long after the run's end, by the wall
    clock, it came to be known (None: in the run).
    """

    which: WeighingKind
    mass_g: float
    balance: str
    how: How
    who: str
    weighed_s: float
    digit_g: float | None = None
    raw_hex: str | None = None
    photograph_sha256: str | None = None
    after_end_s: float | None = None

    kind: ClassVar[EventKind] = EventKind.BALANCE

    def data(self) -> dict[str, object]:
        """Get it as stored."""
        data = Happening.data(self) | {"which": str(self.which)}
        if self.after_end_s is None:  # as it was stored before a mass could come late
            del data["after_end_s"]
        return data


class BalanceMass(msgspec.Struct, frozen=True, kw_only=True):
    """A mass of the laboratory's balance as a result tells it; ``said_s`` is when it came to be known in the run.

    ``counts``: it is the one that the loss is made of; an earlier one of the same name was said again.
    """

    which: WeighingKind
    mass_g: float
    balance: str
    how: How
    who: str
    weighed_s: float
    said_s: float = 0.0
    digit_g: float | None = None
    raw_hex: str | None = None
    photograph_sha256: str | None = None
    u_g: float | None = None
    counts: bool = True
    after_end_s: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What the rig's own curve says of the loss, beside the balance's (ISO/IEC 17025, 7.7.1).

    ``e_n`` is |difference| / √(U² + U²) (ISO 13528): up to 1 they agree. ``moved_pct`` is what may have left or come
    between the two instruments' weighings, which is granted.
    """

    loss_pct: float
    U_pct: float
    verdict: str
    difference_pct: float
    moved_pct: float
    e_n: float
    agree: bool


class BalanceTold(msgspec.Struct, frozen=True, kw_only=True):
    """The laboratory's balance on which a verdict rests: its certificate, its masses, and the rig's own word.

    ``compared`` is null where the rig has no loss of its own (``rig_says`` why); ``in_air_s``
    is the time off the rig before M2, ``to_pump_s`` that from M1 on the balance until the rig began to pump.
    """

    name: str
    model: str
    serial: str
    calibrated_on: str
    certificate_sha256: str
    masses: tuple[BalanceMass, ...]
    in_air_s: float | None = None
    to_pump_s: float | None = None
    compared: Comparison | None = None
    rig_says: str | None = None
