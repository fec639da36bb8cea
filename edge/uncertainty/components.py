"""The inputs of a loss's budget: each with its estimate, its uncertainty, where it is from and how.

One generator for each thing that may be wrong: the readings, the zero, the cell's coefficients, the air. This module
must never leave out an input because it is inconvenient: what is not known is declared or assumed, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from calibration.balance_certificate import BalanceCertificate, parts_in_use
from calibration.certificate import Certificate
from calibration.propagation import Distribution
from edge.records.result import Origin
from edge.records.weighing import Weighing, WeighingKind

from .blank import REPRODUCES, Blank
from .buoyancy import AirAround
from .earlier_load import Memory
from .room_pressure import PressureChange
from .seen_drift import SeenDrift
from .weather import NIGHT_KPA, per_kpa_g
from .weighed import Corrections, Weighed
from .zero_drift import Drift, Inert, wander

DENSITY_G_CM3 = (1.0, 10.0)  # of a sample of which nothing is declared
HOLDER_CM3 = 20.0  # what holds the sample is at most so large: 160 g of steel
UNSTATED_DRIFT = 0.01
"""Of the load: what a balance of which nobody states anything may drift in a test. A real platform moved by 0.2 % in
six hours under constant load (FACTS); cheap ones by several times that."""
ZERO_SINCE = 0.005
"""Of the capacity: what the empty holder's code may have moved by since the calibration, over power-ups and weather."""
C3_INTERVALS = 3000.0  # of a load cell of class C3, over its capacity
UNKNOWN_K = 5.0  # how far a load cell's temperature may have moved where nobody measured it
SQRT3 = math.sqrt(3.0)


class ComponentName(StrEnum):
    """The inputs of a loss's budget, as the report names them."""

    NOISE_M1 = "noise of M1"
    NOISE_M2 = "noise of M2"
    NOISE_HOLD_START = "noise of the hold's start"
    NOISE_HOLD_END = "noise of the hold's end"
    NOISE_START = "noise of the start mass"
    BALANCE_M1 = "M1 on the balance"
    BALANCE_M2 = "M2 on the balance"
    PUT_BACK = "sample put back on"
    BALANCE_ROUNDING = "rounding of the balance"
    BALANCE_PLACE = "place on the balance"
    BALANCE_LINEARITY = "linearity of the balance"
    RESOLUTION = "resolution of the readings"
    MASS_DIFFERENCE = "mass difference"
    BALANCE_DRIFT = "drift of the balance"
    JUMPS = "jumps of the indication"
    SEEN_DRIFT = "drift seen at M1 and M2"
    HOLD_ROSE = "rise seen in the hold"
    CONVERTER_RESET = "reset of the converter"
    AIR_DENSITY = "air density"
    AIR_CHANGE = "change of the air's density"
    SPECIFIC_VOLUME = "specific volume of the sample"
    HOLDER_VOLUME = "volume of the holder"
    TARE = "tare"
    DRIFT_BETWEEN_ZEROS = "drift between the zeros"
    ZERO_DRIFT = "zero drift"
    ZERO_WALK = "zero walk"
    WEATHER = "air pressure on the cell's zero"
    CREEP = "creep"
    BLANK = "blank"
    EARLIER_LOAD = "memory of an earlier load"
    ZERO_PER_K = "zero temperature coefficient"
    SPAN_PER_K = "span temperature coefficient"
    CELL_TEMP = "cell temperature"
    SPAN = "span"
    SPAN_SINCE = "span since the calibration"
    LINEARITY = "linearity"


NOISE: Mapping[WeighingKind, ComponentName] = MappingProxyType(
    {
        WeighingKind.M1: ComponentName.NOISE_M1,
        WeighingKind.M2: ComponentName.NOISE_M2,
        WeighingKind.HOLD_START: ComponentName.NOISE_HOLD_START,
        WeighingKind.HOLD_END: ComponentName.NOISE_HOLD_END,
        WeighingKind.START: ComponentName.NOISE_START,
    }
)
"""The noise of each weighing that a loss may be made of."""

ON_BALANCE: Mapping[WeighingKind, ComponentName] = MappingProxyType(
    {WeighingKind.M1: ComponentName.BALANCE_M1, WeighingKind.M2: ComponentName.BALANCE_M2}
)
"""A mass as the laboratory's balance indicated it."""

