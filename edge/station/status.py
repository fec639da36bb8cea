"""How things are, for whoever asks. What is not known is null.

This module only looks; it must never change what it looks at.
"""

from __future__ import annotations

import datetime
import shutil

from edge import __version__
from edge.records.formatting import known
from edge.records.phase import ASKED, Phase
from edge.records.result import Result
from edge.records.status import (
    AlarmStatus,
    ClockStatus,
    LastRun,
    LoopStatus,
    ReadingsStatus,
    RunStatus,
    StationStatus,
    StorageStatus,
)
from edge.run.live_run import LiveRun
from hw.clock import NS_PER_S
from hw.protocols import Status

from .latest import age_s
from .station import Station


def station_status(station: Station) -> StationStatus:
    """Get the station's state: the run, the newest readings, alarms, interlock, storage and clock."""
    clock, writer = station.clock, station.writer
    database = writer.journal.path
    try:
        free = shutil.disk_usage(database.parent).free
    except OSError:
        free = None
    live, panel = station.live, station.panel
    return StationStatus(
        state="idle" if live is None else "running",
        simulated=station.simulated,
        run=None if live is None else _run_status(live, clock.now_ns()),
        alarms=tuple(
            AlarmStatus(
                alarm=str(a.alarm),
                why=a.why,
                opened_utc=_utc(clock.wall_s() - (clock.now_ns() - a.opened_ns) / NS_PER_S),
                closed=a.closed,
                acknowledged=a.acknowledged,
                interlock=a.interlock,
            )
            for a in station.alarms.standing
        ),
        interlock="none" if panel is None else "closed" if panel.energised else "open",
        readings=_readings(station),
        storage=StorageStatus(
            database=str(database),
            free_bytes=free,
            pending_s=0 if live is None else live.journal.waiting_s,
            error=writer.error or None,
        ),
        clock=ClockStatus(synchronised=station.clock_set),
        last_run=None if station.last is None else _last(station.last),
        loop=LoopStatus(
            longest_step_s=station.loop.longest_s,
            recent_step_s=station.loop.recent_s,
            longest_commit_s=writer.journal.commits.longest_s,
            commit_under_way_s=writer.journal.commits.busy_s,
        ),
        uptime_s=clock.now_ns() / NS_PER_S,
        software=__version__,
    )


def _run_status(live: LiveRun, now_ns: int) -> RunStatus:
    phases, second, definition = live.pipeline.phases, live.second, live.definition
    loss = live.pipeline.live_loss.now(second, phases)
    return RunStatus(
        run_id=live.run_id,
        run_uid=live.run_uid,
        sample_id=definition.sample.sample_id,
        operator=definition.operator,
        kind=str(definition.kind),
        phase=str(phases.phase),
        elapsed_s=float(live.next_seq),
        hold_required_s=phases.plan.hold_s,
        hold_s=0.0 if second is None else second.hold_s,
        # Before the tare, what the cell shows is the holder and its own zero, and no sample's mass.
        mass_g=None if second is None or phases.phase is Phase.TARE else known(second.mass_g),
        mass_age_s=None if second is None else age_s(live.pipeline.t0_ns + (second.seq + 1) * NS_PER_S, now_ns),
        loss_pct=loss.loss_pct,
        loss_as_weighed_pct=loss.as_weighed_pct,
        air_step_pct=loss.air_step_pct,
        u_air_step_pct=loss.u_air_step_pct,
        air=str(loss.air),
        temp_c=None if second is None else known(second.temp_c),
        cell_temp_c=None if second is None else known(second.cell_temp_c),
        pressure_pa=None if second is None else known(second.pressure_pa),
        asked=ASKED.get(phases.phase),
        refused=None if live.refusal is None else live.refusal.why,
    )


def _last(result: Result) -> LastRun | None:
    if not isinstance(result.run_id, int):
        return None
    return LastRun(run_id=result.run_id, sample_id=result.sample_id, verdict=str(result.verdict))


def _readings(station: Station) -> ReadingsStatus:
    latest = station.latest
    if latest is None:
        return ReadingsStatus()
    newest, look, good = latest.newest, latest.look, latest.good
    now_ns = station.clock.now_ns()
    return ReadingsStatus(
        code=newest.code if newest is not None and newest.status is Status.OK else None,
        bridge_status=None if newest is None else newest.status.name.lower(),
        temp_c=known(look.oven_c),
        cell_temp_c=known(look.cell_c),
        pressure_pa=known(look.pressure_pa),
        under_voltage=look.under_voltage,
        code_age_s=age_s(good.bridge_ns, now_ns),
        temp_age_s=age_s(good.oven_ns, now_ns),
        cell_temp_age_s=age_s(good.cell_ns, now_ns),
        pressure_age_s=age_s(good.pressure_ns, now_ns),
    )


def _utc(wall_s: float) -> str:
    return datetime.datetime.fromtimestamp(wall_s, datetime.UTC).isoformat(timespec="seconds")
