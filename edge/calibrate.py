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
from calibration.allan import Integrated, integrate
from calibration.calibration_record import Record
from calibration.errors import BadFit
from calibration.loadcell import SpanFit, SpanPoint, fit_span
from calibration.thermal import LagFit, TemperatureFit, WalkFit, creep_pct, fit_lag, fit_temperature, fit_walk, lagged
from edge.errors import BadInput
from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from edge.records.frame import Frames
from hw.protocols import Status

STEADY_S = 60.0
GATE_SIGMAS = 12.0  # further than this from its neighbours a code is a glitch, as in a run
CREEP_CLASS_PCT_FS = 0.05  # of a cheap bar cell (FACTS: 0.05 %FS in 30 min), where it was not measured
CREEP_ON = 2.5  # a night of creep after the dwell is at most so many times that of the first two hours


@dataclass(frozen=True, slots=True)
class Readings:
    """Seconds of a rig's raw codes, folded with neutral parameters. Arrays of one length; NaN: not known."""

    t_s: layout.F8
    code: layout.F8
    sd_code: layout.F8
    cell_c: layout.F8
    oven_c: layout.F8


def readings(
    frames: Frames, rtd: cal.Rtd, *, cell_rtd: cal.Rtd | None = None, has_cell: bool = True, gate_code: float = 0.0
) -> Readings:
    """Fold raw frames so that codes stay codes: mean and standard deviation a second, and both temperatures.

    ``rtd`` is the oven's thermometer, ``cell_rtd`` the cell's where that is another; ``has_cell``: there is one.
    """
    cell = cell_rtd or rtd
    own = {
        f"{where}_{name}": value
        for where, of in (("oven", rtd), ("cell", cell))
        for name, value in (
            ("ref_ohm", of.ref_ohm),
            ("r0_ohm", of.r0_ohm),
            ("lead_ohm", of.lead_ohm),
            ("a", of.a_per_k),
            ("b", of.b_per_k2),
        )
        if value is not None
    }
    params = layout.new_params(rtd_is_code=1, cell_source=0 if has_cell else 2, gate_code=gate_code, **own)
    state, rows = kernel.advance(layout.new_state(), params, block_from_frames(frames, int(frames.t_ns[0])))
    _, last = kernel.flush(state, params)
    table = np.concatenate([rows, last])
    good = table[table["n_ok"] > 0]
    return Readings(
        good["t_s"].copy(),
        good["zero_code"].copy(),
        good["sd_g"].copy(),
        good["cell_temp_c"].copy(),
        good["temp_c"].copy(),
    )


def noise_code(of: Readings) -> float:
    """Get the standard deviation of single samples, as half of the seconds have it or less (0: not known)."""
    known = of.sd_code[np.isfinite(of.sd_code)]
    return float(np.median(known)) if len(known) else 0.0


def gated(frames: Frames, rtd: cal.Rtd, *, cell_rtd: cal.Rtd | None = None, has_cell: bool = True) -> Readings:
    """Fold raw frames as :func:`readings` does, without the glitches that the frames' own noise tells."""
    first = readings(frames, rtd, cell_rtd=cell_rtd, has_cell=has_cell)
    gate = GATE_SIGMAS * noise_code(first)
    return readings(frames, rtd, cell_rtd=cell_rtd, has_cell=has_cell, gate_code=gate) if gate > 0.0 else first


LEAST_GOOD = 0.8
_DO = {
    Status.NOT_READY: "check its power and wires",
    Status.LATE: "the machine is too busy: stop other programs, or clock the HX711 from an SPI port (hx711_spi)",
    Status.DESYNC: "keep its wires short and away from the pump's",
    Status.SATURATED: "take the load off, see that A+ and A- are connected the right way round, or use a lower gain",
    Status.SETTLING: "it was just set up: try again",
    Status.STUCK: "check the load cell's four wires",
    Status.BUS_ERROR: "check SDA, SCL and their ground",
    Status.FAULT: "halfpercent doctor says what the chip reports",
    Status.STALE: "check the thermometer on the load cell, without which a code is worth nothing",
}


