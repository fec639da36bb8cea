"""A night that somebody recorded, with one load on and nobody near it, as the temperature step of a calibration.

What temperature does is found as in a night of our own; where the recording's codes are those of a calibration that was
begun, they take the place of its night. This module must never take grams for codes, nor a recording for a night under
watch: what it is from is kept with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from calibration.barometer import PLACE_PA
from calibration.calibration_record import Weight
from calibration.errors import BadFit
from calibration.thermal import LagFit, TemperatureFit, fit_lag, fit_temperature, fit_walk, lagged, minute_means
from calibration.weather import AirNight, per_kilopascal
from edge.errors import CalibrationRefused
from edge.fold.layout import F8
from edge.records.frame import Frames
from hw.protocols import Status

from .readings import Readings
from .session import Minute, Piece, Series, Session
from .summary import with_u

FROM_FILE = "recorded: "
"""What a piece's boot is called that was no boot of ours."""


@dataclass(frozen=True, slots=True)
class NightFound:
    """What temperature did to a recorded night, in the recording's own unit (``g`` or ``code``).

    ``lag`` is how the cell followed the air's temperature (None: the cell's own was recorded), ``walk_per_sqrt_h`` what
    it wandered by itself after one hour (NaN: too short to tell), ``median`` what it showed; ``per_kpa`` what the air's
    pressure did to it, with its u (None: it was not recorded, or hardly moved).
    """

    unit: str
    fit: TemperatureFit
    lag: LagFit | None
    walk_per_sqrt_h: float
    median: float
    hours: float
    per_kpa: tuple[float, float] | None = None


