"""The station's answer to ``status`` as text.

This module must never show a number that the station did not give.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


def status_text(answer: dict[str, Any]) -> str:
    """Get the station's answer to ``status`` (docs/control.md) as text of several lines."""
    return "\n".join(f"{name:12}{value}".rstrip() for name, value in _status(answer))


def _status(s: dict[str, Any]) -> Iterator[tuple[str, str]]:
    run, readings = s.get("run"), s.get("readings") or {}
    if run is None:
        yield "station", "idle: halfpercent start --sample ID --operator NAME"
        last = s.get("last_run")
        if last is not None:
            yield "last run", f"{last.get('run_id')}: {last.get('sample_id')}: {last.get('verdict')}"
    else:
        dummy = " (blank)" if run.get("kind") == "blank" else ""
        yield "run", f"{run.get('run_id')}: sample {run.get('sample_id')}{dummy}, operator {run.get('operator')}"
        yield "phase", f"{run.get('phase')}, {_hours(run.get('elapsed_s'))} since the start"
        yield "hold", f"{_hours(run.get('hold_s'))} of {_hours(run.get('hold_required_s'))}"
        yield "mass", _number(run.get("mass_g"), ".4f", "g")
        yield "loss so far", _number(run.get("loss_pct"), ".4f", "%")
    yield "oven", _number(readings.get("temp_c"), ".2f", "°C")
    yield "load cell", f"{_number(readings.get('cell_temp_c'), '.2f', '°C')}, {_bridge(readings)}"
    yield "pressure", _number(readings.get("pressure_pa"), ".3g", "Pa")
    alarms = s.get("alarms") or []
    yield "alarms", "none" if not alarms else str(len(alarms))
    for alarm in alarms:
        state = "closed" if alarm.get("closed") else "open"
        seen = "acknowledged" if alarm.get("acknowledged") else "halfpercent ack"
        yield "", f"{alarm.get('alarm')}: {alarm.get('why')} ({state}, since {_time(alarm.get('opened_utc'))}; {seen})"
    interlock = s.get("interlock")
    held = " until its alarms are closed and acknowledged" if interlock == "open" else ""
    yield "interlock", ("not wired" if interlock == "none" else str(interlock or "unknown")) + held
    storage = s.get("storage") or {}
    free = storage.get("free_bytes")
    room = "unknown room" if free is None else f"{free / 1e9:.1f} GB free"
    yield "storage", f"{room} for {storage.get('database')}, {storage.get('pending_s') or 0:.0f} s not on disk yet"
    if storage.get("error"):
        yield "", str(storage["error"])
    synchronised = (s.get("clock") or {}).get("synchronised")
    if synchronised is None:
        yield "clock", "unknown"
    else:
        yield "clock", "synchronised" if synchronised else "not synchronised: dates are only labels"
    yield "up", f"{_hours(s.get('uptime_s'))}, halfpercent {s.get('software')}"


def _number(value: float | None, form: str, unit: str) -> str:
    return "unknown" if value is None else f"{value:{form}} {unit}"


def _hours(seconds: float | None) -> str:
    """Write seconds as hours, rounded down: a clock never shows time that it has not had."""
    return "unknown" if seconds is None else f"{math.floor(seconds / 36.0 + 1e-9) / 100.0:.2f} h"


def _bridge(readings: dict[str, Any]) -> str:
    status, code = readings.get("bridge_status"), readings.get("code")
    return "no sample yet" if status is None else f"{status}" + ("" if code is None else f", code {code}")


def _time(utc: str | None) -> str:
    return "unknown" if utc is None else f"{utc[:19].replace('T', ' ')} UTC"
