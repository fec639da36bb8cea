"""From a rig's readings to its certificate: what the fits find, and what a class of cells allows instead.

This module must never use a number about the rig that was not read from it or stated by a person.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from calibration import certificate as cal
from calibration.calibration_record import Record
from calibration.creep import CreepFit, ReturnFit, fit_creep, fit_return
from calibration.errors import BadFit
from calibration.loadcell import SpanFit, SpanPoint, fit_span
from calibration.pressure import PressureFit
from calibration.thermal import LagFit, TemperatureFit, WalkFit, fit_lag, fit_temperature, fit_walk, lagged
from calibration.wander import Wander, fit_wander
from calibration.weather import AirNight, WeatherFit, fit_weather, without_weather
from edge.fold import layout

from .readings import Readings, noise_code

CREEP_CLASS_PCT_FS = 0.05
"""What a cheap bar cell may creep, in % of full scale (FACTS: 0.05 %FS in 30 min), where it was not measured."""
# What data sheets allow bar cells of the cheap kind (FACTS: 0.05 %FS in 10 K each), and OIML R 60's class C3 its zero.
CLASS_PER_10_K = 0.0005
CLASS_ZERO_FS = 0.0002


@dataclass(frozen=True, slots=True)
class Night:
    """Hours in which the cell warmed and cooled, as far as they were recorded and are used.

    ``empty``: with nothing on; ``loaded``: with ``weight_g`` (g of load) on; ``settling``: the first two hours after
    that weight was put on, ``returning`` after it was taken off. ``empty_piece`` and ``loaded_piece`` number the
    power-up that each reading is from.
    """

    empty: Readings | None = None
    loaded: Readings | None = None
    settling: Readings | None = None
    weight_g: float = 0.0
    empty_piece: layout.F8 | None = None
    loaded_piece: layout.F8 | None = None
    returning: Readings | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The part of a certificate that was stated or checked: names, dates, cell, chip and thermometers."""

    name: str
    made_by: str
    made_at: datetime.date
    cell: cal.Cell
    bridge: cal.BridgeChip
    rtd: cal.Rtd
    cell_rtd: cal.Rtd | None = None
    valid_until: datetime.date | None = None
    mount: str | None = None


@dataclass(frozen=True, slots=True)
class CellTemperature:
    """How the cell's temperature is known in a test, and its standard uncertainty between two weighings in °C.

    ``lag_s`` None: by a thermometer on it. Else it follows ``cell_offset_c + cell_per_oven · T_oven`` behind that lag.
    """

    u_c: float = 0.05
    lag_s: float | None = None
    cell_offset_c: float = 0.0
    cell_per_oven: float = 1.0


@dataclass(frozen=True, slots=True)
class CalibrationFits:
    """Everything a calibration found, before it is a certificate. What was not measured is None."""

    span: SpanFit
    zero: TemperatureFit | None
    loaded: TemperatureFit | None
    lag: LagFit | None
    noise_code: float
    t_ref_c: float
    weight_g: float
    creep: CreepFit | None
    wander: Wander | None
    returned: ReturnFit | None = None
    weather: WeatherFit | None = None


def fit_all(
    points: Sequence[SpanPoint],
    night: Night,
    *,
    capacity_g: float,
    t_ref_c: float,
    noise: float = math.nan,
    from_oven: bool = False,
) -> CalibrationFits:
    """Fit span, temperature, walk and creep.

    ``from_oven``: the cell has no thermometer, so the code is fitted to the oven's temperature behind a lag. ``noise``
    is that of the span's points in codes, used where nothing was recorded with the empty holder. Raises ``BadFit`` with
    what to do.
    """
    span = fit_span(points, capacity_g)
    weather: WeatherFit | None = None
    zero, warm, lag, walks, rests = None, None, None, list[WalkFit](), list[tuple[layout.F8, layout.F8]]()
    empty, loaded = night.empty, night.loaded
    if empty is not None:
        noise = noise_code(empty)
        if from_oven:
            lag = fit_lag(empty.t_s, empty.oven_c, empty.code, t_ref_c)
        weather = _weather(night, lag, span.counts_per_g, capacity_g)
        if weather is not None and weather.says_more:
            night = _in_one_air(night, weather, span.counts_per_g)
            empty, loaded = night.empty, night.loaded
            assert empty is not None  # it was one before
        zero, rest, walk = _fit_slope(empty, t_ref_c, lag, night.empty_piece)
        rests.append((empty.t_s, rest))
        walks += [walk] if walk is not None else []
        if lag is not None:
            zero = lag.fit
    if loaded is not None and empty is not None:
        warm, rest, walk = _fit_slope(loaded, t_ref_c, lag, night.loaded_piece)
        rests.append((loaded.t_s, rest))
        walks += [walk] if walk is not None else []
    wander = None
    if walks:
        dof = math.fsum(w.dof for w in walks)
        walk = WalkFit(math.sqrt(math.fsum(w.per_sqrt_h**2 * w.dof for w in walks) / dof), dof)
        wander = fit_wander(rests, [fit.drift_per_h for fit in (zero, warm) if fit is not None], walk)
    creep, returned = None, None
    if night.settling is not None:
        on = (night.settling.t_s, _at_one_temperature(night.settling, zero, lag))
        own = wander or Wander(WalkFit(0.0, 1.0), None, None)
        creep = fit_creep(*on, span.counts_per_g * night.weight_g, own)
        if night.returning is not None and wander is not None:
            returned = fit_return(on, (night.returning.t_s, _at_one_temperature(night.returning, zero, lag)), wander)
    return CalibrationFits(span, zero, warm, lag, noise, t_ref_c, night.weight_g, creep, wander, returned, weather)


