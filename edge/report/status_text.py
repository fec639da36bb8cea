"""The station's answer to ``status`` as text, in English or Chinese.

This module must never show a number that the station did not give.
"""

from __future__ import annotations

from collections.abc import Iterator

from calibration.visible_text import visible
from edge.records.formatting import hours
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.status import AirState, ReadingsStatus, RunStatus, StationStatus

from .language import Language, Words
from .wrap import width_of

LABEL_WIDE = 12


def status_text(status: StationStatus, language: Language = Language.ENGLISH) -> str:
    """Get the station's answer to ``status`` as text of several lines."""
    w = Words(language)
    return "\n".join(visible(_line(w, label, value)) for label, value in _status_lines(status, w))


def _line(w: Words, label: str, value: str) -> str:
    name = w(f"status_{label}") if label else ""
    return f"{name}{' ' * max(1, LABEL_WIDE - width_of(name))}{value}".replace("\u00a0", " ").rstrip()


def _status_lines(s: StationStatus, w: Words) -> Iterator[tuple[str, str]]:
    """Get pairs of a label's key ('': none) and what stands beside it."""
    run, readings = s.run, s.readings
    if s.simulated:
        yield "simulated", w("status_models")
    if run is None:
        yield "station", w("status_idle")
        if s.last_run is not None:
            last = (s.last_run.run_id, s.last_run.sample_id, s.last_run.verdict)
            yield "last_run", w("colon").join(_known(part, w) for part in last)
    else:
        yield from _run_lines(run, w)
    yield "oven", _with_unit(readings.temp_c, ".2f", "°C", w)
    cell = _with_unit(readings.cell_temp_c, ".2f", "°C", w)
    yield "load_cell", f"{cell}{w('list_comma')}{_bridge(readings, w)}"
    yield "pressure", _with_unit(readings.pressure_pa, ".3g", "Pa", w)
    yield "alarms", w("status_none") if not s.alarms else str(len(s.alarms))
    for alarm in s.alarms:
        what = w("colon").join(w.said(_known(part, w)) for part in (alarm.alarm, alarm.why))
        state = w("status_closed" if alarm.closed else "status_open")
        seen = w("status_acknowledged") if alarm.acknowledged else "halfpercent ack"
        yield "", w("status_alarm", what=what, state=state, since=_time(alarm.opened_utc, w), seen=seen)
    known = s.interlock in ("open", "closed", "none")
    lock = w(f"page_interlock_{s.interlock}") if known else _known(s.interlock, w)
    yield "interlock", lock + (w("status_held") if s.interlock == "open" else "")
    storage = s.storage
    free = storage.free_bytes
    room = w("status_room_unknown") if free is None else w("status_room", free=f"{free / 1e9:.1f}")
    database, pending = _known(storage.database, w), f"{storage.pending_s:.0f}"
    yield "storage", w("status_stored", room=room, database=database, pending=pending)
    if storage.error:
        yield "", w.said(storage.error)
    set_ = s.clock.synchronised
    yield "clock", w("status_unknown" if set_ is None else "status_clock_set" if set_ else "status_clock_not_set")
    yield "up", f"{_hours(s.uptime_s, w)}{w('list_comma')}halfpercent {_known(s.software, w)}"


def _run_lines(run: RunStatus, w: Words) -> Iterator[tuple[str, str]]:
    dummy = w("status_blank") if run.kind == RunKind.BLANK else ""
    sample, operator = _known(run.sample_id, w), _known(run.operator, w)
    yield "run", w("status_of", run=_known(run.run_id, w), sample=sample, dummy=dummy, operator=operator)
    yield "phase", w("status_since_start", phase=_phase(run, w), elapsed=_hours(run.elapsed_s, w))
    if run.asked:
        yield "to_do", w.said(run.asked)
    if run.refused:
        yield "refused", w.said(run.refused)
    yield "hold", w("status_held_of", held=_hours(run.hold_s, w), whole=_hours(run.hold_required_s, w))
    before_tare = run.phase == Phase.TARE and run.mass_g is None
    yield "mass", w("status_no_tare") if before_tare else _with_unit(run.mass_g, ".4f", "g", w)
    yield "loss", _loss_so_far(run, w)


def _phase(run: RunStatus, w: Words) -> str:
    key = "" if run.phase is None else f"short_{run.phase.replace(' ', '_')}"
    return w(key) if w.language is not Language.ENGLISH and w.has(key) else _known(run.phase, w)


def _loss_so_far(run: RunStatus, w: Words) -> str:
    """Say the loss so far, and what was done about the air that the sample no longer displaces."""
    loss, weighed = (_with_unit(pct, ".4f", "%", w) for pct in (run.loss_pct, run.loss_as_weighed_pct))
    if run.air_step_pct is None or run.u_air_step_pct is None:
        if run.loss_as_weighed_pct is None or run.loss_pct is not None:
            return loss
        return w("status_loss_by_air", loss=loss, air=w.said(run.air or "?"), weighed=weighed)
    if run.loss_pct == run.loss_as_weighed_pct:
        return loss
    when = w("status_at_hold_end") if run.air == AirState.COMING else ""
    step, u = f"{run.air_step_pct:.4f}", f"{run.u_air_step_pct:.4f}"
    return w("status_loss_without_air", loss=loss, when=when, step=step, u=u, weighed=weighed)


def _known(value: object, w: Words) -> str:
    return w("status_unknown") if value is None else str(value)


def _hours(seconds: float | None, w: Words) -> str:
    return w("status_unknown") if seconds is None else f"{hours(seconds)} h"


def _with_unit(value: float | None, form: str, unit: str, w: Words) -> str:
    return w("status_unknown") if value is None else f"{value:{form}} {unit}"


def _bridge(readings: ReadingsStatus, w: Words) -> str:
    if readings.bridge_status is None:
        return w("status_no_sample")
    code = "" if readings.code is None else w("status_code", code=str(readings.code))
    return readings.bridge_status + code


def _time(utc: str | None, w: Words) -> str:
    return w("status_unknown") if utc is None else f"{utc[:19].replace('T', ' ')} UTC"
