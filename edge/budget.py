"""The uncertainty budget of a loss: what is not known, how much it moves the result, and where that is from.

After GUM (JCGM 100:2008), first order: each component has a standard uncertainty, a sensitivity, degrees of
freedom and an origin; they combine to u, Welch-Satterthwaite gives the effective degrees of freedom, and
Student's t the coverage factor k. This module must never leave out a component because it is inconvenient:
what is not known is declared or assumed, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from calibration.certificate import Certificate

from .words import Weighing

Origin = Literal["measured", "certificate", "declared", "assumed"]
Distribution = Literal["normal", "rectangular", "t"]

# Weather, door and heating over a test: how far the air's density may move between two cold weighings.
AIR_DENSITY_KG_M3 = 1.184
AIR_DENSITY_CHANGE = 0.02
SQRT3 = math.sqrt(3.0)
UNKNOWN_K = 5.0
LABELS = {
    "m1": "M1",
    "m2": "M2",
    "hold_start": "the hold's start",
    "hold_end": "the hold's end",
    "start": "the start mass",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the budget.

    ``u`` is the standard uncertainty of the input in ``unit``; ``contribution_pct`` is what it makes in the
    loss, in % of the reference mass: |sensitivity|·u. ``dof`` may be infinite.
    """

    name: str
    u: float
    unit: str
    contribution_pct: float
    origin: Origin
    why: str
    distribution: Distribution = "rectangular"
    dof: float = math.inf


@dataclass(frozen=True, slots=True)
class Budget:
    """A loss in % with its components, combined."""

    loss_pct: float
    components: tuple[Component, ...]
    u_pct: float
    dof: float
    k: float

    @property
    def expanded_pct(self) -> float:
        """Get the expanded uncertainty U = k·u in % of the reference mass."""
        return self.k * self.u_pct


def combine(loss_pct: float, components: list[Component], coverage: float) -> Budget:
    """Combine components to u, νeff and k for the coverage probability (JCGM 100, 5.1.2, G.4.1, G.6.4)."""
    u = math.sqrt(math.fsum(c.contribution_pct**2 for c in components))
    return Budget(loss_pct, tuple(components), u, effective_dof(components), coverage_factor(coverage, components))


def effective_dof(components: list[Component]) -> float:
    """Get νeff by Welch-Satterthwaite (JCGM 100, G.2b). Infinite where nothing has finite dof."""
    u2 = math.fsum(c.contribution_pct**2 for c in components)
    weight = math.fsum(c.contribution_pct**4 / c.dof for c in components if math.isfinite(c.dof))
    return u2 * u2 / weight if weight > 0.0 else math.inf


def coverage_factor(coverage: float, components: list[Component]) -> float:
    """Get k: Student's t for νeff (not truncated), two-sided; the normal quantile where νeff is infinite."""
    from scipy import special  # a quarter of a second to load: only when there is something to judge

    dof, p = effective_dof(components), (1.0 + coverage) / 2.0
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
    density_g_cm3: tuple[float, float] = (1.0, 10.0),
) -> Budget:
    """Get the budget of w = (before − after) / reference · 100 %.

    Masses in g, their noise from the Allan deviation of their own windows. ``certificate`` gives what the
    load cell may do (None: the recording is of masses, and only their noise, ``resolution_g`` and
    ``declared_u_g``, the standard uncertainty of a mass difference, are known). ``density_g_cm3`` bounds the
    sample's density; ``pressure_may_differ``: the pressure at the weighings is declared, not measured.
    """
    m_before, m_after, reference_g = before.value.mean, after.value.mean, reference.value.mean
    loss_pct = (m_before - m_after) / reference_g * 100.0
    per_g = 100.0 / reference_g
    cold = before.which == "m1"  # then the reference is the first weighing itself
    components = [
        _noise(before, per_g * (m_after / reference_g if cold else 1.0)),
        _noise(after, per_g),
    ]
    if reference.which not in (before.which, after.which):
        components.append(_noise(reference, abs(loss_pct) / reference_g))
    if resolution_g > 0.0:
        u = resolution_g / math.sqrt(12.0) * math.sqrt(2.0)
        why = f"last digit of the recording, {resolution_g:g} g, twice"
        components.append(Component("resolution of the readings", u, "g", u * per_g, "measured", why))
    if declared_u_g is not None:
        u, why = declared_u_g, "by whoever gave the recording"
        components.append(Component("mass difference", u, "g", u * per_g, "declared", why, "normal"))
    elif certificate is None:
        why = "not stated with the recording: taken as none"
        components.append(Component("drift of the balance", 0.0, "g", 0.0, "assumed", why))
    if certificate is not None:
        components += _of_cell(certificate, before, after, reference_g, tare, loss_pct)
    if cold:
        lightest = density_g_cm3[0]
        u = AIR_DENSITY_KG_M3 * AIR_DENSITY_CHANGE / (1000.0 * lightest) * m_before / SQRT3
        why = f"±{AIR_DENSITY_CHANGE * 100:g} % between M1 and M2, sample no lighter than {lightest:g} g/cm³"
        components.append(Component("buoyancy: the air's density", u, "g", u * per_g, "assumed", why))
    return combine(loss_pct, components, coverage)