ADDED_G = (
    ComponentName.BLANK,
    ComponentName.ZERO_DRIFT,
    ComponentName.ZERO_WALK,
    ComponentName.WEATHER,
    ComponentName.CREEP,
    ComponentName.EARLIER_LOAD,
    ComponentName.DRIFT_BETWEEN_ZEROS,
    ComponentName.RESOLUTION,
    ComponentName.MASS_DIFFERENCE,
    ComponentName.BALANCE_DRIFT,
    ComponentName.JUMPS,
    ComponentName.SEEN_DRIFT,
    ComponentName.HOLD_ROSE,
    ComponentName.CONVERTER_RESET,
    ComponentName.PUT_BACK,
    ComponentName.BALANCE_ROUNDING,
    ComponentName.BALANCE_PLACE,
    ComponentName.BALANCE_LINEARITY,
)
"""Inputs in g that simply add to the loss that is indicated."""


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the budget: an input of the model, and what it makes in the loss.

    ``value`` and the standard uncertainty ``u`` are in ``unit``; ``contribution_pct`` is |sensitivity|·u in % of the
    reference mass; ``dof`` may be infinite.
    """

    name: ComponentName
    value: float
    u: float
    unit: str
    contribution_pct: float
    origin: Origin
    why: str
    distribution: Distribution = "rectangular"
    dof: float = math.inf


def noise_component(w: Weighing) -> Component:
    """Get a weighing's own noise."""
    v = w.value
    why = f"Allan deviation of {v.n_seen} values; mean over {v.n}"
    return Component(NOISE[w.which], v.mean, v.u, "g", 0.0, "measured", why, "t", v.dof)


_OF_BOTH = {
    "rounding": ComponentName.BALANCE_ROUNDING,
    "eccentricity": ComponentName.BALANCE_PLACE,
    "linearity": ComponentName.BALANCE_LINEARITY,
}


def balance_components(before: Weighing, after: Weighing, certificate: BalanceCertificate) -> Iterator[Component]:
    """Get what the laboratory's balance leaves open of two masses: each weighing is one of its own (cg-18, 7.4).

    Its uncertainty in use is of either mass alone. What is common to both, such as its sensitivity, divides out only as
    far as it stayed the same in between, which nobody states; so nothing is taken off for it.
    """
    for w in (before, after):
        first = parts_in_use(certificate, w.value.mean)[0]
        shape: Distribution = "t" if math.isfinite(first.dof) else "normal"
        name = ON_BALANCE[w.which]
        yield Component(name, w.value.mean, first.u_g, "g", 0.0, "certificate", first.why, shape, first.dof)
    for part in parts_in_use(certificate, before.value.mean)[1:]:
        u_g = math.sqrt(2.0) * part.u_g
        yield Component(_OF_BOTH[part.name], 0.0, u_g, "g", 0.0, "certificate", f"{part.why}; both masses", "normal")


def reading_components(weighed: Weighed) -> Iterator[Component]:
    """Get what a recording's own numbers leave open."""
    certificate, balance = weighed.certificate, weighed.balance
    if balance.resolution_g > 0.0:
        u = balance.resolution_g / math.sqrt(6.0)  # the difference of two readings, each ± half a digit
        why = f"last digit of the recording, {balance.resolution_g:g} g, twice"
        yield Component(ComponentName.RESOLUTION, 0.0, u, "g", 0.0, "measured", why, "triangular")
    if balance.u_mass_g is not None:
        why = "by whoever gave the recording"
        yield Component(ComponentName.MASS_DIFFERENCE, 0.0, balance.u_mass_g, "g", 0.0, "declared", why, "normal")
    elif certificate is None:
        u = UNSTATED_DRIFT * abs(weighed.reference.value.mean) / SQRT3
        why = f"not stated with the recording: ±{UNSTATED_DRIFT * 100:g} % of the load"
        yield Component(ComponentName.BALANCE_DRIFT, 0.0, u, "g", 0.0, "assumed", why)


