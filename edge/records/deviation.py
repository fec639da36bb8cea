"""What a test did otherwise than the method asks, each by its kind: a program can tell them, a person reads the line.

The words are in stored results. This module must never say which of them a run has.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class DeviationKind(StrEnum):
    """The kinds of deviations from the method."""

    NO_SPECIMEN_RECORD = "no_specimen_record"
    NO_VISUAL_CHECK = "no_visual_check"
    VISUAL_CHECK_LATE = "visual_check_late"
    VISUAL_CHECK_UNTIMED = "visual_check_untimed"
    NOT_TURNED_OVER = "not_turned_over"
    NO_PHOTOGRAPH = "no_photograph"
    NOT_OPENED = "not_opened"
    OPENING_SMALL = "opening_small"
    OPENING_NOT_MEASURED = "opening_not_measured"
    OPEN_BENCH = "open_bench"
    SURROUNDINGS_UNKNOWN = "surroundings_unknown"
    WET_ROOM = "wet_room"
    DEW_POINT_UNKNOWN = "dew_point_unknown"
    ROOM_TEMPERATURE = "room_temperature"
    NOT_ACTIVATED = "not_activated"
    STATE_OF_CHARGE_UNKNOWN = "state_of_charge_unknown"
    NO_M0 = "no_m0"
    M1_EARLY = "m1_early"
    M1_LATE = "m1_late"
    WEIGHING_COARSE = "weighing_coarse"
    JUDGED_HOT = "judged_hot"
    CARRIED_IN_AIR = "carried_in_air"
    MASS_AFTER_END = "mass_after_end"
    FITNESS_LAPSED = "fitness_lapsed"
    # the record contradicts itself, an earlier one, or the balance
    M0_BELOW_M1 = "m0_below_m1"
    SERIAL_CONTRADICTS = "serial_contradicts"
    SEAL_BROKEN = "seal_broken"
    HANDS_BROKEN = "hands_broken"
    CELL_CHANGED = "cell_changed"
    OTHER_DAY = "other_day"


CONTRADICTIONS = frozenset(
    (
        DeviationKind.M0_BELOW_M1,
        DeviationKind.SERIAL_CONTRADICTS,
        DeviationKind.SEAL_BROKEN,
        DeviationKind.HANDS_BROKEN,
        DeviationKind.CELL_CHANGED,
        DeviationKind.OTHER_DAY,
    )
)
"""With these it is not known that what was weighed is what was received."""

Asked = Literal["verified", "unverified", "assumed", "record"]
"""Who asks: the standard's text as a person checked it, its file unchecked, our assumption, or the record itself."""


class DeviationTold(msgspec.Struct, frozen=True, kw_only=True):
    """A deviation from the method: which, in words, and who asks for it.

    ``unexplained``: it contradicts who the specimen is, and nobody said why: no verdict can be the specimen's.
    """

    kind: DeviationKind
    why: str
    asked: Asked
    unexplained: bool = False


class VisualCheckFound(StrEnum):
    """What became of the visual check."""

    NO_LIQUID_SEEN = "no_liquid_seen"
    LIQUID_SEEN = "liquid_seen"
    NOT_RECORDED = "not_recorded"


class StandardChecked(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a standard's file a person has compared with the official text: numbers of values, and by whom."""

    verified: int
    unverified: int
    assumed: int
    by: tuple[str, ...] = ()
