"""The station's answer to ``status`` as text.

This module must never show a number that the station did not give.
"""

from __future__ import annotations

from collections.abc import Iterator

from calibration.visible_text import visible
from edge.records.formatting import hours
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.status import AirState, ReadingsStatus, RunStatus, StationStatus


def status_text(status: StationStatus) -> str:
    """Get the station's answer to ``status`` as text of several lines."""
    return "\n".join(visible(f"{name:12}{value}".rstrip()) for name, value in _status_lines(status))


def _status_lines(s: StationStatus) -> Iterator[tuple[str, str]]:
    run, readings = s.run, s.readings
    if s.simulated:
        yield "simulated", "chips, oven and sample are models: nothing here is measured"
    if run is None:
        yield "station", "idle: halfpercent start begins a test"
        if s.last_run is not None:
            yield (
                "last run",
                f"{_known(s.last_run.run_id)}: {_known(s.last_run.sample_id)}: {_known(s.last_run.verdict)}",
            )
    else:
        yield from _run_lines(run)
    yield "oven", _with_unit(readings.temp_c, ".2f", "°C")
    yield "load cell", f"{_with_unit(readings.cell_temp_c, '.2f', '°C')}, {_bridge(readings)}"
    yield "pressure", _with_unit(readings.pressure_pa, ".3g", "Pa")
    yield "alarms", "none" if not s.alarms else str(len(s.alarms))
    for alarm in s.alarms:
        state = "closed" if alarm.closed else "open"
        seen = "acknowledged" if alarm.acknowledged else "halfpercent ack"
        what = f"{_known(alarm.alarm)}: {_known(alarm.why)}"
        yield "", f"{what} ({state}, since {_time(alarm.opened_utc)}; {seen})"
    held = " until its alarms are closed and acknowledged" if s.interlock == "open" else ""
    yield "interlock", ("not wired" if s.interlock == "none" else _known(s.interlock)) + held
    storage = s.storage
    room = "unknown room" if storage.free_bytes is None else f"{storage.free_bytes / 1e9:.1f} GB free"
    yield "storage", f"{room} for {_known(storage.database)}, {storage.pending_s:.0f} s not on disk yet"
    if storage.error:
        yield "", storage.error
    synchronised = s.clock.synchronised
    if synchronised is None:
        yield "clock", "unknown"
    else:
        yield "clock", "synchronised" if synchronised else "not synchronised: dates are only labels"
    yield "up", f"{_hours(s.uptime_s)}, halfpercent {_known(s.software)}"


def _run_lines(run: RunStatus) -> Iterator[tuple[str, str]]:
    dummy = " (blank)" if run.kind == RunKind.BLANK else ""
    yield "run", f"{_known(run.run_id)}: sample {_known(run.sample_id)}{dummy}, operator {_known(run.operator)}"
    yield "phase", f"{_known(run.phase)}, {_hours(run.elapsed_s)} since the start"
    if run.asked:
        yield "to do", run.asked
    if run.refused:
        yield "refused", run.refused
    yield "hold", f"{_hours(run.hold_s)} of {_hours(run.hold_required_s)}"
    before_tare = run.phase == Phase.TARE and run.mass_g is None
    yield "mass", "not yet: no tare was taken" if before_tare else _with_unit(run.mass_g, ".4f", "g")
    yield "loss so far", loss_so_far_text(run)


def loss_so_far_text(run: RunStatus) -> str:
    """Say the loss so far, and what was done about the air that the sample no longer displaces."""
    loss, weighed = _with_unit(run.loss_pct, ".4f", "%"), _with_unit(run.loss_as_weighed_pct, ".4f", "%")
    if run.air_step_pct is None or run.u_air_step_pct is None:
        return (
            loss
            if run.loss_as_weighed_pct is None or run.loss_pct is not None
            else f"{loss} ({run.air}), {weighed} as weighed"
        )
    if run.loss_pct == run.loss_as_weighed_pct:
        return loss
    step = f"{run.air_step_pct:.4f} % ± {run.u_air_step_pct:.4f} % (u)"
    when = " at the hold's end" if run.air == AirState.COMING else ""
    return f"{loss}{when}: the air's step of {step} is taken out, {weighed} as weighed"


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)


def _hours(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{hours(seconds)} h"


def _with_unit(value: float | None, form: str, unit: str) -> str:
    return "unknown" if value is None else f"{value:{form}} {unit}"


def _bridge(readings: ReadingsStatus) -> str:
    if readings.bridge_status is None:
        return "no sample yet"
    return readings.bridge_status + ("" if readings.code is None else f", code {readings.code}")


def _time(utc: str | None) -> str:
    return "unknown" if utc is None else f"{utc[:19].replace('T', ' ')} UTC"
