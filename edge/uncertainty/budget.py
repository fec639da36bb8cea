"""The uncertainty budget of a loss: what is not known, how much it moves the result, and where that is from.

One measurement model and one list of its inputs; GUM's first order (JCGM 100:2008) and Monte Carlo (JCGM 101:2008)
both propagate it, and where they disagree the wider one counts. This module must never leave out an input because it
is inconvenient: what is not known is declared or assumed, and says so (:mod:`edge.uncertainty.components`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from calibration.certificate import Certificate
from calibration.propagation import Input, Simulated, first_order, simulate, tolerance
from edge.records.weighing import Weighing

from .blank import Blank
from .buoyancy import AirAround, air_around
from .components import (
    Component,
    air_components,
    cell_components,
    creep_and_blank,
    noise_name,
    reading_components,
    zero_components,
)
from .zero_drift import Drift, drift_between

ADDED_G = (
    "blank",
    "zero drift",
    "zero walk",
    "creep",
    "drift between the zeros",
    "resolution of the readings",
    "mass difference",
    "drift of the balance",
)
"""Inputs in g that simply add to the loss that is indicated."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A loss in % with its components, combined.

    ``u_pct`` and ``expanded_pct`` are of the method that was used; ``first_order_u_pct`` is GUM's own, ``simulated``
    Monte Carlo's, ``k`` the ratio of expanded to standard uncertainty; ``drift`` is what the second zero said.
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
    drift: Drift | None = None

    @property
    def k(self) -> float:
        """Get the coverage factor k = U / u (2 where there is no uncertainty at all)."""
        return self.expanded_pct / self.u_pct if self.u_pct > 0.0 else 2.0


def coverage_factor(coverage: float, dof: float) -> float:
    """Get k: Student's t for νeff (not truncated), two-sided; the normal quantile where νeff is infinite."""
    from scipy import special  # a quarter of a second to load: only when there is something to judge

    p = (1.0 + coverage) / 2.0
    return float(special.stdtrit(dof, p) if dof < 1e6 else special.ndtri(p))


def loss_budget(
    before: Weighing,
    after: Weighing,
    reference: Weighing,
    *,
    coverage: float,
    certificate: Certificate | None,
    tare: Weighing | None = None,
    zero: Weighing | None = None,
    span_change: float = 0.0,
    resolution_g: float = 0.0,
    declared_u_g: float | None = None,
    density_g_cm3: tuple[float, float] | None = None,
    air: AirAround | None = None,
    blank: Blank | None = None,
    seed: int | None = 1,
) -> Budget:
    """Get the budget of w = (before − after) / reference · 100 %.

    Masses in g, their noise from the Allan deviation of their own windows. ``certificate`` gives what the load cell
    may do (None: the recording is of masses, and only their noise, ``resolution_g`` and ``declared_u_g``, the standard
    uncertainty of a mass difference, are known). ``zero`` is the second zero, with which the drift is inferred where
    ``tare`` is known; ``span_change`` is by how much (relative) a check weight has shown the span to have changed at a
    time that nobody knows. ``density_g_cm3`` bounds the sample's density (None: nothing is declared), ``air`` is the
    air around M1 and M2 (None: assumed). That both weighings were made at the same pressure is not in the budget: where
    it was not measured, the report says that it is declared. ``blank`` is subtracted. ``seed`` is Monte Carlo's (None:
    first order alone, for a forecast).
    """
    lines: list[Component] = []
    drift = None
    for w in {w.which: w for w in (before, after, reference)}.values():
        v = w.value
        why = f"Allan deviation of {v.n_seen} values; mean over {v.n}"
        lines.append(Component(noise_name(w.which), v.mean, v.u, "g", 0.0, "measured", why, "t", v.dof))
    lines += reading_components(certificate, resolution_g, declared_u_g)
    if certificate is not None:
        inert = creep_and_blank(certificate, before, blank)
        if tare is not None and zero is not None and math.isfinite(zero.cell_temp_c - tare.cell_temp_c):
            drift = drift_between(certificate, before, after, tare, zero, inert)
        lines += zero_components(certificate, before, after, tare, inert, drift, blank)
        lines += cell_components(certificate, before, after, span_change)
    if before.which == "m1":
        around = air_around(before, after) if air is None else air
        lines += air_components(around, density_g_cm3, holder=certificate is not None)
    apart_k = 0.0 if drift is None or tare is None or zero is None else zero.cell_temp_c - tare.cell_temp_c
    model = _Loss(before, after, reference, certificate, 0.0 if drift is None else drift.share * apart_k)
    return replace(combine(model, lines, coverage, seed), drift=drift)


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

    def __init__(
        self, before: Weighing, after: Weighing, reference: Weighing, cert: Certificate | None, zeros_apart_k: float
    ) -> None:
        self._cert = cert
        self._zeros_apart_k = zeros_apart_k  # between the zeros, by the share of them that is subtracted
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
        if self._cert is not None and self._zeros_apart_k != 0.0:  # the zeros were corrected for temperature as well
            per_k = x["zero temperature coefficient"] - self._cert.temperature.zero_counts_per_k
            lost = lost - per_k * self._zeros_apart_k / self._cert.span.counts_per_g
        return lost / reference * 100.0

    def _mass(self, x: Mapping[str, Any], which: str, dt_k: float, i: int) -> Any:
        g = x[noise_name(which)]
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
            if i == 1 and "span since the calibration" in x:
                g = g * (1.0 - x["span since the calibration"])
        if self._names[0] == "m1":
            change = x["change of the air's density"] if i == 1 else 0.0
            if "volume of the holder" in x:
                g = g + x["volume of the holder"] * change
            g = g / (1.0 - (x["air density"] + change) * x["specific volume of the sample"])
        return g
