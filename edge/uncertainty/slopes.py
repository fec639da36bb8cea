"""What left a sample before M1 and what came back before M2: the two holes of the method, seen in a run's own rows.

Solvent leaves between opening and M1, water enters between venting and M2, and both hide a loss. Neither is ever
corrected for: it is carried as a one-sided part towards more loss. Evaporation slows down, so what is carried back is a
lower bound. This module must never make a loss smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calibration.certificate import Certificate
from edge.procedure.masses import F8, Stretch
from edge.records.weighing import Weighing, WeighingKind

from .weather import PRESSURE_KPA_PER_H, per_kpa_g

COUNTS = 3.0
"""What moved counts beyond so many of its standard uncertainties, the rig's own creep and drift among them."""
SILENT = 1.0
"""Beyond so many it is carried, but nothing is said of it: it may be there."""
MOST_H = 1.0
"""At most so long before M1 is a slope carried back, and before M2 where nobody knows when the air came."""
BENDS = 2.0
"""A bend is taken for one beyond so many of its standard uncertainties."""
LEAST_BLOCKS, BLOCKS = 6, 10
"""Of means that a line is laid through: it has its scatter from them, whatever the noise's memory within one."""
MEAN_S = 300.0
"""So long are the means that what came since the vent is seen by."""
AFTER_VENT_S = 60.0
"""So long the air takes to come, or is taken to."""
QUICKEST_H = 0.25
"""No sample dries with a shorter time constant: a rate that bends more is something else's."""
SLOWS_H = 1.0
"""Uptake that slows down with this time constant was faster before it was seen."""
CREEP_H = {WeighingKind.M1: 1.0, WeighingKind.M2: 8.0}
"""What the certificate lets a cell creep in a test, it creeps in about so many hours around each."""
CREEP_U = 0.3
"""Relative: how well a rate of creep that a calibration saw under one weight is known of another."""
TEST_H = 8.0
"""About so long is it from M1 to M2."""
UNKNOWN_DRIFT = 0.01 / TEST_H
"""Of the load, an hour: what a balance of which nothing is stated may drift."""


@dataclass(frozen=True, slots=True)
class Slope:
    """The rate of the indication at a weighing, in g/h, with its standard uncertainty (creep and drift included).

    ``toward_loss_g`` is what it adds to the loss, at least (0 where it points the other way, or is nothing but noise);
    ``counts``: it is more than noise, creep and drift explain. ``over_h`` is over how long it was carried.
    """

    which: WeighingKind
    rate_g_per_h: float
    u_g_per_h: float
    toward_loss_g: float
    counts: bool
    over_h: float


@dataclass(frozen=True, slots=True)
class RigStated:
    """What is known of a rig that a slope is held against: its certificate, else the stated u of a mass difference."""

    certificate: Certificate | None
    u_mass_g: float | None = None

    def drift_g_per_h(self, load_g: float) -> float:
        """Get what a balance without a certificate may drift, in g/h: what is stated of a mass difference, over it."""
        return UNKNOWN_DRIFT * load_g if self.u_mass_g is None else self.u_mass_g / TEST_H


@dataclass(frozen=True, slots=True)
class BlockLine:
    """A straight line through means of blocks: its middle in s and g, its rate, and how the means scatter about it.

    ``scatter_g`` is the standard deviation of a block's mean, of ``blocks`` − 2 degrees of freedom; ``spread_s`` the
    root of the sum of their squared distances from the middle.
    """

    middle_s: float
    middle_g: float
    rate_g_per_s: float
    scatter_g: float
    spread_s: float
    blocks: int

    @property
    def u_rate_g_per_s(self) -> float:
        """Get the standard uncertainty of the rate."""
        return self.scatter_g / self.spread_s

    def at(self, t_s: float) -> tuple[float, float]:
        """Get the line's value at a time, and its standard uncertainty, in g."""
        away_s = t_s - self.middle_s
        u_g = self.scatter_g * math.sqrt(1.0 / self.blocks + (away_s / self.spread_s) ** 2)
        return self.middle_g + self.rate_g_per_s * away_s, u_g


def line_through_blocks(t_s: F8, mass_g: F8, blocks: int) -> BlockLine | None:
    """Fit a line through the means of so many blocks of rows (None: fewer than two rows a block).

    Noise with a memory shorter than a block is in the scatter of their means (GUM 4.2).
    """
    means = _block_means(t_s, mass_g, blocks)
    if means is None:
        return None
    t, g = means
    dt, middle_g = t - t.mean(), float(g.mean())
    sxx = math.fsum((dt * dt).tolist())
    rate = math.fsum((dt * (g - middle_g)).tolist()) / sxx
    rest = g - middle_g - rate * dt
    scatter_g = math.sqrt(math.fsum((rest * rest).tolist()) / (blocks - 2))
    return BlockLine(float(t.mean()), middle_g, rate, scatter_g, math.sqrt(sxx), blocks)


