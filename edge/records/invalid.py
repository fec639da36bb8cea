"""Why a run cannot be judged: a reason that a program can tell, and the line that a person reads.

This module must never hold a number that looks like a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InvalidReason(StrEnum):
    """The kinds of reasons for INVALID."""

    ABORTED = "aborted"
    NO_TARE = "no_tare"
    HEATED_BEFORE_M1 = "heated_before_m1"
    NEVER_STABLE = "never_stable"
    NO_VACUUM = "no_vacuum"
    NEVER_IN_BAND = "never_in_band"
    HOLD_INCOMPLETE = "hold_incomplete"
    UNSEEN_TOO_LONG = "unseen_too_long"
    NOT_COLD_AGAIN = "not_cold_again"
    ENDED_EARLY = "ended_early"
    MASS_MISSING = "mass_missing"
    NO_LOAD = "no_load"
    AIR_DIFFERS = "air_differs"
    RIG_CHANGED = "rig_changed"
    TARE_UNKNOWN = "tare_unknown"
    DECLARED_OUT_OF_BAND = "declared_out_of_band"
    TOO_FEW_ROWS = "too_few_rows"
    DISPLAY_STUCK = "display_stuck"
    NOTHING_WEIGHED = "nothing_weighed"
    HOLDER_EMPTY = "holder_empty"
    GAINED = "gained"
    JUMPED = "jumped"
    NOT_CARRIED_BACK = "not_carried_back"
    BALANCE_CONTRADICTS = "balance_contradicts"
    SPECIMEN_CONTRADICTED = "specimen_contradicted"
    TEST_OF_THE_RIG = "test_of_the_rig"
    CERTIFICATE_VOID = "certificate_void"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Invalid:
    """A reason of INVALID, with the line that says what happened and what to do."""

    reason: InvalidReason
    why: str
