"""Warnings: what a reader must be told of a run beside its numbers, one line each, with what to do.

This module must never decide anything: it words what others found.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

from calibration.certificate import out_of_range
from edge.procedure.definition import RunDefinition
from edge.procedure.phases import Phases
from edge.records.balance import Comparison
from edge.records.barometer import BarometerTold
from edge.records.formatting import significant
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import PA_PER_HPA, Air
from edge.records.weighing import Weighing, WeighingKind
from edge.uncertainty.budget import Budget
from edge.uncertainty.buoyancy import AirAround
from edge.uncertainty.components import DENSITY_G_CM3
from edge.uncertainty.earlier_load import Memory
from edge.uncertainty.room_pressure import RoomAir
from edge.uncertainty.seen_drift import SeenDrift
from edge.uncertainty.span_check import SpanCheck
from edge.uncertainty.weather import NIGHT_KPA
from edge.uncertainty.zero_drift import Drift

APART_PA = 500.0
"""So far a barometer and a person may be apart: each is good to 1 hPa, and the weather moves between two looks."""


def about_certificate(definition: RunDefinition, on: datetime.date, weighed: Sequence[Weighing | None]) -> list[str]:
    """Get what is to be said of the certificate: out of date, written by hand, out of its range."""
    certificate = definition.certificate
    if certificate is None:
        return []
    out = []
    if certificate.valid_until is not None and on > certificate.valid_until:
        out.append(f"certificate {certificate.name} was valid until {certificate.valid_until}: calibrate again")
    if not certificate.recorded and definition.kind is not RunKind.SIMULATED:  # a simulated rig's is drawn
        out.append(f"certificate {certificate.name} has no recorded calibration: it was written by hand")
    outside = (out_of_range(certificate, w.value.mean, w.cell_temp_c) for w in weighed if w is not None)
    return out + list(dict.fromkeys(line for line in outside if line is not None))


def steps_not_taken(phases: Phases) -> list[str]:
    """Get the steps announced for after M2 that were not taken."""
    plan, found = phases.plan, phases.weighings
    if WeighingKind.M2 not in found:
        return []
    out = []
    if plan.zero_after and WeighingKind.ZERO not in found:
        out.append("the second zero that was announced was not taken: the drift is what the certificate says")
    if plan.check_weight_g > 0.0 and WeighingKind.CHECK not in found:
        out.append("the check weight that was announced was not put on: the span is what the certificate says")
    return out


def not_the_same_air(around: AirAround) -> str:
    """Say why M1 and M2 cannot be compared where a gauge saw their air differ and no density is declared."""
    light, heavy = (around.change_g_cm3 / density * 100.0 for density in reversed(DENSITY_G_CM3))
    return (
        f"{around.differs}: a sample of unknown density seems {abs(light):.2g} to {abs(heavy):.2g} % "
        f"{'heavier' if heavy < 0.0 else 'lighter'} for it: weigh both in the same air, or declare its density"
    )


def air_corrected(around: AirAround) -> str:
    """Say what a correction for air that a gauge saw to differ rests on."""
    return (
        f"{around.differs}: the sample's buoyancy is corrected by its declared density; that the load cell's zero "
        "does not move with the pressure is declared"
    )


def barometer_unused(room: RoomAir, readings: Sequence[BarometerTold]) -> str:
    """Say that a barometer was there and its pressure is not used, and what is taken instead."""
    bad = [r.status for r in readings if math.isnan(r.pressure_pa)]
    seen = f" ({len(bad)} of {len(readings)} readings are no pressure)" if bad else ""
    return (
        f"barometer: {room.unused}{seen}: what the weather did is what was declared, or ±{NIGHT_KPA:g} kPa: "
        "halfpercent doctor says what is wrong with it"
    )


def air_beside_barometer(room: RoomAir, declared: Sequence[Air]) -> list[str]:
    """Get the line that says that a declared pressure is not what the barometer measured, where it is not."""
    if room.at_m1 is None or not declared or abs(declared[0].pressure_hpa * PA_PER_HPA - room.at_m1.pa) < APART_PA:
        return []
    return [
        f"air: {declared[0].pressure_hpa:g} hPa was declared, the barometer measured {room.at_m1.pa / PA_PER_HPA:.0f} "
        "hPa, which counts: a weather report's pressure is that at the sea"
    ]


def zero_moved(drift: Drift) -> str:
    """Say that the zero moved by more than was to be expected."""
    return (
        f"the zero moved by {drift.moved_g:+.3g} g, more than twice the {drift.expected_u_g:.2g} g that certificate "
        "and creep let expect: the uncertainty is widened; calibrate again, and look for what touches the holder"
    )


def rest_assumed(memory: Memory) -> str:
    """Say that nobody knows since when the holder was empty before a run, and what would say it."""
    chief = memory.chief
    return (
        f"when the load of {chief.of} was taken off is not known: it is taken to have hung until "
        f"{-chief.off_s / 60.0:.0f} min before this run (see the budget): take a second zero, or say at the start "
        "since when the holder is empty"
    )


def span_changed(check: SpanCheck) -> str:
    """Say that the check weight does not read what it should, or what it read before M1."""
    if check.before_g is not None:
        return (
            f"the check weight read {check.before_g:.7g} g before M1 and reads {check.indicated_g:.7g} g after M2: the "
            "span changed in between, and so may have the loss (see the budget): calibrate again"
        )
    return (
        f"the check weight reads {check.indicated_g:.4g} g instead of {check.load_g:.5g} g: the span has changed, and "
        "if it did between M1 and M2 so did the loss (see the budget): calibrate again"
    )


def span_changed_before(check: SpanCheck) -> str:
    """Say that the span is another than the calibration's, and was it before M1."""
    return (
        f"the check weight reads {check.indicated_g:.4g} g instead of {check.load_g:.5g} g, before M1 as after M2: the "
        "span changed before the test and not in it, and divides out of the loss: calibrate again"
    )


