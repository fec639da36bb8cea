"""The words of a run: its phases, its plan, its seconds, what happened, what was weighed.

Frozen records without behaviour, for everything to the right of the fold. This module must never compute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from calibration.allan import Integrated


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


class Row(NamedTuple):
    """A second as the fold gives it out: the fields of ``fold.ROW``, as plain numbers."""

    seq: int
    t_s: float
    n_ok: int
    n_bad: int
    n_spike: int
    bad_mask: int
    mass_g: float
    sd_g: float
    zero_code: float
    temp_c: float
    cell_temp_c: float
    pressure_pa: float
    qualified: int
    hold_s: float
    loss_pct: float
    drift_g_per_h: float


class Event(NamedTuple):
    """Something that happened in a run, at a second of it. ``data`` is plain JSON."""

    seq: int
    t_s: float
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the phases wait for: from the standard, the config, or assumed. Seconds, °C, Pa.

    ``stability_pct`` (of the load) or ``stability_g``, whichever is more, is how far a weighing's two halves may
    be apart where noise does not explain it. ``cold_band_c`` is how near to its temperature at M1 the load cell
    must be for M2, ``gap_s`` the longest time between two rows that is none,
    ``unseen_max_s`` the longest stretch without a good reading after which the run can still be
    judged. ``zero_after``: the operator takes the zero again after M2, and then puts a check weight of
    ``check_weight_g`` on (0: none); a run that waits for either longer than ``zero_max_s`` ends without it.
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


@dataclass(frozen=True, slots=True)
class Weighing:
    """A mass (or, for ``tare`` and ``zero``, a zero in codes) that was taken: the mean, and what surrounded it."""

    which: str
    value: Integrated
    from_s: float
    to_s: float
    temp_c: float
    cell_temp_c: float
    pressure_pa: float


@dataclass(frozen=True, slots=True)
class Excursion:
    """A stretch of the hold that did not count: when, how long, why, and how far off it was."""

    from_s: float
    to_s: float
    why: str
    worst_temp_c: float

    @property
    def length_s(self) -> float:
        """Get its length in s."""
        return self.to_s - self.from_s


def hours(seconds: float) -> str:
    """Write seconds as hours with two decimals, rounded down: a clock never shows time it has not had."""
    return f"{math.floor(seconds / 36.0 + 1e-9) / 100.0:.2f}"