def _block_means(t_s: F8, mass_g: F8, blocks: int) -> tuple[F8, F8] | None:
    if len(t_s) < 2 * blocks:
        return None
    cuts = np.linspace(0, len(t_s), blocks + 1).astype(int)
    t = np.array([t_s[a:b].mean() for a, b in pairwise(cuts)])
    return t, np.array([mass_g[a:b].mean() for a, b in pairwise(cuts)])


@dataclass(frozen=True, slots=True)
class _Curve:
    """Rate in g/h and bend in g/h² at a time, and their covariance."""

    rate: float
    bend: float
    covariance: F8

    def u_over(self, hours: float) -> float:
        """Get the standard uncertainty in g of what it carries over so many hours."""
        by = np.array([hours, hours * hours / 2.0])
        return math.sqrt(max(0.0, float(by @ self.covariance @ by)))


def _curve(t_s: F8, mass_g: F8, at_s: float, blocks: int) -> _Curve | None:
    """Fit a parabola through means of blocks, or a line where nothing bends (None: too few rows)."""
    means = _block_means(t_s, mass_g, blocks)
    if means is None:
        return None
    hours, g = (means[0] - at_s) / 3600.0, means[1] - means[1].mean()
    for columns in (3, 2):
        design = np.column_stack([np.ones_like(hours), hours, hours * hours / 2.0][:columns])
        inverse = np.linalg.inv(design.T @ design)
        b = inverse @ (design.T @ g)
        rest = g - design @ b
        covariance = inverse * float(rest @ rest) / (blocks - columns)
        if columns == 3 and abs(b[2]) > BENDS * math.sqrt(covariance[2, 2]):
            return _Curve(float(b[1]), float(b[2]), covariance[1:, 1:])
    only_rate = np.zeros((2, 2))
    only_rate[0, 0] = covariance[1, 1]
    return _Curve(float(b[1]), 0.0, only_rate)


def left_before_m1(
    since_load: Stretch, m1: Weighing, opened_h: float | None, rig: RigStated, counted_h: float = 0.0
) -> Slope | None:
    """Get what left the sample between its opening and M1, at least (None: too few rows to see anything).

    By the rate at M1 and its bend over all rows since the sample was put on, less the creep that the calibration saw
    there, carried back over ``opened_h`` hours before M1's middle (None: nobody said when it was opened) or an hour,
    whichever is less. What left in the ``counted_h`` hours before M1's middle is in the loss already: another balance
    weighed the sample then.
    """
    middle_s = m1.middle_s
    over_h = counted_h + MOST_H if opened_h is None else min(opened_h, counted_h + MOST_H)
    rows = since_load.between(-math.inf, m1.to_s)
    curve = _curve(rows.t_s, rows.mass_g, middle_s, _blocks_of(rows))
    if curve is None or over_h <= counted_h:
        return None
    load_g = m1.value.mean
    creep, bend = (0.0, 0.0) if rig.certificate is None else _creep_at_m1(rig.certificate, load_g)
    rate = curve.rate - creep
    bends = min(max(0.0, curve.bend - bend if curve.bend else 0.0), abs(rate) / QUICKEST_H)
    carried_g = -rate * (over_h - counted_h) + bends * (over_h**2 - counted_h**2) / 2.0
    length_h = max(1e-3, float(rows.t_s[-1] - rows.t_s[0]) / 3600.0)
    u_g = math.hypot(curve.u_over(over_h), _rig_u_g(WeighingKind.M1, rows, length_h, over_h, load_g, rig))
    if creep:
        u_g = math.hypot(u_g, CREEP_U * (abs(creep) * over_h + abs(bend) * over_h**2 / 2.0))
    toward_g = carried_g if rate < 0.0 and carried_g > SILENT * u_g else 0.0
    return Slope(WeighingKind.M1, rate, u_g / over_h, toward_g, abs(carried_g) > COUNTS * u_g, over_h)


