"""A verdict that rests on the laboratory's own balance: its masses, its certificate, and the rig's curve as support.

Both masses are weighed in the room's air, so the vacuum's buoyancy is in neither. The rig's own loss is compared with
the balance's (ISO/IEC 17025, 7.7.1); where they contradict each other beyond their uncertainties at least one of these
is wrong, and then no U is known. This module must never take a balance's mass for the rig's, nor average the two.
"""

from __future__ import annotations

import math

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from calibration.balance_certificate import BalanceCertificate, balance_hash, u_in_use_g
from calibration.integrated import Integrated
from edge.procedure.definition import EndedRun
from edge.procedure.phases import Phases
from edge.records.balance import BalanceMass, BalanceTold, Comparison
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.result import Result, WithoutDeclared, invalid
from edge.records.weighing import Weighing, WeighingKind
from edge.uncertainty.budget import loss_budget
from edge.uncertainty.buoyancy import air_around
from edge.uncertainty.room_pressure import room_air
from edge.uncertainty.slopes import Slope
from edge.uncertainty.weighed import Corrections, Weighed

from . import warnings
from .conclude import beside_declared, decided, with_slopes, without_numbers
from .draft import draft_result
from .happened import what_happened
from .plausible import not_a_loss
from .unseen import moved_beside_balance

SAMPLE_IS_SPOILT = (InvalidReason.JUMPED, InvalidReason.GAINED, InvalidReason.HOLDER_EMPTY)
"""What the rig saw happen to the sample itself, whatever weighs it afterwards."""


RIG_ALONE = (
    InvalidReason.NEVER_STABLE,
    InvalidReason.NOT_COLD_AGAIN,
    InvalidReason.NOT_CARRIED_BACK,
    InvalidReason.MASS_MISSING,
)
"""Why the rig alone has no M2: after a hold that is complete the balance's masses need none."""


def balance_told(ended: EndedRun) -> BalanceTold | None:
    """Get what is told of the masses that the laboratory's balance said in a run (None: it said none)."""
    certificate = ended.definition.laboratory_balance
    if certificate is None or not ended.on_balance:
        return None
    newest = {mass.which: i for i, mass in enumerate(ended.on_balance)}
    masses = tuple(
        with_fields(mass, u_g=u_in_use_g(certificate, mass.mass_g), counts=newest[mass.which] == i)
        for i, mass in enumerate(ended.on_balance)
    )
    return BalanceTold(
        name=certificate.name,
        model=certificate.model,
        serial=certificate.serial,
        calibrated_on=certificate.calibrated_on.isoformat(),
        certificate_sha256=balance_hash(certificate),
        masses=masses,
        in_air_s=_in_air_s(ended.phases, next((m for m in masses if m.counts and m.which is WeighingKind.M2), None)),
        to_pump_s=_to_pump_s(ended.phases, next((m for m in masses if m.counts and m.which is WeighingKind.M1), None)),
    )


def judge_on_balance(ended: EndedRun, told: BalanceTold, rig: Result) -> Result:
    """Judge a run by the masses of the laboratory's balance, if it said both; else the rig's result stands.

    ``rig`` is what the rig's own masses say.
    """
    certificate, found = ended.definition.laboratory_balance, {m.which: m for m in told.masses if m.counts}
    m1, m2 = found.get(WeighingKind.M1), found.get(WeighingKind.M2)
    if certificate is None or m1 is None or m2 is None or ended.definition.is_blank:
        said = " and ".join(which.upper() for which in found)
        why = "a blank measures the rig" if ended.definition.is_blank else "the verdict takes both or none"
        line = f"balance {told.name} has said {said} alone: {why}: the masses are the rig's"
        return with_fields(rig, balance=told, warnings=(*rig.warnings, line))
    draft = with_fields(draft_result(ended), balance=told, m1_g=m1.mass_g, m2_g=m2.mass_g, reference_g=m1.mass_g)
    draft = with_fields(draft, reference="m1", happened=rig.happened)
    because = ended.definition.unjudgeable or _in_the_way(ended.phases)
    if because is None and rig.invalid_reason in SAMPLE_IS_SPOILT:
        because = Invalid(rig.invalid_reason, rig.invalid_because or "")
    if because is not None:
        return invalid(draft, because)
    return _judged(ended, draft, _weighed(certificate, m1, m2), rig, told, (m1, m2))


def _in_the_way(phases: Phases) -> Invalid | None:
    """Get why a run is INVALID whatever weighed it (None: after a whole hold only the rig's own mass is missing)."""
    because, whole = phases.invalid, phases.hold_s >= phases.plan.hold_s
    return None if because is None or (whole and because.reason in RIG_ALONE) else because