def _weather(night: Night, lag: LagFit | None, counts_per_g: float, capacity_g: float) -> WeatherFit | None:
    """Find what the air's pressure does to the zero, where a barometer was read beside the night (None: not)."""
    nights = []
    of = ((night.empty, night.empty_piece, 0.0), (night.loaded, night.loaded_piece, night.weight_g))
    for series, piece, weight_g in of:
        if series is not None and series.air_pa is not None:
            temp_c = series.cell_c if lag is None else lagged(series.t_s, series.oven_c, lag.lag_s)
            kpa = series.air_pa / 1000.0
            nights.append(AirNight(series.t_s, series.code, temp_c, kpa, piece, weight_g))
    return fit_weather(nights, counts_per_g, capacity_g)


def _in_one_air(night: Night, weather: WeatherFit, counts_per_g: float) -> Night:
    """Get a night without what the weather did to its codes."""
    per_kpa, at_kpa = weather.with_class[0] * counts_per_g, (weather.low_kpa + weather.high_kpa) / 2.0

    def still(of: Readings | None) -> Readings | None:
        if of is None or of.air_pa is None:
            return of
        return dataclasses.replace(of, code=without_weather(of.t_s, of.code, of.air_pa / 1000.0, per_kpa, at_kpa))

    return dataclasses.replace(
        night,
        empty=still(night.empty),
        loaded=still(night.loaded),
        settling=still(night.settling),
        returning=still(night.returning),
    )


def _fit_slope(
    of: Readings, t_ref_c: float, lag: LagFit | None, piece: layout.F8 | None
) -> tuple[TemperatureFit, layout.F8, WalkFit | None]:
    """Fit what temperature does to a code; get what is left of it, and its walk (None: the record is too short)."""
    temp_c = of.cell_c if lag is None else lagged(of.t_s, of.oven_c, lag.lag_s)
    fit = fit_temperature(of.t_s, temp_c, of.code, t_ref_c, piece)
    rest = of.code - fit.per_k * (temp_c - t_ref_c)
    if piece is not None:
        rest = rest - np.array(fit.offsets)[piece.astype(int)]
    try:
        return fit, rest, fit_walk(of.t_s, rest - fit.drift_per_h * (of.t_s - of.t_s[0]) / 3600.0)
    except BadFit:
        return fit, rest, None


def _at_one_temperature(of: Readings, zero: TemperatureFit | None, lag: LagFit | None) -> layout.F8:
    """Get the codes of two hours after a change of load, without what the cell's temperature did meanwhile."""
    if zero is None or lag is not None or not np.all(np.isfinite(of.cell_c)):
        return of.code
    still: layout.F8 = of.code - zero.per_k * (of.cell_c - of.cell_c[0])
    return still


