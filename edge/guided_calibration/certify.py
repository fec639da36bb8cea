"""From what a calibration has read to its certificate, with everything that was assumed on the way.

This module must never leave out an assumption, and never make a certificate without a span.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from calibration import certificate as cal
from calibration.calibration_record import (
    Lag,
    Point,
    Record,
    Slope,
    SpanRecord,
    ThermometerPlace,
    WeatherRecord,
)
from calibration.errors import BadFit
from calibration.loadcell import SpanPoint
from calibration.placing import placing_of
from calibration.pressure import PressureFit, fit_pressure
from calibration.rtdcheck import OwnCurve, fit_rtd, read_as
from calibration.thermal import TemperatureFit, fit_temperature
from calibration.weather import WeatherFit
from calibration.weights import load_g, u_air_rel, u_load_g
from edge import __version__

from .fits import (
    CLASS_PER_10_K,
    CREEP_CLASS_PCT_FS,
    CalibrationFits,
    CellTemperature,
    Night,
    Subject,
    fit_all,
    make_certificate,
)
from .mount import of_the_mount
from .place import is_dated
from .readings import Readings
from .session import Series, Session, plan, steps_done

CELL_PROBE_U_C = 0.05  # between two readings of one thermometer
LAG_ASSUMED_S = 1800.0
# Without a thermometer on the cell only the oven is known. What the room does to the cell is, in the oven's degrees,
# more than in its own by as much as the oven reaches the cell.
ROOM_K, LEAST_PER_OVEN = 1.0, 0.1
BEHIND_K = 10.0  # how far the lag may be from what it follows when M2 is taken
SETTLED_K, SETTLING_S = 1.0, 7200.0


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that was made, and the fits behind it."""

    certificate: cal.Certificate
    found: CalibrationFits


def span_done(session: Session) -> bool:
    """Say whether every weight has been up and down."""
    return bool(session.weights) and steps_done(session.points) == len(plan(session.weights))


def certify(session: Session, today: dt.date, clock_set: bool | None = None) -> Certified:
    """Make the certificate of a session whose span is done. Raises ``BadFit`` with what to do.

    ``clock_set``: the clock that gave ``today`` was set. Where it was not, nobody can say until when it is valid.
    """
    if not span_done(session):
        raise BadFit("there is no span yet: halfpercent calibrate span")
    session = _as_checked(session)
    dated, begun_dated = is_dated(today, clock_set), is_dated(session.begun, session.begun_clock_set)
    if dated and not begun_dated:
        session = replace(session, begun=today)
    assumed = [f"air: {session.air.density_kg_m3:.4g} kg/m³ within 10 %"] if session.air.origin == "assumed" else []
    from_oven = session.cell_rtd is None
    found, not_used = _fit_as_far_as_it_goes(session, from_oven)
    rtd, rtd_assumed = fitted_rtd(session, "oven")
    cell_rtd = None if from_oven else fitted_rtd(session, "cell")[0]
    subject = Subject(
        name=f"{session.name}-{today.isoformat()}",
        made_by=session.made_by,
        made_at=today,
        cell=session.cell,
        bridge=session.bridge,
        rtd=rtd,
        cell_rtd=None if cell_rtd == rtd else cell_rtd,
        valid_until=months_later(today, session.valid_months) if dated else None,
        mount=session.mount,
    )
    density = max((w.density_kg_m3 for w in session.weights), default=7950.0)
    if not dated:
        assumed.append("date: the clock was not set when this was made, so its dates are labels and it has no end")
    elif not begun_dated:
        assumed.append("date: the clock was not set when it was begun: the day on which it ended stands for that")
    assumed += [*not_used, *_assumptions(found, from_oven, session.cell.capacity_g), *rtd_assumed]
    certificate = make_certificate(
        found,
        subject,
        _cell_temperature(found, from_oven),
        u_span_rel=u_air_rel(density, session.air),
        pressure=_pressure(session, found),
        record=_record(session, found, tuple(assumed)),
    )
    if session.placings:
        certificate = replace(certificate, placing=placing_of(session.placings))
    return Certified(cal.sealed(certificate), found)


