"""What the operator puts on and takes off, and says so: the second zero, and the check weight before M1 and after M2.

The zero rests as long as M1 did, so that what is left of the creep is as much as was left at M1; and after a check
weight before M1 the holder rests, for what that weight made the cell creep comes back slowly. This module must never
keep a run from being judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from edge.records.command import OperatorWord
from edge.records.formatting import hours
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import WeighingKind

from .plan import Plan
from .weighing_window import Window, is_at_rest, mean_of_known, why_not_empty, why_not_that_weight

AFTER_M2 = (Phase.ZERO, Phase.CHECK)
LOOK_EVERY_S = 10.0  # how often a window is looked at for a weighing
TAKEN: Mapping[Phase, tuple[OperatorWord, WeighingKind]] = MappingProxyType(
    {
        Phase.CHECK_BEFORE: (OperatorWord.CHECK, WeighingKind.CHECK_BEFORE),
        Phase.ZERO: (OperatorWord.ZERO, WeighingKind.ZERO),
        Phase.CHECK: (OperatorWord.CHECK, WeighingKind.CHECK),
    }
)
"""The steps that are weighed once they are said: the word, and what is weighed."""
RESTS = 4.0
"""A check weight before M1 is followed by a rest of so many times as long as it lay there, at least by M1's dwell: of a
creep that slows down at most a fifth is then left of what the weight would have done in five times as long."""
PUT_ON = 0.5  # of the check weight: as much is it
HANDLED_S = 30.0  # until it is taken off


@dataclass(frozen=True, slots=True)
class Waiting:
    """What became of a wait: ``rows`` to weigh, why it was ``refused``, or why nobody waits any longer (``over``)."""

    rows: list[Second] = field(default_factory=list)
    refused: str = ""
    over: str = ""


class ByHand:
    """One step of the operator's, from its begin on. ``asked_s``: when it was said to be ready (NaN: not yet)."""

    def __init__(self, phase: Phase, since_s: float) -> None:
        self.word, self.which = TAKEN[phase]
        self.asked_s = math.nan
        self._waits_s = since_s if phase in AFTER_M2 else math.inf  # before M1 nothing can be judged: it waits
        self._look_s = -math.inf
        self._window = Window()

    @property
    def is_check(self) -> bool:
        """Get whether a check weight is put on; else the holder is empty."""
        return self.word is OperatorWord.CHECK

    def ask(self, t_s: float) -> None:
        """Take that it is ready."""
        self.asked_s = t_s
        self._window = Window()

    def step(self, row: Second, plan: Plan, load_g: float) -> Waiting | None:
        """Take the next row. ``load_g`` is what is taken off, or put on. None while it goes on."""
        zero = not self.is_check
        if not math.isfinite(self.asked_s):
            if row.t_s - self._waits_s <= plan.zero_max_s:
                return None
            return Waiting(over=f"no word {self.word} within {hours(plan.zero_max_s)} h of waiting")
        rest_s, length_s = (plan.dwell_s, plan.window_s) if zero else (plan.tare_s, plan.tare_s)
        waited_s = row.t_s - self.asked_s
        if row.n_ok > 0 and waited_s >= rest_s:
            self._window.add(row, length_s)
        if waited_s < rest_s + length_s or row.t_s < self._look_s:
            return None
        self._look_s = row.t_s + LOOK_EVERY_S
        rows = list(self._window.rows)
        if is_at_rest(rows, load_g, plan):
            mass_g = mean_of_known([r.mass_g for r in rows])
            why = why_not_empty(mass_g, load_g) if zero else why_not_that_weight(mass_g, load_g)
            if not why:
                return Waiting(rows)
        elif waited_s > plan.weigh_max_s:
            why = f"never stable within {hours(plan.weigh_max_s)} h: keep draughts and cables off"
        else:
            return None
        self.asked_s = math.nan
        return Waiting(refused=f"{why}, and say {self.word} again")


class CheckBefore:
    """How long a check weight lay on the holder before M1 (``on_s`` to ``off_s``), and whether that is rested off."""

    def __init__(self, weight_g: float) -> None:
        self._weight_g = weight_g
        self.on_s = self.off_s = math.nan

    @property
    def lay_s(self) -> float:
        """Get for how long it lay there until now, in s (0: it did not)."""
        return self.off_s - self.on_s if math.isfinite(self.on_s) else 0.0

    def take(self, row: Second) -> None:
        """Take the next row of the phases from its putting on to the end of the rest."""
        if row.n_ok == 0:
            return
        if math.isnan(self.on_s) and row.mass_g > PUT_ON * self._weight_g:
            self.on_s = self.off_s = row.t_s
        if why_not_empty(row.mass_g, self._weight_g):
            self.off_s = row.t_s

    def rest_s(self, plan: Plan) -> float:
        """Get how long the holder is to rest after it, in s."""
        return max(plan.dwell_s, RESTS * self.lay_s)

    def rest_to_come_s(self, t_s: float, plan: Plan) -> float:
        """Get how long the holder will rest after a weight that is said to be on at ``t_s``, in s: about."""
        on_s = self.on_s if math.isfinite(self.on_s) else t_s
        return max(plan.dwell_s, RESTS * (t_s - on_s + 2.0 * plan.tare_s + HANDLED_S))

    def is_rested(self, row: Second, plan: Plan) -> bool:
        """Say whether the holder has been empty for as long as it is to rest."""
        return row.n_ok > 0 and row.t_s - self.off_s >= self.rest_s(plan)