def _noise(of: Weighing, sensitivity_pct_per_g: float) -> Component:
    v = of.value
    why = f"Allan deviation of {v.n_seen} values; mean over {v.n}"
    name = f"noise of {LABELS.get(of.which, of.which)}"
    return Component(name, v.u, "g", v.u * sensitivity_pct_per_g, "measured", why, "t", v.dof)


def _of_cell(
    cert: Certificate,
    before: Weighing,
    after: Weighing,
    reference_g: float,
    tare: Weighing | None,
    loss_pct: float,
) -> Iterator[Component]:
    """Get what the load cell's certificate leaves open between the two weighings."""
    per_g = 100.0 / reference_g
    s = abs(cert.span.counts_per_g)
    t, stability = cert.temperature, cert.stability
    load_g = abs(before.value.mean)
    if tare is not None:
        u = tare.value.u / s
        why = f"Allan deviation of {tare.value.n_seen} s with the holder empty"
        yield Component("tare", u, "g", abs(u * loss_pct / reference_g), "measured", why, "t", tare.value.dof)
    u = stability.zero_drift_g / SQRT3
    why = f"±{stability.zero_drift_g:g} g over a test"
    yield Component("zero drift", u, "g", u * per_g, "certificate", why)
    u = stability.creep_pct_fs / 100.0 * cert.cell.capacity_g / SQRT3
    why = f"±{stability.creep_pct_fs:g} % of {cert.cell.capacity_g:g} g after the dwell"
    yield Component("creep", u, "g", u * per_g, "certificate", why)

    apart_k = after.cell_temp_c - before.cell_temp_c
    u_zero, u_span = t.u_zero_counts_per_k, t.u_span_per_k
    why = f"times {apart_k:+.2f} K between the weighings"
    if not math.isfinite(apart_k):  # nothing was compensated: the whole coefficient is not known
        apart_k, why = UNKNOWN_K, f"times {UNKNOWN_K:g} K, assumed: the cell's temperature is not known"
        u_zero, u_span = math.hypot(u_zero, t.zero_counts_per_k), math.hypot(u_span, t.span_per_k)
    pct = abs(u_zero * apart_k) / s * per_g
    yield Component("zero temperature coefficient", u_zero, "count/K", pct, "certificate", why, "normal")
    pct = abs(u_span * apart_k) * load_g * per_g
    yield Component("span temperature coefficient", u_span, "1/K", pct, "certificate", why, "normal")
    u = t.u_cell_temp_c * math.sqrt(2.0)
    pct = u * (abs(t.zero_counts_per_k) / s + abs(t.span_per_k) * load_g) * per_g
    why = "of the difference of two readings"
    yield Component("cell temperature", u, "K", pct, "certificate", why, "normal")

    u = cert.span.u_counts_per_g / s * 100.0
    why = "divides out: both masses and the reference share it"
    yield Component("span", u, "%", 0.0, "certificate", why, "normal")
    u = cert.linearity.u_linearity_per_g
    why = "over the mass that was lost"
    yield Component("linearity", u, "1/g", u * abs(loss_pct) * load_g, "certificate", why, "normal")
