"""The result of a run as one plain record: verdict, numbers, budget, and what nobody measured.

Everything a report, the database or ``--json`` shows comes from here. A run that cannot be judged has no
loss here, so that nothing can print one.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any

from calibration.certificate import Certificate, certificate_hash
from calibration.vacuum_gauge import VacuumGauge
from edge.procedure.phases import Phases
from edge.records.sample import Air
from edge.records.weighing import Weighing
from edge.standards.standard import Standard
from edge.uncertainty.blank import blank_of, check_blank
from edge.uncertainty.budget import Budget, loss_budget
from edge.uncertainty.buoyancy import air_around
from edge.uncertainty.components import Component
from edge.uncertainty.zero_drift import Drift, SpanCheck, check_span

from . import warnings
from .decision import Verdict, decide
from .wording import meaning

NUMBERS = ("loss_pct", "u_pct", "U_pct", "k", "pc")

COLUMNS = {
    "verdict": "verdict",
    "invalid_because": "invalid_because",
    "loss_pct": "loss_pct",
    "standard_uncertainty_pct": "u_pct",
    "expanded_uncertainty_pct": "U_pct",
    "coverage_factor_k": "k",
    "conformance_probability": "pc",
    "limit_pct": "limit_pct",
    "m1_g": "m1_g",
    "m2_g": "m2_g",
    "hold_s": "hold_s",
    "true_loss_pct": "true_loss_pct",
}
"""Columns of ``runs`` and the field of the result that fills each."""


def judge_run(
    phases: Phases,
    standard: Standard,
    certificate: Certificate | None,
    *,
    sample_id: str,
    kind: str,
    declared: tuple[str, ...],
    on: datetime.date,
    resolution_g: float = 0.0,
    declared_u_g: float | None = None,
    blank_run: bool = False,
    subtract: dict[str, Any] | None = None,
    claim: str | None = None,
    composition: str | None = None,
    density: tuple[float, float] | None = None,
    air: Sequence[Air] = (),
    vacuum: VacuumGauge | None = None,
) -> dict[str, Any]:
    """Judge a run that has ended, by the standard's rule, and put all that is to be said into one record.

    ``on`` is the day of the run, for the certificate's validity. ``blank_run``: the sample is an inert dummy;
    ``subtract``: the result of a blank run, which must match; ``claim``: the name under which the sample is sold, and
    ``composition``: what it is said to be made of, which the standard's file answers; ``density``: bounds of the
    sample's, g/cm³; ``air``: the room's at M1 (and at M2); ``vacuum``: the settings of the gauge that gave the
    weighings' pressures. The rest as :func:`edge.uncertainty.budget.loss_budget`. Raises ``BadInput`` for a blank that
    does not match.
    """
    before, after, reference = _weighings(phases, standard)
    out: dict[str, Any] = {
        "verdict": str(Verdict.INVALID),
        **dict.fromkeys(NUMBERS),
        "limit_pct": standard.limit_pct.value,
        "comparator": standard.comparator.value,
        "m1_g": before.value.mean if before else None,
        "m2_g": after.value.mean if after else None,
        "reference_g": reference.value.mean if reference else None,
        "reference": reference.which if reference else None,
        "hold_s": phases.hold_s,
        "hold_required_s": standard.hold_s.value,
        "temp_c": standard.temp_c.value,
        "temp_band_c": standard.temp_band_c.value,
        "weigh": phases.plan.weigh,
        "invalid_because": phases.invalid_because or None,
        "rule": "",
        "nu_eff": None,
        "method": None,
        "budget": [],
        "sample_id": sample_id,
        "blank_run": blank_run,
        "claim": None if claim is None else {"name": claim, "answer": standard.answer_to_name(claim)},
        "composition": None
        if composition is None
        else {"declared": composition, "answer": standard.answer_to_composition(composition)},
        "density_g_cm3": None if density is None else list(density),
        "replicates": standard.replicates.value,
        "criterion": None,
        "zeros": None,
        "check_weight": None,
        "kind": kind,
        "standard": {
            "id": standard.id,
            "title": standard.title.value,
            "sha256": standard.sha256,
            "verified": all(f.verified for _, f in standard.fields() if not f.assumed),
        },
        "assumed": [
            {"field": name, "value": _plain(f.value), "source": f.source} for name, f in standard.fields() if f.assumed
        ],
        "declared": list(declared),
        "warnings": [*warnings.of_certificate(certificate, on, [before, after], kind), *warnings.not_taken(phases)],
        "certificate": {"name": certificate.name, "sha256": certificate_hash(certificate)} if certificate else None,
        "weighings": [_weighing(w) for w in phases.weighings.values()],
        "excursions": [
            {
                "from_s": e.from_s,
                "length_s": e.length_s,
                "why": e.why,
                "worst_temp_c": e.worst_temp_c if math.isfinite(e.worst_temp_c) else None,
            }
            for e in phases.excursions
        ],
    }
    if phases.invalid_because:
        return out
    if before is None or after is None or reference is None:
        return out | {"invalid_because": f"the run ended in phase {phases.phase} without both masses"}
    if not reference.value.mean > 0.0:
        return out | {
            "invalid_because": f"the reference mass is {reference.value.mean:.4g} g: check the tare, the sign of "
            "counts_per_g and that the sample was on the holder"
        }
    around = air_around(before, after, air, vacuum) if before.which == "m1" else None
    if around is not None and around.differs:
        if density is None:
            return out | {"invalid_because": warnings.not_the_same_air(around)}
        out["warnings"].append(warnings.air_corrected(around))
    blank = None
    if subtract is not None:
        blank = blank_of(subtract)
        check_blank(subtract, out)
        out["blank"] = {"name": blank.name, "loss_g": blank.loss_g, "u_g": blank.u_g, "mass_g": blank.mass_g}
    tare, zero = phases.weighings.get("tare"), phases.weighings.get("zero")
    span_check = _span_check(phases, certificate)
    budget = loss_budget(
        before,
        after,
        reference,
        coverage=standard.coverage_probability.value,
        certificate=certificate,
        tare=tare,
        zero=None if blank_run else zero,  # what a blank measures is what a second zero would take away
        span_change=span_check.changed if span_check is not None else 0.0,
        resolution_g=resolution_g,
        declared_u_g=declared_u_g,
        density_g_cm3=density,
        air=around,
        blank=blank,
    )
    if budget.drift is not None:
        out["zeros"] = _zeros(budget.drift)
        if budget.drift.surprising:
            out["warnings"].append(warnings.zero_moved(budget.drift))
    if span_check is not None:
        out["check_weight"] = _check(span_check)
        if span_check.changed:
            out["warnings"].append(warnings.span_changed(span_check))
    return out | _judged(budget, standard, phases.plan.weigh)


def _span_check(phases: Phases, certificate: Certificate | None) -> SpanCheck | None:
    tare, zero, check = (phases.weighings.get(which) for which in ("tare", "zero", "check"))
    if certificate is None or tare is None or zero is None or check is None:
        return None
    return check_span(certificate, tare, zero, check, phases.plan.check_weight_g)


def _zeros(drift: Drift) -> dict[str, Any]:
    return {
        "moved_g": drift.moved_g,
        "expected_u_g": drift.expected_u_g,
        "gained_between_m1_and_m2_g": drift.gained_g,
        "u_g": drift.u_g,
        "weight": drift.share,
    }


def _check(check: SpanCheck) -> dict[str, Any]:
    return {
        "stated_g": check.stated_g,
        "indicated_g": check.indicated_g,
        "u_g": check.u_g,
        "span_changed_pct": check.changed * 100.0,
    }


def _judged(budget: Budget, standard: Standard, weigh: str) -> dict[str, Any]:
    decision = decide(budget, standard)
    blind_spot = standard.blind_spot.value if decision.verdict is Verdict.PASS else None
    return {
        "verdict": str(decision.verdict),
        "loss_pct": budget.loss_pct,
        "u_pct": budget.u_pct,
        "U_pct": budget.expanded_pct,
        "k": budget.k,
        "pc": decision.conformance_probability,
        "nu_eff": budget.dof if math.isfinite(budget.dof) else None,
        "rule": decision.rule,
        "method": budget.method,
        "first_order": {"u_pct": budget.first_order_u_pct, "U_pct": budget.first_order_expanded_pct},
        "monte_carlo": _simulated(budget),
        "budget": [_component(c) for c in budget.components],
        "blind_spot": blind_spot,
        "criterion": meaning(str(decision.verdict), weigh, blind_spot),
    }


def _weighings(phases: Phases, standard: Standard) -> tuple[Weighing | None, Weighing | None, Weighing | None]:
    """Get the mass before, the mass after, and the one that the loss is divided by."""
    found = phases.weighings.get
    if phases.plan.weigh == "cold":
        return found("m1"), found("m2"), found("m1")
    before = found("hold_start")
    return before, found("hold_end"), before if phases.plan.reference == "hold_start" else found("start")


def _simulated(budget: Budget) -> dict[str, Any] | None:
    mc = budget.simulated
    if mc is None:
        return None
    return {
        "loss_pct": mc.y,
        "u_pct": mc.u,
        "low_pct": mc.low,
        "high_pct": mc.high,
        "trials": mc.trials,
        "stable": mc.stable,
    }


def _component(c: Component) -> dict[str, Any]:
    return {
        "name": c.name,
        "value": c.value,
        "u": c.u,
        "unit": c.unit,
        "contribution_pct": c.contribution_pct,
        "distribution": c.distribution,
        "dof": c.dof if math.isfinite(c.dof) else None,
        "origin": c.origin,
        "why": c.why,
    }


def _weighing(w: Weighing) -> dict[str, Any]:
    return {
        "which": w.which,
        "value": w.value.mean,
        "u": w.value.u,
        "unit": "code" if w.which in ("tare", "zero") else "g",
        "from_s": w.from_s,
        "to_s": w.to_s,
        "cell_temp_c": w.cell_temp_c if math.isfinite(w.cell_temp_c) else None,
        "temp_c": w.temp_c if math.isfinite(w.temp_c) else None,
        "pressure_pa": w.pressure_pa if math.isfinite(w.pressure_pa) else None,
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
