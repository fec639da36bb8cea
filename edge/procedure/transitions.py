"""What leads from one phase of a run to the next, and what the operator commands in which.

This module must never hold a number or a row: only the course.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge.records.command import Command, ConverterWasReset, GapLength, OperatorWord, WeighedOnBalance
from edge.records.phase import CARRIED, Phase
from edge.records.weighing import WeighingKind

TRANSITIONS: Mapping[tuple[Phase, Phase], str] = MappingProxyType(
    {
        (Phase.TARE, Phase.LOAD): "the zero of the empty holder is taken",
        (Phase.LOAD, Phase.M1): "the operator says that the sample is on",
        (Phase.M1, Phase.PUMP): "M1 is taken",
        (Phase.PUMP, Phase.RAMP): "the pressure is reached, or the vacuum is declared",
        (Phase.RAMP, Phase.HOLD): "in band: the hold clock runs",
        (Phase.HOLD, Phase.COOL): "the hold is complete",
        (Phase.COOL, Phase.M2): "cold again",
        (Phase.M2, Phase.ZERO): "M2 is taken, and a second zero was announced",
        (Phase.ZERO, Phase.CHECK): "the second zero is taken, and a check weight was announced",
    }
)
"""What leads from one phase to the next. From every phase a run may also be done: judged, aborted, or invalid."""

DETOURS: Mapping[tuple[Phase, Phase], str] = MappingProxyType(
    {
        (Phase.TARE, Phase.CHECK_BEFORE): "the zero is taken, and a check weight before M1 was announced",
        (Phase.CHECK_BEFORE, Phase.REST): "the check weight is taken",
        (Phase.REST, Phase.LOAD): "the holder was empty for four times as long as the weight lay there",
        (Phase.M1, Phase.CARRY_M1): "carry out",
        (Phase.PUMP, Phase.CARRY_M1): "carry out",
        (Phase.CARRY_M1, Phase.M1): "carry back",
        (Phase.COOL, Phase.CARRY_M2): "carry out",
        (Phase.M2, Phase.CARRY_M2): "carry out, or M2 is taken and the balance has said M1",
        (Phase.CARRY_M2, Phase.M2): "carry back",
        (Phase.CARRY_M2, Phase.ZERO): "the balance has said M2, and a second zero was announced",
    }
)
"""A check weight before the sample; and the way to the laboratory's balance and back. Where the balance has said
M2 and no zero was announced it is done."""

COMMANDS: Mapping[Phase, OperatorWord] = MappingProxyType(
    {
        Phase.TARE: OperatorWord.TARE,
        Phase.CHECK_BEFORE: OperatorWord.CHECK,
        Phase.LOAD: OperatorWord.LOAD,
        Phase.ZERO: OperatorWord.ZERO,
        Phase.CHECK: OperatorWord.CHECK,
    }
)
"""What the operator commands, and in which phase."""

OUT_FROM = (Phase.M1, Phase.PUMP, Phase.COOL, Phase.M2)
"""From where the sample may be carried out: it is cold, or nobody knows yet that it is not."""
BEFORE_HOLD = (Phase.M1, Phase.PUMP, Phase.CARRY_M1)
M2_FROM = (Phase.CARRY_M2, Phase.ZERO, Phase.CHECK)
"""When the balance may have said M2: the sample is off the rig, or may be."""
BETWEEN_MASSES = (Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL, Phase.M2, Phase.CARRY_M2)
"""The phases in which M1 is taken and M2 is not."""


def refusal(command: Command, phase: Phase) -> str:
    """Say why a command would be refused in a phase: '' where it would be taken."""
    match command:
        case GapLength():
            taken = True
        case ConverterWasReset() | OperatorWord.ABORT:
            taken = phase is not Phase.DONE
        case OperatorWord.VENT:
            taken = phase in (Phase.COOL, Phase.M2)
        case OperatorWord.CARRY_OUT:
            taken = phase in OUT_FROM
        case OperatorWord.CARRY_BACK:
            taken = phase in CARRIED
        case WeighedOnBalance(which=WeighingKind.M1):
            taken = phase is not Phase.DONE
        case WeighedOnBalance():
            return "" if phase in M2_FROM else f"M2 on the balance is not for phase {phase}, but after carry out"
        case _:
            taken = COMMANDS.get(phase) is command
    return "" if taken else f"{command} is not for phase {phase}"
