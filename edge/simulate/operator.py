"""Someone who does what the phase asks on the simulated rig, and knows what is true of the sample.

This module must never tell what measures what is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from edge.records.command import OperatorWord
from edge.records.phase import Phase
from hw.sim.rig import Rig

COMMANDS_BY_PHASE = {
    Phase.TARE: (OperatorWord.TARE, 120.0, 120.0),
    Phase.LOAD: (OperatorWord.LOAD, 60.0, 120.0),
    Phase.CHECK_BEFORE: (OperatorWord.CHECK, 60.0, math.inf),
    Phase.ZERO: (OperatorWord.ZERO, 60.0, math.inf),
    Phase.CHECK: (OperatorWord.CHECK, 60.0, math.inf),
}
"""What is said in a phase, so many s after it began, and again after so many s."""
EMPTIED = (Phase.CHECK_BEFORE, Phase.ZERO, Phase.CHECK)
"""The phases in which a word is said of a holder without the sample."""


class SimulatedOperator:
    """Someone who does what the phase asks: tares, places the sample, and turns pump, oven and vent.

    It notes the sample's true mass when M1 and M2 are taken (``true_mass_g``; the rig's by itself). It never says what
    is in ``skips``. With ``hands_only`` it says nothing at all, and puts on and takes off what it is told to
    (:meth:`told`): a person gives the commands.
    """

    PLACE_AFTER_S = 60.0
    VENT_BELOW_C = 45.0

    def __init__(
        self,
        rig: Rig,
        check_weight_g: float = 0.0,
        true_mass_g: Callable[[], float] | None = None,
        *,
        hands_only: bool = False,
    ) -> None:
        self._rig = rig
        self._check_weight_g = check_weight_g
        self._true_mass_g = true_mass_g or (lambda: rig.sample_mass_g)
        self._hands_only = hands_only
        self.skips: set[OperatorWord] = set()
        self._phase: Phase | None = None
        self._since_s = 0.0
        self._asked_s = -math.inf
        self._true_g: dict[Phase, float] = {}

    def told(self, word: OperatorWord, check_weight_g: float) -> None:
        """Make true what is said: the sample is on, the holder is empty, the check weight is on."""
        if word in (OperatorWord.LOAD, OperatorWord.CARRY_BACK):
            self.place()
        elif word is OperatorWord.CARRY_OUT:
            self._rig.place_sample(on=False)
        elif word in (OperatorWord.ZERO, OperatorWord.CHECK):
            self._empty(check_weight_g if word is OperatorWord.CHECK else 0.0)

    def _empty(self, weight_g: float) -> None:
        self._rig.place_sample(on=False)
        self._rig.place_weight(weight_g)

    def words(self, phase: Phase, t_s: float) -> list[OperatorWord]:
        """Get what the operator says now."""
        if phase is not self._phase:
            self._leave(self._phase)
            self._phase, self._since_s, self._asked_s = phase, t_s, -math.inf
            self._rig.pump(phase in (Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL))
            self._rig.heat(phase in (Phase.RAMP, Phase.HOLD))
        waited_s = t_s - self._since_s
        if phase is Phase.COOL and self._rig.oven_c < self.VENT_BELOW_C:
            self._rig.pump(False)
        if phase is Phase.REST and waited_s >= self.PLACE_AFTER_S / 2.0:  # no word is said for it
            self._empty(0.0)
        if self._hands_only:
            return []
        if phase is Phase.LOAD and waited_s >= self.PLACE_AFTER_S / 2.0:
            self.place()
        if phase is Phase.CARRY_M2 and waited_s >= self.PLACE_AFTER_S / 2.0:
            self._rig.place_sample(on=False)
        if phase in EMPTIED and waited_s >= self.PLACE_AFTER_S / 2.0:
            self._empty(self._check_weight_g if phase in (Phase.CHECK_BEFORE, Phase.CHECK) else 0.0)
        if phase not in COMMANDS_BY_PHASE:
            return []
        word, due_s, again_s = COMMANDS_BY_PHASE[phase]
        if word in self.skips:
            return []
        if waited_s >= due_s and t_s - self._asked_s >= again_s:
            self._asked_s = t_s
            return [word]
        return []

    def place(self) -> None:
        """Put the sample on the holder."""
        self._rig.place_sample()

    def _leave(self, phase: Phase | None) -> None:
        if phase in (Phase.M1, Phase.M2):
            self._true_g[phase] = self._true_mass_g()

    @property
    def true_loss_pct(self) -> float | None:
        """Get the sample's true loss between M1 and M2 in % of its true mass at M1."""
        before, after = self._true_g.get(Phase.M1), self._true_g.get(Phase.M2)
        if before is None or after is None:
            return None
        return (before - after) / before * 100.0
