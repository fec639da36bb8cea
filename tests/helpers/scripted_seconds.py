"""Seconds of a test written by hand, and the phases brought with them to M1 or to the hold."""

from __future__ import annotations

import math
from collections.abc import Iterable

from edge.procedure.phases import Phases
from edge.procedure.plan import Plan
from edge.records.command import OperatorWord
from edge.records.event import Event
from edge.records.phase import Phase
from edge.records.second import Second

PLAN = Plan(weigh="cold", hold_s=600.0, hold_temp_c=120.0, hold_band_c=2.0, dwell_s=60.0, window_s=120.0,
            pump_wait_s=30.0, weigh_max_s=900.0, ramp_max_s=900.0, hold_extra_s=900.0, cool_max_s=900.0,
            unseen_max_s=60.0)  # fmt: skip


def row(
    second: int,
    *,
    mass_g: float = 200.0,
    temp_c: float = 25.0,
    cell_c: float = 25.0,
    n_ok: int = 10,
    zero_code: float = 1000.0,
    pressure_pa: float = math.nan,
    qualified: int = 0,
    hold_s: float = 0.0,
) -> Second:
    return Second(second, float(second), n_ok, 0, 0, 0, mass_g if n_ok else math.nan, 0.001, zero_code, temp_c, cell_c,
               pressure_pa, qualified, hold_s, math.nan, 0.0)  # fmt: skip


def feed(phases: Phases, rows: Iterable[Second]) -> list[Event]:
    return [event for r in rows for event in phases.step(r)]


def why_invalid(phases: Phases) -> str:
    """Say why the run cannot be judged; '' where it can."""
    return "" if phases.invalid is None else phases.invalid.why


def jitter(second: int, size: float) -> float:
    """A small repeatable noise without drift."""
    return size * ((second * 7919) % 101 - 50) / 50.0


def to_m1(phases: Phases, at: int = 0) -> int:
    feed(phases, [row(at)])
    phases.command(OperatorWord.TARE, at, float(at))
    at += 1
    feed(phases, (row(s, zero_code=1000.0 + jitter(s, 2.0), mass_g=jitter(s, 0.001)) for s in range(at, at + 65)))
    assert phases.phase is Phase.LOAD
    phases.command(OperatorWord.LOAD, at + 65, at + 65.0)
    feed(phases, [row(at + 65)])
    assert phases.phase is Phase.M1
    return at + 66


def to_hold(phases: Phases) -> int:
    at = to_m1(phases)
    feed(phases, (row(s, mass_g=200.0 + jitter(s, 0.002)) for s in range(at, at + 200)))
    return from_pump(phases, at + 200)


def from_pump(phases: Phases, at: int) -> int:
    """Bring phases that wait for the pump to the hold."""
    assert phases.phase is Phase.PUMP
    feed(phases, (row(s) for s in range(at, at + 35)))
    assert phases.phase is Phase.RAMP
    at += 35
    feed(phases, (row(s, temp_c=25.0 + (s - at) * 0.5) for s in range(at, at + 190)))
    at += 190
    feed(phases, [row(at, temp_c=119.0, qualified=1)])
    assert phases.phase is Phase.HOLD
    return at + 1
