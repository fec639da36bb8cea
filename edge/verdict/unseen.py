"""What left the sample before M1 and came back before M2: a run's own rows, looked at where the method does not look.

Jumps and resets that are told by themselves are taken out first. When the air came back is known by the operator's
word, by a gauge, or by the step that buoyancy makes. This module must never make a loss smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge.procedure.definition import EndedRun
from edge.procedure.jumps import Jump, find_jumps
from edge.procedure.masses import Stretch
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind
from edge.uncertainty.hold_rise import HoldRise, rose_in_hold
from edge.uncertainty.slopes import RigStated, Slope, came_before_m2, left_before_m1
from edge.uncertainty.weighed import Weighed

from .plausible import AIR
from .resets import ResetStep, without_steps

PUT_ON_S = 60.0
"""So long after the word load a sample may still swing."""
LEAST_AIR = 5e-5
"""Of the load: the buoyancy of the air that comes back is more, and at most ``AIR``."""
BEFORE_M1_S = 3600.0


def moved_unseen(
    ended: EndedRun, weighed: Weighed, jumps: Sequence[Jump], resets: Sequence[ResetStep]
) -> tuple[Slope, ...]:
    """Get the slopes at M1 and M2 (none for a loss that is judged hot, or a blank)."""
    m1, m2, phases = weighed.before, weighed.after, ended.phases
    if m1.which is not WeighingKind.M1 or ended.definition.is_blank:
        return ()
    rig = RigStated(weighed.certificate, weighed.balance.u_mass_g)
    entered_s = phases.entered_s.get(Phase.M1, m1.from_s)
    first = _without(phases.masses.stretch(max(entered_s + PUT_ON_S, m1.to_s - BEFORE_M1_S), m1.to_s), (), resets)
    ago_s = ended.definition.sample.opened_ago_s
    opened_h = None if ago_s is None else ((m1.from_s + m1.to_s) / 2.0 + ago_s) / 3600.0
    before = left_before_m1(first, m1, opened_h, rig)
    cool_s = phases.entered_s.get(Phase.COOL, m2.from_s)
    cooling = phases.masses.stretch(cool_s, m2.to_s)
    vented_s = phases.vented_s if math.isfinite(phases.vented_s) else _vent_seen(cooling, m1.value.mean, m2.from_s)
    at_m2_s = phases.entered_s.get(Phase.M2, m2.from_s)
    from_s = at_m2_s if vented_s is None else vented_s
    last = _without(cooling, [j for j in jumps if j.t_s > from_s], resets).between(from_s, m2.to_s)
    after = came_before_m2(last, m2, vented_s, rig)
    return tuple(s for s in (before, after) if s is not None)


def rose_unseen(
    ended: EndedRun,
    weighed: Weighed,
    jumps: Sequence[Jump],
    resets: Sequence[ResetStep],
    changed_kpa: float | None,
) -> HoldRise | None:
    """Get what the indication rose by at the end of the hold (None: nothing, or a second zero or a blank says more)."""
    phases, certificate = ended.phases, weighed.certificate
    if weighed.before.which is not WeighingKind.M1 or ended.definition.is_blank or weighed.zero is not None:
        return None
    if certificate is None or not math.isfinite(phases.hold_to_s):
        return None
    hold = _without(phases.masses.stretch(phases.hold_from_s, phases.hold_to_s), jumps, resets)
    return rose_in_hold(hold, weighed.before, weighed.after, certificate, changed_kpa)


def _without(rows: Stretch, jumps: Sequence[Jump], resets: Sequence[ResetStep]) -> Stretch:
    t_s, mass_g = without_steps(resets, rows.t_s, rows.mass_g)
    for j in jumps:
        mass_g[t_s >= j.t_s] -= j.step_g
    return Stretch(t_s, mass_g, rows.cell_c[np.isin(rows.t_s, t_s)])


def _vent_seen(cooling: Stretch, load_g: float, before_s: float) -> float | None:
    """Get when the air came back, by the step down that its buoyancy makes (None: there is none to be seen)."""
    rows = cooling.between(-math.inf, before_s)
    found = find_jumps(rows.t_s, rows.mass_g, LEAST_AIR * load_g)
    down = [j for j in found if -AIR * load_g <= j.step_g < 0.0]
    return max(down, key=lambda j: -j.step_g).t_s if down else None
