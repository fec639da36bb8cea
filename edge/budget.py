"""The uncertainty budget of a loss: what is not known, how much it moves the result, and where that is from.

One measurement model and one list of its inputs; GUM's first order (JCGM 100:2008) and Monte Carlo (JCGM 101:2008)
both propagate it, and where they disagree the wider one counts. This module must never leave out an input because it
is inconvenient: what is not known is declared or assumed, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from calibration.certificate import Certificate
from calibration.propagation import Distribution, Input, Simulated, first_order, simulate, tolerance

from .blank import Blank
from .words import Weighing

Origin = Literal["measured", "certificate", "declared", "assumed"]

# Weather, door and heating over a test: how far the air's density may move between two cold weighings.
AIR_DENSITY_G_CM3 = 1.184e-3
AIR_DENSITY_CHANGE = 0.02
DENSITY_G_CM3 = (1.0, 10.0)  # of a sample of which nothing is declared
UNKNOWN_K = 5.0  # how far a load cell's temperature may have moved where nobody measured it
SQRT3 = math.sqrt(3.0)
ADDED_G = (
    "blank",
    "zero drift",
    "zero walk",
    "creep",
    "resolution of the readings",
    "mass difference",
    "drift of the balance",
)
"""Inputs in g that simply add to the loss that is indicated."""
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


@dataclass(frozen=True, slots=True)
class Budget:
    """A loss in % with its components, combined.

    ``u_pct`` and ``expanded_pct`` are of the method that was used; ``first_order_u_pct`` is GUM's own, ``simulated``
    Monte Carlo's, ``k`` the ratio of expanded to standard uncertainty.
    """

    loss_pct: float
    components: tuple[Component, ...]
    u_pct: float
    expanded_pct: float
    dof: float
    first_order_u_pct: float
    first_order_expanded_pct: float
    simulated: Simulated | None
    method: Literal["first order", "Monte Carlo"]

    @property
    def k(self) -> float:
        """Get the coverage factor k = U / u (2 where there is no uncertainty at all)."""
        return self.expanded_pct / self.u_pct if self.u_pct > 0.0 else 2.0


def coverage_factor(coverage: float, dof: float) -> float:
    """Get k: Student's t for νeff (not truncated), two-sided; the normal quantile where νeff is infinite."""
    from scipy import special  # a quarter of a second to load: only when there is something to judge

    p = (1.0 + coverage) / 2.0
    return float(special.stdtrit(dof, p) if dof < 1e6 else special.ndtri(p))


def of_loss(
    before: Weighing,
    after: Weighing,
    reference: Weighing,
    *,
    coverage: float,
    certificate: Certificate | None,
    tare: Weighing | None = None,
    resolution_g: float = 0.0,
    declared_u_g: float | None = None,
    density_g_cm3: tuple[float, float] = DENSITY_G_CM3,
    blank: Blank | None = None,
    seed: int | None = 1,
) -> Budget:
    """Get the budget of w = (before − after) / reference · 100 %.

    Masses in g, their noise from the Allan deviation of their own windows. ``certificate`` gives what the load cell
    may do (None: the recording is of masses, and only their noise, ``resolution_g`` and ``declared_u_g``, the standard
    uncertainty of a mass difference, are known). ``density_g_cm3`` bounds the sample's density. That both weighings
    were made at the same pressure is not in the budget: where it was not measured, the report says that it is declared.
    ``blank`` is subtracted. ``seed`` is Monte Carlo's (None: first order alone, for a forecast).
    """
    model = _Loss(before, after, reference, certificate)
    lines = list(_lines(before, after, reference, certificate, tare, resolution_g, declared_u_g, density_g_cm3, blank))
    return combine(model, lines, coverage, seed)


def combine(model: Any, lines: Sequence[Component], coverage: float, seed: int | None) -> Budget:
    """Propagate the inputs by both methods and take the wider (JCGM 101, 8.1).

    They agree where both ends of Monte Carlo's interval lie within its numerical tolerance of w ± U.
    """
    inputs = [Input(c.name, c.value, c.u, c.distribution, c.dof) for c in lines]
    gum = first_order(model, inputs)
    components = tuple(
        Component(c.name, c.value, c.u, c.unit, abs(gum.contributions[c.name]), c.origin, c.why, c.distribution, c.dof)
        for c in lines
    )
    expanded = coverage_factor(coverage, gum.dof) * gum.u
    if seed is None or not gum.u > 0.0:
        return Budget(gum.y, components, gum.u, expanded, gum.dof, gum.u, expanded, None, "first order")
    mc = simulate(model, inputs, coverage=coverage, seed=seed)
    half = max(mc.high - gum.y, gum.y - mc.low)
    wider = half - expanded > tolerance(gum.u, 2)
    return Budget(
        gum.y,
        components,
        max(gum.u, mc.u) if wider else gum.u,
        half if wider else expanded,
        gum.dof,
        gum.u,
        expanded,
        mc,
        "Monte Carlo" if wider else "first order",
    )


