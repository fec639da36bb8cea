"""The last step of a judgement: from a budget to the verdict, what puts it in doubt, and what stands beside it.

A verdict that something else puts in doubt is never made better. This module must never weigh, and never correct.
"""

from __future__ import annotations

import math
from dataclasses import replace

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from edge.procedure.definition import EndedRun
from edge.records.formatting import known
from edge.records.invalid import Invalid
from edge.records.result import FirstOrder, Result, Verdict, WithoutDeclared, invalid
from edge.uncertainty.blank import blank_found
from edge.uncertainty.budget import Budget, loss_budget
from edge.uncertainty.earlier_load import undeclared
from edge.uncertainty.hold_rise import HoldRise
from edge.uncertainty.slopes import Slope
from edge.uncertainty.weighed import Corrections, Weighed

from . import warnings
from .decision import decide
from .draft import budget_line_told, monte_carlo_told
from .plausible import gained
from .wording import meaning, what_would_decide

NARROWER = 1.05
"""A declared value that makes U smaller by less is not worth a word in the first sentence."""


def decided(ended: EndedRun, result: Result, budget: Budget) -> Result:
    """Get the draft of a result with the decision on its budget."""
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


def with_slopes(result: Result, slopes: tuple[Slope, ...], rise: HoldRise | None, load_g: float) -> Result:
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


def beside_declared(ended: EndedRun, result: Result, weighed: Weighed, corrections: Corrections) -> Result:
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
    if any(load.rest == "declared" for load in corrections.earlier):
        narrowed.append("a declared rest of the holder")
    if not narrowed:
        return with_fields(result, on_declared=tuple(on))
    plain = loss_budget(
        replace(weighed, balance=replace(weighed.balance, u_mass_g=None)),
        replace(corrections, density_g_cm3=None, earlier=undeclared(corrections.earlier)),
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


def without_numbers(result: Result, because: Invalid) -> Result:
    """Get a result that was decided as one that cannot be judged: no loss, no U, nothing that looks like a result."""
    numbers: dict[str, None] = dict.fromkeys(
        ("loss_pct", "u_pct", "U_pct", "k", "pc", "nu_eff", "method", "blind_spot", "criterion")
    )
    return invalid(
        with_fields(
            result,
            **numbers,
            pc_otherwise=UNSET,
            first_order=UNSET,
            monte_carlo=None,
            budget=(),
            rule="",
            on_declared=(),
            without_declared=UNSET,
            would_decide=(),
            one_sided_pct=0.0,
        ),
        because,
    )
