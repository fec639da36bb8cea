"""The newest look at the devices, and when each of them last said something good.

It is for whoever asks how things are; a reading without its age passes for one of now. This module must never reach a
result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from hw.clock import NS_PER_S
from hw.protocols import Conversion, Status

from .alarm_rules import Observation


@dataclass(frozen=True, slots=True)
class GoodAt:
    """When a good reading came last of each device, in ns since boot (None: never)."""

    bridge_ns: int | None = None
    oven_ns: int | None = None
    cell_ns: int | None = None
    pressure_ns: int | None = None


class LatestReadings(NamedTuple):
    """The newest look, the newest sample of the bridge, and when each device's last good reading came."""

    look: Observation
    newest: Conversion | None
    good: GoodAt = GoodAt()

    def after(self, look: Observation, newest: Conversion | None) -> LatestReadings:
        """Get what is the latest once a look has come."""
        before = self.good
        bridge_ns = newest.t_ns if newest is not None and newest.status is Status.OK else before.bridge_ns
        good = GoodAt(
            bridge_ns,
            look.t_ns if math.isfinite(look.oven_c) else before.oven_ns,
            look.t_ns if math.isfinite(look.cell_c) else before.cell_ns,
            look.t_ns if math.isfinite(look.pressure_pa) else before.pressure_ns,
        )
        return LatestReadings(look, newest, good)


def age_s(good_ns: int | None, now_ns: int) -> float | None:
    """Get for how many s there has been no newer reading than the one at ``good_ns``; None where there never was."""
    return None if good_ns is None else max(0.0, (now_ns - good_ns) / NS_PER_S)
