"""What left the sample before M1 and came back before M2: a run's own rows, looked at where the method does not look.

Jumps and resets that are told by themselves are taken out first. When the air came back is known by the operator's
word, by a gauge, or by the step that buoyancy makes. This module must never make a loss smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.procedure.carrying import Carrying
from edge.procedure.definition import EndedRun
from edge.procedure.jumps import Jump, find_jumps
from edge.procedure.masses import Stretch
from edge.records.balance import BalanceMass
from edge.records.phase import Phase
from edge.records.vent import VentTold
from edge.records.weighing import Weighing, WeighingKind
from edge.uncertainty.hold_rise import HoldRise, rose_in_hold
from edge.uncertainty.room_pressure import PressureChange
from edge.uncertainty.seen_drift import risen_g
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
    ended: EndedRun,
    weighed: Weighed,
    jumps: Sequence[Jump],
    resets: Sequence[ResetStep],
    vent: VentTold | None,
) -> tuple[Slope, ...]:
    """Get the slopes at M1 and M2, air having been let in at ``vent`` (none for a loss judged hot, or a blank)."""
    m1, m2 = weighed.before, weighed.after
    if m1.which is not WeighingKind.M1 or ended.definition.is_blank:
        return ()
    rig = RigStated(weighed.certificate, weighed.balance.u_mass_g)
    before, after = _before_m1(ended, m1, rig, resets), _before_m2(ended, m2, rig, vent, (jumps, resets))
    return tuple(s for s in (before, after) if s is not None)


def moved_beside_balance(ended: EndedRun, m1: BalanceMass, m2: BalanceMass) -> tuple[Slope, ...]:
    """Get the slopes that the rig saw, carried to when the laboratory's balance weighed (none where it saw nothing).

    What left since the balance's M1 is in its loss; what came after the rig's M2, on the way to the balance, is not.
    """
    found = ended.phases.weighings.get
    rig_m1, rig_m2 = found(WeighingKind.M1), found(WeighingKind.M2)
    if rig_m1 is None:
        return ()
    rig = RigStated(ended.definition.certificate)
    counted_h = max(0.0, rig_m1.middle_s - m1.weighed_s) / 3600.0
    before, after = _before_m1(ended, rig_m1, rig, (), counted_h), None
    if rig_m2 is not None:
        after = _before_m2(ended, rig_m2, rig, vent_told(ended), ((), ()))
        if after is not None and after.toward_loss_g > 0.0:
            more_g = max(0.0, after.rate_g_per_h) * max(0.0, m2.weighed_s - rig_m2.middle_s) / 3600.0
            after = replace(after, toward_loss_g=after.toward_loss_g + more_g)
    return tuple(s for s in (before, after) if s is not None)


def _before_m1(
    ended: EndedRun, m1: Weighing, rig: RigStated, resets: Sequence[ResetStep], counted_h: float = 0.0
) -> Slope | None:
    phases, ago_s = ended.phases, ended.definition.sample.opened_ago_s
    entered_s = phases.entered_s.get(Phase.M1, m1.from_s)
    rows = _without(phases.masses.stretch(max(entered_s + PUT_ON_S, m1.to_s - BEFORE_M1_S), m1.to_s), (), resets)
    opened_h = None if ago_s is None else (m1.middle_s + ago_s) / 3600.0
    return left_before_m1(rows, m1, opened_h, rig, counted_h)


def _before_m2(
    ended: EndedRun,
    m2: Weighing,
    rig: RigStated,
    vent: VentTold | None,
    told: tuple[Sequence[Jump], Sequence[ResetStep]],
) -> Slope | None:
    phases, (jumps, resets) = ended.phases, told
    cool_s = phases.entered_s.get(Phase.COOL, m2.from_s)
    cooling = phases.masses.stretch(cool_s, m2.to_s)
    vented_s = None if vent is None else vent.at_s
    out_s, back_s = _last_stay(phases.carrying, m2)
    vented_s = out_s if vented_s is None else vented_s  # who carries it out has let the air in
    at_m2_s = phases.entered_s.get(Phase.M2, m2.from_s)
    from_s = at_m2_s if vented_s is None else max(vented_s, back_s)
    rows = _without(cooling, [j for j in jumps if j.t_s > from_s], resets).between(from_s, m2.to_s)
    return came_before_m2(rows, m2, vented_s, rig)


def _last_stay(carrying: Carrying, m2: Weighing) -> tuple[float | None, float]:
    """Get when the sample was last carried out before the rig's M2 (None: it was not), and when it was back."""
    stays = [stay for stay in carrying.for_m2 if stay.back_s <= m2.from_s]
    return (None, -math.inf) if not stays else (stays[-1].out_s, stays[-1].back_s)


def rose_unseen(
    ended: EndedRun,
    weighed: Weighed,
    jumps: Sequence[Jump],
    resets: Sequence[ResetStep],
    changed: PressureChange | None,
) -> HoldRise | None:
    """Get what the indication rose by at the end of the hold (None: nothing, or a second zero or a blank says more)."""
    phases = ended.phases
    if weighed.before.which is not WeighingKind.M1 or ended.definition.is_blank or weighed.zero is not None:
        return None
    if not math.isfinite(phases.hold_to_s):
        return None
    rig = RigStated(weighed.certificate, weighed.balance.u_mass_g)
    hold = _without(phases.masses.stretch(phases.hold_from_s, phases.hold_to_s), jumps, resets)
    return rose_in_hold(hold, weighed.before, weighed.after, rig, changed)


def risen_in_hold(ended: EndedRun, weighed: Weighed, jumps: Sequence[Jump], resets: Sequence[ResetStep]) -> float:
    """Get the most that a recording's indication rose by in the hold, in g (0: nothing; a certificate says more)."""
    phases = ended.phases
    if weighed.certificate is not None or ended.definition.is_blank or not math.isfinite(phases.hold_to_s):
        return 0.0
    hold = _without(phases.masses.stretch(phases.hold_from_s, phases.hold_to_s), jumps, resets)
    u_g = max(weighed.before.value.u, weighed.after.value.u)
    return risen_g(hold, u_g, weighed.balance.resolution_g)


def vent_told(ended: EndedRun) -> VentTold | None:
    """Get when air was let in before the rig's M2: as it was said, else as it is seen (None: neither, or no M2)."""
    found = ended.phases.weighings.get
    m1, m2 = found(WeighingKind.M1), found(WeighingKind.M2)
    if m1 is None or m2 is None:
        return None
    phases = ended.phases
    if math.isfinite(phases.vented_s):
        return VentTold(at_s=phases.vented_s, told=True)
    cooling = phases.masses.stretch(phases.entered_s.get(Phase.COOL, m2.from_s), m2.to_s)
    seen_s = _vent_seen(cooling, m1.value.mean, m2.from_s)
    return None if seen_s is None else VentTold(at_s=seen_s, told=False)


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
