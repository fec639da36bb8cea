"""The phases of a run, in their order.

This module must never say what leads from one phase to another: that is ``edge.procedure.phases``.
"""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The states of a run, in their order."""

    TARE = "tare"
    LOAD = "load"
    M1 = "m1"
    PUMP = "pump"
    RAMP = "ramp"
    HOLD = "hold"
    COOL = "cool"
    M2 = "m2"
    ZERO = "zero"
    CHECK = "check weight"
    DONE = "done"