def _fit_as_far_as_it_goes(session: Session, from_oven: bool) -> tuple[CalibrationFits, list[str]]:
    """Fit the span with as much of the night as shows something, and say what of it was not used.

    A night that shows nothing must not stand in the way of a span: it is said, and counts as not measured. Raises
    ``BadFit`` where the span itself is none.
    """
    t_ref_c = _t_ref_c(session, from_oven)
    whole = _night(session, from_oven)
    not_used: list[str] = []
    for night in (whole, dataclasses.replace(whole, loaded=None)):
        try:
            return _fit(session, night, t_ref_c, from_oven), not_used
        except BadFit as e:
            if night.empty is None:
                raise
            under_load = " under load" if night.loaded is not None else ""
            not_used.append(f"temperature{under_load}: recorded, not used: {e}")
    nothing = dataclasses.replace(whole, empty=None, loaded=None, settling=None, returning=None)
    return _fit(session, nothing, t_ref_c, from_oven), not_used


def _night(session: Session, from_oven: bool) -> Night:
    """Get all that was recorded while the cell warmed and cooled."""
    empty, empty_piece = _series_recorded(session.empty, from_oven)
    loaded, loaded_piece = _series_recorded(session.loaded, from_oven)
    settling, weight_g = None, 0.0
    if session.loaded is not None and session.loaded.weight is not None and loaded is not None:
        weight_g = load_g(session.loaded.weight, session.air)
        settling, loaded, loaded_piece = _settled(loaded, loaded_piece, from_oven)
    returning, returning_piece = _series_recorded(session.returned, from_oven)
    if returning is not None:
        returning = _settled(returning, returning_piece, from_oven)[0]
    return Night(empty, loaded, settling, weight_g, empty_piece, loaded_piece, returning)


def _fit(session: Session, night: Night, t_ref_c: float, from_oven: bool) -> CalibrationFits:
    """Fit the span, and what of the night is given. Raises ``BadFit``."""
    empty = night.empty
    per_k = 0.0
    if empty is not None and not from_oven:
        per_k = fit_temperature(empty.t_s, empty.cell_c, empty.code, t_ref_c, night.empty_piece).per_k
    return fit_all(
        span_points(session, per_k, t_ref_c),
        night,
        capacity_g=session.cell.capacity_g,
        t_ref_c=t_ref_c,
        noise=max(p.noise_code for p in session.points),
        from_oven=from_oven,
    )


def _pressure(session: Session, found: CalibrationFits) -> PressureFit | None:
    """Get what the air's pressure does to the zero (None: it was not measured)."""
    if session.pressure is None:
        return None
    per_g = found.span.counts_per_g
    class_per_k = CLASS_PER_10_K * session.cell.capacity_g * abs(per_g) / 10.0 / math.sqrt(3.0)
    per_k, u_per_k = (0.0, class_per_k) if found.zero is None else (found.zero.per_k, found.zero.u_per_k)
    if session.cell_rtd is None:  # what is known is per kelvin of the oven, behind a lag
        per_k, u_per_k = 0.0, math.hypot(per_k, u_per_k)
    return fit_pressure(session.pressure, per_g, per_k, u_per_k)


def _cell_temperature(found: CalibrationFits, from_oven: bool) -> CellTemperature:
    """Get how the cell's temperature is known in a test: by its thermometer, or by the oven's behind a lag."""
    if not from_oven:
        return CellTemperature(CELL_PROBE_U_C)
    u_c = ROOM_K / LEAST_PER_OVEN / math.sqrt(3.0)
    if found.lag is None:
        return CellTemperature(u_c, LAG_ASSUMED_S)
    return CellTemperature(math.hypot(u_c, BEHIND_K * found.lag.u_lag_s / found.lag.lag_s), found.lag.lag_s)