def put_back_component(certificate: Certificate, times: int, load_g: float) -> Component:
    """Get what another place on the holder makes, as it was measured, or as class C3 lets it.

    Measured: both masses lie somewhere within the eccentricity, in proportion to the load (EURAMET cg-18), and repeat
    as they did. Else a corner differs by an interval of class C3 (OIML R 76-1, 3.6.2).
    """
    often = f"taken off and put back {times} time{'s' if times > 1 else ''}"
    placing = certificate.placing
    if placing is not None:
        edge_g = placing.eccentricity_g * load_g / placing.weight_g
        u = math.sqrt(2.0) * math.hypot(edge_g / SQRT3, placing.repeatability_g)
        why = f"{often}: ±{edge_g:.2g} g by its place, s = {placing.repeatability_g:.2g} g"
        return Component(ComponentName.PUT_BACK, 0.0, u, "g", 0.0, "certificate", why, "normal")
    half_g = certificate.cell.capacity_g / C3_INTERVALS * math.sqrt(times)
    why = f"{often}: ±1/{C3_INTERVALS:g} of the capacity each"
    return Component(ComponentName.PUT_BACK, 0.0, half_g / SQRT3, "g", 0.0, "assumed", why)


def jump_component(net_g: float, u_g: float) -> Component:
    """Get what jumps of ``net_g`` in all leave open: each is an artefact, or a loss that is none of evaporation's."""
    u = math.hypot(net_g / SQRT3, u_g)
    why = f"they add up to {net_g:+.3g} g between the two masses: any of it may be in the loss"
    return Component(ComponentName.JUMPS, 0.0, u, "g", 0.0, "measured", why)


def seen_drift_component(seen: SeenDrift) -> Component:
    """Get what a drift that both weighings show leaves open: that it went on all night, or that it is the sample's."""
    why = f"the indication moves by {seen.rate_g_per_h:+.3g} g an hour at both: {seen.gained_g:+.3g} g if it always did"
    return Component(ComponentName.SEEN_DRIFT, 0.0, abs(seen.gained_g) / SQRT3, "g", 0.0, "measured", why)


def hold_rose_component(rose_g: float) -> Component:
    """Get what a rise within the hold leaves open: a balance that went up by so much may be off by it at each mass."""
    why = f"the indication rose by {rose_g:.3g} g within the hold, which no sample does"
    return Component(ComponentName.HOLD_ROSE, 0.0, rose_g / SQRT3, "g", 0.0, "measured", why)


def earlier_load_component(memory: Memory, before: Weighing) -> Component:
    """Get what comes back of earlier loads' creep between the masses, which the loss is corrected for."""
    chief, origin = memory.chief, memory.chief.rest
    off_h = max(0.0, before.middle_s - chief.off_s) / 3600.0
    others = f", with {memory.others} others" if memory.others else ""
    why = (
        f"{chief.of}{others}: {chief.mass_g:.4g} g hung for {chief.hung_s / 3600.0:.2g} h, off for {off_h:.2g} h at M1"
    )
    return Component(ComponentName.EARLIER_LOAD, -memory.gained_g, memory.u_g, "g", 0.0, origin, why)


def reset_component(net_g: float, u_g: float, unseen: int) -> Component:
    """Get what resets of the converter did to the indication: ``net_g`` in all, which the loss is corrected for.

    Of ``unseen`` of them the step is assumed.
    """
    why = f"its zero and gain step at each power-up: {net_g:+.3g} g between the two masses"
    if unseen:
        why += f"; of {unseen} nobody saw the step"
    origin: Origin = "assumed" if unseen else "measured"
    return Component(ComponentName.CONVERTER_RESET, -net_g, u_g, "g", 0.0, origin, why, "normal")


def air_components(
    around: AirAround, density_g_cm3: tuple[float, float] | None, *, holder: bool
) -> Iterator[Component]:
    """Get what is not known of the air and of what it carries."""
    yield Component(
        ComponentName.AIR_DENSITY,
        around.m1_g_cm3,
        around.u_m1,
        "g/cm³",
        0.0,
        around.origin,
        f"at M1: {around.why}",
        "normal",
    )
    distribution: Distribution = "rectangular" if around.change_origin == "assumed" else "normal"
    yield Component(
        ComponentName.AIR_CHANGE,
        around.change_g_cm3,
        around.u_change,
        "g/cm³",
        0.0,
        around.change_origin,
        around.change_why,
        distribution,
    )
    bounds = DENSITY_G_CM3 if density_g_cm3 is None else density_g_cm3
    low, high = 1.0 / bounds[1], 1.0 / bounds[0]
    why = f"sample between {bounds[0]:.4g} and {bounds[1]:.4g} g/cm³"
    u = (high - low) / 2.0 / SQRT3
    origin: Origin = "assumed" if density_g_cm3 is None else "declared"
    yield Component(ComponentName.SPECIFIC_VOLUME, (low + high) / 2.0, u, "cm³/g", 0.0, origin, why)
    if holder:
        half = HOLDER_CM3 / 2.0
        why = f"at most {HOLDER_CM3:g} cm³"
        yield Component(ComponentName.HOLDER_VOLUME, half, half / SQRT3, "cm³", 0.0, "assumed", why)


