"""A number that cannot be true is no verdict: what is asked of weighings before, and of a loss after the budget.

A sample does not gain mass, M2 is not nothing, and a mass is more than the scatter of its readings. No loss is
implausible for being large: a wet cell fails. This module must never turn a verdict into a better one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edge.procedure.definition import EndedRun
from edge.procedure.jumps import Jump, find_jumps, net_of_jumps
from edge.procedure.masses import F8
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.weighing import Weighing, WeighingKind
from edge.uncertainty.budget import Budget
from edge.uncertainty.seen_drift import RISES
from edge.uncertainty.span_check import SpanCheck
from edge.uncertainty.weighed import Weighed
from edge.uncertainty.zero_drift import wander

from .resets import ResetStep, is_assumed, without_steps

SCATTER = 0.01
"""Relative: where single readings scatter by more of the mass, nothing was weighed."""
EMPTY = 0.005
"""Of M1: an M2 that is no more than this is an empty holder, whatever U says."""
MATTERS = 0.02
"""Of the limit: smaller jumps are not looked for."""
DISPLAY_STEPS = 2.0
"""A jump is more than so many of a display's own steps."""
AIR = 0.0015
"""Of the load: what pumping down and venting may move an indication by, up when the air goes, down when it comes."""
CAME_BACK = 0.5
"""Of the drop at the vent: so much of a rise at the pump was seen at least."""
UNSURE = 0.25
"""Of the rise: where nobody saw the air come at once, heat and drift may hide so much of the fall."""
FALL_S = 600.0
LEAST_MEANS = 6
"""From fewer no scatter is taken."""
RISE_ROWS = 30  # rows in a mean: white noise does not make a rise


def not_a_weighing(ended: EndedRun, w: Weighing) -> Invalid | None:
    """Say why a mass is none: its readings scatter by too much of it, or its display is too coarse."""
    mass_g, scatter_g = w.value.mean, _scatter(ended, w)
    resolution_g = ended.definition.balance.resolution_g
    if scatter_g > SCATTER * mass_g or resolution_g > 10.0 * SCATTER * mass_g:
        size_g = max(scatter_g, resolution_g)
        why = (
            f"nothing was weighed: {w.which.upper()} is {mass_g:.3g} g, and its readings are good to {size_g:.2g} g: "
            "put the sample on, and see that the masses are in g"
        )
        return Invalid(InvalidReason.NOTHING_WEIGHED, why)
    return None


def _scatter(ended: EndedRun, w: Weighing) -> float:
    """Get the standard deviation of a weighing's readings in g; of a hot one, about the curve of its loss."""
    if w.which in (WeighingKind.M1, WeighingKind.M2):
        return w.value.u * math.sqrt(w.value.n)
    _, mass_g = ended.phases.masses.between(w.from_s, w.to_s)
    return float(np.std(np.diff(mass_g, 2))) / math.sqrt(6.0)  # of white noise; a smooth curve leaves next to nothing


def jumps_between(ended: EndedRun, weighed: Weighed, resets: Sequence[ResetStep] = ()) -> tuple[Jump, ...]:
    """Find the jumps between the two masses that no evaporation makes, and that matter against the limit.

    What ``resets`` of the converter did is none of them.
    """
    before, after = weighed.before, weighed.after
    hot = before.which is not WeighingKind.M1
    from_s, to_s = (before.from_s, after.to_s) if hot else (before.to_s, after.from_s)
    t_s, mass_g = ended.phases.masses.between(from_s, to_s)
    load_g = weighed.reference.value.mean
    limit_g = ended.definition.standard.limit_pct.value / 100.0 * load_g
    matters_g = max(MATTERS * limit_g, DISPLAY_STEPS * weighed.balance.resolution_g)
    found = find_jumps(*without_steps(resets, t_s, mass_g), matters_g)
    found = tuple(j for j in found if not is_assumed(resets, j))
    return found if hot else _without_air(ended, found, (before, after), matters_g)


def _without_air(
    ended: EndedRun, found: tuple[Jump, ...], masses: tuple[Weighing, Weighing], matters_g: float
) -> tuple[Jump, ...]:
    """Leave out what the air did: one jump when it goes, and one when it comes. A second one is something else's.

    What comes has gone: a drop in the cold for which nothing rose at the pump is no air; and of a rise that never came
    back, or a drop that is more than what rose, what is too much is a step that hides behind the air's. A draught makes
    a rise too: what its gusts make of the highest mean is no step. And a cell that creeps or wanders rises or falls
    meanwhile by more than the air lets it.
    """
    m1, m2 = masses
    matters_g = max(matters_g, _gusts_g(ended, masses)) + _by_itself_g(ended, m1)
    air = [j for j in found if _is_air(ended, j, m1.value.mean)]
    most = max(air, key=lambda j: j.step_g, default=None)
    least = min(air, key=lambda j: j.step_g, default=None)
    goes = most if most is not None and most.step_g > 0.0 else None
    rose_g = _rise_g(ended, m1)
    comes = least if least is not None and 0.0 < -least.step_g <= rose_g / CAME_BACK else None
    left = [j for j in found if j not in (goes, comes)]
    if goes is not None:
        fell_g = _fall_g(ended, m2) if comes is None else -comes.step_g
        too_much_g = rose_g - fell_g
        if too_much_g > max(matters_g, 0.0 if comes is not None else UNSURE * rose_g):
            left.append(goes if comes is None else replace(goes, step_g=min(goes.step_g, too_much_g)))
    if comes is not None and -comes.step_g - rose_g > matters_g:
        left.append(replace(comes, step_g=comes.step_g + rose_g))
    return tuple(sorted(left, key=lambda j: j.t_s))


