"""What stands on the page of now, as records that its templates show: readings, alarms, events, course, specimen.

Every number has its word of status beside it, and what nobody measured says so. This module must never make markup of
a name, and never show a number that neither station nor database gave.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.database.so_far import AlarmOver
from edge.records.curve import PressureKnown
from edge.records.phase import CHECKED_FIRST, Phase
from edge.records.result import HappenedTold
from edge.records.status import AirState, ReadingsStatus, RunStatus, StationStatus
from edge.report.assumed import assumed_name, assumed_value
from edge.report.curve_parts import CLASSES
from edge.report.language import Words
from edge.report.live_text import NB, clock, run_clock, span, wall_of
from edge.report.numbers import fixed, grouped, u_alone
from edge.trends.run_so_far import RunSoFar

from .look import Snapshot


@dataclass(frozen=True, slots=True)
class Reading:
    """A row of the readings: value with unit, the word of its status, its age, and whether it is a warning.

    ``lasts``: it is no reading, so it grows no older while nothing is heard.
    """

    name: str
    value: str
    status: str
    age: str = ""
    warns: bool = False
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm that stands: what, why, since when, and whether it wants to be acknowledged.

    ``key`` is its name as the station knows it ('': it is over and acknowledged).
    """

    key: str
    name: str
    why: str
    since: str
    wants_ack: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened: its number and shape on the curve, when, in one word, and why."""

    number: int
    kind: str
    when: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of the course: its state (done, here or ''), when, and a note."""

    what: str
    state: str
    when: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """The hold clock: how much of the ring in degrees, and what stands in and beside it."""

    degrees: int
    inside: str
    whole: str
    to_go: str
    hold_ends: str
    result: str