def make_certificate(
    found: CalibrationFits,
    subject: Subject,
    cell_temperature: CellTemperature,
    *,
    u_span_rel: float = 0.0,
    pressure: PressureFit | None = None,
    record: Record | None = None,
) -> cal.Certificate:
    """Make the certificate of what was found.

    What was not measured is zero with what a cell's class allows: temperature, wander of the zero, creep.
    ``u_span_rel`` is common to all weights. Of what pump and weather say of the air's pressure the surer counts.
    """
    s, stability = found.span.counts_per_g, _stability(found, subject.cell.capacity_g)
    seen = found.weather.with_class if found.weather is not None and found.weather.says_more else None
    if pressure is not None and (seen is None or pressure.u_g_per_kpa <= seen[1]):
        seen = pressure.g_per_kpa, pressure.u_g_per_kpa
    if seen is not None:
        stability = replace(stability, zero_g_per_kpa=seen[0], u_zero_g_per_kpa=seen[1])
    return cal.Certificate(
        format=1,
        name=subject.name,
        made_by=subject.made_by,
        made_at=subject.made_at,
        valid_until=subject.valid_until,
        cell=subject.cell,
        bridge=subject.bridge,
        span=cal.Span(counts_per_g=s, u_counts_per_g=math.hypot(found.span.u_counts_per_g, u_span_rel * abs(s))),
        linearity=cal.Linearity(
            linearity_per_g=found.span.linearity_per_g, u_linearity_per_g=found.span.u_linearity_per_g
        ),
        temperature=_temperature(found, subject.cell.capacity_g, cell_temperature),
        stability=stability,
        tare_counts=found.span.zero_code,
        rtd=subject.rtd,
        cell_rtd=subject.cell_rtd,
        record=record,
        mount=subject.mount,
    )


def _temperature(found: CalibrationFits, capacity_g: float, cell: CellTemperature) -> cal.Temperature:
    """Get what temperature does to zero and span, each as it was measured or as a class of cells allows it."""
    s = found.span.counts_per_g
    zero_per_k, u_zero_per_k = 0.0, CLASS_PER_10_K * capacity_g * abs(s) / 10.0 / math.sqrt(3.0)
    if found.zero is not None:
        zero_per_k, u_zero_per_k = found.zero.per_k, found.zero.u_per_k
    span_per_k, u_span_per_k = 0.0, CLASS_PER_10_K / 10.0 / math.sqrt(3.0) if found.zero is None else 5e-5
    if found.loaded is not None and found.zero is not None:
        span_per_k = (found.loaded.per_k - found.zero.per_k) / (s * found.weight_g)
        u_span_per_k = math.hypot(found.loaded.u_per_k, found.zero.u_per_k) / abs(s * found.weight_g)
    lagging = cell.lag_s is not None
    return cal.Temperature(
        t_ref_c=found.t_ref_c,
        zero_counts_per_k=zero_per_k,
        u_zero_counts_per_k=u_zero_per_k,
        span_per_k=span_per_k,
        u_span_per_k=u_span_per_k,
        cell_source="oven_lag" if lagging else "probe",
        u_cell_temp_c=cell.u_c,
        lag_s=cell.lag_s,
        cell_offset_c=cell.cell_offset_c if lagging else None,
        cell_per_oven=cell.cell_per_oven if lagging else None,
    )


def _stability(found: CalibrationFits, capacity_g: float) -> cal.Stability:
    """Get creep, wander of the zero and noise, each as it was measured or as a class of cells allows it."""
    wander, creep, kept = found.wander, found.creep, found.returned
    walk, bound, drift = (None, None, None) if wander is None else (wander.walk, wander.bound, wander.drift_per_h)
    per_g = abs(found.span.counts_per_g)
    most_pct = CREEP_CLASS_PCT_FS
    if creep is not None:
        most_pct = min(5.0, abs(creep.gained_pct) + math.sqrt(3.0) * creep.u_pct)
    stability = cal.Stability(
        creep_pct_fs=most_pct,
        zero_drift_g=0.0 if walk is not None else CLASS_ZERO_FS * capacity_g,
        noise_counts=found.noise_code,
        zero_walk_g=walk.per_sqrt_h / per_g if walk is not None else 0.0,
        zero_walk_dof=walk.dof if walk is not None else 1e6,
        zero_drift_g_per_h=0.0 if drift is None else drift.rms / per_g,
        zero_drift_dof=1e6 if drift is None else drift.dof,
        zero_bound_g=0.0 if bound is None else bound.rms / per_g,
        zero_bound_dof=1e6 if bound is None else bound.dof,
    )
    if creep is None or not abs(creep.gained_pct) + creep.u_pct <= 5.0:
        return stability
    return replace(
        stability,
        creep_gained_pct=creep.gained_pct,
        u_creep_gained_pct=max(creep.u_pct, 1e-9),
        creep_whole_pct=max(-5.0, min(5.0, creep.whole_pct)),
        creep_at_m1_pct_per_h=creep.rate_pct_per_h,
        creep_bend_at_m1_pct_per_h2=creep.bend_pct_per_h2,
        creep_kept=0.0 if kept is None else max(-2.0, min(2.0, kept.kept)),
        u_creep_kept=0.0 if kept is None else max(1e-9, min(2.0, kept.u)),
    )
