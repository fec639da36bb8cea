"""What a reset of the load cell's converter did to the indication, measured where it happened.

A chip that is powered up anew calibrates itself anew: its zero and its gain step. Mean after less mean before at the
same load is that step, as far as noise, the rate of loss and the gap let it be seen. This module must never call a step
measured that could not be seen: then a share of the load is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.procedure.definition import EndedRun
from edge.procedure.jumps import Jump
from edge.procedure.masses import F8
from edge.records.result import ConverterResetTold
from edge.records.weighing import WeighingKind
from edge.uncertainty.slopes import BlockLine, line_through_blocks
from edge.uncertainty.span_check import SpanCheck
from edge.uncertainty.weighed import Weighed
from edge.uncertainty.zero_drift import ZeroSteps

LINE_S = 300.0
"""So long are the lines before and after a reset."""
LEAST_S = 30.0  # shorter ones see nothing
LONGEST_GAP_S = 900.0
"""Over a longer gap nobody knows what the sample did."""
SETTLES_S = 5.0  # after a power-up
LINE_BLOCKS = 6
OTHER_LOAD = 0.02
"""Of the load: a step beyond this is no converter's but another load."""
UNSEEN_STEP = 0.01
"""Of the load: what a power-up may do that nobody saw. Users of these chips report 0.5 to 1 % (FACTS)."""
GAIN_STEP = {"hx711": 1e-4}
"""Relative: what a power-up may do to the gain, where that is less. An HX711 has no gain that is calibrated: what is
left is its own warming, some kelvins at 5 to 7 ppm each. A NAU7802 sets its gain up anew."""


@dataclass(frozen=True, slots=True)
class ResetStep:
    """A reset between the two masses, its step (after less before) and the standard uncertainty, both in g.

    ``seen``: the step was measured; else ``step_g`` is 0 and ``u_g`` what is assumed. ``by_weight``: not where it
    happened, but by second zero and check weight. ``by_zero``: the second zero says what it did to the zero, and
    ``u_g`` is of the gain alone. ``most_g``: what a step that was not seen is at most, in all.
    """

    reset: ConverterResetTold
    step_g: float
    u_g: float
    seen: bool
    by_weight: bool = False
    by_zero: bool = False
    most_g: float = 0.0


def reset_steps(ended: EndedRun, weighed: Weighed, check: SpanCheck | None = None) -> tuple[ResetStep, ...]:
    """Get the steps of all resets between M1 and M2, in order of time; ``check`` is what a weight showed after."""
    before, after = weighed.before, weighed.after
    load_g = weighed.reference.value.mean
    edges_s = [r.at_s for r in ended.resets]
    steps = []
    for reset in ended.resets:
        if not before.from_s < reset.at_s <= after.to_s:
            continue
        inside = before.to_s <= reset.from_s and reset.at_s <= after.from_s
        found = _measured(ended, reset, edges_s) if inside else None
        if found is None or abs(found[0]) > OTHER_LOAD * load_g:
            most_g = UNSEEN_STEP * load_g
            steps.append(ResetStep(reset, 0.0, most_g / math.sqrt(3.0), seen=False, most_g=most_g))
        else:
            steps.append(ResetStep(reset, *found, seen=True))
    return _by_zero_and_weight(ended, weighed, steps, check)


def _by_zero_and_weight(
    ended: EndedRun, weighed: Weighed, steps: Sequence[ResetStep], check: SpanCheck | None
) -> tuple[ResetStep, ...]:
    """Get the steps that nobody saw from what second zero and check weight moved by since the tare, if both are there.

    All that the indication of the load moved by is the converter's zero and its gain; what was seen of it is taken off,
    and the first unseen reset has the rest. What the rig drifts besides stays in the budget.
    """
    unseen = [s for s in steps if not s.seen]
    if not unseen or check is None or not _between_masses_alone(ended, WeighingKind.CHECK):
        return tuple(steps)
    load_g = weighed.reference.value.mean
    seen_g = math.fsum(s.step_g for s in steps if s.seen)
    gain, u_gain = check.since
    step_g = check.zero_moved_g + gain * load_g - seen_g
    u_g = math.hypot(u_gain * load_g, check.u_zero_g, *(s.u_g for s in steps if s.seen))
    rest = replace(unseen[0], step_g=step_g, u_g=u_g, seen=True, by_weight=True)
    told = [s if s.seen else replace(s, u_g=0.0, seen=True, by_weight=True) for s in steps]
    return tuple(rest if old is unseen[0] else new for old, new in zip(steps, told, strict=True))


