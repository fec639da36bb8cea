"""The steps of a guided calibration: what is read in each, and what is refused.

Each takes the session as it is and gives it back with what was read; ``keep`` is called whenever there is something
worth keeping. This module must never take a reading that is not good and steady for one that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from calibration.calibration_record import Point, PressureRecord, RtdCheck, SelfHeating, ThermometerPlace, Weight
from calibration.errors import BadFit
from calibration.loadcell import LEAST_SPAN, check_capacity, check_masses, fit_span
from edge.errors import BadValue, CalibrationRefused, ReadingsNotGood, StillMoving
from edge.records.frame import Frames
from hw.protocols import Status

from .bench import Bench, Resistance
from .certify import fitted_rtd, span_points
from .readings import LEAST_GOOD, check_good, gated, noise_code, steady_code
from .session import Minute, Piece, Series, Session, plan, steps_done

REST_S, WEIGH_S, TRIES = 30, 60, 6
WARMS_S, HEATED_S = 240, 60
"""What the current warms has warmed, or cooled, after so long; then its code is read for so long."""
MOVED_CODES = 30.0
"""So far, about a kelvin, the thermometer may move of itself meanwhile."""
SAVE_EVERY_MIN = 5
"""What a power cut may take; an SD card is spared."""
ICE_U_C = 0.05
RESISTOR_REL = 0.001
"""Relative half-width of a resistor of which nothing is said."""

Keep = Callable[[Session], None]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reporting:
    """Where a step stores what it has read, and whom it tells; a long one tells every ``every_min`` minutes."""

    keep: Keep
    say: Say
    every_min: int = 1


@dataclass(frozen=True, slots=True)
class Reference:
    """Something known in a thermometer's place: ``ohm`` (of ice: none) with its standard uncertainty ``u``.

    ``u`` is in Ω, of ice in °C; None: what is usual for its kind.
    """

    kind: Resistance
    ohm: float = 0.0
    u: float | None = None

    @property
    def standard_uncertainty(self) -> float:
        """Get ``u``, or what is usual: of ice in °C, else in Ω."""
        if self.u is not None:
            return self.u
        return {"ice": ICE_U_C, "resistor": RESISTOR_REL * self.ohm / math.sqrt(3.0), "short": 0.0}[self.kind]


def weigh(bench: Bench, session: Session, mass_g: float, rising: bool, piece: int) -> Point:
    """Read what lies on the cell: a steady minute, waited for some minutes.

    Raises ``CalibrationRefused`` with what to do.
    """
    bench.record(REST_S)
    for tries_left in reversed(range(TRIES)):
        frames = bench.record(WEIGH_S)
        of = gated(frames, session.oven_rtd, cell_rtd=session.cell_rtd, has_cell=session.cell_rtd is not None)
        check_good(frames, of)
        try:
            value = steady_code(of, [p.code for p in session.points if p.piece == piece])
            break
        except StillMoving:
            if not tries_left:
                raise
    return Point(
        mass_g=mass_g,
        code=value.mean,
        u_code=value.u,
        rising=rising,
        noise_code=noise_code(of),
        n=value.n,
        wall_s=bench.clock.wall_s(),
        piece=piece,
        cell_c=_mean_of_known(of.cell_c),
        oven_c=_mean_of_known(of.oven_c),
    )


def _mean_of_known(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.mean(known)), 4) if len(known) else None


def read_tare(bench: Bench, session: Session, keep: Keep) -> Session:
    """Read the empty holder."""
    bench.put(None)
    session = replace(session, tare=weigh(bench, session, 0.0, True, 0))
    keep(session)
    return session


def check_weights(weights: Sequence[Weight], capacity_g: float) -> None:
    """See that weights can give a span, before any is put on. Raises ``BadValue`` or ``BadFit`` with what to do."""
    masses = [w.mass_g for w in weights]
    twice = next((m for m in masses if masses.count(m) > 1), None)
    if twice is not None:
        raise BadValue("weight", "", f"two weights are both {twice:g} g: use different ones, such as 100 g and 200 g")
    if len(masses) < 2:
        raise BadValue("weight", "", "a span needs two different check weights or more: give another")
    check_masses([0.0, *masses], capacity_g)


def read_span(bench: Bench, session: Session, reporting: Reporting) -> Session:
    """Put each weight on, up and down again, from where it was left; then see that the points carry a line."""
    weights = {w.mass_g: w for w in session.weights}
    piece = max((p.piece for p in session.points), default=-1) + 1
    todo = plan(session.weights)[steps_done(session.points) :]
    if piece > 0:
        reporting.say("Going on: first the empty holder again, since the converter was off in between.")
        todo = [(0.0, True), *todo]
    for mass_g, rising in todo:
        bench.put(weights.get(mass_g))
        point = weigh(bench, session, mass_g, rising, piece)
        session = replace(session, points=(*session.points, point))
        try:
            _check_so_far(session)
        except BadFit as e:
            # what was asked for did not lie there: it is asked for again
            reporting.keep(replace(session, points=session.points[:-1]))
            raise BadFit(f"{e}, or begin again") from e
        reporting.keep(session)
        way = "going up" if rising else "coming down"
        reporting.say(f"  {mass_g:8g} g {way:11}  {point.code:12.2f} ± {point.u_code:.2f} codes")
    return session


def _check_so_far(session: Session) -> None:
    """Refuse a weight that does not lie on the line through those before it, as soon as that can be said."""
    points = span_points(session, 0.0, 0.0)
    if points[-1].mass_g > 0.0:
        check_capacity((points[-1].code - points[0].code) / points[-1].mass_g, session.cell.capacity_g)
    if max(p.mass_g for p in points) < LEAST_SPAN * session.cell.capacity_g:
        return
    if len({p.mass_g for p in points}) >= 3 or points[-1].mass_g in {p.mass_g for p in points[1:-1]}:
        fit_span(points, session.cell.capacity_g)


def record_temperature(
    bench: Bench, session: Session, weight: Weight | None, hours: float, reporting: Reporting
) -> Session:
    """Record the cell while it warms and cools, until there are ``hours`` of it; go on where it was left.

    Where there is nothing left to record, that is said. Raises ``CalibrationRefused`` where another weight was on.
    """
    loaded = weight is not None
    series = session.loaded if loaded else session.empty
    if series is None:
        series = Series(weight=weight)
        session = replace(session, **{"loaded" if loaded else "empty": series})
    if loaded and series.weight != weight:
        assert series.weight is not None
        raise CalibrationRefused(
            f"this was begun with {series.weight.mass_g:g} g ({series.weight.stated}): put the same on again, or "
            "begin again"
        )
    have, whole = round(series.hours * 60.0), round(hours * 60.0)
    if have >= whole:
        reporting.say(f"{have / 60.0:.1f} h are recorded already: ask for more hours to go on, or begin again.")
        return session
    if bench.no_air:
        reporting.say(f"barometer: {bench.no_air}: the night goes on without it")
    bench.put(weight)
    piece = Piece(boot_id=bench.clock.boot_id, t0_ns=bench.clock.now_ns(), wall_s=bench.clock.wall_s())
    number, saved = len(series.pieces), session
    try:
        for minute in range(have, whole):
            bench.warm(minute, whole, loaded=loaded)
            begin_s = (bench.clock.now_ns() - piece.t0_ns) / 1e9
            row = minute_of(bench.record(60), session, begin_s, first=minute == have)
            if row is not None:
                piece = replace(piece, minutes=(*piece.minutes, row), air_pa=(*piece.air_pa, bench.air_pa()))
                session = session.with_piece(loaded, number, piece)
            if minute % SAVE_EVERY_MIN == 0:
                reporting.keep(session)
                saved = session
            if (minute + 1) % reporting.every_min == 0 or minute + 1 == whole:
                reporting.say(progress(minute + 1, whole, row))
    finally:
        if session is not saved:
            reporting.keep(session)
    return session


def minute_of(frames: Frames, session: Session, begin_s: float, *, first: bool) -> Minute | None:
    """Get a minute's means; None where less than half of it was good. The first must be good, or nobody is there."""
    of = gated(frames, session.oven_rtd, cell_rtd=session.cell_rtd, has_cell=session.cell_rtd is not None)
    if first:
        check_good(frames, of)
    if len(of.code) < len(frames) / 2:
        return None
    at_s = begin_s + float(np.mean(of.t_s)) + 0.5
    code = round(math.fsum(of.code.tolist()) / len(of.code), 3)
    return round(at_s, 3), code, round(noise_code(of), 3), _mean_of_known(of.cell_c), _mean_of_known(of.oven_c)


