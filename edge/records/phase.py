"""The phases of a run, in their order.

This module must never say what leads from one phase to another: that is ``edge.procedure.phases``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """The states of a run, in their order."""

    TARE = "tare"
    CHECK_BEFORE = "check weight before"
    REST = "rest"
    LOAD = "load"
    M1 = "m1"
    CARRY_M1 = "carried for m1"
    PUMP = "pump"
    RAMP = "ramp"
    HOLD = "hold"
    COOL = "cool"
    M2 = "m2"
    CARRY_M2 = "carried for m2"
    ZERO = "zero"
    CHECK = "check weight"
    DONE = "done"


ASKED: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.TARE: "leave the holder empty, then tare",
        Phase.CHECK_BEFORE: "put the check weight on, then check",
        Phase.REST: "take the check weight off and leave the holder empty: it rests by itself",
        Phase.LOAD: "put the sample on, then load",
        Phase.CARRY_M1: "weigh it on the balance, weigh m1, then carry back",
        Phase.CARRY_M2: "weigh it on the balance, then weigh m2, or carry back",
        Phase.ZERO: "take the sample off, then zero",
        Phase.CHECK: "put the check weight on, then check",
    }
)
"""What is asked of the operator in a phase; the others go on by themselves."""

CHECKED_FIRST = (Phase.CHECK_BEFORE, Phase.REST)
"""A check weight before the sample, and the rest after it: only where one was announced."""
CARRIED = (Phase.CARRY_M1, Phase.CARRY_M2)
"""The sample is not on the rig: it is at the laboratory's balance, or on the way."""
