"""A run as whoever looks sees it: the curve with the air's step taken out, the forecast, and what is planned.

Made anew from the database by watch and page, in their own processes; all of it is a look, and none of it a verdict.
This module must never write, and never ask the station.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

import numpy as np

from calibration.certificate import Certificate
from edge.database.connection import Database, parsed_rows
from edge.database.curve import read_curve
from edge.database.queries import stored_certificate, stored_run
from edge.database.so_far import (
    AlarmOver,
    Course,
    MassAt,
    RunHead,
    Taken,
    alarms_over,
    course,
    masses,
    minutes_of,
    noise_g,
    run_head,
)
from edge.errors import HalfpercentError
from edge.procedure.live_loss import SEEN_S, AirStep, air_step
from edge.procedure.parameters import RunParameters
from edge.procedure.plan import Plan
from edge.records.curve import AirAt, AirTakenOut, CurveTerms, ForecastAt, LiveCurve, PhaseSpan, PressureKnown
from edge.records.phase import Phase
from edge.records.run import RunState
from edge.records.sample import Sample
from edge.records.weighing import WeighingKind
from edge.standards.standard import Standard, loads_standard
from edge.uncertainty.forecast import expected

from .forecast_live import LiveForecast, Outlook, forecast_loss, outlook
from .loss_rate import LossRate, loss_rate

CAME_BACK = 0.5
"""Of the step: so much of a fall while it cools is the air that comes in."""
KNOT_S = 30.0
VENT_S = 900.0
"""Air that is let in is in after so long."""
COOLS_BY_RAMP = 2.5
"""Cooling takes about so many times what the ramp took: a guess, said as "about"."""
COOLS_S = 4800.0  # where no ramp was seen
RAMP_S = 1900.0  # where nothing is known yet
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Planned:
    """When, in s since the run's start, what is still to come is over, as far as it can be known (None: it cannot)."""

    hold_end_s: float | None
    result_s: float | None


@dataclass(frozen=True, slots=True)
class RunSoFar:
    """One run, seen from its database: what it is of, where it is, its curve and where that leads.

    ``loss_pct`` is the newest minute's, with the air's step taken out (None: not known); ``expanded_pct`` the U (k = 2)
    to be expected of a verdict; ``air`` the step (None: not seen yet); ``rate`` how fast it loses in the hold (None:
    not known); ``noise_g`` the samples' standard deviation in the last minute (None: none was good); ``alarms_over``
    those that are closed and acknowledged.
    """

    head: RunHead
    standard: Standard
    sample: Sample
    certificate: Certificate
    declared: tuple[str, ...]
    course: Course
    plan: Plan
    curve: LiveCurve
    planned: Planned
    forecast: LiveForecast | None
    outlook: Outlook
    loss_pct: float | None
    expanded_pct: float | None
    air: AirStep | None
    rate: LossRate | None = None
    noise_g: float | None = None
    alarms_over: tuple[AlarmOver, ...] = ()

    @property
    def running(self) -> bool:
        """Get whether it has no end yet."""
        return self.head.state == RunState.RUNNING

    def wall_s(self, t_s: float) -> float:
        """Get the wall time (s since 1970) at ``t_s`` of the run: a label."""
        return started_s(self.head) + t_s


def started_s(head: RunHead) -> float:
    """Get the wall time at which a run began, in s since 1970; 0 where its text is no time."""
    try:
        return datetime.datetime.fromisoformat(head.started_utc).timestamp()
    except ValueError:
        return 0.0


def run_so_far(db: Database, run_id: int) -> RunSoFar:
    """Get a run as it stands in an open database. Raises ``NoSuchRun``, ``BadDatabase`` and the like."""
    head, seen = run_head(db, run_id), course(db, run_id)
    with parsed_rows(f"run {run_id}: its settings"):
        settings = head.settings
        plan, sample = RunParameters.from_settings(settings).plan, Sample.from_settings(settings.get("sample", {}))
        declared = tuple(map(str, settings.get("declared", ())))
    standard = loads_standard(head.standard_toml, f"run {run_id}: its standard")
    certificate = stored_certificate(db, stored_run(db, run_id))
    m1 = seen.weighings.get(WeighingKind.M1)
    step = None if m1 is None else _step(db, run_id, seen, m1)
    minutes = minutes_of(db, run_id, seen.entered_s.get(Phase.HOLD, math.inf)) if Phase.HOLD in seen.entered_s else []
    forecast = _forecast(seen, plan, m1, step, minutes)
    limit_pct = standard.limit_pct.value
    U = None if m1 is None else _expected(certificate, standard, m1.value)
    terms = CurveTerms(
        limit_pct=limit_pct,
        temp_c=standard.temp_c.value,
        temp_band_c=standard.temp_band_c.value,
        hold_s=standard.hold_s.value,
        pressure=PressureKnown.MEASURED if plan.pressure_needed else PressureKnown.DECLARED,
        expanded_pct=U,
    )
    running, planned = head.state == RunState.RUNNING, plan_ahead(seen, plan)
    bound = outlook(forecast, limit_pct, U or 0.0)
    curve = LiveCurve(
        recorded=read_curve(db, run_id),
        terms=terms,
        air=None if m1 is None or step is None else _air_out(db, run_id, seen, m1, step),
        planned=_spans(seen, plan, planned) if running else (),
        forecast=_path(forecast, seen, planned) if running and bound is not Outlook.TOO_EARLY else (),
        clock0_s=_clock0_s(head),
        running=running,
    )
    return RunSoFar(
        head=head,
        standard=standard,
        sample=sample,
        certificate=certificate,
        declared=declared,
        course=seen,
        plan=plan,
        curve=curve,
        planned=planned,
        forecast=forecast,
        outlook=bound,
        loss_pct=_newest_loss(seen, m1, step, minutes),
        expanded_pct=U,
        air=step,
        rate=_rate(seen, m1, minutes),
        noise_g=noise_g(db, run_id, seen.last_s),
        alarms_over=alarms_over(db, run_id),
    )


