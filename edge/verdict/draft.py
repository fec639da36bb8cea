"""What is told of a run in its result, part by part; and all that can be said before it is judged.

This module must never decide, and never give a number for what is not known.
"""

from __future__ import annotations

import math

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from calibration.certificate import certificate_hash
from calibration.weight_record import WeightRecord, as_weight, weight_hash
from edge.procedure.definition import EndedRun
from edge.procedure.phases import Phases
from edge.records.formatting import known
from edge.records.result import (
    AssumedValue,
    BudgetLine,
    CertificateUsed,
    ClaimTold,
    CompositionTold,
    ExcursionTold,
    MonteCarlo,
    Result,
    WeighingTold,
)
from edge.records.weighing import Weighing, WeighingKind
from edge.records.zeros_told import CheckWeightTold, ZerosTold
from edge.standards.standard import Standard
from edge.uncertainty.budget import Budget
from edge.uncertainty.components import Component
from edge.uncertainty.slopes import BLOCKS, line_through_blocks
from edge.uncertainty.span_check import SpanCheck
from edge.uncertainty.zero_drift import Drift

from . import warnings

COARSE = 1.0 / 3.0
"""Of the limit: a coarser display cannot show it."""
PERHAPS_KG = 2.0
"""A sample for a cold test that weighs less is a very small one, or weighed in kilograms."""


def draft_result(ended: EndedRun) -> Result:
    """Get all that can be said of a run before it is judged: INVALID, until it is."""
    definition, phases = ended.definition, ended.phases
    standard, sample, certificate = definition.standard, definition.sample, definition.certificate
    before, after, reference = masses_of_loss(phases)
    about_certificate = warnings.about_certificate(definition, ended.on, (before, after))
    recorded = ended.recorded
    return with_fields(
        ended.not_judged("it was not judged"),
        blank_run=definition.is_blank,
        claim=_claim(sample.claim, standard),
        composition=_composition(sample.composition, standard),
        density_g_cm3=sample.density_g_cm3,
        replicates=standard.replicates.value,
        m1_g=None if before is None else before.value.mean,
        m2_g=None if after is None else after.value.mean,
        reference_g=None if reference is None else reference.value.mean,
        reference=None if reference is None else str(reference.which),
        weighings=tuple(_weighing(w, phases) for w in phases.weighings.values()),
        hold_s=phases.hold_s,
        excursions=tuple(
            ExcursionTold(from_s=e.from_s, length_s=e.length_s, why=e.why, worst_temp_c=known(e.worst_temp_c))
            for e in phases.excursions
        ),
        stops=UNSET if ended.stops is None else ended.stops,
        certificate=None
        if certificate is None
        else CertificateUsed(name=certificate.name, sha256=certificate_hash(certificate)),
        assumed=tuple(
            AssumedValue(field=name, value=_plain(f.value), source=f.source)
            for name, f in standard.fields()
            if f.assumed
        ),
        declared=definition.parameters.declared,
        warnings=(*about_certificate, *warnings.steps_not_taken(phases), *_about_balance(ended, reference)),
        recording=UNSET if recorded is None else recorded.file,
        observed=UNSET if recorded is None else recorded.observed,
        hours=UNSET if recorded is None else recorded.hours,
        true_loss_pct=UNSET if ended.true_loss_pct is None else ended.true_loss_pct,
        seed=UNSET if ended.seed is None else ended.seed,
    )


def _claim(name: str | None, standard: Standard) -> ClaimTold | None:
    return None if name is None else ClaimTold(name=name, answer=standard.answer_to_name(name))


def _composition(declared: str | None, standard: Standard) -> CompositionTold | None:
    if declared is None:
        return None
    return CompositionTold(declared=declared, answer=standard.answer_to_composition(declared))


def zeros_told(drift: Drift) -> ZerosTold:
    """Get what the second zero said."""
    return ZerosTold(
        moved_g=drift.moved_g,
        expected_u_g=drift.expected_u_g,
        gained_between_m1_and_m2_g=drift.gained_g,
        u_g=drift.u_g,
        weight=drift.share,
    )


