"""From a run that has ended to its result, in four steps: weighings, corrections, budget, decision.

Each step is handed what the one before it found, and nobody changes the result afterwards. A run that cannot be judged
has no loss. This module must never measure, and never leave out why it could not judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from calibration.certificate import Certificate
from edge.errors import BlankDoesNotMatch
from edge.procedure.definition import EndedRun
from edge.procedure.jumps import Jump, net_of_jumps
from edge.procedure.phases import Phases
from edge.records.formatting import known
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.result import (
    BlankUsed,
    FirstOrder,
    Result,
    Verdict,
    WithoutDeclared,
    invalid,
)
from edge.records.weighing import WeighingKind
from edge.uncertainty.blank import blank_found, blank_from_result, check_blank, check_same_rig
from edge.uncertainty.budget import Budget, loss_budget
from edge.uncertainty.buoyancy import air_around
from edge.uncertainty.hold_rise import HoldRise
from edge.uncertainty.slopes import Slope
from edge.uncertainty.weighed import Corrections, Weighed
from edge.uncertainty.zero_drift import SpanCheck, check_span

from . import warnings
from .decision import decide
from .draft import budget_line_told, check_weight_told, draft_result, masses_of_loss, monte_carlo_told, zeros_told
from .happened import what_happened
from .plausible import gained, jumped, jumps_between, not_a_loss, not_a_weighing
from .resets import ResetStep, by_zero_alone, net_of_resets, reset_steps, zero_is_apart
from .unseen import moved_unseen, rose_unseen
from .whole_method import by_whole_method
from .wording import meaning, what_would_decide

NARROWER = 1.05
"""A declared value that makes U smaller by less is not worth a word in the first sentence."""


def judge_run(ended: EndedRun) -> Result:
    """Judge a run by its standard's rule. Raises ``BlankDoesNotMatch`` for a blank that it may not subtract."""
    return by_whole_method(ended, _judged_by_mass(ended))


def _judged_by_mass(ended: EndedRun) -> Result:
    draft = draft_result(ended)
    weighed = _weighings(ended)
    if isinstance(weighed, Invalid):
        return invalid(draft, weighed)
    corrected = _corrections(ended, draft, weighed)
    if isinstance(corrected, Invalid):
        return invalid(draft, corrected)
    weighed = corrected.weighed
    slopes = moved_unseen(ended, weighed, corrected.jumps, corrected.resets)
    rise = rose_unseen(ended, weighed, corrected.jumps, corrected.resets, corrected.corrections.pressure_change_kpa)
    draft = with_fields(draft, happened=what_happened(ended, corrected.jumps, corrected.resets, slopes, rise))
    standard = ended.definition.standard
    budget = loss_budget(
        weighed, corrected.corrections, coverage=standard.coverage_probability.value, limit_pct=standard.limit_pct.value
    )
    because = not_a_loss(ended, weighed, budget) or jumped(
        corrected.jumps, budget, standard.limit_pct.value, weighed.reference.value.mean
    )
    if because is not None:
        return invalid(draft, because)
    result = _decided(ended, _with_corrections(draft, corrected, budget), budget)
    result = _with_slopes(result, slopes, rise, weighed.reference.value.mean)
    return _beside_declared(ended, result, weighed, corrected.corrections)