def _expected(certificate: Certificate, standard: Standard, m1_g: float) -> float | None:
    try:
        return expected(certificate, standard, m1_g, quick=True).expanded_pct
    except HalfpercentError:  # a mass that no budget can be made of
        return None


# the air


def _step(db: Database, run_id: int, seen: Course, m1: Taken) -> AirStep | None:
    pump_s, ramp_s = seen.entered_s.get(Phase.PUMP), seen.entered_s.get(Phase.RAMP)
    if pump_s is None or ramp_s is None or seen.last_s <= ramp_s + SEEN_S:
        return None
    rows = masses(db, run_id, pump_s, ramp_s + SEEN_S)
    t_s, mass_g = np.array([r.t_s for r in rows]), np.array([r.mass_g for r in rows])
    return air_step(t_s, mass_g, (m1.value, m1.u), pump_s, ramp_s)


def _air_out(db: Database, run_id: int, seen: Course, m1: Taken, step: AirStep) -> AirTakenOut:
    """Get the step over the run: as it was seen to come at the pump, and to go while it cools."""
    pump_s, ramp_s = seen.entered_s[Phase.PUMP], seen.entered_s[Phase.RAMP]
    whole = step.step_g / m1.value * 100.0
    knots = [AirAt(pump_s, 0.0)]
    for t_s, rose_g in _means(masses(db, run_id, pump_s, ramp_s), m1.value):
        part = min(max(rose_g / m1.value * 100.0, knots[-1].pct), whole)
        knots.append(AirAt(t_s, part))
    knots.append(AirAt(ramp_s, whole))
    if Phase.COOL in seen.entered_s:
        knots += _coming_back(db, run_id, seen, whole)
    return AirTakenOut(_rising(knots), step.u_g / m1.value * 100.0)


