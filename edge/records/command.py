"""What a run can be told: the operator's commands, and the instrument's own words about a gap and a reset.

On disk a command is one word of text, frozen since the first version. This module must never act on a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .weighing import WeighingKind


class OperatorWord(StrEnum):
    """What the operator may say to a run."""

    TARE = "tare"
    LOAD = "load"
    VENT = "vent"
    CARRY_OUT = "carry out"
    CARRY_BACK = "carry back"
    ZERO = "zero"
    CHECK = "check"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class GapLength:
    """The instrument's word about a stop: how long nothing was measured, in s (None: nobody knows yet)."""

    length_s: float | None


@dataclass(frozen=True, slots=True)
class ConverterWasReset:
    """The instrument's word that its converter was reset: a weighing begins anew, a second zero is wanted."""


@dataclass(frozen=True, slots=True)
class WeighedOnBalance:
    """The laboratory's balance has said M1 or M2; which mass that is, is an event beside this word."""

    which: WeighingKind


Command = OperatorWord | GapLength | ConverterWasReset | WeighedOnBalance

_GAP_WORD = "gap "
_UNKNOWN_WORD = "unknown"
_CONVERTER_RESET = "converter reset"
_BALANCE_WORD = "balance "


def as_text(command: Command) -> str:
    """Get a command as it is stored: ``tare``, ``gap unknown``, ``gap 12``, ``converter reset``, ``balance m1``."""
    if isinstance(command, ConverterWasReset):
        return _CONVERTER_RESET
    if isinstance(command, WeighedOnBalance):
        return _BALANCE_WORD + command.which
    if isinstance(command, OperatorWord):
        return str(command)
    return _GAP_WORD + (_UNKNOWN_WORD if command.length_s is None else f"{command.length_s:.0f}")


def from_text(text: str) -> Command:
    """Get a stored command back. Raises ``ValueError`` for text that is none."""
    if text == _CONVERTER_RESET:
        return ConverterWasReset()
    if text.startswith(_BALANCE_WORD):
        return WeighedOnBalance(WeighingKind(text.removeprefix(_BALANCE_WORD)))
    if not text.startswith(_GAP_WORD):
        return OperatorWord(text)
    length = text.removeprefix(_GAP_WORD)
    return GapLength(None if length == _UNKNOWN_WORD else float(length))
