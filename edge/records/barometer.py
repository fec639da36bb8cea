"""What a barometer in the room said: raw codes with the chip's own coefficients, so that anybody makes Pa of them.

Frozen records. This module must never hold a pressure that somebody else computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from calibration.barometer import TRIMMING_BYTES, plausible_pa

from .event import EventKind, Happening

Code = Annotated[int, Meta(ge=0, lt=1 << 20)]
Name = Annotated[str, Meta(max_length=20)]


@dataclass(frozen=True, slots=True)
class BarometerRead(Happening):
    """The barometer was read: its two 20-bit codes, the driver's status of them, its coefficients as hex."""

    chip: str
    status: str
    pressure_code: int
    temp_code: int
    trimming: str

    kind: ClassVar[EventKind] = EventKind.BAROMETER


class BarometerTold(msgspec.Struct, frozen=True, kw_only=True):
    """A reading of the barometer, ``at_s`` after the run's start."""

    at_s: float
    chip: Name
    status: Name
    pressure_code: Code
    temp_code: Code
    trimming: Annotated[str, Meta(max_length=2 * TRIMMING_BYTES, pattern="^([0-9a-f]{2})*$")]

    @property
    def pressure_pa(self) -> float:
        """Get the pressure in Pa; NaN where the reading is not good, or no laboratory has such a pressure."""
        if self.status != GOOD:
            return float("nan")
        return plausible_pa(self.pressure_code, self.temp_code, bytes.fromhex(self.trimming))


GOOD = "OK"