def check_weight_told(check: SpanCheck, record: WeightRecord | None) -> CheckWeightTold:
    """Get what the check weight said, and what its record says of it."""
    return CheckWeightTold(
        stated_g=check.stated_g,
        indicated_g=check.indicated_g,
        u_g=check.u_g,
        span_changed_pct=check.changed * 100.0,
        before_g=UNSET if check.before_g is None else check.before_g,
        since_before_pct=UNSET if check.before_g is None else check.since[0] * 100.0,
        u_since_before_pct=UNSET if check.before_g is None else check.since[1] * 100.0,
        weight=UNSET if record is None else as_weight(record).stated,
        weight_sha256=UNSET if record is None else weight_hash(record),
    )


def monte_carlo_told(budget: Budget) -> MonteCarlo | None:
    """Get what Monte Carlo said; None where it was not asked."""
    mc = budget.simulated
    if mc is None:
        return None
    below = known(mc.below)
    return MonteCarlo(
        loss_pct=mc.y,
        u_pct=mc.u,
        low_pct=mc.low,
        high_pct=mc.high,
        trials=mc.trials,
        stable=mc.stable,
        seed=UNSET if budget.seed is None else budget.seed,
        pc=UNSET if below is None else below,
    )


def budget_line_told(c: Component) -> BudgetLine:
    """Get a component as a line of the budget."""
    return BudgetLine(
        name=str(c.name),
        value=c.value,
        u=c.u,
        unit=c.unit,
        contribution_pct=c.contribution_pct,
        distribution=c.distribution,
        dof=known(c.dof),
        origin=c.origin,
        why=c.why,
    )


def _weighing(w: Weighing, phases: Phases) -> WeighingTold:
    slope = None if w.which.is_zero else _slope(w, phases)
    return WeighingTold(
        which=str(w.which),
        value=w.value.mean,
        u=w.value.u,
        unit="code" if w.which.is_zero else "g",
        from_s=w.from_s,
        to_s=w.to_s,
        cell_temp_c=known(w.cell_temp_c),
        temp_c=known(w.temp_c),
        pressure_pa=known(w.pressure_pa),
        n=w.value.n,
        slope_g_per_h=UNSET if slope is None else slope[0],
        u_slope_g_per_h=UNSET if slope is None else slope[1],
    )


def _slope(w: Weighing, phases: Phases) -> tuple[float, float] | None:
    """Get the slope over a mass's own window in g/h, with its standard uncertainty (None: too few seconds)."""
    rows = phases.masses.stretch(w.from_s, w.to_s)
    line = line_through_blocks(rows.t_s, rows.mass_g, BLOCKS)
    if line is None or not math.isfinite(line.rate_g_per_s) or not math.isfinite(line.u_rate_g_per_s):
        return None
    return line.rate_g_per_s * 3600.0, line.u_rate_g_per_s * 3600.0


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _about_balance(ended: EndedRun, reference: Weighing | None) -> list[str]:
    """Get what is to be said of whatever indicated the masses of a recording."""
    out: list[str] = []
    recorded = ended.recorded
    if reference is None or recorded is None:
        return out
    load_g, resolution_g = reference.value.mean, ended.definition.balance.resolution_g
    limit_g = ended.definition.standard.limit_pct.value / 100.0 * load_g
    if resolution_g > COARSE * limit_g > 0.0:
        out.append(warnings.display_too_coarse(resolution_g, limit_g))
    if recorded.file.quantity == "mass_g" and ended.phases.plan.weigh == "cold" and 0.0 < load_g < PERHAPS_KG:
        out.append(warnings.perhaps_kilograms(load_g))
    if recorded.lonely_refused:
        out.append(warnings.readings_refused(recorded.lonely_refused))
    return out


def masses_of_loss(phases: Phases) -> tuple[Weighing | None, Weighing | None, Weighing | None]:
    """Get the mass before, the mass after, and the one that the loss is divided by."""
    found = phases.weighings.get
    if phases.plan.weigh == "cold":
        m1 = found(WeighingKind.M1)
        return m1, found(WeighingKind.M2), m1
    before = found(WeighingKind.HOLD_START)
    reference = before if phases.plan.reference == "hold_start" else found(WeighingKind.START)
    return before, found(WeighingKind.HOLD_END), reference