def span_points(session: Session, per_k: float, t_ref_c: float) -> list[SpanPoint]:
    """Get the points of the fit in g of load, at one temperature and as if the converter had never been off.

    Each piece's codes are moved by how much its first empty holder differs from the very first.
    """
    weights = {w.mass_g: w for w in session.weights}

    def code(p: Point) -> float:
        return p.code - (per_k * (p.cell_c - t_ref_c) if p.cell_c is not None else 0.0)

    first = session.points[0]
    out = []
    begun: dict[int, Point] = {first.piece: first}
    for p in session.points:
        if p.piece not in begun:
            begun[p.piece] = p  # the holder was empty: it says where the zero is now, and is no point of the plan
            continue
        zero = begun[p.piece]
        moved, u = 0.0, p.u_code
        if zero is not first:
            moved, u = code(zero) - code(first), math.hypot(p.u_code, zero.u_code, first.u_code)
        w = weights.get(p.mass_g)
        mass_g, u_g = (load_g(w, session.air), u_load_g(w, session.air)) if w is not None else (0.0, 0.0)
        out.append(SpanPoint(mass_g, u_g, code(p) - moved, max(u, 1e-6), p.rising))
    return out


def fitted_rtd(session: Session, probe: ThermometerPlace) -> tuple[cal.Rtd, tuple[str, ...]]:
    """Get a thermometer as its checks say, and what was assumed. Raises ``BadFit`` for one that contradicts."""
    nominal = session.oven_rtd if probe == "oven" else session.cell_rtd
    assert nominal is not None  # a check of a thermometer that is not there is refused
    curve = next((c for c in reversed(session.curves) if c.probe == probe), None)
    own = None if curve is None else OwnCurve(curve.r0_ohm, curve.a_per_k, curve.b_per_k2, curve.u_c)
    heating = next((h for h in reversed(session.self_heating) if h.probe == probe), None)
    return fit_rtd(nominal, [c for c in session.rtd_checks if c.probe == probe], own, heating)


def _as_checked(session: Session) -> Session:
    """Get the session with its temperatures as the thermometers' checks say: they were read as the settings do."""
    checked = {c.probe for c in session.rtd_checks} | {c.probe for c in session.curves}
    columns: tuple[tuple[ThermometerPlace, int], ...] = (("cell", 3), ("oven", 4))
    for probe, column in columns:
        nominal = session.oven_rtd if probe == "oven" else session.cell_rtd
        if nominal is None or probe not in checked:
            continue
        rtd = fitted_rtd(session, probe)[0]

        def right(temp_c: float | None, nominal: cal.Rtd = nominal, rtd: cal.Rtd = rtd) -> float | None:
            return None if temp_c is None else float(read_as(np.array([temp_c]), nominal, rtd)[0])

        name = f"{probe}_c"
        points = tuple(replace(p, **{name: right(getattr(p, name))}) for p in session.points)
        session = replace(
            session,
            points=points,
            empty=_each(session.empty, column, right),
            loaded=_each(session.loaded, column, right),
        )
    return session


def _each(series: Series | None, column: int, right: Callable[[float | None], float | None]) -> Series | None:
    if series is None:
        return None
    pieces = tuple(
        replace(p, minutes=tuple((*row[:column], right(row[column]), *row[column + 1 :]) for row in p.minutes))
        for p in series.pieces
    )
    return replace(series, pieces=pieces)


def months_later(day: dt.date, months: int) -> dt.date:
    """Get the same day so many months later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _t_ref_c(session: Session, from_oven: bool) -> float:
    """Get the temperature at which the span was taken: the cell's, or the oven's where that is all there is."""
    known = [t for p in session.points if (t := p.oven_c if from_oven else p.cell_c) is not None]
    if not known:
        raise BadFit("no temperature was read with the weights: check the thermometers (halfpercent doctor)")
    return round(math.fsum(known) / len(known), 2)


def _series_recorded(series: Series | None, from_oven: bool) -> tuple[Readings | None, np.ndarray | None]:
    """Get what was recorded. Behind the oven's lag only the longest piece counts: what was before it is not known."""
    if series is None or series.hours == 0.0:
        return None, None
    of, pieces = series.readings()
    if from_oven:
        numbers, lengths = np.unique(pieces, return_counts=True)
        keep = pieces == numbers[np.argmax(lengths)]
        return of.part(keep), None
    return of, pieces