class _Loss:
    """The measurement model: indicated masses and what may be wrong with them, to the loss in %.

    An indicated mass is taken back to the code that gave it and made a mass again with the coefficients as they may
    truly be; so products of errors are kept, and what divides out does so by itself.
    """

    def __init__(self, before: Weighing, after: Weighing, reference: Weighing, cert: Certificate | None) -> None:
        self._cert = cert
        self._names = [before.which, after.which, reference.which]
        t_ref_c = cert.temperature.t_ref_c if cert is not None else 0.0
        cells = [w.cell_temp_c for w in (before, after, reference)]
        self._known = all(math.isfinite(c) for c in cells)
        # Not known: the second weighing is UNKNOWN_K·x away from the first, and nothing was corrected.
        self._dt_k = [c - t_ref_c for c in cells] if self._known else [0.0, 0.0, 0.0]

    def __call__(self, x: Mapping[str, Any]) -> Any:
        before, after, reference = (
            self._mass(x, name, dt_k, i) for i, (name, dt_k) in enumerate(zip(self._names, self._dt_k, strict=True))
        )
        lost = before - after - sum(x[name] for name in ADDED_G if name in x)
        return lost / reference * 100.0

    def _mass(self, x: Mapping[str, Any], which: str, dt_k: float, i: int) -> Any:
        g = x[_noise_of(which)]
        cert = self._cert
        if cert is not None:
            s, t = cert.span.counts_per_g, cert.temperature
            # the code above the zero that gave this mass, as it was corrected
            code = g * s * (1.0 + t.span_per_k * dt_k) + t.zero_counts_per_k * dt_k
            # and a mass again, with what the coefficients and the temperature may truly be
            true_k = dt_k + (x["cell temperature"] if i == 1 else 0.0)
            zero_per_k, span_per_k = x["zero temperature coefficient"], x["span temperature coefficient"]
            if not self._known:
                code = g * s
                true_k = x["cell temperature"] if i == 1 else 0.0
            zero = x.get("tare", 0.0) + zero_per_k * true_k
            g = (code - zero) / (s * (1.0 + x["span"]) * (1.0 + span_per_k * true_k))
            g = g + x["linearity"] * g * g
        if self._names[0] == "m1":
            air = AIR_DENSITY_G_CM3 * (1.0 + (x["air density"] if i == 1 else 0.0))
            g = g / (1.0 - air * x["specific volume of the sample"])
        return g


def _noise_of(which: str) -> str:
    return f"noise of {LABELS.get(which, which)}"


def _lines(
    before: Weighing,
    after: Weighing,
    reference: Weighing,
    certificate: Certificate | None,
    tare: Weighing | None,
    resolution_g: float,
    declared_u_g: float | None,
    density_g_cm3: tuple[float, float],
    blank: Blank | None,
) -> Iterator[Component]:
    """Get the inputs of the model, each with its uncertainty and where it is from."""
    for w in {w.which: w for w in (before, after, reference)}.values():
        v = w.value
        why = f"Allan deviation of {v.n_seen} values; mean over {v.n}"
        yield Component(_noise_of(w.which), v.mean, v.u, "g", 0.0, "measured", why, "t", v.dof)
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
    if certificate is not None:
        yield from _of_cell(certificate, before, after, tare, blank)
    if before.which == "m1":
        low, high = (1.0 / density_g_cm3[1], 1.0 / density_g_cm3[0])
        why = f"±{AIR_DENSITY_CHANGE * 100:g} % between M1 and M2"
        yield Component("air density", 0.0, AIR_DENSITY_CHANGE / SQRT3, "1", 0.0, "assumed", why)
        why = f"sample between {density_g_cm3[0]:g} and {density_g_cm3[1]:g} g/cm³"
        u = (high - low) / 2.0 / SQRT3
        yield Component("specific volume of the sample", (low + high) / 2.0, u, "cm³/g", 0.0, "assumed", why)


def _of_cell(
    cert: Certificate, before: Weighing, after: Weighing, tare: Weighing | None, blank: Blank | None
) -> Iterator[Component]:
    """Get what the load cell's certificate leaves open."""
    t, stability, s = cert.temperature, cert.stability, abs(cert.span.counts_per_g)
    if tare is not None:
        why = f"Allan deviation of {tare.value.n_seen} s with the holder empty"
        yield Component("tare", 0.0, tare.value.u, "count", 0.0, "measured", why, "t", tare.value.dof)
    u = stability.zero_drift_g / SQRT3
    yield Component("zero drift", 0.0, u, "g", 0.0, "certificate", f"±{stability.zero_drift_g:g} g over a test")
    if stability.zero_walk_g > 0.0:
        apart_h = max(0.0, after.to_s + after.from_s - before.to_s - before.from_s) / 2.0 / 3600.0
        u = stability.zero_walk_g * math.sqrt(apart_h)
        why = f"{stability.zero_walk_g:.3g} g after one hour, by the root of {apart_h:.2f} h"
        yield Component("zero walk", 0.0, u, "g", 0.0, "certificate", why, "t", stability.zero_walk_dof)
    # What a load makes a cell creep is in proportion to it (OIML R 60-1, 5.3.1 states it for a load).
    u = stability.creep_pct_fs / 100.0 * abs(before.value.mean) / SQRT3
    why = f"±{stability.creep_pct_fs:g} % of the load after the dwell"
    if blank is None:
        yield Component("creep", 0.0, u, "g", 0.0, "certificate", why)
    else:
        # Two statements about one quantity, what an inert load seems to lose: 0 ± creep from the certificate, and
        # the blank's. Their weighted mean (by 1/u²) is subtracted: a blank noisier than the creep hardly counts.
        weight = u * u / (u * u + blank.u_g**2) if u > 0.0 else 0.0
        value, u = weight * blank.loss_g, math.sqrt(weight) * blank.u_g
        why = f"{blank.name}: {blank.loss_g:.4f} g ± {blank.u_g:.4f} g, weight {weight:.2f} against creep {why}"
        yield Component("blank", value, u, "g", 0.0, "measured", why, "t", blank.dof)
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
    u = cert.linearity.u_linearity_per_g
    yield Component("linearity", 0.0, u, "1/g", 0.0, "certificate", "over the mass that was lost", "normal")
