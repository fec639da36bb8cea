"""What was weighed in a run, and which stretches of its hold did not count.

Frozen records without behaviour. This module must never compute a mass.
"""

from __future__ import annotations

from dataclasses import dataclass

from calibration.allan import Integrated


@dataclass(frozen=True, slots=True)
class Weighing:
    """A mass (or, for ``tare`` and ``zero``, a zero in codes) that was taken: the mean, and what surrounded it."""

    which: str
    value: Integrated
    from_s: float
    to_s: float
    temp_c: float
    cell_temp_c: float
    pressure_pa: float


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
