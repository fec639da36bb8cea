"""From a run that has ended to its result, in four steps: weighings, corrections, budget, decision.

Each step is handed what the one before it found, and nobody changes the result afterwards. A run that cannot be judged
has no loss. This module must never measure, and never leave out why it could not judge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from calibration.weight_record import as_weight
from edge.errors import BlankDoesNotMatch
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.jumps import Jump, net_of_jumps
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.result import (
    BlankUsed,
    Result,
    invalid,
)
from edge.records.weighing import WeighingKind
from edge.uncertainty.blank import blank_from_result, check_blank, check_same_rig, creep_stated, mean_of_blanks
from edge.uncertainty.budget import Budget, loss_budget
from edge.uncertainty.buoyancy import air_around
from edge.uncertainty.earlier_load import Remembered, remembered
from edge.uncertainty.room_pressure import NOT_READ, declared_change, room_air
from edge.uncertainty.seen_drift import drift_seen
from edge.uncertainty.span_check import SpanCheck, check_span
from edge.uncertainty.weighed import Corrections, Weighed

from . import warnings
from .by_balance import balance_told, judge_on_balance
from .conclude import beside_declared, decided, with_slopes
from .draft import check_weight_told, draft_result, masses_of_loss, zeros_told
from .happened import what_happened
from .plausible import jumped, jumps_between, not_a_loss, not_a_weighing, not_agreed
from .resets import ResetStep, by_zero_alone, net_of_resets, reset_steps, zero_is_apart
from .suitability import with_suitability
from .unseen import moved_unseen, risen_in_hold, rose_unseen, vent_told
from .whole_method import by_whole_method


def judge_run(ended: EndedRun) -> Result:
    """Judge a run by its standard's rule. Raises ``BlankDoesNotMatch`` for a blank that it may not subtract."""
    return with_suitability(ended, by_whole_method(ended, _judged_by_mass(ended)))


def _judged_by_mass(ended: EndedRun) -> Result:
    """Judge by the laboratory's balance where it has said masses, and by the rig's own otherwise."""
    rig, told = _judged_by_rig(ended), balance_told(ended)
    return rig if told is None else judge_on_balance(ended, told, rig)


def _judged_by_rig(ended: EndedRun) -> Result:
    draft = draft_result(ended)
    weighed = _weighings(ended)
    if isinstance(weighed, Invalid):
        return invalid(draft, weighed)
    corrected = _corrections(ended, draft, weighed)
    if isinstance(corrected, Invalid):
        return invalid(draft, corrected)
    weighed = corrected.weighed
    vent = vent_told(ended)
    slopes = moved_unseen(ended, weighed, corrected.jumps, corrected.resets, vent)
    seen = drift_seen(slopes, weighed.before, weighed.after) if weighed.zero is None else None
    rose_g = risen_in_hold(ended, weighed, corrected.jumps, corrected.resets)
    corrections = replace(corrected.corrections, seen_drift=seen, hold_rose_g=rose_g)
    rise = rose_unseen(ended, weighed, corrected.jumps, corrected.resets, corrections.pressure_change)
    happened = what_happened(ended, corrected.jumps, corrected.resets, slopes, rise)
    draft = with_fields(draft, happened=happened, vented=UNSET if vent is None else vent)
    standard = ended.definition.standard
    budget = loss_budget(
        weighed, corrections, coverage=standard.coverage_probability.value, limit_pct=standard.limit_pct.value
    )
    because = not_a_loss(ended, weighed, budget) or jumped(
        corrected.jumps, budget, standard.limit_pct.value, weighed.reference.value.mean
    )
    if because is not None:
        return invalid(draft, because)
    result = decided(ended, _with_corrections(ended.definition, draft, corrected, budget), budget)
    if seen is not None:
        result = with_fields(result, warnings=(*result.warnings, warnings.drift_at_both(seen)))
    result = with_slopes(result, slopes, rise, weighed.reference.value.mean)
    return beside_declared(ended, result, weighed, corrections)