def judge_night(ended: EndedRun) -> Result:
    """Judge a run as :func:`judge_run`, but subtract nothing where the blank does not match: that costs no night."""
    try:
        return judge_run(ended)
    except BlankDoesNotMatch as e:
        result = judge_run(replace(ended, definition=replace(ended.definition, blank=None)))
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
    around = None
    if cold:
        around = air_around(weighed.before, weighed.after, definition.sample.air, definition.parameters.vacuum)
        if around.differs and density is None:
            return Invalid(InvalidReason.AIR_DIFFERS, warnings.not_the_same_air(around))
        if around.differs:
            said.append(warnings.air_corrected(around))
    blank = None
    if definition.blank is not None:
        blank = blank_from_result(definition.blank)
        check_same_rig(definition.blank, definition.certificate)
        check_blank(definition.blank, draft)
    check = _span_check(ended.phases, definition.certificate)
    resets = reset_steps(ended, weighed, check)
    weighed, resets = _with_zero_across(ended, weighed, resets)
    told = any(s.by_weight for s in resets)  # then what the check weight shows is in the reset's step
    change = 0.0 if check is None or told else check.changed
    jumps = jumps_between(ended, weighed, resets)
    net = net_of_jumps(jumps) if jumps else None
    air = definition.sample.air
    change_kpa = (air[1].pressure_hpa - air[0].pressure_hpa) / 10.0 if len(air) == 2 else None
    steps = net_of_resets(resets) if resets else None
    if zero_is_apart(ended) and weighed.zero is None and not told:
        said.append(warnings.zero_across_reset())
    unseen = sum(not s.seen and not s.by_zero for s in resets)
    corrections = Corrections(around, density, blank, change, net, change_kpa, steps, unseen)
    return _Corrected(weighed, corrections, check, jumps, resets, tuple(said))


def _with_zero_across(
    ended: EndedRun, weighed: Weighed, resets: tuple[ResetStep, ...]
) -> tuple[Weighed, tuple[ResetStep, ...]]:
    """Get what was weighed with the second zero, where it holds a reset's step whole, and the steps it then says."""
    zero = ended.phases.weighings.get(WeighingKind.ZERO)
    if zero is None or weighed.zero is not None or ended.definition.is_blank or any(s.by_weight for s in resets):
        return weighed, resets
    told, of_zero = by_zero_alone(ended, resets)
    return (weighed if of_zero is None else replace(weighed, zero=zero, zero_steps=of_zero)), told


def _span_check(phases: Phases, certificate: Certificate | None) -> SpanCheck | None:
    found = phases.weighings.get
    tare, zero, check = found(WeighingKind.TARE), found(WeighingKind.ZERO), found(WeighingKind.CHECK)
    if certificate is None or tare is None or zero is None or check is None:
        return None
    return check_span(certificate, tare, zero, check, phases.plan.check_weight_g)


def _with_corrections(draft: Result, corrected: _Corrected, budget: Budget) -> Result:
    """Get the draft with what corrections and second zero say."""
    blank, check, drift = corrected.corrections.blank, corrected.span_check, budget.drift
    said = list(corrected.warnings)
    if drift is not None and drift.surprising:
        said.append(warnings.zero_moved(drift))
    if check is not None and corrected.corrections.span_change:
        said.append(warnings.span_changed(check))
    return with_fields(
        draft,
        blank=UNSET
        if blank is None
        else BlankUsed(name=blank.name, loss_g=blank.loss_g, u_g=blank.u_g, mass_g=blank.mass_g),
        zeros=None if drift is None else zeros_told(drift),
        check_weight=None if check is None else check_weight_told(check),
        warnings=(*draft.warnings, *said),
    )


# the last step: the decision


def _decided(ended: EndedRun, result: Result, budget: Budget) -> Result:
    standard, phases = ended.definition.standard, ended.phases
    decision = decide(budget, standard)
    blind_spot = standard.blind_spot.value if decision.verdict is Verdict.PASS else None
    lines = tuple(budget_line_told(c) for c in budget.components)
    result = with_fields(
        result,
        verdict=decision.verdict,
        invalid_because=None,
        invalid_reason=None,
        loss_pct=budget.loss_pct,
        u_pct=budget.u_pct,
        U_pct=budget.expanded_pct,
        k=budget.k,
        pc=decision.conformance_probability,
        pc_otherwise=UNSET if decision.otherwise is None else decision.otherwise,
        nu_eff=known(budget.dof),
        rule=decision.rule,
        method=budget.method,
        first_order=FirstOrder(u_pct=budget.first_order_u_pct, U_pct=budget.first_order_expanded_pct),
        monte_carlo=monte_carlo_told(budget),
        budget=lines,
        blind_spot=blind_spot,
        criterion=meaning(decision.verdict, phases.plan.weigh, blind_spot),
    )
    if decision.verdict is Verdict.PASS and gained(ended, budget):
        result = _doubted(result)
        result = with_fields(result, warnings=(*result.warnings, warnings.sample_gained(budget)))
    if result.verdict is Verdict.INCONCLUSIVE:
        result = with_fields(result, would_decide=what_would_decide(budget))
    if not ended.definition.is_blank or result.reference_g is None:
        return result
    return with_fields(result, blank_found=blank_found(budget.loss_pct, result.reference_g, lines))