def came_before_m2(before_m2: Stretch, m2: Weighing, vented_s: float | None, rig: RigStated) -> Slope | None:
    """Get what came back to the sample between the venting and M2, at least (None: too few rows to see anything).

    ``before_m2`` holds the rows in air, without jumps and resets that are told by themselves. Where it is known when
    the air came, all that the indication rose by since then; what came in the first minutes, before it could be seen,
    in proportion and twice. Else the rate before M2, carried back an hour and the more for having been faster then.
    """
    middle_s = m2.middle_s
    if vented_s is not None:
        seen = _risen(before_m2.between(vented_s + AFTER_VENT_S, m2.to_s), m2, vented_s, middle_s, rig)
        if seen is not None:
            return seen
    rows = before_m2.between(-math.inf if vented_s is None else vented_s + AFTER_VENT_S, m2.to_s)
    line = line_through_blocks(rows.t_s, rows.mass_g, _blocks_of(rows))
    if line is None:
        return None
    over_h = MOST_H if vented_s is None else min(MOST_H, (middle_s - vented_s) / 3600.0)
    length_h = max(1e-3, float(rows.t_s[-1] - rows.t_s[0]) / 3600.0)
    rate, u_line = line.rate_g_per_s * 3600.0, line.u_rate_g_per_s * 3600.0
    u_g = math.hypot(u_line * over_h, _rig_u_g(WeighingKind.M2, rows, length_h, over_h, m2.value.mean, rig))
    faster = (math.exp(over_h / SLOWS_H) - 1.0) * SLOWS_H / over_h if over_h > 0.0 else 1.0
    gained_g = rate * over_h
    toward_g = gained_g * faster if gained_g > SILENT * u_g else 0.0
    return Slope(WeighingKind.M2, rate, u_g / over_h, toward_g, abs(gained_g) > COUNTS * u_g, over_h)


def _risen(rows: Stretch, m2: Weighing, vented_s: float, middle_s: float, rig: RigStated) -> Slope | None:
    """Get what the indication rose by between the vent and M2 (None: too short for that)."""
    if len(rows.t_s) < 2 or not len(rows.between(m2.from_s, m2.to_s).t_s):
        return None
    blocks = int((rows.t_s[-1] - rows.t_s[0]) / MEAN_S)
    curve = _block_means(rows.t_s, rows.mass_g, blocks) if blocks >= LEAST_BLOCKS else None
    if curve is None:
        return None
    hours, g = (curve[0] - vented_s) / 3600.0, curve[1]
    rest = g - np.polynomial.Polynomial.fit(hours, g, 2)(hours)
    scatter_g = math.sqrt(float(rest @ rest) / (blocks - 3))
    gained_g = float(rows.between(m2.from_s, m2.to_s).mass_g.mean()) - float(g[0])
    over_h, unseen_h = (middle_s - vented_s) / 3600.0, float(hours[0])
    seen_h = over_h - unseen_h
    u_g = math.hypot(scatter_g * math.sqrt(1.5), _rig_u_g(WeighingKind.M2, rows, seen_h, seen_h, m2.value.mean, rig))
    toward_g = gained_g * (1.0 + 2.0 * unseen_h / seen_h) if gained_g > SILENT * u_g else 0.0
    counts = abs(gained_g) > COUNTS * u_g
    return Slope(WeighingKind.M2, gained_g / seen_h, u_g / seen_h, toward_g, counts, over_h)


def _blocks_of(rows: Stretch) -> int:
    return max(LEAST_BLOCKS, min(BLOCKS, len(rows.t_s) // 2))


def _creep_at_m1(certificate: Certificate, load_g: float) -> tuple[float, float]:
    """Get the rate (g/h) and bend (g/h²) of the creep at M1 that a calibration saw: 0 where it saw none."""
    stability = certificate.stability
    return (
        stability.creep_at_m1_pct_per_h / 100.0 * load_g,
        stability.creep_bend_at_m1_pct_per_h2 / 100.0 * load_g,
    )


def _rig_u_g(
    which: WeighingKind, rows: Stretch, length_h: float, over_h: float, load_g: float, rig: RigStated
) -> float:
    """Get the standard uncertainty in g of what the rig itself may do to a slope carried over ``over_h``.

    Creep, walk, drift, the air's pressure, and what the cell's temperature does beyond its coefficients. ``length_h``
    is over how long the slope was seen.
    """
    certificate = rig.certificate
    if certificate is None:
        return rig.drift_g_per_h(load_g) * over_h
    stability, t, per_g = certificate.stability, certificate.temperature, abs(certificate.span.counts_per_g)
    seen = which is WeighingKind.M1 and stability.creep_at_m1_pct_per_h != 0.0
    creep = 0.0 if seen else stability.u_creep_pct / 100.0 * load_g / CREEP_H[which] * over_h
    drift = math.hypot(stability.zero_drift_g / TEST_H / math.sqrt(3.0), stability.zero_drift_g_per_h) * over_h
    walk = stability.zero_walk_g / math.sqrt(length_h) * over_h
    weather = per_kpa_g(certificate) * PRESSURE_KPA_PER_H / math.sqrt(3.0) * over_h
    known = rows.cell_c[np.isfinite(rows.cell_c)]
    apart_k = float(known[-1] - known[0]) / length_h * over_h if len(known) else 0.0
    warm = math.hypot(t.u_zero_counts_per_k / per_g, t.u_span_per_k * load_g) * apart_k
    read = abs(t.zero_counts_per_k) / per_g * t.u_cell_temp_c * math.sqrt(2.0) / length_h * over_h
    return math.sqrt(creep**2 + drift**2 + walk**2 + weather**2 + warm**2 + read**2)