def by_zero_alone(ended: EndedRun, steps: Sequence[ResetStep]) -> tuple[tuple[ResetStep, ...], ZeroSteps | None]:
    """Get the steps as the second zero alone can say them, and what of the zero's movement is theirs.

    A reset between M1 and M2 is a whole step in both, at a known time. None, and the steps as they were, where a reset
    lies between the tare and M1 or between M2 and the zero, or where a power-up may move the chip's gain by more than
    the zero could tell: under no load it does not show.
    """
    gain = GAIN_STEP.get(steps[0].reset.chip) if steps and len({s.reset.chip for s in steps}) == 1 else None
    if gain is None or not _between_masses_alone(ended, WeighingKind.ZERO):
        return tuple(steps), None
    m1 = ended.phases.weighings[WeighingKind.M1]
    u_gain_g = gain * abs(m1.value.mean) / math.sqrt(3.0)
    seen, unseen = [s for s in steps if s.seen], [s for s in steps if not s.seen]
    of_zero = ZeroSteps(
        seen_g=math.fsum(s.step_g for s in seen),
        u_g=math.sqrt(math.fsum(s.u_g**2 + u_gain_g**2 for s in seen)),
        unseen_u_g=math.sqrt(math.fsum(s.u_g**2 for s in unseen)),
    )
    return tuple(s if s.seen else replace(s, u_g=u_gain_g, by_zero=True) for s in steps), of_zero


def _between_masses_alone(ended: EndedRun, last: WeighingKind) -> bool:
    """Say whether no reset lies in or between the tare and M1, nor M2 and what was weighed last."""
    found = ended.phases.weighings.get
    tare, end = found(WeighingKind.TARE), found(last)
    m1, m2 = found(WeighingKind.M1), found(WeighingKind.M2)
    if tare is None or end is None or m1 is None or m2 is None:
        return False
    return not any(tare.from_s < r.at_s <= m1.to_s or m2.from_s < r.at_s <= end.to_s for r in ended.resets)


def net_of_resets(steps: Sequence[ResetStep]) -> tuple[float, float]:
    """Get the sum of the steps in g, and its standard uncertainty."""
    return math.fsum(s.step_g for s in steps), math.sqrt(math.fsum(s.u_g**2 for s in steps))


def without_steps(steps: Sequence[ResetStep], t_s: F8, mass_g: F8) -> tuple[F8, F8]:
    """Get a record of masses without the steps that were measured, and without the seconds in which they came."""
    rest, steady = mass_g.copy(), np.ones(len(t_s), bool)
    for s in steps:
        rest[t_s >= s.reset.at_s] -= s.step_g
        steady &= (t_s <= s.reset.from_s) | (t_s >= s.reset.at_s + SETTLES_S)
    return t_s[steady], rest[steady]


def is_assumed(steps: Sequence[ResetStep], jump: Jump) -> bool:
    """Say whether a jump is at a reset whose step was not seen, and no more than what is assumed of it.

    A larger one is something that fell off, or was put on, while nobody looked.
    """
    return any(
        not s.seen and s.reset.from_s - LEAST_S <= jump.t_s <= s.reset.at_s + LEAST_S and abs(jump.step_g) <= s.most_g
        for s in steps
    )


def zero_is_apart(ended: EndedRun) -> bool:
    """Say whether a reset lies between the tare and the second zero: what moved between them is not the rig's drift."""
    tare, zero = (ended.phases.weighings.get(k) for k in (WeighingKind.TARE, WeighingKind.ZERO))
    if tare is None or zero is None:
        return False
    return any(tare.from_s < r.at_s <= zero.to_s for r in ended.resets)


def _measured(ended: EndedRun, reset: ConverterResetTold, edges_s: Sequence[float]) -> tuple[float, float] | None:
    """Get step and u in g by the lines on both sides, each taken to the middle of the gap (None: it is not seen)."""
    gap_s = reset.at_s - reset.from_s
    unknown = any(s.length_s is None and reset.from_s - 1.0 <= s.from_s <= reset.at_s for s in ended.stops or ())
    if unknown or gap_s > LONGEST_GAP_S:
        return None
    last_s = max((e for e in edges_s if e < reset.at_s), default=-math.inf) + SETTLES_S
    next_s = min((e for e in edges_s if e > reset.at_s), default=math.inf)
    middle_s = (reset.from_s + reset.at_s) / 2.0
    masses = ended.phases.masses
    old = _line(*masses.between(max(last_s, reset.from_s - LINE_S), reset.from_s))
    new = _line(*masses.between(reset.at_s + SETTLES_S, min(next_s - 1.0, reset.at_s + LINE_S)))
    if old is None or new is None:
        return None
    (g0, u0), (g1, u1) = old.at(middle_s), new.at(middle_s)
    u_bend = abs(new.rate_g_per_s - old.rate_g_per_s) * (gap_s + LINE_S) / 4.0 / math.sqrt(3.0)
    return g1 - g0, math.sqrt(u0 * u0 + u1 * u1 + u_bend * u_bend)


def _line(t_s: F8, mass_g: F8) -> BlockLine | None:
    """Get the line on one side of a reset (None: it is too short to see anything)."""
    if len(t_s) < 2 or t_s[-1] - t_s[0] < LEAST_S:
        return None
    return line_through_blocks(t_s, mass_g, LINE_BLOCKS)
