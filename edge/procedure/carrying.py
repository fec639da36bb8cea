"""Where the sample is while it is carried to the laboratory's balance and back, and which masses that has said.

The operator announces both ways, so that a sample that is off the rig is no lifted one. This module must never hold a
mass: which it is, is an event, and no step of the test depends on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.records.phase import CARRIED, Phase
from edge.records.weighing import WeighingKind

HANDS_S = 60.0
"""So long before the sample is off or on, and after it was put back, its place is a hand's: such rows are no masses."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A time off the rig, in s since the run's start; ``back_s`` is NaN for one from which it did not come back."""

    out_s: float
    back_s: float = math.nan


class Carrying:
    """The sample's stays off the rig, before the hold and after it; ``said`` are the masses that the balance has."""

    def __init__(self) -> None:
        self.said: set[WeighingKind] = set()
        self.for_m1: list[Stay] = []
        self.for_m2: list[Stay] = []
        self._hands_until_s = -math.inf

    def out(self, t_s: float, *, before_hold: bool) -> None:
        """Take that it was carried out."""
        (self.for_m1 if before_hold else self.for_m2).append(Stay(t_s))

    def back(self, t_s: float) -> None:
        """Take that it was put back."""
        stays = self.for_m2 or self.for_m1
        stays[-1] = Stay(stays[-1].out_s, t_s)
        self._hands_until_s = t_s + HANDS_S

    def on_rig(self, phase: Phase, t_s: float) -> bool:
        """Say whether a second's indication is of the sample as it lies: it is on the rig, and no hand is on it."""
        return phase not in CARRIED and t_s >= self._hands_until_s

    @property
    def awaits_m2(self) -> bool:
        """Get whether the balance has said M1 and not M2."""
        return WeighingKind.M1 in self.said and WeighingKind.M2 not in self.said

    @property
    def has_m2(self) -> bool:
        """Get whether the balance has said M2."""
        return WeighingKind.M2 in self.said
