"""From a rig's own readings to its certificate: check weights, and hours of warming and cooling.

The steps of the guided calibration, without the dialogue: raw frames are folded with neutral parameters, so that codes
stay codes, and the fits of :mod:`calibration.loadcell` make numbers of them. This module must never use a number about
the rig that was not read from it or stated by a person.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration import certificate as cal
from calibration.loadcell import (
    SpanFit,
    SpanPoint,
    TemperatureFit,
    WalkFit,
    creep_pct,
    fit_span,
    fit_temperature,
    fit_walk,
)

from . import fold
from .allan import Integrated, integrate
from .course import block_of
from .errors import BadInput
from .frame import Frames

STEADY_S = 60.0
CREEP_CLASS_PCT_FS = 0.05  # of a cheap bar cell (FACTS: 0.05 %FS in 30 min), where it was not measured
CREEP_ON = 2.5  # a night of creep after the dwell is at most so many times that of the first two hours


@dataclass(frozen=True, slots=True)
class Readings:
    """Seconds of a rig's raw codes, folded with neutral parameters. Arrays of one length; NaN: not known."""

    t_s: fold.F8
    code: fold.F8
    sd_code: fold.F8
    cell_c: fold.F8
    oven_c: fold.F8


def readings(frames: Frames, rtd: cal.Rtd, *, gate_code: float = 0.0) -> Readings:
    """Fold raw frames so that codes stay codes: mean and standard deviation a second, and both temperatures."""
    params = fold.new_params(
        rtd_is_code=1,
        cell_source=0,
        gate_code=gate_code,
        oven_ref_ohm=rtd.ref_ohm,
        oven_r0_ohm=rtd.r0_ohm,
        oven_lead_ohm=rtd.lead_ohm,
        cell_ref_ohm=rtd.ref_ohm,
        cell_r0_ohm=rtd.r0_ohm,
        cell_lead_ohm=rtd.lead_ohm,
    )
    state, rows = fold.advance(fold.new_state(), params, block_of(frames, int(frames.t_ns[0])))
    _, last = fold.flush(state, params)
    table = np.concatenate([rows, last])
    good = table[table["n_ok"] > 0]
    return Readings(
        good["t_s"].copy(),
        good["zero_code"].copy(),
        good["sd_g"].copy(),
        good["cell_temp_c"].copy(),
        good["temp_c"].copy(),
    )


def steady_code(of: Readings) -> Integrated:
    """Take the code of what lies still on the cell: the last minute's mean, as long as its Allan deviation justifies.

    Raises ``BadInput`` with what to do where there are too few good seconds, or where they wander.
    """
    codes = [float(c) for c, t in zip(of.code, of.t_s, strict=True) if of.t_s[-1] - t < STEADY_S]
    if len(codes) < 0.8 * STEADY_S:
        raise BadInput(f"{len(codes)} good seconds of {STEADY_S:.0f}: check the wires, then weigh again")
    half = len(codes) // 2
    apart = abs(math.fsum(codes[:half]) / half - math.fsum(codes[half:]) / (len(codes) - half))
    noise = float(np.median(of.sd_code[np.isfinite(of.sd_code)])) if np.any(np.isfinite(of.sd_code)) else 0.0
    if apart > max(3.0 * noise, 1.0):
        raise BadInput(f"the code still moves by {apart:.0f}: wait until the cell has come to rest, then weigh again")
    return integrate(codes, "last")


