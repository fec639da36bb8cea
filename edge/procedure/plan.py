"""What the phases of a run wait for, and how long.

Frozen numbers from the standard, the settings, or assumed, and how to say that they were not reached. This module must
never look at a row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from edge.records.formatting import hours
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase

MIN_ROWS = 6
"""Fewer good seconds are no weighing."""
HEATED_BEFORE_M1 = Invalid(
    InvalidReason.HEATED_BEFORE_M1,
    "the heating began before M1 was taken: let the sample rest cold on the cell first",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the phases wait for: from the standard, the config, or assumed. Seconds, °C, Pa.

    ``stability_pct`` (of the load) or ``stability_g``, whichever is more, is how far a weighing's two halves may
    be apart where noise does not explain it. ``hot_window_s`` is the longest window at an edge of a hold that is
    judged hot. ``whole_window``: a mean is taken over all of its window (runs that began before there was this rule:
    over its most stable part). ``cold_band_c`` is how near to its temperature at M1 the load cell must be for M2,
    ``gap_s`` the longest time between two rows that is none,
    ``unseen_max_s`` the longest stretch without a good reading after which the run can still be
    judged. ``zero_after``: the operator takes the zero again after M2, and then puts a check weight of
    ``check_weight_g`` on (0: none); a run that waits for either longer than ``zero_max_s`` ends without it.
    ``tare_g`` is what the empty holder is on the certificate's scale (NaN: not known) and ``tare_within_g`` how far it
    may be from there; ``last_tare_g`` what it was in ``last_tare_run`` (0: there is none), from which it moves by at
    most ``last_tare_within_g`` by itself. A sample has from ``least_g`` to ``capacity_g``, and near ``declared_g`` (0:
    not declared). ``void_because``: why the certificate does not hold until the check weight agrees ('': it holds).
    ``check_before``: the check weight is put on before the sample too, and the holder rests after it.
    ``blank_by_mass``: a blank is taken to the sample's mass (runs that began before there was this rule: one blank is
    not, and its dummy was within 20 %).
    """

    weigh: Literal["cold", "hot"]
    hold_s: float
    hold_temp_c: float
    hold_band_c: float
    temp_needed: bool = True
    pressure_limit_pa: float = math.inf
    pressure_needed: bool = False
    reference: Literal["start", "hold_start"] = "start"
    tare_s: float = 60.0
    tare_stability_g: float = 0.05
    dwell_s: float = 600.0
    window_s: float = 600.0
    hot_window_s: float = 120.0
    whole_window: bool = False
    stability_pct: float = 0.005
    stability_g: float = 0.0
    cold_band_c: float = 2.0
    pump_wait_s: float = 900.0
    weigh_max_s: float = 10_800.0
    ramp_max_s: float = 14_400.0
    hold_extra_s: float = 21_600.0
    gap_s: float = 1.5
    unseen_max_s: float = math.inf
    cool_max_s: float = 43_200.0
    zero_after: bool = False
    check_weight_g: float = 0.0
    zero_max_s: float = 43_200.0
    tare_g: float = math.nan
    tare_within_g: float = math.inf
    least_g: float = 0.0
    capacity_g: float = math.inf
    declared_g: float = 0.0
    last_tare_g: float = math.nan
    last_tare_within_g: float = math.inf
    last_tare_run: int = 0
    void_because: str = ""
    check_before: bool = False
    blank_by_mass: bool = False

    @property
    def asks_load(self) -> bool:
        """Say whether it is asked if what is put on can be the sample (not in runs from before this rule)."""
        return math.isfinite(self.capacity_g)

    def hold_incomplete(self, why: str, hold_s: float) -> Invalid:
        """Get the reason of INVALID for a hold that ended after ``hold_s`` qualified seconds."""
        asked = f"{hours(hold_s)} h qualified of the {hours(self.hold_s)} h that the standard asks for"
        return Invalid(InvalidReason.HOLD_INCOMPLETE, f"{why} in phase hold: {asked}")

    def never_stable(self, what: str) -> Invalid:
        """Get the reason of INVALID for a mass that did not come to rest."""
        why = (
            f"{what} was never stable within {hours(self.weigh_max_s)} h: keep draughts, cables and vibration off the "
            "cell and let it rest longer"
        )
        return Invalid(InvalidReason.NEVER_STABLE, why)

    def too_few_rows(self, what: str, rows: int, window_s: float) -> Invalid:
        """Get the reason of INVALID for a window that holds too few rows: how many it takes."""
        every_s = window_s / MIN_ROWS
        why = (
            f"{what} has {rows} good rows in one piece of at most {window_s:.0f} s, and takes {MIN_ROWS}: record one "
            f"every {every_s:.0f} s or oftener"
        )
        return Invalid(InvalidReason.TOO_FEW_ROWS, why)

    def never_in_band(self, why: str) -> Invalid:
        """Get the reason of INVALID for a run whose hold never began."""
        below = f" and below {self.pressure_limit_pa:g} Pa" if self.pressure_needed else ""
        band = f"{self.hold_temp_c:g} ± {self.hold_band_c:g} °C"
        return Invalid(InvalidReason.NEVER_IN_BAND, f"{why} before the hold: never within {band}{below}")

    def then(self, phase: Phase) -> Phase:
        """Get what follows the tare, M2, the second zero or a check weight, by what was announced."""
        if phase is Phase.TARE:
            return Phase.CHECK_BEFORE if self.check_before else Phase.LOAD
        if phase is Phase.CHECK_BEFORE:
            return Phase.REST
        if phase is Phase.M2 and self.zero_after:
            return Phase.ZERO
        return Phase.CHECK if phase is Phase.ZERO and self.check_weight_g > 0.0 else Phase.DONE

    @property
    def not_cold_again(self) -> Invalid:
        """Get the reason of INVALID for an oven that did not cool."""
        why = f"not cold again after {hours(self.cool_max_s)} h: open the oven's vent or wait"
        return Invalid(InvalidReason.NOT_COLD_AGAIN, why)

    def pumped(self, pressure_pa: float, waited_s: float) -> str | Invalid:
        """Say why the vacuum is there ('': not yet), or get the reason of INVALID where it did not come."""
        if not self.pressure_needed:
            return "vacuum declared, not measured" if waited_s >= self.pump_wait_s else ""
        if pressure_pa <= self.pressure_limit_pa:
            return f"{pressure_pa:.3g} Pa reached"
        if waited_s > self.ramp_max_s:
            return Invalid(InvalidReason.NO_VACUUM, f"the pressure never fell to {self.pressure_limit_pa:g} Pa")
        return ""

    def what_is_missing(self, phase: Phase, why: str, hold_s: float, rows: int) -> Invalid:
        """Get the reason of INVALID for a run that ended in ``phase``, with ``rows`` in its window."""
        if phase is Phase.HOLD:
            return self.hold_incomplete(why, hold_s)
        if phase is Phase.RAMP:
            return self.never_in_band(why)
        if phase in (Phase.M1, Phase.M2) and rows < MIN_ROWS and self.weigh_max_s == math.inf:
            return self.too_few_rows(phase.upper(), rows, self.window_s)
        if phase is Phase.COOL:
            next_ = "go on until it is cold again and M2 is taken, or have the hold alone judged, hot"
            return Invalid(InvalidReason.ENDED_EARLY, f"{why} in phase {phase}: {next_}")
        return Invalid(InvalidReason.ENDED_EARLY, f"{why} in phase {phase}")