def _doubted(result: Result) -> Result:
    """Get a PASS that something else puts in doubt as INCONCLUSIVE: what a PASS means is not said of it."""
    return with_fields(result, verdict=Verdict.INCONCLUSIVE, blind_spot=None, criterion=None)


def _with_slopes(result: Result, slopes: tuple[Slope, ...], rise: HoldRise | None, load_g: float) -> Result:
    """Say what slopes add to the loss, at least; a PASS that they put in doubt is none."""
    of_sample_g = math.fsum(s.toward_loss_g for s in slopes)
    of_rig_g = 0.0 if rise is None else rise.toward_loss_g
    more_pct = (of_sample_g + of_rig_g) / load_g * 100.0
    if more_pct <= 0.0 or result.loss_pct is None or result.U_pct is None:
        return result
    upper_pct = result.loss_pct + result.U_pct
    result = with_fields(result, one_sided_pct=more_pct)
    doubted = result.verdict is Verdict.PASS and _may_fail(result, upper_pct)
    said = list(result.warnings)
    if of_sample_g > 0.0 and (doubted or any(s.counts for s in slopes if s.toward_loss_g > 0.0)):
        said.append(warnings.still_moving(of_sample_g / load_g * 100.0))
    if rise is not None and of_rig_g > 0.0 and (doubted or rise.counts):
        said.append(warnings.rig_rises(rise.rate_g_per_h, of_rig_g / load_g * 100.0))
    result = with_fields(result, warnings=tuple(said))
    if doubted:
        longer = "a longer rest before M1 and M2, dry air at the venting, and the times of opening and venting"
        zero = "a second zero after M2: it tells a rig that drifts from a sample"
        help_ = [what for what, is_it in ((longer, of_sample_g > 0.0), (zero, of_rig_g > 0.0)) if is_it]
        return with_fields(_doubted(result), would_decide=tuple(help_))
    return result


def _may_fail(result: Result, upper_pct: float) -> bool:
    """Say whether what moved unseen takes an interval that ends at ``upper_pct`` beyond the limit."""
    return result.one_sided_pct > 0.0 and upper_pct + result.one_sided_pct > result.limit_pct


def _beside_declared(ended: EndedRun, result: Result, weighed: Weighed, corrections: Corrections) -> Result:
    """Say what the verdict rests on that is only declared, and what it would be without."""
    definition = ended.definition
    on = []
    if not definition.parameters.plan.temp_needed:
        on.append("a declared temperature")
    narrowed = []
    if weighed.balance.u_mass_g is not None:
        narrowed.append("a declared drift of the balance")
    if corrections.density_g_cm3 is not None:
        narrowed.append("a declared density")
    if not narrowed:
        return with_fields(result, on_declared=tuple(on))
    plain = loss_budget(
        replace(weighed, balance=replace(weighed.balance, u_mass_g=None)),
        replace(corrections, density_g_cm3=None),
        coverage=definition.standard.coverage_probability.value,
        limit_pct=definition.standard.limit_pct.value,
    )
    if result.U_pct is not None and plain.expanded_pct <= NARROWER * result.U_pct:
        return with_fields(result, on_declared=tuple(on))
    verdict = decide(plain, definition.standard).verdict
    if verdict is Verdict.PASS and (gained(ended, plain) or _may_fail(result, plain.loss_pct + plain.expanded_pct)):
        verdict = Verdict.INCONCLUSIVE
    beside = WithoutDeclared(verdict=verdict, loss_pct=plain.loss_pct, U_pct=plain.expanded_pct)
    return with_fields(result, on_declared=(*on, *narrowed), without_declared=beside)