def span_point(of: Readings, mass_g: float, u_mass_g: float, *, rising: bool = True) -> SpanPoint:
    """Get the point that a check weight of ``mass_g`` gives (see :func:`steady_code`)."""
    value = steady_code(of)
    return SpanPoint(mass_g, u_mass_g, value.mean, max(value.u, 1e-6), rising)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything a calibration found, before it is a certificate."""

    span: SpanFit
    zero: TemperatureFit
    loaded: TemperatureFit | None
    walk: WalkFit
    noise_code: float
    t_ref_c: float
    weight_g: float
    creep_pct: float | None
    """Half-width of what a load may creep over a night after the dwell, in % of it; None: not measured."""


def find(
    points: Sequence[SpanPoint],
    empty: Readings,
    loaded: Readings | None,
    *,
    settling: Readings | None = None,
    weight_g: float,
    capacity_g: float,
    t_ref_c: float,
) -> Found:
    """Fit span, temperature, walk and creep.

    ``empty`` and ``loaded`` are hours of warming and cooling, the latter with ``weight_g`` on; ``settling`` are the
    first two hours after that weight was put on. Raises ``BadFit`` with what to do.
    """
    span = fit_span(points, capacity_g)
    zero = fit_temperature(empty.t_s, empty.cell_c, empty.code, t_ref_c)
    warm = fit_temperature(loaded.t_s, loaded.cell_c, loaded.code, t_ref_c) if loaded is not None else None
    walks = [fit_walk(empty.t_s, empty.code - zero.per_k * (empty.cell_c - t_ref_c))]
    if loaded is not None and warm is not None:
        walks.append(fit_walk(loaded.t_s, loaded.code - warm.per_k * (loaded.cell_c - t_ref_c)))
    dof = math.fsum(w.dof for w in walks)
    mean2 = math.fsum(w.per_sqrt_h**2 * w.dof for w in walks) / dof
    noise = float(np.nanmedian(empty.sd_code))
    walk = WalkFit(math.sqrt(mean2), dof)
    creep = _creep_pct(settling, span.counts_per_g * weight_g, walk) if settling is not None else None
    return Found(span, zero, warm, walk, noise, t_ref_c, weight_g, creep)


def _creep_pct(settling: Readings, load_code: float, walk: WalkFit) -> float:
    """Get the half-width for a night: what was seen in two hours and twice what the zero may have added to it."""
    seen = creep_pct(settling.t_s, settling.code, load_code)
    hours = float(settling.t_s[-1] - settling.t_s[0]) / 3600.0
    wandered = walk.per_sqrt_h * math.sqrt(hours) / abs(load_code) * 100.0
    return CREEP_ON * (abs(seen) + 2.0 * wandered)


def certificate_of(
    found: Found,
    *,
    name: str,
    made_by: str,
    made_at: datetime.date,
    cell: cal.Cell,
    bridge: cal.BridgeChip,
    rtd: cal.Rtd,
    u_cell_temp_c: float = 0.05,
    creep_class_pct_fs: float = CREEP_CLASS_PCT_FS,
) -> cal.Certificate:
    """Make the certificate of what was found. ``creep_class_pct_fs`` is taken where creep was not measured."""
    s = found.span.counts_per_g
    span_per_k, u_span_per_k = 0.0, 5e-5
    if found.loaded is not None:
        span_per_k = (found.loaded.per_k - found.zero.per_k) / (s * found.weight_g)
        u_span_per_k = math.hypot(found.loaded.u_per_k, found.zero.u_per_k) / abs(s * found.weight_g)
    return cal.Certificate(
        format=1,
        name=name,
        made_by=made_by,
        made_at=made_at,
        cell=cell,
        bridge=bridge,
        span=cal.Span(counts_per_g=s, u_counts_per_g=found.span.u_counts_per_g),
        linearity=cal.Linearity(
            linearity_per_g=found.span.linearity_per_g, u_linearity_per_g=found.span.u_linearity_per_g
        ),
        temperature=cal.Temperature(
            t_ref_c=found.t_ref_c,
            zero_counts_per_k=found.zero.per_k,
            u_zero_counts_per_k=found.zero.u_per_k,
            span_per_k=span_per_k,
            u_span_per_k=u_span_per_k,
            cell_source="probe",
            u_cell_temp_c=u_cell_temp_c,
        ),
        stability=cal.Stability(
            creep_pct_fs=creep_class_pct_fs if found.creep_pct is None else min(5.0, found.creep_pct),
            zero_drift_g=0.0,
            noise_counts=found.noise_code,
            zero_walk_g=found.walk.per_sqrt_h / abs(s),
            zero_walk_dof=found.walk.dof,
        ),
        rtd=rtd,
    )