def _gusts_g(ended: EndedRun, masses: tuple[Weighing, Weighing]) -> float:
    """Get what noise may make of the highest of many means less a mass: as the means in both weighings scatter."""
    scatter_g = 0.0
    for w in masses:
        _, mass_g = ended.phases.masses.between(w.from_s, w.to_s)
        means = _means(mass_g, RISE_ROWS)
        if len(means) >= LEAST_MEANS:
            scatter_g = max(scatter_g, float(np.std(means, ddof=1)))
    return RISES * math.hypot(scatter_g, *(w.value.u for w in masses))


def _by_itself_g(ended: EndedRun, m1: Weighing) -> float:
    """Get by how much the cell may move from M1 to the hold as its certificate says: by its creep, and its zero."""
    cert = ended.definition.certificate
    if cert is None or not cert.stability.u_creep_gained_pct > 0.0:
        return 0.0  # nobody saw what it does
    creep_g, u_creep_g = (
        abs(pct) / 100.0 * m1.value.mean for pct in (cert.stability.creep_gained_pct, cert.stability.u_creep_pct)
    )
    hours = max(0.0, ended.phases.entered_s.get(Phase.HOLD, m1.middle_s) - m1.middle_s) / 3600.0
    return creep_g + 2.0 * math.hypot(u_creep_g, wander(cert, hours).u_g)


def _means(mass_g: F8, rows: int) -> F8:
    found: F8 = mass_g[: len(mass_g) // rows * rows].reshape(-1, rows).mean(axis=1)
    return found


def _fall_g(ended: EndedRun, m2: Weighing) -> float:
    """Get by how much the indication fell from the end of the hold to M2: by the air, and what still evaporated."""
    end_s = ended.phases.hold_to_s
    _, mass_g = ended.phases.masses.between(end_s - FALL_S, end_s)
    return float(np.mean(mass_g)) - m2.value.mean if len(mass_g) else math.inf


def _rise_g(ended: EndedRun, m1: Weighing) -> float:
    """Get by how much the indication rose above M1 before the hold: the air went, and a loss only hides some of it."""
    _, mass_g = ended.phases.masses.between(m1.to_s, ended.phases.entered_s.get(Phase.HOLD, math.inf))
    whole = _means(mass_g, max(1, min(RISE_ROWS, len(mass_g))))
    return float(np.max(whole, initial=m1.value.mean)) - m1.value.mean


def _is_air(ended: EndedRun, jump: Jump, load_g: float) -> bool:
    """Say whether a jump is what the air does to an indication when it goes or comes."""
    if abs(jump.step_g) > AIR * load_g:
        return False
    entered = ended.phases.entered_s
    pump_s, hold_s, cool_s = (entered.get(p, math.inf) for p in (Phase.PUMP, Phase.HOLD, Phase.COOL))
    if jump.step_g > 0.0:
        return pump_s <= jump.t_s < hold_s
    return jump.t_s >= cool_s


def jumped(jumps: tuple[Jump, ...], budget: Budget, limit_pct: float, load_g: float) -> Invalid | None:
    """Say why jumps leave nothing to judge (None: they are a component of the budget).

    Where they add up to more than the limit, and the loss is not beyond it whatever they were, something fell off or
    was touched.
    """
    net_g, _ = net_of_jumps(jumps)
    net_pct = net_g / load_g * 100.0
    if abs(net_pct) <= limit_pct or budget.loss_pct - abs(net_pct) - budget.expanded_pct > limit_pct:
        return None
    largest = max(jumps, key=lambda j: abs(j.step_g))
    why = (
        f"the indication jumped by {largest.step_g:+.3g} g at {largest.t_s / 3600.0:.2f} h, and by {net_g:+.3g} g in "
        "all: something fell off, was put on or touched the holder; test again"
    )
    return Invalid(InvalidReason.JUMPED, why)


def not_a_loss(ended: EndedRun, weighed: Weighed, budget: Budget) -> Invalid | None:
    """Say why a loss cannot be true: the holder is empty, or the sample gained (None: it can)."""
    load_g, after_g = weighed.reference.value.mean, weighed.after.value.mean
    expanded_g = budget.expanded_pct / 100.0 * load_g
    if after_g <= max(EMPTY * load_g, min(expanded_g, 0.1 * load_g)):
        fell = f"is {after_g:.3g} g of {load_g:.4g} g: the holder is empty; the sample fell off"
        return Invalid(InvalidReason.HOLDER_EMPTY, f"{weighed.after.which.upper()} {fell}")
    if not ended.definition.is_blank and budget.loss_pct < -2.0 * budget.expanded_pct:
        gained_g = -budget.loss_pct / 100.0 * load_g
        why = (
            f"the sample gained {gained_g:.3g} g ({-budget.loss_pct:.3g} %), more than twice U: a sample does not; "
            "look for moisture, for what touches the holder, and at the balance"
        )
        return Invalid(InvalidReason.GAINED, why)
    return None


def gained(ended: EndedRun, budget: Budget) -> bool:
    """Say whether the sample gained by more than U: then it cannot plainly pass."""
    return not ended.definition.is_blank and budget.loss_pct < -budget.expanded_pct


def not_agreed(void_because: str, check: SpanCheck | None) -> Invalid | None:
    """Say why a certificate that does not hold by itself is not made good by a check weight (None: it is)."""
    if check is None:
        why = f"{void_because}, and no check weight has agreed: calibrate again, or put it on after the second zero"
    elif check.changed:
        why = f"{void_because}, and the check weight reads {check.indicated_g:.5g} g instead of {check.load_g:.5g} g"
        why += ": calibrate again"
    else:
        return None
    return Invalid(InvalidReason.CERTIFICATE_VOID, why)