def judge_night(ended: EndedRun) -> Result:
    """Judge a run as :func:`judge_run`, but subtract nothing where the blank does not match: that costs no night."""
    try:
        return judge_run(ended)
    except BlankDoesNotMatch as e:
        result = judge_run(replace(ended, definition=replace(ended.definition, blank=None, more_blanks=())))
        return with_fields(result, warnings=(*result.warnings, f"nothing was subtracted: {e}"))


# the first step: what was weighed


def _weighings(ended: EndedRun) -> Weighed | Invalid:
    phases, definition = ended.phases, ended.definition
    if definition.unjudgeable is not None:
        return definition.unjudgeable
    if phases.invalid is not None:
        return phases.invalid
    before, after, reference = masses_of_loss(phases)
    if before is None or after is None or reference is None:
        return Invalid(InvalidReason.MASS_MISSING, f"the run ended in phase {phases.phase} without both masses")
    if not reference.value.mean > 0.0:
        return Invalid(
            InvalidReason.NO_LOAD,
            f"the reference mass is {reference.value.mean:.4g} g: check the tare, the sign of counts_per_g and that "
            "the sample was on the holder",
        )
    for w in (before, after, reference):
        if w is not after and (because := not_a_weighing(ended, w)) is not None:
            return because
    zero = None if zero_is_apart(ended) else phases.weighings.get(WeighingKind.ZERO)
    return Weighed(
        before,
        after,
        reference,
        certificate=definition.certificate,
        tare=phases.weighings.get(WeighingKind.TARE),
        zero=None if definition.is_blank else zero,  # what a blank measures is what a second zero would take away
        balance=definition.balance,
        loaded_at_known=Phase.LOAD in phases.entered_s,
        put_back=sum(stay.back_s <= after.from_s for stay in phases.carrying.for_m2),
    )


# the second step: what it is corrected for


@dataclass(frozen=True, slots=True)
class _Corrected:
    weighed: Weighed
    corrections: Corrections
    span_check: SpanCheck | None
    jumps: tuple[Jump, ...]
    resets: tuple[ResetStep, ...]
    warnings: tuple[str, ...]


def _corrections(ended: EndedRun, draft: Result, weighed: Weighed) -> _Corrected | Invalid:
    definition = ended.definition
    density, said = definition.sample.density_g_cm3, list[str]()
    cold = weighed.before.which is WeighingKind.M1
    around, room = None, NOT_READ
    if cold:
        room = room_air(ended.barometer, weighed.before, weighed.after)
        around = air_around(weighed.before, weighed.after, definition.sample.air, definition.parameters.vacuum, room)
        if room.unused:
            said.append(warnings.barometer_unused(room, ended.barometer))
        said += warnings.air_beside_barometer(room, definition.sample.air)
        if around.differs and density is None:
            return Invalid(InvalidReason.AIR_DIFFERS, warnings.not_the_same_air(around))
        if around.differs:
            said.append(warnings.air_corrected(around))
    blank, by_mass = None, ended.phases.plan.blank_by_mass
    if definition.blanks:
        for of in definition.blanks:
            blank_from_result(of)
            check_same_rig(of, definition.certificate)
            check_blank(of, draft, by_mass=by_mass)
        blanks = [blank_from_result(of) for of in definition.blanks]
        creep = creep_stated(definition.certificate)
        blank = mean_of_blanks(blanks, weighed.before.value.mean, by_mass=by_mass, creep=creep)
    check = _span_check(ended)
    if void := ended.phases.plan.void_because:
        if (because := not_agreed(void, check)) is not None:
            return because
        said.append(warnings.mount_agrees(void))
    resets = reset_steps(ended, weighed, check)
    weighed, resets = _with_zero_across(ended, weighed, resets)
    told = any(s.by_weight for s in resets)  # then what the check weight shows is in the reset's step
    change = 0.0 if check is None or told else check.between
    jumps = jumps_between(ended, weighed, resets)
    net = net_of_jumps(jumps) if jumps else None
    changed = room.change or declared_change(definition.sample.air)
    steps = net_of_resets(resets) if resets else None
    if zero_is_apart(ended) and weighed.zero is None and not told:
        said.append(warnings.zero_across_reset())
    unseen = sum(not s.seen and not s.by_zero for s in resets)
    corrections = Corrections(around, density, blank, change, net, changed, steps, unseen, earlier=_earlier(ended))
    return _Corrected(weighed, corrections, check, jumps, resets, tuple(said))


