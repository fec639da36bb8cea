"""The room's pressure around M1 and M2, by a barometer: at each, and how far it moved between them.

This module must never make one out of a reading that is not good, or was made at another time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.barometer import CHANGE_ERROR_PA
from edge.records.barometer import BarometerTold
from edge.records.result import Origin
from edge.records.sample import Air
from edge.records.weighing import Weighing

BESIDE_S = 400.0
"""So far before or after a weighing a reading counts for it: they are written every five minutes."""
READ_KPA = 0.1
"""How far the change between two readings of a room's barometer may be off that somebody typed, a half-width."""
MOST_KPA = 8.0
"""No weather moves the pressure so far in a night: deep lows fall by 2.4 kPa in 24 h, a typhoon's eye by 7."""


@dataclass(frozen=True, slots=True)
class RoomPressure:
    """The mean pressure at a weighing in Pa, of how many readings, and half of what they are apart."""

    pa: float
    readings: int
    half_pa: float


@dataclass(frozen=True, slots=True)
class PressureChange:
    """How far the room's pressure moved from M1 to M2 in kPa, a half-width of how far that may be off, and who says."""

    kpa: float
    half_kpa: float
    origin: Origin


@dataclass(frozen=True, slots=True)
class RoomAir:
    """What a barometer says of M1 and M2 (None: nothing), and why it is not used ("": it is, or none is fitted)."""

    at_m1: RoomPressure | None = None
    at_m2: RoomPressure | None = None
    unused: str = ""

    @property
    def change(self) -> PressureChange | None:
        """Get how far the pressure moved; None where it was not read at both."""
        if self.at_m1 is None or self.at_m2 is None:
            return None
        half_kpa = (CHANGE_ERROR_PA + self.at_m1.half_pa + self.at_m2.half_pa) / 1000.0
        return PressureChange((self.at_m2.pa - self.at_m1.pa) / 1000.0, half_kpa, "measured")


NOT_READ = RoomAir()


def room_air(readings: Sequence[BarometerTold], before: Weighing, after: Weighing) -> RoomAir:
    """Get what a barometer says of the air at two weighings; nothing at all where it is not to be believed."""
    if not readings:
        return NOT_READ
    first, second = _at(readings, before), _at(readings, after)
    missing = [w.which.upper() for w, found in ((before, first), (after, second)) if found is None]
    if missing:
        return RoomAir(first, second, f"it gave no pressure at {' and at '.join(missing)}")
    air = RoomAir(first, second)
    assert air.change is not None  # both were read
    if abs(air.change.kpa) > MOST_KPA:
        return RoomAir(unused=f"{air.change.kpa:+.1f} kPa from M1 to M2 is no weather")
    return air


def declared_change(air: Sequence[Air]) -> PressureChange | None:
    """Get how far the pressure moved by what somebody read at M1 and at M2 (None: not at both)."""
    if len(air) != 2:
        return None
    return PressureChange((air[1].pressure_hpa - air[0].pressure_hpa) / 10.0, READ_KPA, "declared")


def _at(readings: Sequence[BarometerTold], w: Weighing) -> RoomPressure | None:
    near = (r.pressure_pa for r in readings if w.from_s - BESIDE_S <= r.at_s <= w.to_s + BESIDE_S)
    good = np.array([pa for pa in near if not math.isnan(pa)])
    if not len(good):
        return None
    return RoomPressure(float(good.sum() / len(good)), len(good), float(good.max() - good.min()) / 2.0)