def _judged(
    ended: EndedRun,
    draft: Result,
    weighed: Weighed,
    rig: Result,
    told: BalanceTold,
    masses: tuple[BalanceMass, BalanceMass],
) -> Result:
    definition, standard = ended.definition, ended.definition.standard
    room = room_air(ended.barometer, weighed.before, weighed.after)
    air = air_around(weighed.before, weighed.after, definition.sample.air, None, room)
    corrections = Corrections(air=air, density_g_cm3=definition.sample.density_g_cm3)
    budget = loss_budget(
        weighed, corrections, coverage=standard.coverage_probability.value, limit_pct=standard.limit_pct.value
    )
    if (because := not_a_loss(ended, weighed, budget)) is not None:
        return invalid(draft, because)
    slopes = moved_beside_balance(ended, *masses)
    if not draft.happened:
        draft = with_fields(draft, happened=what_happened(ended, (), (), slopes))
    result = decided(ended, draft, budget)
    result = with_slopes(result, slopes, None, masses[0].mass_g)
    result = beside_declared(ended, result, weighed, corrections)
    result = _on_what_was_typed(result, rig, masses)
    return _compared(ended, result, rig, told, (masses, slopes))


def _weighed(certificate: BalanceCertificate, m1: BalanceMass, m2: BalanceMass) -> Weighed:
    def weighing(mass: BalanceMass) -> Weighing:
        value = Integrated(mass.mass_g, u_in_use_g(certificate, mass.mass_g), math.inf, 1, 0, 1)
        return Weighing(mass.which, value, mass.weighed_s, mass.weighed_s, math.nan, math.nan, math.nan)

    before = weighing(m1)
    return Weighed(before, weighing(m2), before, laboratory=certificate)


def _on_what_was_typed(result: Result, rig: Result, masses: tuple[BalanceMass, BalanceMass]) -> Result:
    """Say by whom a mass was typed, which is a declaration, and what the rig says without it."""
    by = list(dict.fromkeys(m.who for m in masses if m.how == "typed"))
    if not by:
        return result
    which = "masses" if all(m.how == "typed" for m in masses) else "a mass"
    result = with_fields(result, on_declared=(f"{which} typed by {' and '.join(by)}", *result.on_declared))
    if rig.loss_pct is None or rig.U_pct is None:
        return result
    beside = WithoutDeclared(verdict=rig.verdict, loss_pct=rig.loss_pct, U_pct=rig.U_pct)
    if rig.without_declared is not UNSET:
        beside = rig.without_declared
    return with_fields(result, without_declared=beside)


def _compared(
    ended: EndedRun,
    result: Result,
    rig: Result,
    told: BalanceTold,
    seen: tuple[tuple[BalanceMass, BalanceMass], tuple[Slope, ...]],
) -> Result:
    """Hold the rig's own loss against the balance's; what comes of a contradiction the settings say."""
    masses, slopes = seen
    if rig.loss_pct is None or rig.U_pct is None:
        why = rig.invalid_because or "it has none"
        said = f"the rig's own curve gives no loss to compare with the balance's: {why}"
        return with_fields(result, balance=with_fields(told, rig_says=why), warnings=(*result.warnings, said))
    assert result.loss_pct is not None  # it was decided
    assert result.U_pct is not None
    difference = result.loss_pct - rig.loss_pct
    moved = _moved_between_pct(ended.phases, masses, slopes)
    e_n = max(0.0, abs(difference) - moved) / math.hypot(result.U_pct, rig.U_pct)
    compared = Comparison(
        loss_pct=rig.loss_pct,
        U_pct=rig.U_pct,
        verdict=str(rig.verdict),
        difference_pct=difference,
        moved_pct=moved,
        e_n=e_n,
        agree=e_n <= 1.0,
    )
    result = with_fields(result, balance=with_fields(told, compared=compared))
    if compared.agree:
        return result
    line = warnings.balance_contradicts(result, compared)
    if ended.definition.contradiction == "invalid":
        return without_numbers(result, Invalid(InvalidReason.BALANCE_CONTRADICTS, line))
    return with_fields(result, warnings=(*result.warnings, line))


def _moved_between_pct(phases: Phases, masses: tuple[BalanceMass, BalanceMass], slopes: tuple[Slope, ...]) -> float:
    """Get what may have left or come between the rig's weighings and the balance's, in % of M1, as the slopes say."""
    moved_g = 0.0
    for slope in slopes:
        rig = phases.weighings.get(slope.which)
        mass = next(m for m in masses if m.which is slope.which)
        if rig is not None:
            apart_h = abs(mass.weighed_s - rig.middle_s) / 3600.0
            moved_g += (abs(slope.rate_g_per_h) + 2.0 * slope.u_g_per_h) * apart_h
    return moved_g / masses[0].mass_g * 100.0


def _to_pump_s(phases: Phases, m1: BalanceMass | None) -> float | None:
    """Get for how long the sample was in air from M1 on the balance until the rig began to pump, in s."""
    pump_s = phases.entered_s.get(Phase.PUMP)
    return None if m1 is None or pump_s is None or pump_s < m1.weighed_s else pump_s - m1.weighed_s


def _in_air_s(phases: Phases, m2: BalanceMass | None) -> float | None:
    """Get for how long the sample was off the rig, in air, before M2 was weighed on the balance, in s."""
    if m2 is None:
        return None
    out = [stay.out_s for stay in phases.carrying.for_m2 if stay.out_s <= m2.weighed_s]
    rig = phases.weighings.get(WeighingKind.M2)
    if (
        not out and rig is not None and rig.to_s <= m2.weighed_s
    ):  # nobody announced the way: it began after the rig's M2
        out = [rig.to_s]
    return None if not out else m2.weighed_s - out[-1]
