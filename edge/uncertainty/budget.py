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

from calibration.propagation import Input, Model, Simulated, first_order, simulate, tolerance
from edge.records.weighing import WeighingKind

from .buoyancy import air_around
from .components import (
    ADDED_G,
    NOISE,
    ON_BALANCE,
    Component,
    ComponentName,
    air_components,
    balance_components,
    cell_components,
    creep_and_blank,
    earlier_load_component,
    hold_rose_component,
    jump_component,
    noise_component,
    put_back_component,
    reading_components,
    reset_component,
    seen_drift_component,
    zero_components,
)
from .earlier_load import Memory, memory
from .weighed import Corrections, Weighed
from .zero_drift import Drift, drift_between

NO_CORRECTIONS = Corrections()


@dataclass(frozen=True, slots=True)
class Budget:
    """A loss in % with its components, combined.

    ``u_pct`` and ``expanded_pct`` are of the method that was used; ``first_order_u_pct`` is GUM's own, ``simulated``
    Monte Carlo's with its ``seed``, ``k`` the ratio of expanded to standard uncertainty; ``drift`` is what the second
    zero said, ``memory`` what comes back of earlier loads.
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
    seed: int | None = None
    memory: Memory | None = None

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
    weighed: Weighed,
    corrections: Corrections = NO_CORRECTIONS,
    *,
    coverage: float | None,
    seed: int | None = 1,
    limit_pct: float = math.nan,
) -> Budget:
    """Get the budget of w = (before − after) / reference · 100 %.

    Masses in g, their noise from the Allan deviation of their own windows. That both weighings were made at the same
    pressure is not in the budget: where it was not measured, the report says that it is declared. ``coverage`` is the
    interval's coverage probability (None: k = 2, for a look ahead that must load nothing); ``seed`` is Monte Carlo's
    (None: first order alone, for a forecast), which says too how likely the loss is at or below ``limit_pct``.
    """
    before, after, certificate = weighed.before, weighed.after, weighed.certificate
    tare, zero = weighed.tare, weighed.zero
    if weighed.laboratory is None:
        lines = [noise_component(w) for w in {w.which: w for w in (before, after, weighed.reference)}.values()]
        lines += reading_components(weighed)
    else:
        lines = list(balance_components(before, after, weighed.laboratory))
    if corrections.jumps is not None:
        lines.append(jump_component(*corrections.jumps))
    if corrections.seen_drift is not None:
        lines.append(seen_drift_component(corrections.seen_drift))
    if corrections.hold_rose_g > 0.0:
        lines.append(hold_rose_component(corrections.hold_rose_g))
    if corrections.resets is not None:
        lines.append(reset_component(*corrections.resets, corrections.unseen_resets))
    if certificate is not None and weighed.put_back:
        lines.append(put_back_component(certificate, weighed.put_back, weighed.reference.value.mean))
    drift, apart_k, recalled = None, 0.0, None
    if certificate is not None:
        inert = creep_and_blank(certificate, before, corrections.blank, loaded_at_known=weighed.loaded_at_known)
        if tare is not None and zero is not None and math.isfinite(zero.cell_temp_c - tare.cell_temp_c):
            drift = drift_between(certificate, before, after, tare, zero, inert, weighed.zero_steps)
            apart_k = drift.share * (zero.cell_temp_c - tare.cell_temp_c)
        zeros = None if drift is None or tare is None or zero is None else (tare, zero)
        share = 0.0 if drift is None else drift.share
        recalled = memory(certificate, corrections.earlier, (before, after), zeros, share)
        lines += [] if recalled is None else [earlier_load_component(recalled, before)]
        lines += zero_components(certificate, weighed, inert, drift, corrections)
        lines += cell_components(certificate, before, after, corrections.span_change)
    if before.which is WeighingKind.M1:
        around = air_around(before, after) if corrections.air is None else corrections.air
        lines += air_components(around, corrections.density_g_cm3, holder=certificate is not None)
    found = combine(_Loss(weighed, apart_k), lines, coverage, seed, limit_pct)
    return replace(found, drift=drift, seed=seed, memory=recalled)


def combine(
    model: Model, lines: Sequence[Component], coverage: float | None, seed: int | None, limit_pct: float = math.nan
) -> Budget:
    """Propagate the inputs by both methods and take the wider (JCGM 101, 8.1).

    They agree where both ends of Monte Carlo's interval lie within its numerical tolerance of w ± U.
    """
    inputs = [Input(c.name, c.value, c.u, c.distribution, c.dof) for c in lines]
    gum = first_order(model, inputs)
    components = tuple(
        Component(c.name, c.value, c.u, c.unit, abs(gum.contributions[c.name]), c.origin, c.why, c.distribution, c.dof)
        for c in lines
    )
    expanded = (2.0 if coverage is None else coverage_factor(coverage, gum.dof)) * gum.u
    if seed is None or coverage is None or not gum.u > 0.0:
        return Budget(gum.y, components, gum.u, expanded, gum.dof, gum.u, expanded, None, "first order")
    mc = simulate(model, inputs, coverage=coverage, seed=seed, limit=limit_pct)
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

    def __init__(self, weighed: Weighed, zeros_apart_k: float) -> None:
        cert = weighed.certificate
        self._cert = cert
        self._indicated = NOISE if weighed.laboratory is None else ON_BALANCE
        self._zeros_apart_k = zeros_apart_k  # between the zeros, by the share of them that is subtracted
        masses = (weighed.before, weighed.after, weighed.reference)
        self._which = [w.which for w in masses]
        t_ref_c = cert.temperature.t_ref_c if cert is not None else 0.0
        cells = [w.cell_temp_c for w in masses]
        self._known = all(math.isfinite(c) for c in cells)
        # Not known: the second weighing is UNKNOWN_K·x away from the first, and nothing was corrected.
        self._dt_k = [c - t_ref_c for c in cells] if self._known else [0.0, 0.0, 0.0]

    def __call__(self, x: Mapping[str, Any]) -> Any:
        before, after, reference = (
            self._mass(x, name, dt_k, i) for i, (name, dt_k) in enumerate(zip(self._which, self._dt_k, strict=True))
        )
        lost = before - after - sum(x[name] for name in ADDED_G if name in x)
        if self._cert is not None and self._zeros_apart_k != 0.0:  # the zeros were corrected for temperature as well
            per_k = x[ComponentName.ZERO_PER_K] - self._cert.temperature.zero_counts_per_k
            lost = lost - per_k * self._zeros_apart_k / self._cert.span.counts_per_g
        return lost / reference * 100.0

    def _mass(self, x: Mapping[str, Any], which: WeighingKind, dt_k: float, i: int) -> Any:
        g = x[self._indicated[which]]
        cert = self._cert
        if cert is not None:
            s, t = cert.span.counts_per_g, cert.temperature
            # the code above the zero that gave this mass, as it was corrected
            code = g * s * (1.0 + t.span_per_k * dt_k) + t.zero_counts_per_k * dt_k
            # and a mass again, with what the coefficients and the temperature may truly be
            true_k = dt_k + (x[ComponentName.CELL_TEMP] if i == 1 else 0.0)
            zero_per_k, span_per_k = x[ComponentName.ZERO_PER_K], x[ComponentName.SPAN_PER_K]
            if not self._known:
                code = g * s
                true_k = x[ComponentName.CELL_TEMP] if i == 1 else 0.0
            zero = x.get(ComponentName.TARE, 0.0) + zero_per_k * true_k
            g = (code - zero) / (s * (1.0 + x[ComponentName.SPAN]) * (1.0 + span_per_k * true_k))
            g = g + x[ComponentName.LINEARITY] * g * g
            if i == 1 and ComponentName.SPAN_SINCE in x:
                g = g * (1.0 - x[ComponentName.SPAN_SINCE])
        if self._which[0] is WeighingKind.M1:
            change = x[ComponentName.AIR_CHANGE] if i == 1 else 0.0
            if ComponentName.HOLDER_VOLUME in x:
                g = g + x[ComponentName.HOLDER_VOLUME] * change
            g = g / (1.0 - (x[ComponentName.AIR_DENSITY] + change) * x[ComponentName.SPECIFIC_VOLUME])
        return g
