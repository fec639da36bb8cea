"""The inputs of a loss's budget: each with its estimate, its uncertainty, where it is from and how.

One generator for each thing that may be wrong: the readings, the zero, the cell's coefficients, the air. This module
must never leave out an input because it is inconvenient: what is not known is declared or assumed, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from calibration.certificate import Certificate
from calibration.propagation import Distribution
from edge.records.weighing import Weighing

from .blank import Blank
from .buoyancy import AirAround
from .zero_drift import Drift, Inert

Origin = Literal["measured", "certificate", "declared", "assumed"]

DENSITY_G_CM3 = (1.0, 10.0)  # of a sample of which nothing is declared
HOLDER_CM3 = 20.0  # what holds the sample is at most so large: 160 g of steel
UNKNOWN_K = 5.0  # how far a load cell's temperature may have moved where nobody measured it
SQRT3 = math.sqrt(3.0)
LABELS = {
    "m1": "M1",
    "m2": "M2",
    "hold_start": "the hold's start",
    "hold_end": "the hold's end",
    "start": "the start mass",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the budget: an input of the model, and what it makes in the loss.

    ``value`` and the standard uncertainty ``u`` are in ``unit``; ``contribution_pct`` is |sensitivity|·u in % of the
    reference mass; ``dof`` may be infinite.
    """

    name: str
    value: float
    u: float
    unit: str
    contribution_pct: float
    origin: Origin
    why: str
    distribution: Distribution = "rectangular"
    dof: float = math.inf


def noise_name(which: str) -> str:
    """Get the name of a weighing's noise among the inputs."""
    return f"noise of {LABELS.get(which, which)}"


def reading_components(
    certificate: Certificate | None, resolution_g: float, declared_u_g: float | None
) -> Iterator[Component]:
    """Get what a recording's own numbers leave open."""
    if resolution_g > 0.0:
        u = resolution_g / math.sqrt(6.0)  # the difference of two readings, each ± half a digit
        why = f"last digit of the recording, {resolution_g:g} g, twice"
        yield Component("resolution of the readings", 0.0, u, "g", 0.0, "measured", why, "triangular")
    if declared_u_g is not None:
        why = "by whoever gave the recording"
        yield Component("mass difference", 0.0, declared_u_g, "g", 0.0, "declared", why, "normal")
    elif certificate is None:
        why = "not stated with the recording: taken as none"
        yield Component("drift of the balance", 0.0, 0.0, "g", 0.0, "assumed", why)


def air_components(
    around: AirAround, density_g_cm3: tuple[float, float] | None, *, holder: bool
) -> Iterator[Component]:
    """Get what is not known of the air and of what it carries."""
    yield Component(
        "air density", around.m1_g_cm3, around.u_m1, "g/cm³", 0.0, around.origin, f"at M1: {around.why}", "normal"
    )
    distribution: Distribution = "rectangular" if around.change_origin == "assumed" else "normal"
    yield Component(
        "change of the air's density",
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
    yield Component("specific volume of the sample", (low + high) / 2.0, u, "cm³/g", 0.0, origin, why)
    if holder:
        half = HOLDER_CM3 / 2.0
        why = f"at most {HOLDER_CM3:g} cm³"
        yield Component("volume of the holder", half, half / SQRT3, "cm³", 0.0, "assumed", why)


def creep_and_blank(cert: Certificate, before: Weighing, blank: Blank | None) -> Inert:
    """Get what an inert load seems to gain between the weighings, by the certificate's creep and by a blank.

    These are two statements about one quantity, 0 ± creep and the blank's: their weighted mean (by 1/u²), so that a
    blank noisier than the creep hardly counts. What a load makes a cell creep is in proportion to it (OIML R 60-1,
    5.3.1 states it for a load).
    """
    u = cert.stability.creep_pct_fs / 100.0 * abs(before.value.mean) / SQRT3
    why = f"±{cert.stability.creep_pct_fs:.3g} % of the load after the dwell"
    if blank is None:
        return Inert(0.0, u, math.inf, f"creep {why}")
    weight = u * u / (u * u + blank.u_g**2) if u > 0.0 else 0.0
    why = f"{blank.name}: {blank.loss_g:.4f} g ± {blank.u_g:.4f} g, weight {weight:.2f} against creep {why}"
    return Inert(-weight * blank.loss_g, math.sqrt(weight) * blank.u_g, blank.dof, why)


def zero_components(
    cert: Certificate,
    before: Weighing,
    after: Weighing,
    tare: Weighing | None,
    inert: Inert,
    drift: Drift | None,
    blank: Blank | None,
) -> Iterator[Component]:
    """Get what the zero does on its own and under load: as the certificate says, or as the second zero shows."""
    stability = cert.stability
    if tare is not None:
        why = f"Allan deviation of {tare.value.n_seen} s with the holder empty"
        yield Component("tare", 0.0, tare.value.u, "count", 0.0, "measured", why, "t", tare.value.dof)
    if drift is not None:
        name, value = "drift between the zeros", -drift.gained_g
        yield Component(name, value, drift.u_g, "g", 0.0, "measured", drift.why, "t", drift.dof)
        return
    u = stability.zero_drift_g / SQRT3
    yield Component("zero drift", 0.0, u, "g", 0.0, "certificate", f"±{stability.zero_drift_g:g} g over a test")
    if stability.zero_walk_g > 0.0:
        apart_h = max(0.0, after.to_s + after.from_s - before.to_s - before.from_s) / 2.0 / 3600.0
        u = stability.zero_walk_g * math.sqrt(apart_h)
        why = f"{stability.zero_walk_g:.3g} g after one hour, by the root of {apart_h:.2f} h"
        yield Component("zero walk", 0.0, u, "g", 0.0, "certificate", why, "t", stability.zero_walk_dof)
    if blank is None:
        yield Component("creep", 0.0, inert.u_g, "g", 0.0, "certificate", inert.why.removeprefix("creep "))
    else:
        yield Component("blank", -inert.gained_g, inert.u_g, "g", 0.0, "measured", inert.why, "t", inert.dof)


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
    yield Component("zero temperature coefficient", k, u, "count/K", 0.0, "certificate", why, "normal")
    k, u = t.span_per_k, t.u_span_per_k
    yield Component("span temperature coefficient", k, u, "1/K", 0.0, "certificate", why, "normal")
    yield Component("cell temperature", 0.0, u_k, "K", 0.0, origin, u_why, "normal")
    why = "divides out: both masses and the reference share it"
    yield Component("span", 0.0, cert.span.u_counts_per_g / s, "1", 0.0, "certificate", why, "normal")
    if span_change != 0.0:
        why = f"the check weight shows {span_change * 100:+.3g} %: by as much it may have changed between M1 and M2"
        yield Component("span since the calibration", 0.0, abs(span_change) / SQRT3, "1", 0.0, "measured", why)
    u = cert.linearity.u_linearity_per_g
    yield Component("linearity", 0.0, u, "1/g", 0.0, "certificate", "over the mass that was lost", "normal")
