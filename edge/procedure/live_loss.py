"""The loss so far, while the test runs: with the step taken out that the air makes as it goes.

Under vacuum a sample weighs more by the air that it no longer displaces: 0.05 % of a cell, a tenth of the limit, in the
direction that hides a loss. M1 and M2 are both weighed in air, so the verdict needs none of this; whoever looks in
between does. The step is taken as it is seen at the pump. This module must never reach a verdict, and never say a loss
where nobody knows whether the air is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.status import AirState
from edge.records.weighing import WeighingKind

from .masses import F8
from .phases import Phases

SEEN_S = 120.0
"""The step is what the mass means over so long from the ramp's begin on: the air has gone, the sample is still cold."""
LEAST_ROWS = 30
MOST = 0.0015
"""Of the load: more than this is not the air's (a sample of less than 0.8 g/cm³ is no cell)."""
END_S = 60.0
"""The loss at the hold's end is a mean over so long before it."""
BLOCK_ROWS = 10  # means of so many rows say how a window scatters


@dataclass(frozen=True, slots=True)
class AirStep:
    """What the indication rose by as the air went, in g, with its standard uncertainty."""

    step_g: float
    u_g: float


@dataclass(frozen=True, slots=True)
class LossSoFar:
    """The loss so far in % of M1, and the air's step in it, each with its standard uncertainty where it has one.

    ``loss_pct`` is None where it is not known whether the air is there; ``as_weighed_pct`` is what the indication says
    by itself. While the air may be coming in again ``loss_pct`` is the one at the hold's end.
    """

    loss_pct: float | None
    as_weighed_pct: float | None
    air_step_pct: float | None
    u_air_step_pct: float | None
    air: AirState


def air_step(t_s: F8, mass_g: F8, m1: tuple[float, float], pump_s: float, ramp_s: float) -> AirStep | None:
    """Get the step that the air made between the pump's begin and ``ramp_s`` (None: too few good seconds).

    ``t_s`` (rising, s) and ``mass_g`` are the run's good seconds, at least from the pump's begin to ``SEEN_S`` after
    ``ramp_s``; ``m1`` is (mean, u) in g. What the sample lost meanwhile hides some of the step: as much as it goes on
    losing in the second half of that time is in the uncertainty; and what is beyond what air can do, whole.
    """
    m1_g, u_m1_g = m1
    seen = (t_s >= ramp_s) & (t_s <= ramp_s + SEEN_S)
    if np.count_nonzero(seen) < LEAST_ROWS:
        return None
    after_g, u_after_g = _mean(mass_g[seen])
    middle_s = (pump_s + ramp_s) / 2.0
    late = (t_s >= middle_s) & (t_s <= ramp_s + SEEN_S)
    rate_g_per_s = float(np.polyfit(t_s[late] - middle_s, mass_g[late], 1)[0])
    hidden_g = abs(rate_g_per_s) * (ramp_s + SEEN_S - pump_s) / math.sqrt(3.0)
    raw_g = after_g - m1_g
    step_g = min(max(raw_g, 0.0), MOST * m1_g)
    return AirStep(step_g, math.hypot(u_m1_g, u_after_g, hidden_g, raw_g - step_g))


def _mean(mass_g: F8) -> tuple[float, float]:
    """Get a mean and its standard uncertainty, from means of blocks: neighbouring seconds are not independent."""
    blocks = mass_g[: len(mass_g) // BLOCK_ROWS * BLOCK_ROWS].reshape(-1, BLOCK_ROWS).mean(axis=1)
    return float(mass_g.mean()), float(np.std(blocks, ddof=1)) / math.sqrt(len(blocks))


class LiveLoss:
    """Follows one run's rows beside its phases, and gets the loss so far. It changes nothing in them."""

    def __init__(self) -> None:
        self.step: AirStep | None = None
        self._end_g: float | None = None

    def take(self, row: Second, phases: Phases) -> None:
        """Take a row that the phases have taken."""
        if self.step is None and phases.phase in (Phase.RAMP, Phase.HOLD):
            ramp_s = phases.entered_s.get(Phase.RAMP, math.inf)
            if row.t_s > ramp_s + SEEN_S and phases.plan.weigh == "cold":
                self.step = self._seen(phases, ramp_s)
        if self._end_g is None and phases.phase is Phase.COOL:
            _, mass_g = phases.masses.between(phases.hold_to_s - END_S, phases.hold_to_s)
            self._end_g = float(np.mean(mass_g)) if len(mass_g) else math.nan

    def _seen(self, phases: Phases, ramp_s: float) -> AirStep:
        m1 = phases.weighings.get(WeighingKind.M1)
        pump_s = phases.entered_s.get(Phase.PUMP, ramp_s)
        found = None
        if m1 is not None:
            t_s, mass_g = phases.masses.between(pump_s, ramp_s + SEEN_S)
            found = air_step(t_s, mass_g, (m1.value.mean, m1.value.u), pump_s, ramp_s)
        # nothing was seen then: anything that air can do
        most_g = 0.0 if m1 is None else MOST * m1.value.mean
        return found or AirStep(most_g / 2.0, most_g / math.sqrt(12.0))

    def now(self, row: Second | None, phases: Phases) -> LossSoFar:
        """Get the loss so far, ``row`` being the newest second (None: there is none)."""
        air = self._air(phases)
        m1 = phases.weighings.get(WeighingKind.M1)
        if row is None or m1 is None or not m1.value.mean > 0.0:
            return LossSoFar(None, None, None, None, air)
        m1_g = m1.value.mean
        as_weighed = (m1_g - row.mass_g) / m1_g * 100.0 if math.isfinite(row.mass_g) else None
        step, u = (None, None)
        if self.step is not None:
            step, u = self.step.step_g / m1_g * 100.0, self.step.u_g / m1_g * 100.0
        loss = as_weighed if air is AirState.THERE else None
        if air is AirState.GONE and as_weighed is not None and step is not None:
            loss = as_weighed + step
        if air is AirState.COMING and step is not None and self._end_g is not None and math.isfinite(self._end_g):
            loss = (m1_g - self._end_g) / m1_g * 100.0 + step
        return LossSoFar(loss, as_weighed, step, u, air)

    def _air(self, phases: Phases) -> AirState:
        phase = phases.phase
        if phase in (Phase.PUMP, Phase.RAMP, Phase.HOLD) and phases.plan.weigh == "cold":
            return AirState.GOING if self.step is None else AirState.GONE
        if phase is Phase.COOL and not math.isfinite(phases.vented_s):
            return AirState.COMING
        return AirState.THERE
