"""What the indication rose by in the last hours of the hold: no sample gains in a vacuum at 120 °C, so the rig did.

A rise hides a loss, and goes on from M1 to M2. It is never corrected for, but carried as a one-sided part towards more
loss; what still evaporates hides as much of it, so it is a lower bound. A rig that falls looks like evaporation, and
only a second zero tells them apart. This module must never make a loss smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.procedure.masses import Stretch
from edge.records.weighing import Weighing, WeighingKind

from .room_pressure import PressureChange
from .slopes import COUNTS, CREEP_H, SILENT, TEST_H, BlockLine, RigStated, line_through_blocks
from .weather import PRESSURE_KPA_PER_H, per_kpa_g
from .zero_drift import wander

LAST_H = 4.0
"""The end of the hold that is looked at: before it a sample loses, ..."""
LEAST_H = 2.0
"""... and a shorter one says too little of a night."""
MEAN_S = 600.0
LINE_OF_WALK = math.sqrt(1.2)
"""A line through a random walk rises by so many times what its two ends are apart (6/5 of the variance)."""


@dataclass(frozen=True, slots=True)
class HoldRise:
    """By what the indication rose an hour at the end of the hold, in g/h, with its standard uncertainty.

    ``toward_loss_g`` is what it adds to the loss from M1 to M2; ``counts``: it is more than is stated of the rig.
    """

    from_s: float
    to_s: float
    rate_g_per_h: float
    u_g_per_h: float
    toward_loss_g: float
    counts: bool


def rose_in_hold(
    hold: Stretch, m1: Weighing, m2: Weighing, rig: RigStated, changed: PressureChange | None
) -> HoldRise | None:
    """Get the rise at the end of the hold, where it is one (None: it is too short, or nothing rose).

    ``hold`` are its rows without jumps and resets; ``changed`` how far the air's pressure changed from M1 to M2
    (None: not known). What relaxes rises less and less, what drifts does not: the later half says by how much.
    """
    if not len(hold.t_s):
        return None
    rows = hold.between(hold.t_s[-1] - LAST_H * 3600.0, math.inf)
    hours = float(rows.t_s[-1] - rows.t_s[0]) / 3600.0
    middle_s = float(rows.t_s[0] + rows.t_s[-1]) / 2.0
    lines = [_line(part) for part in (rows, rows.between(-math.inf, middle_s), rows.between(middle_s, math.inf))]
    if hours < LEAST_H or any(line is None for line in lines):
        return None
    whole, early, late = (line.rate_g_per_s * 3600.0 for line in lines if line is not None)
    rate = min(whole, late)
    if rate <= 0.0 or early <= 0.0:
        return None
    scatter = 0.0 if lines[0] is None else lines[0].u_rate_g_per_s * 3600.0
    u_rate = math.hypot(scatter, _rig_u_g(rows, hours, m2.value.mean, rig, changed) / hours)
    over_h = (m2.middle_s - m1.middle_s) / 3600.0
    carried_g = rate * over_h if rate > SILENT * u_rate else 0.0
    return HoldRise(float(rows.t_s[0]), float(rows.t_s[-1]), rate, u_rate, carried_g, rate > COUNTS * u_rate)


def _line(rows: Stretch) -> BlockLine | None:
    if len(rows.t_s) < 2:
        return None
    return line_through_blocks(rows.t_s, rows.mass_g, max(3, int((rows.t_s[-1] - rows.t_s[0]) / MEAN_S)))


def _rig_u_g(rows: Stretch, hours: float, load_g: float, rig: RigStated, changed: PressureChange | None) -> float:
    """Get the standard uncertainty in g of what the rig may do in so many hours of a hold, by what is stated of it."""
    certificate = rig.certificate
    if certificate is None:
        return rig.drift_g_per_h(load_g) * hours
    stability, t, per_g = certificate.stability, certificate.temperature, abs(certificate.span.counts_per_g)
    own_g = math.hypot(
        LINE_OF_WALK * wander(certificate, hours).u_g,
        LINE_OF_WALK * stability.zero_drift_g / math.sqrt(3.0) * math.sqrt(hours / TEST_H),
    )
    creep_g = (abs(stability.creep_gained_pct) + stability.u_creep_pct) / 100.0 * load_g
    creep_g *= hours / CREEP_H[WeighingKind.M2]
    kpa = PRESSURE_KPA_PER_H * hours
    if changed is not None:
        kpa = min(kpa, math.hypot(changed.kpa, changed.half_kpa))
    weather_g = per_kpa_g(certificate) * kpa / math.sqrt(3.0)
    known = rows.cell_c[np.isfinite(rows.cell_c)]
    apart_k = float(known[-1] - known[0]) if len(known) else 0.0
    warm_g = math.hypot(t.u_zero_counts_per_k / per_g, t.u_span_per_k * load_g) * apart_k
    read_g = abs(t.zero_counts_per_k) / per_g * t.u_cell_temp_c * math.sqrt(2.0)
    return math.sqrt(own_g**2 + creep_g**2 + weather_g**2 + warm_g**2 + read_g**2)
