"""What was weighed in a run, and which stretches of its hold did not count.

Frozen records without behaviour. This module must never compute a mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from calibration.integrated import Integrated


class WeighingKind(StrEnum):
    """What a weighing is of. ``tare`` and ``zero`` are zeros in codes, all others masses in g."""

    TARE = "tare"
    CHECK_BEFORE = "check_before"
    M1 = "m1"
    M2 = "m2"
    ZERO = "zero"
    CHECK = "check"
    START = "start"
    HOLD_START = "hold_start"
    HOLD_END = "hold_end"

    @property
    def is_zero(self) -> bool:
        """Get whether it is a zero, in codes."""
        return self in (WeighingKind.TARE, WeighingKind.ZERO)


@dataclass(frozen=True, slots=True)
class Weighing:
    """A mass (or, for ``tare`` and ``zero``, a zero in codes) that was taken: the mean, and what surrounded it."""

    which: WeighingKind
    value: Integrated
    from_s: float
    to_s: float
    temp_c: float
    cell_temp_c: float
    pressure_pa: float

    @property
    def middle_s(self) -> float:
        """Get the middle of its window, in s since the run's start."""
        return (self.from_s + self.to_s) / 2.0


@dataclass(frozen=True, slots=True)
class Excursion:
    """A stretch of the hold that did not count: when, how long, why, and how far off it was."""

    from_s: float
    to_s: float
    why: str
    worst_temp_c: float

    @property
    def length_s(self) -> float:
        """Get its length in s."""
        return self.to_s - self.from_s