def check_good(frames: Frames, of: Readings) -> None:
    """See that nearly all samples are good. Raises ``BadInput``: how many are not, what they are, what to do."""
    counts = np.bincount(frames.status, minlength=len(Status))
    n, n_ok = len(frames.status), int(counts[Status.OK])
    if not n:
        raise BadInput("the bridge gave no sample: check its power and wires (halfpercent doctor)")
    if n_ok >= LEAST_GOOD * n and len(of.code) >= LEAST_GOOD * len(frames):
        return
    bad = [(int(c), Status(i)) for i, c in enumerate(counts) if i != Status.OK and c]
    if not bad or n_ok >= LEAST_GOOD * n:
        raise BadInput(f"{len(of.code)} of {len(frames)} seconds are good: {_DO[Status.STALE]}")
    named = ", ".join(f"{c} {status.name.lower().replace('_', ' ')}" for c, status in sorted(bad, reverse=True))
    raise BadInput(f"{n_ok} of {n} samples are good ({named}): {_DO[max(bad)[1]]}, then try again")


class StillMoving(BadInput):
    """A code that has not come to rest."""


def steady_code(of: Readings) -> Integrated:
    """Take the code of what lies still on the cell: the last minute's mean, as long as its Allan deviation justifies.

    Raises ``BadInput`` with what to do where there are too few good seconds, or (``StillMoving``) where they wander.
    """
    codes = [float(c) for c, t in zip(of.code, of.t_s, strict=True) if of.t_s[-1] - t < STEADY_S]
    if len(codes) < LEAST_GOOD * STEADY_S:
        raise BadInput(f"{len(codes)} good seconds of {STEADY_S:.0f}: check the wires, then weigh again")
    half = len(codes) // 2
    apart = abs(math.fsum(codes[:half]) / half - math.fsum(codes[half:]) / (len(codes) - half))
    if apart > max(3.0 * noise_code(of), 1.0):
        raise StillMoving(f"the code still moves by {apart:.0f}: wait until the cell is at rest, then weigh again")
    return integrate(codes, "last")