def _means(rows: list[MassAt], from_g: float) -> list[tuple[float, float]]:
    """Get by how much the mass is above ``from_g``, as means of ``KNOT_S``."""
    found: list[tuple[float, float]] = []
    start = 0
    for i, row in enumerate([*rows, MassAt(math.inf, 0.0)]):
        if row.t_s - rows[start].t_s >= KNOT_S if rows else False:
            part = rows[start:i]
            found.append((part[len(part) // 2].t_s, sum(r.mass_g for r in part) / len(part) - from_g))
            start = min(i, len(rows) - 1)
    return found


def _coming_back(db: Database, run_id: int, seen: Course, whole_pct: float) -> list[AirAt]:
    """Get when the step goes again: as somebody said, as the mass fell while it cooled, or before M2 at the latest."""
    cool_s, m2_s = seen.entered_s[Phase.COOL], seen.entered_s.get(Phase.M2)
    if seen.vented_s is not None:
        at_s: float | None = seen.vented_s
    else:
        rows = minutes_of(db, run_id, cool_s)
        at_s = _fell_s(rows, whole_pct, m2_s)
    if at_s is None and m2_s is None:
        return []
    at_s = m2_s - VENT_S if at_s is None and m2_s is not None else at_s
    assert at_s is not None  # one of the two is known
    at_s = max(at_s, cool_s)
    return [AirAt(at_s, whole_pct), AirAt(at_s + VENT_S / 3.0, whole_pct * 0.1), AirAt(at_s + VENT_S, 0.0)]


def _fell_s(rows: list[MassAt], whole_pct: float, until_s: float | None) -> float | None:
    """Get when, within five minutes, the mass fell by most, if that is what the air makes as it comes; None else."""
    rows = [r for r in rows if until_s is None or r.t_s < until_s]
    best_g, at_s = 0.0, None
    for a, b in zip(rows, rows[5:], strict=False):
        if a.mass_g - b.mass_g > best_g:
            best_g, at_s = a.mass_g - b.mass_g, a.t_s
    enough = at_s is not None and rows and best_g / rows[0].mass_g * 100.0 >= CAME_BACK * whole_pct > 0.0
    return at_s if enough else None


def _rising(knots: list[AirAt]) -> tuple[AirAt, ...]:
    """Get knots in order of time, one at a time."""
    kept: list[AirAt] = []
    for knot in sorted(knots, key=lambda k: k.at_s):
        if kept and knot.at_s <= kept[-1].at_s:
            kept[-1] = knot
        else:
            kept.append(knot)
    return tuple(kept)


# what is to come


def plan_ahead(seen: Course, plan: Plan) -> Planned:
    """Get when the hold and the test will end, if nothing happens."""
    m1_s = seen.entered_s.get(Phase.M1)
    if m1_s is None or seen.phase is Phase.DONE:
        return Planned(None, None)
    ramp = seen.entered_s.get(Phase.RAMP)
    hold = seen.entered_s.get(Phase.HOLD)
    ramp_took = hold - ramp if hold is not None and ramp is not None else RAMP_S
    weighs = plan.dwell_s + plan.window_s
    pump_s = seen.entered_s.get(Phase.PUMP, max(seen.last_s, m1_s + weighs))
    ramp_s = seen.entered_s.get(Phase.RAMP, max(seen.last_s, pump_s + plan.pump_wait_s))
    hold_s = seen.entered_s.get(Phase.HOLD, max(seen.last_s, ramp_s + RAMP_S))
    left_s = max(0.0, plan.hold_s - seen.hold_s)
    hold_end = seen.entered_s.get(Phase.COOL, max(seen.last_s, hold_s) + left_s)
    cools = COOLS_BY_RAMP * ramp_took if hold is not None else COOLS_S
    m2_s = seen.entered_s.get(Phase.M2, max(seen.last_s, hold_end + cools))
    return Planned(hold_end, max(seen.last_s, m2_s + weighs))


def _spans(seen: Course, plan: Plan, planned: Planned) -> tuple[PhaseSpan, ...]:
    if planned.hold_end_s is None or planned.result_s is None:
        return ()
    m2_s = planned.result_s - plan.dwell_s - plan.window_s
    ends = {Phase.HOLD: planned.hold_end_s, Phase.COOL: m2_s, Phase.M2: planned.result_s}
    out, from_s = [], seen.last_s
    for phase, to_s in ends.items():
        if to_s > from_s and (phase not in seen.entered_s or phase is seen.phase):
            out.append(PhaseSpan(phase, from_s, to_s, planned=True))
            from_s = to_s
    return tuple(out)


def _forecast(
    seen: Course, plan: Plan, m1: Taken | None, step: AirStep | None, minutes: list[MassAt]
) -> LiveForecast | None:
    if m1 is None or step is None or seen.phase is not Phase.HOLD:
        return None
    hold_s = seen.entered_s[Phase.HOLD]
    t_h = [(m.t_s - hold_s) / HOUR_S for m in minutes]
    losses = [(m1.value - m.mass_g + step.step_g) / m1.value * 100.0 for m in minutes]
    return forecast_loss(t_h, losses, (seen.last_s - hold_s + plan.hold_s - seen.hold_s) / HOUR_S)


def _rate(seen: Course, m1: Taken | None, minutes: list[MassAt]) -> LossRate | None:
    if m1 is None or seen.phase is not Phase.HOLD:
        return None
    return loss_rate([m.t_s / HOUR_S for m in minutes], [(m1.value - m.mass_g) / m1.value * 100.0 for m in minutes])


def _path(forecast: LiveForecast | None, seen: Course, planned: Planned) -> tuple[ForecastAt, ...]:
    if forecast is None or planned.hold_end_s is None:
        return ()
    hold_s = seen.entered_s[Phase.HOLD]
    return tuple(ForecastAt(hold_s + p.t_h * HOUR_S, p.low_pct, p.loss_pct, p.high_pct) for p in forecast.path)


def _newest_loss(seen: Course, m1: Taken | None, step: AirStep | None, minutes: list[MassAt]) -> float | None:
    if m1 is None or step is None or not minutes or seen.phase is not Phase.HOLD:
        return None
    return (m1.value - minutes[-1].mass_g + step.step_g) / m1.value * 100.0


def _clock0_s(head: RunHead) -> float | None:
    """Get the seconds since local midnight at second 0; None where the clock's time is not known."""
    began_s = started_s(head)
    if not began_s:
        return None
    local = datetime.datetime.fromtimestamp(began_s).astimezone()
    return local.hour * HOUR_S + local.minute * 60.0 + local.second