def progress(minutes: int, whole: int, row: Minute | None) -> str:
    """Say how far a long step is, and what its last minute showed."""
    left = f"  {minutes // 60:2d}:{minutes % 60:02d} h of {whole / 60.0:g} h"
    if row is None:
        return f"{left}   no good samples in this minute"
    _, code, _, cell_c, oven_c = row
    known = [f"{name} {value:6.2f} °C" for name, value in (("cell", cell_c), ("oven", oven_c)) if value is not None]
    return "   ".join([left, f"{code:12.1f} codes", *known])


def read_pressure(bench: Bench, session: Session, air_hpa: float, vacuum_hpa: float, u_hpa: float) -> Session:
    """Read the empty holder in air, under vacuum, and in air again. Raises ``CalibrationRefused`` with what to do."""
    bench.put(None)
    points: list[Point] = []
    for under in (None, vacuum_hpa, None):
        if points:
            bench.pump(under)
        points.append(weigh(bench, session, 0.0, True, -1))
    before, vacuum, after = points
    record = PressureRecord(
        air_hpa=air_hpa, vacuum_hpa=vacuum_hpa, u_hpa=u_hpa, before=before, vacuum=vacuum, after=after
    )
    return replace(session, pressure=record)


def check_rtd(
    bench: Bench, session: Session, reference: Reference, probe: ThermometerPlace
) -> tuple[Session, RtdCheck]:
    """Read something known through a thermometer's converter.

    Raises ``CalibrationRefused`` for readings that are not good,
    ``BadFit`` for one that contradicts the settings; then nothing is kept.
    """
    nominal = session.oven_rtd if probe == "oven" else session.cell_rtd
    if reference.kind == "short" and nominal is not None and nominal.wires != 2:
        raise CalibrationRefused(
            f"a short says what two wires have of leads: with {nominal.wires} they are not in the reading"
        )
    bench.connect(reference.kind, reference.ohm, probe)
    bench.record(5)
    code, scatter = _mean_code(bench, probe, 30)
    check = RtdCheck(
        kind=reference.kind,
        probe=probe,
        ohm=reference.ohm,
        u_ohm=reference.standard_uncertainty,
        code=code,
        u_code=math.hypot(scatter, 0.29),  # and the step of a code: the noise may be less
        wall_s=bench.clock.wall_s(),
    )
    session = replace(session, rtd_checks=(*session.rtd_checks, check))
    fitted_rtd(session, probe)
    return session, check


