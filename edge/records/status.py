"""The station's state as it answers ``status``: frozen records, one key a fact. What is not known is null.

docs/control.md lists the keys. This module must never hold what the station did not see.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class AirState(StrEnum):
    """Whether the air is around the sample, and so how an indication becomes a loss."""

    THERE = "air there"
    GOING = "air going"
    GONE = "air gone"
    COMING = "air may be coming"


class _StatusPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the answer; any key that another version's station does not give is null."""


class RunStatus(_StatusPart, frozen=True, kw_only=True):
    """The run that is being measured. ``asked`` is what it waits for, ``refused`` why the last step was not taken.

    ``loss_pct`` is the loss so far with the air's step taken out, ``loss_as_weighed_pct`` the one with it, and ``air``
    says whether the air is around the sample (:class:`AirState`). ``mass_age_s`` is since when its second is over.
    """

    run_id: int | None = None
    run_uid: str | None = None
    sample_id: str | None = None
    operator: str | None = None
    kind: str | None = None
    phase: str | None = None
    elapsed_s: float | None = None
    hold_required_s: float | None = None
    hold_s: float | None = None
    mass_g: float | None = None
    mass_age_s: float | None = None
    loss_pct: float | None = None
    loss_as_weighed_pct: float | None = None
    air_step_pct: float | None = None
    u_air_step_pct: float | None = None
    air: str | None = None
    temp_c: float | None = None
    cell_temp_c: float | None = None
    pressure_pa: float | None = None
    asked: str | None = None
    refused: str | None = None

    def tells_of(self, run_id: int, run_uid: str) -> bool:
        """Get whether this is that run: a number alone is another run's in another database."""
        return self.run_id == run_id and self.run_uid in (None, run_uid)


class AlarmStatus(_StatusPart, frozen=True, kw_only=True):
    """An alarm that is open, or closed and not acknowledged."""

    alarm: str | None = None
    why: str | None = None
    opened_utc: str | None = None
    closed: bool | None = None
    acknowledged: bool | None = None
    interlock: bool | None = None


class ReadingsStatus(_StatusPart, frozen=True, kw_only=True):
    """The newest readings, seen a few times a second, and for how long none that is good has come after the last one.

    ``under_voltage`` is whether the supply is too low now (None: nothing here can tell).
    """

    code: int | None = None
    bridge_status: str | None = None
    temp_c: float | None = None
    cell_temp_c: float | None = None
    pressure_pa: float | None = None
    under_voltage: bool | None = None
    code_age_s: float | None = None
    temp_age_s: float | None = None
    cell_temp_age_s: float | None = None
    pressure_age_s: float | None = None


class StorageStatus(_StatusPart, frozen=True, kw_only=True):
    """The database: its disk, and what is not on it yet."""

    database: str | None = None
    free_bytes: int | None = None
    pending_s: float = 0
    error: str | None = None


class ClockStatus(_StatusPart, frozen=True, kw_only=True):
    """The wall clock: whether it is set by somebody who knows the time."""

    synchronised: bool | None = None


class LastRun(_StatusPart, frozen=True, kw_only=True):
    """The run that ended last since the station's start."""

    run_id: int | None = None
    sample_id: str | None = None
    verdict: str | None = None


class LoopStatus(_StatusPart, frozen=True, kw_only=True):
    """The loop that measures, in s: its longest step since the start and in the last minute, without what it waited
    for the disk; the longest commit, and for how long the one that is under way has been held up.
    """

    longest_step_s: float | None = None
    recent_step_s: float | None = None
    longest_commit_s: float | None = None
    commit_under_way_s: float | None = None


class StationStatus(_StatusPart, frozen=True, kw_only=True):
    """All of it."""

    state: str | None = None
    simulated: bool | None = None
    run: RunStatus | None = None
    alarms: tuple[AlarmStatus, ...] = ()
    interlock: str | None = None
    readings: ReadingsStatus = ReadingsStatus()
    storage: StorageStatus = StorageStatus()
    clock: ClockStatus = ClockStatus()
    loop: LoopStatus = LoopStatus()
    last_run: LastRun | None = None
    uptime_s: float | None = None
    software: str | None = None
