"""The lines that page and terminal say of a running test: where it is, on which course, what is to be done.

A forecast never wears a verdict's word here, and what is not known is said to be so. This module must never ask the
station or read a database: it is handed what both gave.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from enum import StrEnum

from edge.records.phase import ASKED, CARRIED, Phase
from edge.records.result import Result, Verdict
from edge.records.status import AirState, AlarmStatus, RunStatus, StationStatus
from edge.trends.forecast_live import Outlook
from edge.trends.run_so_far import RunSoFar

from .language import Words
from .numbers import fixed, forecast_digits, two_digits

NB = "\u00a0"
NEAR_S = 18 * 3600.0
"""A clock without a day is within so long."""


class Mark(StrEnum):
    """The shape that goes with a word, so that it is read without colour."""

    NONE = ""
    OK = "ok"
    NO = "no"
    CLOSE = "close"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its shape."""

    text: str
    mark: Mark = Mark.NONE


VERDICT_MARKS = {
    Verdict.PASS: Mark.OK,
    Verdict.FAIL: Mark.NO,
    Verdict.INCONCLUSIVE: Mark.CLOSE,
    Verdict.INVALID: Mark.VOID,
}
_OUTLOOKS = {
    Outlook.PASS: ("live_pass", Mark.OK),
    Outlook.FAIL: ("live_fail", Mark.NO),
    Outlook.CLOSE: ("live_close", Mark.CLOSE),
}