def _settled(
    of: Readings, pieces: np.ndarray | None, from_oven: bool
) -> tuple[Readings | None, Readings | None, np.ndarray | None]:
    """Part the first two hours under load, as long as the cell's temperature stood still, from what came after."""
    temp_c = of.oven_c if from_oven else of.cell_c
    still = (of.t_s - of.t_s[0] <= SETTLING_S) & (np.abs(temp_c - temp_c[0]) <= SETTLED_K)
    if pieces is not None:
        still &= pieces == pieces[0]
    n = int(np.argmin(still)) if not np.all(still) else len(still)
    settling = np.arange(len(still)) < n
    early = of.part(settling) if of.t_s[n - 1] - of.t_s[0] >= 3600.0 else None
    late = ~settling if early is not None else np.ones_like(settling)
    if pieces is not None and np.any(late):
        pieces = np.unique(pieces[late], return_inverse=True)[1].astype(np.float64)
    return early, of.part(late) if np.any(late) else None, pieces


def _assumptions(found: CalibrationFits, from_oven: bool, capacity_g: float) -> list[str]:
    out: list[str] = []
    if found.zero is None:
        out.append(
            "temperature: not measured: nothing corrected, 0.05 % of full scale in 10 K allowed for zero and span"
        )
    elif found.loaded is None:
        out.append("temperature: span coefficient not measured: within 5e-5 per K")
    out += of_the_mount(found, capacity_g)
    if found.wander is None:
        out.append("zero: its wander was not measured: within 0.02 % of full scale over a test")
    if (air := found.weather) is not None and not air.says_more:
        out.append(
            f"air pressure: read, but {air.range_hpa:.2g} hPa of weather in the nights say no more than the class"
        )
    if found.creep is None:
        out.append(f"creep: not measured: within {CREEP_CLASS_PCT_FS:g} % of the load after the dwell")
    if from_oven:
        out.append(
            f"load cell: no thermometer on it: its temperature is the oven's behind a lag, in the oven's degrees; the "
            f"room within ±{ROOM_K:g} K between M1 and M2, the oven reaches the cell by {LEAST_PER_OVEN:g} or more"
        )
        if found.lag is None:
            out.append(f"load cell: lag not measured: {LAG_ASSUMED_S:g} s")
    else:
        out.append(f"load cell: its thermometer is good to {CELL_PROBE_U_C:g} °C between two weighings")
    return out


def _record(session: Session, found: CalibrationFits, assumed: tuple[str, ...]) -> Record:
    span = found.span
    return Record(
        software=f"halfpercent {__version__}",
        begun=session.begun,
        air=session.air,
        weights=session.weights,
        span=SpanRecord(
            zero_code=span.zero_code,
            quadratic=span.quadratic,
            residual_g=span.residual_g,
            covariance=span.covariance,
            hysteresis_g=span.hysteresis_g if math.isfinite(span.hysteresis_g) else None,
        ),
        points=session.points,
        zero_slope=_slope_record(found.zero, 0.0),
        loaded_slope=_slope_record(found.loaded, found.weight_g),
        lag=None if found.lag is None else Lag(lag_s=found.lag.lag_s, u_lag_s=found.lag.u_lag_s),
        rtd_checks=session.rtd_checks,
        assumed=assumed,
        pressure=session.pressure,
        self_heating=session.self_heating,
        placings=session.placings,
        weather=_weather_record(found.weather),
    )


def _weather_record(fit: WeatherFit | None) -> WeatherRecord | None:
    if fit is None or not math.isfinite(fit.u_g_per_kpa):
        return None
    return WeatherRecord(
        g_per_kpa=fit.g_per_kpa,
        u_g_per_kpa=fit.u_g_per_kpa,
        low_hpa=10.0 * fit.low_kpa,
        high_hpa=10.0 * fit.high_kpa,
    )


def _slope_record(fit: TemperatureFit | None, weight_g: float) -> Slope | None:
    if fit is None:
        return None
    return Slope(
        weight_g=weight_g,
        per_k=fit.per_k,
        u_per_k=fit.u_per_k,
        low_c=fit.low_c,
        high_c=fit.high_c,
        minutes=fit.minutes,
        residual=fit.residual,
        drift_per_h=fit.drift_per_h,
        inflation=fit.inflation,
    )