class NightTold(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded night as JSON tells it: per kelvin, ± one standard uncertainty."""

    unit: str
    zero_per_k: float
    u_zero_per_k: float
    lag_s: float | None
    u_lag_s: float | None
    drift_per_h: float
    u_drift_per_h: float
    walk_per_sqrt_h: float | None
    low_c: float
    high_c: float
    hours: float
    read_as: str
    certificate: str | None = None
    zero_per_kpa: float | None = None
    u_zero_per_kpa: float | None = None


def readings_from(frames: Frames, gate: float) -> Readings:
    """Get the good rows of a recording: a mean a second, without those that its own gate takes for glitches."""
    good = frames.status == Status.OK
    values = np.where(good, frames.code, 0.0)
    edges = np.asarray(frames.first[:-1], np.int64)
    n = np.add.reduceat(good.astype(np.float64), edges)
    with np.errstate(invalid="ignore", divide="ignore"):
        code = np.add.reduceat(values, edges) / n
    seen = n > 0
    t_s = (frames.t_ns - frames.t_ns[0]) / 1e9
    cell_c, oven_c, pressure_pa = (_known(c.value, c.status) for c in (frames.cell, frames.oven, frames.gauge))
    of = Readings(t_s, code, np.full(len(t_s), math.nan), cell_c, oven_c, _air_pa(pressure_pa))
    if gate > 0.0 and np.count_nonzero(seen) >= 5:
        around = np.lib.stride_tricks.sliding_window_view(np.pad(code[seen], 2, mode="edge"), 5)
        seen[np.flatnonzero(seen)[np.abs(code[seen] - np.median(around, axis=1)) > gate]] = False
    return of.part(seen)


def _air_pa(pa: F8) -> F8 | None:
    """Get a recorded pressure where it can be the room's: no vacuum, nothing that no place has (None: it is not)."""
    known = pa[np.isfinite(pa)]
    return pa if len(known) and PLACE_PA[0] <= float(known.min()) and float(known.max()) <= PLACE_PA[1] else None


def _known(value: np.ndarray, status: np.ndarray) -> F8:
    out: F8 = np.where(status == Status.OK, value, math.nan)
    return out


def find_in_night(of: Readings, unit: str) -> NightFound:
    """Find what temperature does: by the cell's own where it was recorded, else by the air's behind a lag.

    Raises ``BadFit`` with what to do where there is too little of it.
    """
    if not len(of.t_s):
        raise BadFit("there is no good row in it: see that its load and its thermometer were read")
    own = float(np.mean(np.isfinite(of.cell_c))) > 0.5
    lag = None
    if own:
        t_ref_c = float(np.nanmean(of.cell_c))
        temp_c, fit = of.cell_c, fit_temperature(of.t_s, of.cell_c, of.code, t_ref_c)
    else:
        t_ref_c = float(np.nanmean(of.oven_c)) if np.any(np.isfinite(of.oven_c)) else 0.0
        lag = fit_lag(of.t_s, of.oven_c, of.code, t_ref_c)
        known = np.isfinite(of.oven_c)
        of = of.part(known)
        temp_c, fit = lagged(of.t_s, of.oven_c, lag.lag_s), lag.fit
    hours = float(of.t_s[-1] - of.t_s[0]) / 3600.0
    rest = of.code - fit.per_k * (temp_c - t_ref_c) - fit.drift_per_h * (of.t_s - of.t_s[0]) / 3600.0
    try:
        walk = fit_walk(of.t_s, rest).per_sqrt_h
    except BadFit:
        walk = math.nan
    per_kpa = None
    if of.air_pa is not None:
        per_kpa = per_kilopascal(AirNight(of.t_s, of.code, temp_c, of.air_pa / 1000.0))
    return NightFound(unit, fit, lag, walk, float(np.median(of.code)), hours, per_kpa)


def told(found: NightFound, read_as: str) -> NightTold:
    """Get what was found as a record."""
    fit, lag = found.fit, found.lag
    return NightTold(
        unit=found.unit,
        zero_per_k=fit.per_k,
        u_zero_per_k=fit.u_per_k,
        lag_s=None if lag is None else lag.lag_s,
        u_lag_s=None if lag is None else lag.u_lag_s,
        drift_per_h=fit.drift_per_h,
        u_drift_per_h=fit.u_drift_per_h,
        walk_per_sqrt_h=found.walk_per_sqrt_h if math.isfinite(found.walk_per_sqrt_h) else None,
        low_c=fit.low_c,
        high_c=fit.high_c,
        hours=found.hours,
        read_as=read_as,
        zero_per_kpa=None if found.per_kpa is None else found.per_kpa[0],
        u_zero_per_kpa=None if found.per_kpa is None else found.per_kpa[1],
    )


def lines_of(night: NightTold) -> Iterator[str]:
    """Say what was found, one sigma each."""
    unit = "g" if night.unit == "g" else "codes"
    span = f"from {night.low_c:.1f} to {night.high_c:.1f} °C"
    yield f"Found in {night.hours:.1f} h, {span} (± is one standard uncertainty):"
    yield f"  temperature   {with_u(night.zero_per_k, night.u_zero_per_k)} {unit} per K, of zero and load together"
    if night.lag_s is not None and night.u_lag_s is not None:
        yield f"  lag           {with_u(night.lag_s, night.u_lag_s)} s behind the recorded temperature"
    if night.zero_per_kpa is not None and night.u_zero_per_kpa is not None:
        yield f"  air pressure  {with_u(night.zero_per_kpa, night.u_zero_per_kpa)} {unit} per kPa, of both together"
    yield f"  drift         {with_u(night.drift_per_h, night.u_drift_per_h)} {unit} an hour"
    if night.walk_per_sqrt_h is not None:
        yield f"  wander        {night.walk_per_sqrt_h:.2g} {unit} after one hour, by the root of time"


def with_recorded_night(session: Session, of: Readings, file: str, weight: Weight | None, wall_s: float) -> Session:
    """Get a calibration whose night (with nothing on, or with ``weight``) is this recording of codes.

    Raises ``CalibrationRefused`` where the recording lacks the temperature that the calibration's cell goes by.
    """
    if session.cell_rtd is not None and not np.any(np.isfinite(of.cell_c)):
        raise CalibrationRefused(
            f"{file}: has no cell_temp_c, and {session.name} has a thermometer on the load cell: record that too, or "
            "begin a calibration without it"
        )
    air_pa = np.full(len(of.t_s), math.nan) if of.air_pa is None else of.air_pa
    minute, code, cell_c, oven_c, air = minute_means(
        of.t_s, of.code, *(np.nan_to_num(c, nan=-1e9) for c in (of.cell_c, of.oven_c, air_pa))
    )
    apart = np.abs(np.diff(code, prepend=code[:1])) / math.sqrt(2.0)
    noise = float(np.median(apart)) if len(apart) else 0.0

    def temp(value: float) -> float | None:
        return float(value) if value > -200.0 else None

    rows: tuple[Minute, ...] = tuple(
        (float(t), float(c), noise, temp(a), temp(b)) for t, c, a, b in zip(minute, code, cell_c, oven_c, strict=True)
    )
    pressures = () if of.air_pa is None else tuple(float(pa) if pa > 0.0 else None for pa in air)
    piece = Piece(boot_id=FROM_FILE + file, t0_ns=0, wall_s=wall_s, minutes=rows, air_pa=pressures)
    series = Series(weight=weight, pieces=(piece,))
    return msgspec.structs.replace(session, **{"empty" if weight is None else "loaded": series})