def read_self_heating(bench: Bench, session: Session, probe: ThermometerPlace) -> tuple[Session, SelfHeating]:
    """Read a resting thermometer with its current always on, hardly ever, and always again: drift is then taken out.

    Raises ``CalibrationRefused`` where there is no such thermometer, ``StillMoving`` where its temperature moves, and
    ``ReadingsNotGood``.
    """
    bench.leave(probe)
    means: list[float] = []
    duty = 0.0
    try:
        for rarely in (False, True, False):
            duty = max(duty, bench.read_rarely(probe, rarely=rarely) if rarely else 0.0)
            bench.record(WARMS_S)
            means.append(_mean_code(bench, probe, HEATED_S)[0])
    finally:
        bench.read_rarely(probe, rarely=False)
    before, between, after = means
    if abs(after - before) > MOVED_CODES:
        raise StillMoving(
            f"the {probe} thermometer moved by {abs(after - before):.0f} codes meanwhile: wait until the oven rests at "
            "its temperature, then try again"
        )
    u_code = 0.29 / math.sqrt(2.0)
    found = SelfHeating(
        probe=probe,
        always_code=(before + after) / 2.0,
        u_always_code=math.hypot(u_code, (after - before) / math.sqrt(12.0)),
        rarely_code=between,
        u_rarely_code=0.29,
        duty=duty,
        wall_s=bench.clock.wall_s(),
    )
    session = replace(session, self_heating=(*session.self_heating, found))
    fitted_rtd(session, probe)
    return session, found


def _mean_code(bench: Bench, probe: ThermometerPlace, seconds: int) -> tuple[float, float]:
    """Get a thermometer's mean code and the standard deviation of that. Raises ``ReadingsNotGood``."""
    frames = bench.record(seconds)
    channel = frames.oven if probe == "oven" else frames.cell
    good = channel.status == Status.OK
    if np.count_nonzero(good) < LEAST_GOOD * len(good):
        worst = Status(int(np.bincount(channel.status[~good]).argmax()))
        raise ReadingsNotGood(
            f"{np.count_nonzero(good)} of {len(good)} readings of the {probe} thermometer are good "
            f"({worst.name.lower().replace('_', ' ')}): check its wires, then try again (halfpercent doctor)"
        )
    codes = channel.value[good].astype(np.float64)
    return float(np.mean(codes)), float(np.std(codes, ddof=1)) / math.sqrt(len(codes))