def creep_and_blank(cert: Certificate, before: Weighing, blank: Blank | None, *, loaded_at_known: bool = True) -> Inert:
    """Get what an inert load seems to gain between the weighings, by the certificate's creep and by a blank.

    These are two statements about one quantity: their weighted mean (by 1/u²), so that a blank noisier than the creep
    hardly counts. What a load makes a cell creep is in proportion to it (OIML R 60-1, 5.3.1 states it for a load).
    Where nobody knows when the load was put on (a recording), as much as it creeps in all may come, or nothing.
    """
    stability, load_g = cert.stability, abs(before.value.mean)
    gained_g, u = (pct / 100.0 * load_g for pct in (stability.creep_gained_pct, stability.u_creep_pct))
    whole_g = abs(stability.creep_whole_pct) / 100.0 * load_g
    why = f"±{stability.creep_pct_fs:.3g} % of the load after the dwell"
    if stability.u_creep_gained_pct > 0.0:
        why = f"{stability.creep_gained_pct:+.3g} ± {stability.u_creep_gained_pct:.2g} % of the load, corrected"
        if not loaded_at_known:
            u = math.hypot(u, max(abs(gained_g), whole_g) / SQRT3)
            gained_g, why = 0.0, f"when the load was put on is not known: nothing to ±{u / load_g * 100.0:.2g} % of it"
    if blank is None:
        return Inert(gained_g, u, math.inf, f"creep {why}", whole_g)
    u_blank_g = blank.u_g
    if blank.again_u_g is not None:
        u_blank_g = math.hypot(u_blank_g, blank.again_u_g)
    elif stability.u_creep_gained_pct > 0.0:  # older certificates' runs are judged as they were
        u_blank_g = math.hypot(u_blank_g, REPRODUCES * blank.loss_g / SQRT3)
    weight = u * u / (u * u + u_blank_g**2) if u > 0.0 else 0.0
    fixed = "" if blank.fixed_g is None else f" ({blank.fixed_g:+.4f} g of it the zero's and the holder's)"
    found = f"{blank.name}: {blank.loss_g:.4f} g ± {u_blank_g:.4f} g{fixed}"
    why = f"{found}, weight {weight:.2f} against creep {why}"
    gained_g += weight * (-blank.loss_g - gained_g)
    return Inert(gained_g, math.sqrt(weight) * u_blank_g, blank.dof, why, whole_g)


def zero_components(
    cert: Certificate, weighed: Weighed, inert: Inert, drift: Drift | None, corrections: Corrections
) -> Iterator[Component]:
    """Get what the zero does on its own and under load: as the certificate says, or as the second zero shows."""
    stability, before, after, tare = cert.stability, weighed.before, weighed.after, weighed.tare
    if tare is not None:
        why = f"Allan deviation of {tare.value.n_seen} s with the holder empty"
        yield Component(ComponentName.TARE, 0.0, tare.value.u, "count", 0.0, "measured", why, "t", tare.value.dof)
    elif cert.tare_counts is not None:
        u = ZERO_SINCE * cert.cell.capacity_g * abs(cert.span.counts_per_g) / SQRT3
        why = f"of the certificate, since when the zero may have moved by ±{ZERO_SINCE * 100:g} % of the capacity"
        yield Component(ComponentName.TARE, 0.0, u, "count", 0.0, "certificate", why)
    if drift is not None:
        name, value = ComponentName.DRIFT_BETWEEN_ZEROS, -drift.gained_g
        yield Component(name, value, drift.u_g, "g", 0.0, "measured", drift.why, "t", drift.dof)
        return
    apart_h = max(0.0, after.middle_s - before.middle_s) / 3600.0
    own = wander(cert, apart_h)
    if own.how == "drifts":
        yield Component(ComponentName.ZERO_DRIFT, 0.0, own.u_g, "g", 0.0, "certificate", own.why, "t", own.dof)
    else:
        why = f"±{stability.zero_drift_g:g} g over a test"
        yield Component(ComponentName.ZERO_DRIFT, 0.0, stability.zero_drift_g / SQRT3, "g", 0.0, "certificate", why)
    if own.u_g > 0.0 and own.how != "drifts":
        yield Component(ComponentName.ZERO_WALK, 0.0, own.u_g, "g", 0.0, "certificate", own.why, "t", own.dof)
    yield weather_component(cert, corrections.pressure_change)
    if corrections.blank is None:
        shape: Distribution = "normal" if stability.u_creep_gained_pct > 0.0 else "rectangular"
        why = inert.why.removeprefix("creep ")
        yield Component(ComponentName.CREEP, -inert.gained_g, inert.u_g, "g", 0.0, "certificate", why, shape)
    else:
        yield Component(
            ComponentName.BLANK, -inert.gained_g, inert.u_g, "g", 0.0, "measured", inert.why, "t", inert.dof
        )


