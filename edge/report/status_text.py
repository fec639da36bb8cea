"""The station's answer to ``status`` as text.

This module must never show a number that the station did not give.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.records.formatting import hours
from edge.records.run import RunKind
from edge.records.status import ReadingsStatus, RunStatus, StationStatus


def status_text(status: StationStatus) -> str:
    """Get the station's answer to ``status`` as text of several lines."""
    return "\n".join(f"{name:12}{value}".rstrip() for name, value in _lines(status))


def _lines(s: StationStatus) -> Iterator[tuple[str, str]]:
    run, readings = s.run, s.readings
    if run is None:
        yield "station", "idle: halfpercent start --sample ID --operator NAME"
        if s.last_run is not None:
            yield "last run", f"{s.last_run.run_id}: {s.last_run.sample_id}: {s.last_run.verdict}"
    else:
        yield from _run(run)
    yield "oven", _number(readings.temp_c, ".2f", "°C")
    yield "load cell", f"{_number(readings.cell_temp_c, '.2f', '°C')}, {_bridge(readings)}"
    yield "pressure", _number(readings.pressure_pa, ".3g", "Pa")
    yield "alarms", "none" if not s.alarms else str(len(s.alarms))
    for alarm in s.alarms:
        state = "closed" if alarm.closed else "open"
        seen = "acknowledged" if alarm.acknowledged else "halfpercent ack"
        yield "", f"{alarm.alarm}: {alarm.why} ({state}, since {_time(alarm.opened_utc)}; {seen})"
    held = " until its alarms are closed and acknowledged" if s.interlock == "open" else ""
    yield "interlock", ("not wired" if s.interlock == "none" else s.interlock) + held
    storage = s.storage
    room = "unknown room" if storage.free_bytes is None else f"{storage.free_bytes / 1e9:.1f} GB free"
    yield "storage", f"{room} for {storage.database}, {storage.pending_s:.0f} s not on disk yet"
    if storage.error:
        yield "", storage.error
    synchronised = s.clock.synchronised
    if synchronised is None:
        yield "clock", "unknown"
    else:
        yield "clock", "synchronised" if synchronised else "not synchronised: dates are only labels"
    yield "up", f"{hours(s.uptime_s)} h, halfpercent {s.software}"


def _run(run: RunStatus) -> Iterator[tuple[str, str]]:
    dummy = " (blank)" if run.kind == RunKind.BLANK else ""
    yield "run", f"{run.run_id}: sample {run.sample_id}{dummy}, operator {run.operator}"
    yield "phase", f"{run.phase}, {hours(run.elapsed_s)} h since the start"
    if run.asked:
        yield "to do", run.asked
    if run.refused:
        yield "refused", run.refused
    yield "hold", f"{hours(run.hold_s)} h of {hours(run.hold_required_s)} h"
    yield "mass", _number(run.mass_g, ".4f", "g")
    yield "loss so far", _number(run.loss_pct, ".4f", "%")


def _number(value: float | None, form: str, unit: str) -> str:
    return "unknown" if value is None else f"{value:{form}} {unit}"


def _bridge(readings: ReadingsStatus) -> str:
    if readings.bridge_status is None:
        return "no sample yet"
    return readings.bridge_status + ("" if readings.code is None else f", code {readings.code}")


def _time(utc: str) -> str:
    return f"{utc[:19].replace('T', ' ')} UTC"