def span_point(of: Readings, mass_g: float, u_mass_g: float, *, rising: bool = True) -> SpanPoint:
    """Get the point that a check weight of ``mass_g`` gives (see :func:`steady_code`)."""
    value = steady_code(of)
    return SpanPoint(mass_g, u_mass_g, value.mean, max(value.u, 1e-6), rising)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything a calibration found, before it is a certificate. What was not measured is None."""

    span: SpanFit
    zero: TemperatureFit | None
    loaded: TemperatureFit | None
    lag: LagFit | None
    walk: WalkFit | None
    noise_code: float
    t_ref_c: float
    weight_g: float
    creep_pct: float | None
    """Half-width of what a load may creep over a night after the dwell, in % of it."""


def find(
    points: Sequence[SpanPoint],
    empty: Readings | None,
    loaded: Readings | None,
    *,
    settling: Readings | None = None,
    weight_g: float,
    capacity_g: float,
    t_ref_c: float,
    noise: float = math.nan,
    from_oven: bool = False,
    pieces: tuple[layout.F8 | None, layout.F8 | None] = (None, None),
) -> Found:
    """Fit span, temperature, walk and creep.

    ``empty`` and ``loaded`` are hours of warming and cooling, the latter with ``weight_g`` (g of load) on; ``settling``
    are the first two hours after that weight was put on. ``from_oven``: the cell has no thermometer, so the code is
    fitted to the oven's temperature behind a lag. ``pieces`` number the power-ups within ``empty`` and ``loaded``.
    ``noise`` is that of the span's points, used where ``empty`` is not there. Raises ``BadFit`` with what to do.
    """
    span = fit_span(points, capacity_g)
    zero, warm, lag, walks = None, None, None, []
    if empty is not None:
        noise = noise_code(empty)
        if from_oven:
            lag = fit_lag(empty.t_s, empty.oven_c, empty.code, t_ref_c)
        zero, walk = _slope(empty, t_ref_c, lag, pieces[0])
        walks.append(walk)
        if lag is not None:
            zero = lag.fit
    if loaded is not None and empty is not None:
        warm, walk = _slope(loaded, t_ref_c, lag, pieces[1])
        walks.append(walk)
    known = [w for w in walks if w is not None]
    walk = None
    if known:
        dof = math.fsum(w.dof for w in known)
        walk = WalkFit(math.sqrt(math.fsum(w.per_sqrt_h**2 * w.dof for w in known) / dof), dof)
    creep = None
    if settling is not None:
        creep = _creep_pct(settling, span.counts_per_g * weight_g, walk or WalkFit(0.0, 1.0))
    return Found(span, zero, warm, lag, walk, noise, t_ref_c, weight_g, creep)


def _slope(
    of: Readings, t_ref_c: float, lag: LagFit | None, piece: layout.F8 | None
) -> tuple[TemperatureFit, WalkFit | None]:
    """Fit what temperature does to a code, and what is left of it: the walk (None where the record is too short)."""
    temp_c = of.cell_c if lag is None else lagged(of.t_s, of.oven_c, lag.lag_s)
    fit = fit_temperature(of.t_s, temp_c, of.code, t_ref_c, piece)
    rest = of.code - fit.per_k * (temp_c - t_ref_c)
    if piece is not None:
        rest = rest - np.array(fit.offsets)[piece.astype(int)]
    try:
        return fit, fit_walk(of.t_s, rest)
    except BadFit:
        return fit, None


def _creep_pct(settling: Readings, load_code: float, walk: WalkFit) -> float:
    """Get the half-width for a night: what was seen in two hours and twice what the zero may have added to it."""
    seen = creep_pct(settling.t_s, settling.code, load_code)
    hours = float(settling.t_s[-1] - settling.t_s[0]) / 3600.0
    wandered = walk.per_sqrt_h * math.sqrt(hours) / abs(load_code) * 100.0
    return CREEP_ON * (abs(seen) + 2.0 * wandered)


# What data sheets allow bar cells of the cheap kind (FACTS: 0.05 %FS in 10 K each), and OIML R 60's class C3 its zero.
CLASS_PER_10_K = 0.0005
CLASS_ZERO_FS = 0.0002


def certificate_of(
    found: Found,
    *,
    name: str,
    made_by: str,
    made_at: datetime.date,
    cell: cal.Cell,
    bridge: cal.BridgeChip,
    rtd: cal.Rtd,
    cell_rtd: cal.Rtd | None = None,
    u_cell_temp_c: float = 0.05,
    creep_class_pct_fs: float = CREEP_CLASS_PCT_FS,
    u_span_rel: float = 0.0,
    valid_until: datetime.date | None = None,
    record: Record | None = None,
    lag: tuple[float, float, float] | None = None,
) -> cal.Certificate:
    """Make the certificate of what was found.

    What was not measured is zero with what a cell's class allows: temperature, wander of the zero, creep
    (``creep_class_pct_fs``). ``u_span_rel`` is common to all weights. ``lag`` are lag_s, cell_offset_c and
    cell_per_oven of a cell without a thermometer.
    """
    s, capacity_g = found.span.counts_per_g, cell.capacity_g
    zero_per_k, u_zero_per_k = 0.0, CLASS_PER_10_K * capacity_g * abs(s) / 10.0 / math.sqrt(3.0)
    if found.zero is not None:
        zero_per_k, u_zero_per_k = found.zero.per_k, found.zero.u_per_k
    span_per_k, u_span_per_k = 0.0, CLASS_PER_10_K / 10.0 / math.sqrt(3.0) if found.zero is None else 5e-5
    if found.loaded is not None and found.zero is not None:
        span_per_k = (found.loaded.per_k - found.zero.per_k) / (s * found.weight_g)
        u_span_per_k = math.hypot(found.loaded.u_per_k, found.zero.u_per_k) / abs(s * found.weight_g)
    walk_g = found.walk.per_sqrt_h / abs(s) if found.walk is not None else 0.0
    lag_s, offset_c, per_oven = lag or (None, None, None)
    return cal.Certificate(
        format=1,
        name=name,
        made_by=made_by,
        made_at=made_at,
        valid_until=valid_until,
        cell=cell,
        bridge=bridge,
        span=cal.Span(counts_per_g=s, u_counts_per_g=math.hypot(found.span.u_counts_per_g, u_span_rel * abs(s))),
        linearity=cal.Linearity(
            linearity_per_g=found.span.linearity_per_g, u_linearity_per_g=found.span.u_linearity_per_g
        ),
        temperature=cal.Temperature(
            t_ref_c=found.t_ref_c,
            zero_counts_per_k=zero_per_k,
            u_zero_counts_per_k=u_zero_per_k,
            span_per_k=span_per_k,
            u_span_per_k=u_span_per_k,
            cell_source="probe" if lag is None else "oven_lag",
            u_cell_temp_c=u_cell_temp_c,
            lag_s=lag_s,
            cell_offset_c=offset_c,
            cell_per_oven=per_oven,
        ),
        stability=cal.Stability(
            creep_pct_fs=creep_class_pct_fs if found.creep_pct is None else min(5.0, found.creep_pct),
            zero_drift_g=0.0 if found.walk is not None else CLASS_ZERO_FS * capacity_g,
            noise_counts=found.noise_code,
            zero_walk_g=walk_g,
            zero_walk_dof=found.walk.dof if found.walk is not None else 1e6,
        ),
        rtd=rtd,
        cell_rtd=cell_rtd,
        record=record,
    )