def span(seconds: float | None) -> str:
    """Write a length of time, rounded down: 3 h 40 min, 12 min, 45 s."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    s = max(0, math.floor(seconds + 1e-6))
    if s < 60:
        return f"{s}{NB}s"
    if s < 3600:
        return f"{s // 60}{NB}min"
    h, minutes = s // 3600, s % 3600 // 60
    return f"{h}{NB}h {minutes}{NB}min" if minutes else f"{h}{NB}h"


def clock(wall_s: float | None, near_s: float | None = None) -> str:
    """Write a wall time as hh:mm, in the machine's zone; with its day where it is far from ``near_s``; ? if not known.

    ``near_s`` is a wall time too (None: by the machine's clock): the newest that the run itself has.
    """
    if wall_s is None:
        return "?"
    at, now_s = datetime.datetime.fromtimestamp(wall_s), datetime.datetime.now().timestamp()
    near = abs(wall_s - (now_s if near_s is None else near_s)) < NEAR_S
    return f"{at:%H:%M}" if near else f"{at:%d %b, %H:%M}"


def run_clock(seen: RunSoFar | None, t_s: float | None) -> str:
    """Write when ``t_s`` of a run is, as :func:`clock`."""
    if seen is None or t_s is None:
        return "?"
    return clock(seen.wall_s(t_s), seen.wall_s(seen.course.last_s))


def wall_of(utc: str | None) -> float | None:
    """Get the wall time (s since 1970) of a text in ISO 8601; None where it is none."""
    try:
        return None if utc is None else datetime.datetime.fromisoformat(utc).timestamp()
    except ValueError:
        return None


def phase_of(run: RunStatus | None) -> Phase | None:
    """Get the phase of a run that a station tells of; None where it is none that we know."""
    try:
        return None if run is None or run.phase is None else Phase(run.phase)
    except ValueError:
        return None


def result_clock(seen: RunSoFar | None) -> str:
    """Write when the result is to be expected; ? where nobody can know."""
    return run_clock(seen, None if seen is None else seen.planned.result_s)


def state_line(w: Words, status: StationStatus | None, seen: RunSoFar | None) -> str:
    """Say where the test is, in one line."""
    if status is None:
        return w("live_unknown")
    run = status.run
    phase = phase_of(run)
    if run is None or phase is None:
        return w("live_idle")
    if phase in _COMMANDS:
        return w("live_waiting", asked=w(f"live_asked_{phase.value.replace(' ', '_')}"))
    if phase in ASKED:
        return w("live_waiting", asked=w.said(run.asked or ASKED[phase]))
    if phase is Phase.HOLD:
        return w("live_hold", held=span(run.hold_s), whole=span(run.hold_required_s))
    if phase is Phase.RAMP:
        target = "?" if seen is None else f"{seen.plan.hold_temp_c:g}"
        return w("live_ramp", temp="?" if run.temp_c is None else f"{run.temp_c:.0f}", target=target)
    return w(f"live_{phase}", time=run_clock(seen, _ends_s(phase, seen)))


def _ends_s(phase: Phase, seen: RunSoFar | None) -> float | None:
    if seen is None:
        return None
    weighs_s = seen.plan.dwell_s + seen.plan.window_s
    if phase is Phase.M1:
        begun_s = seen.course.entered_s.get(Phase.M1)
        return None if begun_s is None else begun_s + weighs_s
    result_s = seen.planned.result_s
    return result_s - weighs_s if phase is Phase.COOL and result_s is not None else result_s


def course_line(w: Words, status: StationStatus | None, seen: RunSoFar | None, last: Result | None) -> Line:
    """Say on which course a running test is, or how the last one ended."""
    run = None if status is None else status.run
    if run is None:
        return Line(w("live_none_yet")) if last is None else verdict_line(w, last)
    phase = phase_of(run)
    if phase in (Phase.COOL, Phase.M2) and run.loss_pct is not None and run.air == AirState.COMING:
        return Line(w("live_at_end", loss=fixed(run.loss_pct, 3)))
    if seen is None or seen.forecast is None or seen.outlook not in _OUTLOOKS:
        return Line(w("live_early"))
    key, mark = _OUTLOOKS[seen.outlook]
    loss, half = forecast_digits(seen.forecast.end.loss_pct, seen.forecast.half_pct)
    return Line(w(key, loss=loss, half=half), mark)


def verdict_line(w: Words, result: Result) -> Line:
    """Say a verdict in its own word."""
    run = "?" if not isinstance(result.run_id, int) else str(result.run_id)
    mark = VERDICT_MARKS[result.verdict]
    if result.verdict is Verdict.INVALID or result.loss_pct is None or result.U_pct is None:
        return Line(w("live_last_run_invalid", run=run, why=w.said(result.invalid_because or "")), mark)
    loss, U = two_digits(result.loss_pct, result.U_pct)
    return Line(w("live_last_run", run=run, verdict=w(f"verdict_{result.verdict}"), loss=loss, U=U), mark)


class Tone(StrEnum):
    """How the strip looks: nothing to do, a step to take, an alarm, an alarm that opened the interlock."""

    CALM = "calm"
    STEP = "step"
    ALARM = "alarm"
    GRAVE = "grave"


@dataclass(frozen=True, slots=True)
class ToDo:
    """What is the operator's now: a sentence of what, one of why, and the command that a button gives ('': none)."""

    title: str
    why: str
    tone: Tone = Tone.CALM
    command: str = ""
    button: str = ""
    alarm: str = ""


_COMMANDS = {
    Phase.TARE: "tare",
    Phase.CHECK_BEFORE: "check",
    Phase.LOAD: "load",
    Phase.ZERO: "zero",
    Phase.CHECK: "check",
}


def to_do(w: Words, status: StationStatus | None, seen: RunSoFar | None) -> ToDo:
    """Say what is the operator's to do now: the newest alarm first, then a step, then nothing."""
    if status is None:
        return ToDo(w("live_unknown"), w("live_lost_why"), Tone.GRAVE)
    waiting = [a for a in status.alarms if not a.acknowledged]
    if waiting:
        return _alarm(w, min(waiting, key=lambda a: (not a.interlock, bool(a.closed))))
    phase = phase_of(status.run)
    if phase in _COMMANDS and status.run is not None:
        key = phase.value.replace(" ", "_")
        why = w(f"live_do_{key}_why")
        if status.run.refused:
            why = w("live_refused", why=w.said(status.run.refused))
        return ToDo(w(f"live_do_{key}"), why, Tone.STEP, _COMMANDS[phase], w(f"live_button_{key}"))
    if phase in (*CARRIED, Phase.REST) and status.run is not None:
        key = phase.value.replace(" ", "_")
        refused = status.run.refused
        why = w("live_refused", why=w.said(refused)) if refused else w(f"live_do_{key}_why")
        return ToDo(w(f"live_do_{key}"), why, Tone.STEP)
    if status.run is None:
        return ToDo(w("live_nothing_to_do_now"), w("live_begin_one"))
    if status.run.asked:  # at the laboratory's balance: a mass, or a word that only the command has
        refused = status.run.refused
        why = w("live_refused", why=w.said(refused)) if refused else w("live_by_command")
        return ToDo(w.said(status.run.asked), why, Tone.STEP)
    at = result_clock(seen)
    title = w("live_nothing_to_do_now") if at == "?" else w("live_nothing_to_do", time=at)
    return ToDo(title, w("live_goes_on"))


def _alarm(w: Words, alarm: AlarmStatus) -> ToDo:
    name = alarm.alarm or "?"
    title = w("live_alarm", alarm=w.said(name).capitalize(), time=clock(wall_of(alarm.opened_utc)))
    why = "live_alarm_closed" if alarm.closed else "live_alarm_interlock" if alarm.interlock else "live_alarm_open"
    tone = Tone.GRAVE if alarm.interlock else Tone.ALARM
    because = w.said(alarm.why or "")
    return ToDo(title, f"{because}{w('stop')}{w('say_gap')}{w(why)}", tone, "ack", w("live_acknowledge"), name)