def ring(run: RunStatus | None, seen: RunSoFar | None) -> Ring | None:
    """Get the hold clock of a running test; None where there is none."""
    if run is None or not run.hold_required_s:
        return None
    held_s = min(run.hold_s or 0.0, run.hold_required_s)
    minutes = int(held_s // 60)
    planned = None if seen is None else seen.planned
    ends = [] if seen is None or planned is None else [planned.hold_end_s, planned.result_s]
    when = [run_clock(seen, s) for s in ends] or ["?", "?"]
    return Ring(
        degrees=int(held_s / run.hold_required_s * 360.0),
        inside=f"{minutes // 60}:{minutes % 60:02d}",
        whole=span(run.hold_required_s),
        to_go=span(run.hold_required_s - held_s),
        hold_ends=when[0],
        result=when[1],
    )


def readings(w: Words, status: StationStatus, seen: RunSoFar | None) -> list[Reading]:
    """Get the rows of the readings."""
    run, now = status.run, status.readings
    rows: list[Reading] = []
    if run is not None:
        rows.append(_row(w, w("page_mass"), run.mass_g, 4, "g", run.mass_age_s))
        rows.append(_loss(w, run))
        if run.loss_as_weighed_pct is not None and run.loss_as_weighed_pct != run.loss_pct:
            rows.append(_row(w, w("page_as_weighed"), run.loss_as_weighed_pct, 3, "%", run.mass_age_s))
        rows.append(_rate(w, run, seen))
    rows.append(_oven(w, now, run, seen))
    rows.append(_row(w, w("page_cell"), now.cell_temp_c, 2, "°C", now.cell_temp_age_s))
    rows.append(_pressure(w, now, seen))
    if run is not None:
        rows.append(_noise(w, run, seen))
    rows.append(_supply(w, now.under_voltage))
    bridge = now.bridge_status
    word = w("page_unknown") if bridge is None else w("page_ok") if bridge == "ok" else bridge.replace("_", " ")
    code = "?" if now.code is None else f"{now.code:,}".replace(",", "\u202f")
    rows.append(Reading(w("page_bridge"), code, word, age(now.code_age_s), warns=bridge not in (None, "ok")))
    return rows


def age(seconds: float | None) -> str:
    """Write how old something is: 0.4 s, 12 s, 1 min; '' where nobody knows."""
    if seconds is None:
        return ""
    return f"{seconds:.1f}{NB}s" if seconds < 9.95 else span(seconds)


def _row(w: Words, name: str, value: float | None, places: int, unit: str, age_s: float | None) -> Reading:
    if value is None:
        return Reading(name, "?", w("page_unknown"), age(age_s))
    return Reading(name, f"{fixed(value, places)}{NB}{unit}", w("page_ok"), age(age_s))


def _stored_age(run: RunStatus, seen: RunSoFar) -> str:
    """Say how old the newest second is that the database holds, by the station's own count."""
    return "" if run.elapsed_s is None else age(max(0.0, run.elapsed_s - seen.course.last_s))


def _rate(w: Words, run: RunStatus, seen: RunSoFar | None) -> Reading:
    name = w("page_loss_rate")
    if seen is None or seen.rate is None:
        return Reading(name, "?", w("page_unknown"))
    word = w("page_ok") if seen.rate.trend is None else w(f"page_{seen.rate.trend.value}")
    return Reading(name, f"{fixed(seen.rate.pct_per_h, 3)}{NB}%/h", word, _stored_age(run, seen))


def _noise(w: Words, run: RunStatus, seen: RunSoFar | None) -> Reading:
    if seen is None or seen.noise_g is None:
        return Reading(w("page_noise"), "?", w("page_unknown"))
    return Reading(w("page_noise"), f"{u_alone(seen.noise_g * 1e3)}{NB}mg", w("page_ok"), _stored_age(run, seen))


def _supply(w: Words, low: bool | None) -> Reading:
    """Say what the Pi says of its supply: whether it is too low, and no voltage."""
    word = w("page_unknown") if low is None else w("page_low") if low else w("page_ok")
    return Reading(w("page_supply"), w("page_no_voltmeter"), word, warns=bool(low))


def _loss(w: Words, run: RunStatus) -> Reading:
    words = {
        AirState.GONE: "page_air_taken_out",
        AirState.GOING: "page_air_going",
        AirState.COMING: "page_at_hold_end",
        AirState.THERE: "page_in_air",
    }
    said = w(words[AirState(run.air)]) if run.air in list(AirState) else w("page_unknown")
    value = "?" if run.loss_pct is None else f"{fixed(run.loss_pct, 3)}{NB}%"
    return Reading(w("page_loss_so_far"), value, said, age(run.mass_age_s))


def _oven(w: Words, now: ReadingsStatus, run: RunStatus | None, seen: RunSoFar | None) -> Reading:
    name, temp_c = w("page_oven"), now.temp_c
    row = _row(w, name, temp_c, 2, "°C", now.temp_age_s)
    if temp_c is None or run is None or seen is None or run.phase != Phase.HOLD:
        return row
    out = abs(temp_c - seen.plan.hold_temp_c) > seen.plan.hold_band_c
    return Reading(name, row.value, w("page_out_of_band") if out else w("page_in_band"), row.age, warns=out)


def _pressure(w: Words, now: ReadingsStatus, seen: RunSoFar | None) -> Reading:
    name = w("page_pressure")
    if now.pressure_pa is not None:
        return Reading(name, f"{now.pressure_pa:.3g}{NB}Pa", w("page_ok"), age(now.pressure_age_s))
    if seen is None or seen.curve.terms.pressure is not PressureKnown.DECLARED:
        return Reading(name, w("page_no_gauge"), w("page_unknown"), age(now.pressure_age_s))
    pump_s = seen.course.entered_s.get(Phase.PUMP)
    since = "" if pump_s is None else run_clock(seen, pump_s)
    return Reading(name, w("page_no_gauge"), w("page_declared"), since, lasts=True)


def written(w: Words, status: StationStatus) -> str:
    """Say whether all is on the disk, how much room there is, and whether the clock is set."""
    free, set_ = status.storage.free_bytes, status.clock.synchronised
    said = "page_clock_unknown" if set_ is None else "page_clock_set" if set_ else "page_clock_not_set"
    room = "?" if free is None else f"{free / 1e9:.1f}"
    line = w("page_written", pending=f"{status.storage.pending_s:.0f}", room=room, clock=w(said))
    return f"{line} {status.storage.error}" if status.storage.error else line


def alarms(w: Words, status: StationStatus, seen: RunSoFar | None) -> list[AlarmRow]:
    """Get the alarms that stand, the newest first, then those of the run that are over, in order of time."""
    rows = []
    for a in sorted(status.alarms, key=lambda a: a.opened_utc or "", reverse=True):
        since = w("page_stands", time=clock(wall_of(a.opened_utc)))
        rows.append(
            AlarmRow(
                key=a.alarm or "?",
                name=_capital(w.said(a.alarm or "?")),
                why=w.said(a.why or ""),
                since=w("page_closed_not_acknowledged") if a.closed else since,
                wants_ack=not a.acknowledged,
            )
        )
    return rows + ([] if seen is None else [_over(w, seen, past) for past in seen.alarms_over[-MOST_OVER:]])


def _over(w: Words, seen: RunSoFar, past: AlarmOver) -> AlarmRow:
    when = f"{run_clock(seen, past.from_s)}–{run_clock(seen, past.to_s)}"
    said = w("page_alarm_over", when=when, who=past.who, after=span(past.acknowledged_after_s))
    return AlarmRow("", _capital(w.said(past.alarm)), why="", since=said, wants_ack=False)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def events(w: Words, seen: RunSoFar) -> list[EventRow]:
    """Get what happened, numbered as on the curve."""
    return [_event(w, seen, i, h) for i, h in enumerate(seen.curve.recorded.happened, 1)]


def _event(w: Words, seen: RunSoFar, number: int, h: HappenedTold) -> EventRow:
    long = f"{w('list_comma')}{span(h.to_s - h.from_s)}" if h.to_s - h.from_s >= 1.0 else ""
    what = w(f"happened_{h.what.value}")
    return EventRow(number, CLASSES[h.what], run_clock(seen, h.from_s), _capital(what) + long, w.said(h.why))


MOST_OVER = 5
"""So many alarms that are over, the newest."""
STEPS = (Phase.TARE, Phase.LOAD, Phase.M1, Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL, Phase.M2)


def course_rows(w: Words, seen: RunSoFar, run: RunStatus | None) -> list[StepRow]:
    """Get the phases as steps: done with when they ended, the one that is on, and those to come."""
    entered, now = seen.course.entered_s, seen.course.phase
    steps = [*STEPS[:1], *(CHECKED_FIRST if seen.plan.check_before else ()), *STEPS[1:]]
    steps += [Phase.ZERO] if seen.plan.zero_after else []
    if seen.plan.check_weight_g > 0.0:
        steps.append(Phase.CHECK)
    m2_s = None if seen.planned.result_s is None else seen.planned.result_s - seen.plan.dwell_s - seen.plan.window_s
    ends = {Phase.HOLD: seen.planned.hold_end_s, Phase.COOL: m2_s, Phase.M2: seen.planned.result_s}
    until = {Phase.HOLD: "page_to", Phase.COOL: "page_to_about"}
    rows, passed = [], True
    for i, phase in enumerate(steps):
        name = w(f"short_{phase.value.replace(' ', '_')}")
        name = _capital(name)
        after = next((entered[p] for p in [*steps[i + 1 :], Phase.DONE] if p in entered), None)
        if phase is now:
            passed = False
        state = "here" if phase is now else "done" if passed and after is not None else ""
        if state == "done" and after is not None:
            rows.append(StepRow(name, state, run_clock(seen, after), _note(w, phase, seen)))
            continue
        end_s = ends.get(phase)
        when = (
            "" if end_s is None or not seen.running else w(until.get(phase, "page_about"), time=run_clock(seen, end_s))
        )
        held = "" if run is None or phase is not Phase.HOLD or state != "here" else span(run.hold_s)
        note = w("page_counted", held=held) if held else w("page_the_result") if phase is Phase.M2 else ""
        rows.append(StepRow(name, state, when, note))
    return rows


def _note(w: Words, phase: Phase, seen: RunSoFar) -> str:
    if phase is Phase.PUMP:
        return w("page_declared") if seen.curve.terms.pressure is PressureKnown.DECLARED else ""
    taken = {str(k): t for k, t in seen.course.weighings.items()}.get(phase.value)
    if taken is None:
        return ""
    if phase in (Phase.TARE, Phase.ZERO):
        return w("page_zero_code", code=grouped(round(taken.value)))
    return f"{fixed(taken.value, 4)}{NB}g"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is declared and what is assumed, the first few and the rest."""

    declared: tuple[str, ...]
    assumed: tuple[str, ...]


def taken(seen: RunSoFar, w: Words) -> Taken:
    """Get what the run goes by that nobody measured, and what its standard leaves open, in the report's words."""
    assumed = [
        f"{assumed_name(key, w)}{w('colon')}{assumed_value(key, field.value, w)}"
        for key, field in seen.standard.fields()
        if field.assumed
    ]
    return Taken(seen.declared, tuple(line[:200] for line in assumed))


def is_checked(seen: RunSoFar) -> bool:
    """Say whether every value of the standard's file was checked against its official text."""
    return all(f.verified for _, f in seen.standard.fields() if not f.assumed)


def lost_age(snapshot: Snapshot) -> float | None:
    """Get since how many s the station was not heard; None where it never was."""
    return None if snapshot.heard_s is None else snapshot.at_s - snapshot.heard_s
