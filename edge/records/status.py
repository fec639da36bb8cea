"""The station's state as it answers ``status``: frozen records, one key a fact. What is not known is null.

docs/control.md lists the keys. This module must never hold what the station did not see.
"""

from __future__ import annotations

import msgspec


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the answer; keys that an older station does not give are null."""


class RunStatus(_Part, frozen=True, kw_only=True):
    """The run that is being measured. ``asked`` is what it waits for, ``refused`` why the last step was not taken."""

    run_id: int
    sample_id: str
    operator: str
    kind: str
    phase: str
    elapsed_s: float
    hold_required_s: float
    hold_s: float
    mass_g: float | None = None
    loss_pct: float | None = None
    temp_c: float | None = None
    cell_temp_c: float | None = None
    pressure_pa: float | None = None
    asked: str | None = None
    refused: str | None = None


class AlarmStatus(_Part, frozen=True, kw_only=True):
    """An alarm that is open, or closed and not acknowledged."""

    alarm: str
    why: str
    opened_utc: str
    closed: bool
    acknowledged: bool
    interlock: bool


class ReadingsStatus(_Part, frozen=True, kw_only=True):
    """The newest readings, seen a few times a second."""

    code: int | None = None
    bridge_status: str | None = None
    temp_c: float | None = None
    cell_temp_c: float | None = None
    pressure_pa: float | None = None


class StorageStatus(_Part, frozen=True, kw_only=True):
    """The database: its disk, and what is not on it yet."""

    database: str
    free_bytes: int | None = None
    pending_s: float = 0
    error: str | None = None


class ClockStatus(_Part, frozen=True, kw_only=True):
    """The wall clock: whether it is set by somebody who knows the time."""

    synchronised: bool | None = None


class LastRun(_Part, frozen=True, kw_only=True):
    """The run that ended last since the station's start."""

    run_id: int
    sample_id: str
    verdict: str


class StationStatus(_Part, frozen=True, kw_only=True):
    """All of it."""

    state: str
    run: RunStatus | None = None
    alarms: tuple[AlarmStatus, ...] = ()
    interlock: str
    readings: ReadingsStatus
    storage: StorageStatus
    clock: ClockStatus
    last_run: LastRun | None = None
    uptime_s: float
    software: str