def _earlier(ended: EndedRun) -> tuple[Remembered, ...]:
    """Get what hung on the cell before the sample: in earlier runs, and as a check weight in this one."""
    before, plan = ended.phases.check_before, ended.phases.plan
    loads = remembered(ended.definition.earlier_loads)
    if not before.lay_s > 0.0:
        return loads
    return (*loads, Remembered("the check weight", plan.check_weight_g, before.lay_s, before.off_s, "measured"))


def _with_zero_across(
    ended: EndedRun, weighed: Weighed, resets: tuple[ResetStep, ...]
) -> tuple[Weighed, tuple[ResetStep, ...]]:
    """Get what was weighed with the second zero, where it holds a reset's step whole, and the steps it then says."""
    zero = ended.phases.weighings.get(WeighingKind.ZERO)
    if zero is None or weighed.zero is not None or ended.definition.is_blank or any(s.by_weight for s in resets):
        return weighed, resets
    told, of_zero = by_zero_alone(ended, resets)
    return (weighed if of_zero is None else replace(weighed, zero=zero, zero_steps=of_zero)), told


def _span_check(ended: EndedRun) -> SpanCheck | None:
    phases, definition = ended.phases, ended.definition
    found, certificate = phases.weighings.get, definition.certificate
    tare, zero, check = found(WeighingKind.TARE), found(WeighingKind.ZERO), found(WeighingKind.CHECK)
    if certificate is None or tare is None or zero is None or check is None:
        return None
    weight = None if definition.check_weight is None else as_weight(definition.check_weight)
    before, m1, m2 = found(WeighingKind.CHECK_BEFORE), found(WeighingKind.M1), found(WeighingKind.M2)
    if before is None or m1 is None or any(before.from_s < r.at_s <= m1.to_s for r in ended.resets):
        before = None  # a chip that was powered up anew has another span, whatever a weight showed before
    sample_g = 0.0 if m2 is None else m2.value.mean
    return check_span(
        certificate, tare, zero, check, phases.plan.check_weight_g, weight, before=before, sample_g=sample_g
    )


def _with_corrections(definition: RunDefinition, draft: Result, corrected: _Corrected, budget: Budget) -> Result:
    """Get the draft with what corrections and second zero say."""
    blank, check, drift = corrected.corrections.blank, corrected.span_check, budget.drift
    said, steps = list(corrected.warnings), corrected.resets
    if drift is not None and drift.surprising:
        said.append(warnings.zero_moved(drift))
    if budget.memory is not None and budget.memory.chief.rest == "assumed":
        said.append(warnings.rest_assumed(budget.memory))
    if check is not None and corrected.corrections.span_change:
        said.append(warnings.span_changed(check))
    elif check is not None and check.changed and check.before_g is not None and not any(s.by_weight for s in steps):
        said.append(warnings.span_changed_before(check))
    return with_fields(
        draft,
        blank=UNSET
        if blank is None
        else BlankUsed(
            name=blank.name,
            loss_g=blank.loss_g,
            u_g=blank.u_g,
            mass_g=blank.mass_g,
            fixed_g=UNSET if blank.fixed_g is None else blank.fixed_g,
        ),
        zeros=None if drift is None else zeros_told(drift),
        check_weight=None if check is None else check_weight_told(check, definition.check_weight),
        warnings=(*draft.warnings, *said),
    )