def weather_component(cert: Certificate, changed: PressureChange | None) -> Component:
    """Get what the air's pressure does to the cell's zero.

    By the certificate, where that was measured: then a change of the pressure that was read is corrected for. Else one
    verification interval a kPa (OIML R 60-1, 5.6.2), taken to be a ten-thousandth of the capacity. ``changed`` is how
    far the pressure changed from M1 to M2 where both were read (None: ±1 kPa is assumed).
    """
    each_g, measured = per_kpa_g(cert), cert.stability.zero_g_per_kpa
    name = ComponentName.WEATHER
    pressure = f"±{NIGHT_KPA:g} kPa" if changed is None else f"{changed.kpa:+.2g} kPa"
    why = f"{each_g:.3g} g a kPa{'' if measured is None else ', measured'}, {pressure} from M1 to M2"
    if changed is None:
        return Component(name, 0.0, each_g * NIGHT_KPA / SQRT3, "g", 0.0, "assumed", why)
    if measured is None:
        half_g = each_g * math.hypot(changed.kpa, changed.half_kpa / SQRT3)
        return Component(name, 0.0, half_g / SQRT3, "g", 0.0, changed.origin, why)
    u_g = math.hypot(cert.stability.u_zero_g_per_kpa * changed.kpa, each_g * changed.half_kpa / SQRT3)
    return Component(name, -measured * changed.kpa, u_g, "g", 0.0, changed.origin, f"{why}, corrected", "normal")


def cell_components(cert: Certificate, before: Weighing, after: Weighing, span_change: float) -> Iterator[Component]:
    """Get what the load cell's coefficients leave open."""
    t, s = cert.temperature, abs(cert.span.counts_per_g)
    apart_k = after.cell_temp_c - before.cell_temp_c
    if math.isfinite(apart_k):
        why = f"times {apart_k:+.2f} K between the weighings"
        u_k, u_why = t.u_cell_temp_c * math.sqrt(2.0), "of the difference of two readings"
    else:
        why = "times a difference that is not known"
        u_k, u_why = UNKNOWN_K, f"not recorded: {UNKNOWN_K:g} K assumed, nothing corrected"
    origin: Origin = "certificate" if math.isfinite(apart_k) else "assumed"
    k, u = t.zero_counts_per_k, t.u_zero_counts_per_k
    yield Component(ComponentName.ZERO_PER_K, k, u, "count/K", 0.0, "certificate", why, "normal")
    k, u = t.span_per_k, t.u_span_per_k
    yield Component(ComponentName.SPAN_PER_K, k, u, "1/K", 0.0, "certificate", why, "normal")
    yield Component(ComponentName.CELL_TEMP, 0.0, u_k, "K", 0.0, origin, u_why, "normal")
    why = "divides out: both masses and the reference share it"
    yield Component(ComponentName.SPAN, 0.0, cert.span.u_counts_per_g / s, "1", 0.0, "certificate", why, "normal")
    if span_change != 0.0:
        why = f"the check weight shows {span_change * 100:+.3g} %: by as much it may have changed between M1 and M2"
        yield Component(ComponentName.SPAN_SINCE, 0.0, abs(span_change) / SQRT3, "1", 0.0, "measured", why)
    u = cert.linearity.u_linearity_per_g
    yield Component(ComponentName.LINEARITY, 0.0, u, "1/g", 0.0, "certificate", "over the mass that was lost", "normal")
