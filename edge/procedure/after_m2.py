"""After M2: the second zero and the check weight, as the operator says that they are ready.

The zero rests as long as M1 did, so that what is left of the creep is as much as was left at M1. This module must never
keep a run from being judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from edge.records.command import OperatorWord
from edge.records.formatting import hours
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import WeighingKind

from .plan import Plan
from .weighing_window import Window, is_at_rest, mean_of_known, why_not_empty, why_not_that_weight

AFTER_M2 = (Phase.ZERO, Phase.CHECK)
LOOK_EVERY_S = 10.0  # how often a window is looked at for a weighing


@dataclass(frozen=True, slots=True)
class Waiting:
    """What became of a wait: ``rows`` to weigh, why it was ``refused``, or why nobody waits any longer (``over``)."""

    rows: list[Second] = field(default_factory=list)
    refused: str = ""
    over: str = ""


class AfterM2:
    """One step after M2, from its begin on. ``asked_s``: when it was said to be ready (NaN: not yet)."""

    def __init__(self, phase: Phase, since_s: float) -> None:
        self.word = OperatorWord.ZERO if phase is Phase.ZERO else OperatorWord.CHECK
        self.which = WeighingKind(self.word)
        self.asked_s = math.nan
        self._since_s = since_s
        self._look_s = -math.inf
        self._window = Window()

    def ask(self, t_s: float) -> None:
        """Take that it is ready."""
        self.asked_s = t_s
        self._window = Window()

    def step(self, row: Second, plan: Plan, load_g: float) -> Waiting | None:
        """Take the next row. ``load_g`` is what is taken off, or put on. None while it goes on."""
        zero = self.which is WeighingKind.ZERO
        if not math.isfinite(self.asked_s):
            if row.t_s - self._since_s <= plan.zero_max_s:
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
