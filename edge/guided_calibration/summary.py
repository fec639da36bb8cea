"""What a calibration found, in plain words and as a record.

This module must never round a number into one that looks better than it is known.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from calibration.calibration_record import Point, RtdCheck, Weight
from calibration.certificate import Certificate, certificate_hash, load_certificate
from calibration.loadcell import worth_having
from calibration.thermal import TemperatureFit
from calibration.visible_text import visible
from edge.errors import NoCalibration
from edge.records.formatting import significant

from .certify import Certified, span_done
from .session import Series, Session, load_session, plan, session_path, steps_done


def with_u(value: float, u: float) -> str:
    """Get ``value ± u`` with two digits of u."""
    if not u > 0.0:
        return f"{value:.6g} ± 0"
    digits = max(0, 1 - math.floor(math.log10(u)))
    if digits > 9:
        return f"{value:.3g} ± {u:.2g}"
    return f"{value:.{digits}f} ± {u:.{digits}f}"


def lines(made: Certified) -> Iterator[str]:
    """Say what was found, one sigma each."""
    certificate, found = made.certificate, made.found
    span, capacity_g = found.span, certificate.cell.capacity_g
    s = span.counts_per_g
    yield "Found (± is one standard uncertainty):"
    yield f"  span          {with_u(s, certificate.span.u_counts_per_g)} codes per gram of load"
    yield f"  empty holder  {with_u(span.zero_code, span.u_zero_code)} codes"
    yield f"  residuals     {span.residual_g:.2g} g about the {'curve' if span.quadratic else 'line'}"
    if math.isfinite(span.hysteresis_g):
        yield f"  hysteresis    {span.hysteresis_g:.2g} g at most, up against down"
    yield "  bend          " + _bend(made, capacity_g)
    if found.lag is not None:
        yield f"  lag           {with_u(found.lag.lag_s, found.lag.u_lag_s)} s behind the oven"
    if found.zero is not None:
        yield "  zero          " + _slope_line(found.zero, s)
    if found.loaded is not None:
        t = certificate.temperature
        yield f"  span          {with_u(t.span_per_k * 1e6, t.u_span_per_k * 1e6)} ppm per K"
    if (wander := found.wander) is not None:
        yield f"  wander        {wander.walk.per_sqrt_h / abs(s):.2g} g after one hour, by the root of time"
        if wander.bound is not None:
            yield f"  wander        within {wander.bound.rms / abs(s):.2g} g over hours, however long"
        if (drift := wander.drift_per_h) is not None:
            mg_per_h = significant(drift.rms / abs(s) * 1e3, 2)
            yield f"  drift         {mg_per_h} mg an hour, more than its wander explains"
    if (creep := found.creep) is not None:
        yield f"  creep         {creep.gained_pct:+.2g} ± {creep.u_pct:.1g} % of a load from M1 to M2"
    if (kept := found.returned) is not None:
        yield f"  return        {kept.kept * 100.0:.2g} ± {kept.u * 100.0:.1g} % of the creep does not come back"
    if (air := found.weather) is not None and air.says_more:
        g, u = air.with_class
        yield f"  air pressure  {with_u(g * 1e3, u * 1e3)} mg per kPa, by {air.range_hpa:.2g} hPa of weather"
    yield f"  noise         {found.noise_code:.1f} codes, single samples"
    assert certificate.record is not None  # a calibration's has one
    for line in certificate.record.assumed:
        yield f"  assumed: {line}"


def _bend(made: Certified, capacity_g: float) -> str:
    span = made.found.span
    if not math.isfinite(span.bend_per_g):
        return "not known: three different weights show one"
    shown = f"{with_u(span.bend_per_g * 1e6, span.u_bend_per_g * 1e6)} ppm per g"
    if span.quadratic:
        at_top = abs(span.linearity_per_g) * capacity_g * 100.0
        return f"{shown}, {at_top:.2g} % at full load: a quadratic is worth having"
    times = worth_having(span.dof - 1)  # of the quadratic, which has one coefficient more
    return f"{shown}: a quadratic is not worth having, its term is smaller than {times:.2g} times its uncertainty"


def _slope_line(fit: TemperatureFit, s: float) -> str:
    way = "rises" if fit.per_k > 0.0 else "falls"
    return (
        f"{with_u(fit.per_k, fit.u_per_k)} codes per K ({significant(abs(fit.per_k / s) * 1000.0, 2)} mg per K): the "
        f"empty cell's code {way} as it warms; {fit.low_c:.1f} to {fit.high_c:.1f} °C in {fit.minutes / 60.0:.1f} h"
    )


class SeriesSummary(msgspec.Struct, frozen=True):
    """Hours of warming and cooling with ``weight_g`` on, in how many pieces."""

    weight_g: float
    hours: float
    pieces: int


class SessionSummary(msgspec.Struct, frozen=True):
    """What was read so far. ``span_steps``: done, and in all (None: no weights are named yet)."""

    name: str
    made_by: str
    begun: dt.date
    serial: str
    capacity_g: float
    tare_code: float | None
    weights: tuple[Weight, ...]
    points: tuple[Point, ...]
    span_steps: tuple[int, int | None]
    span_done: bool
    empty: SeriesSummary | None
    loaded: SeriesSummary | None
    rtd_checks: tuple[RtdCheck, ...]


class CertificateSummary(msgspec.Struct, frozen=True):
    """A certificate's file, its hash, whether it holds the record of its calibration, and all that it says."""

    path: str
    sha256: str
    recorded: bool
    content: Certificate