def sample_gained(budget: Budget) -> str:
    """Say that the sample seems to have gained, beyond U."""
    return (
        f"the sample gained {-budget.loss_pct:.3g} %, more than U: a sample does not; look for moisture, for what "
        "touches the holder, and at the drift of the balance"
    )


def balance_contradicts(result: Result, compared: Comparison) -> str:
    """Say that the laboratory's balance, on which a result rests, and the rig contradict each other, and what to do."""
    return (
        f"the balance says {result.loss_pct:.3g} ± {result.U_pct:.2g} %, the rig {compared.loss_pct:.3g} ± "
        f"{compared.U_pct:.2g} % (E_n = {compared.e_n:.1f}): one of them is wrong: check both with a weight, look at "
        "which sample lay where, and test again"
    )


def display_too_coarse(resolution_g: float, limit_g: float) -> str:
    """Say that a display cannot show the limit."""
    return (
        f"a display of {resolution_g:g} g cannot show a limit of {limit_g:.3g} g: use one of {limit_g / 10.0:.1g} g or "
        "finer"
    )


def readings_refused(count: int) -> str:
    """Say that single readings were refused as glitches, and no other is in their second."""
    return f"{count} readings were refused as glitches, and nothing else was seen in their seconds"


def perhaps_kilograms(mass_g: float) -> str:
    """Ask whether masses are kilograms."""
    return f"the sample weighs {mass_g:.4g} g: if these are kilograms, say so (mass_kg)"


def still_moving(more_pct: float) -> str:
    """Say that the sample was not at rest at a weighing, and by how much more it lost at least."""
    return (
        f"the sample was not at rest at a weighing: it lost at least {more_pct:.2g} % more than the two masses say "
        "(what left before M1, or came back before M2; carried back an hour at most, not corrected)"
    )


def rig_rises(rate_g_per_h: float, more_pct: float) -> str:
    """Say that the rig itself rises, by the end of the hold, and how much of the loss it hides at least."""
    return (
        f"at the end of the hold the indication rose by {significant(rate_g_per_h * 1e3, 2)} mg an hour, which no "
        f"sample in a vacuum does: the rig drifts, and hides {more_pct:.2g} % or so (not corrected): take a second "
        "zero; calibrate again"
    )


def drift_at_both(seen: SeenDrift) -> str:
    """Say that M1 and M2 move alike, which a balance does that drifts."""
    return (
        f"the indication moves by {significant(seen.rate_g_per_h * 1e3, 2, '+')} mg an hour at M1 and at M2 alike, as "
        f"a balance does that drifts, and by {seen.gained_g:+.3g} g from one to the other if it always did: the "
        "uncertainty is widened; take a second zero"
    )


def mount_agrees(void_because: str) -> str:
    """Say that a check weight has agreed with a certificate that did not hold by itself."""
    return f"{void_because}: the check weight agrees; what temperature does is taken to be as it was calibrated"


def zero_across_reset() -> str:
    """Get the warning of a second zero that says nothing of the rig's drift."""
    return (
        "the converter was reset between the tare and the second zero: that zero is not used; with a check weight "
        "after it (said at the start) both say what a reset between the masses did"
    )