class CalibrationSummary(msgspec.Struct, frozen=True):
    """A calibration and its newest certificate; None for what is not there."""

    calibration: SessionSummary | None
    certificate: CertificateSummary | None


def look_up(folder: Path | None, name: str) -> CalibrationSummary:
    """Get a calibration and its newest certificate. Raises ``NoCalibration`` where there is neither.

    ``name`` is a calibration's in ``folder``, or with ``folder`` None a certificate's file.
    """
    session = None
    if folder is None:
        path: Path | None = Path(name)
    else:
        session = load_session(session_path(folder, name))
        path = _newest(folder, name)
    if session is None and path is None:
        raise NoCalibration(
            f"no calibration called {name} beside {folder}: begin with halfpercent calibrate tare, or name"
            " another database"
        )
    return CalibrationSummary(
        None if session is None else _summarise_session(session),
        None if path is None else _summarise_certificate(path),
    )


def _newest(folder: Path, name: str) -> Path | None:
    pattern = re.compile(re.escape(name) + r"-(\d{4}-\d\d-\d\d)(?:-(\d+))?\.toml")
    found = [
        (match[1], int(match[2] or 1), path)
        for path in (folder / "certificates").glob("*.toml")
        if (match := pattern.fullmatch(path.name))
    ]
    return max(found)[2] if found else None


def _summarise_session(session: Session) -> SessionSummary:
    def series(of: Series | None) -> SeriesSummary | None:
        if of is None:
            return None
        return SeriesSummary(of.weight.mass_g if of.weight else 0.0, of.hours, len(of.pieces))

    return SessionSummary(
        name=session.name,
        made_by=session.made_by,
        begun=session.begun,
        serial=session.cell.serial,
        capacity_g=session.cell.capacity_g,
        tare_code=session.tare.code if session.tare else None,
        weights=session.weights,
        points=session.points,
        span_steps=(steps_done(session.points), len(plan(session.weights)) if session.weights else None),
        span_done=span_done(session),
        empty=series(session.empty),
        loaded=series(session.loaded),
        rtd_checks=session.rtd_checks,
    )


def _summarise_certificate(path: Path) -> CertificateSummary:
    certificate = load_certificate(path)
    return CertificateSummary(
        path=str(path.resolve()),
        sha256=certificate_hash(certificate),
        recorded=certificate.recorded,
        content=certificate,
    )


def shown(found: CalibrationSummary) -> str:
    """Get what :func:`look_up` found as text."""
    out: list[str] = []
    if found.calibration is not None:
        out += _session_lines(found.calibration)
    if found.certificate is not None:
        out += _certificate_lines(found.certificate)
    return "\n".join(map(visible, out))


def _session_lines(session: SessionSummary) -> Iterator[str]:
    yield (
        f"Calibration {session.name}, begun {session.begun} by {session.made_by}: load cell "
        f"{session.serial}, {session.capacity_g:g} g"
    )
    done, of = session.span_steps
    yield f"  tare         {'done' if session.tare_code is not None else 'to do'}"
    yield "  span         " + ("to do" if of is None else f"{done} of {of} steps")
    yield "  temperature  " + ("to do" if session.empty is None else f"{session.empty.hours:.1f} h")
    loaded = session.loaded
    yield "    under load " + ("to do" if loaded is None else f"{loaded.hours:.1f} h with {loaded.weight_g:g} g")
    yield f"  rtd          {len(session.rtd_checks)} checks"


def _certificate_lines(certificate: CertificateSummary) -> Iterator[str]:
    content = certificate.content
    span, t = content.span, content.temperature
    yield f"Certificate {content.name}: {certificate.path}"
    yield (
        f"  made         {content.made_at} by {content.made_by}, valid until {content.valid_until or 'further notice'}"
    )
    yield "  record       " + ("whole" if certificate.recorded else "none: written by hand")
    yield f"  span         {with_u(span.counts_per_g, span.u_counts_per_g)} codes per gram"
    yield f"  zero         {with_u(t.zero_counts_per_k, t.u_zero_counts_per_k)} codes per K"
    yield f"  span         {with_u(t.span_per_k * 1e6, t.u_span_per_k * 1e6)} ppm per K"
    for line in content.record.assumed if content.record is not None else ():
        yield f"  assumed      {line}"
    yield f"  sha256       {certificate.sha256}"
