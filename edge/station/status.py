"""How things are, for whoever asks: the station's state as plain JSON. What is not known is null.

This module only looks; it must never change what it looks at.
"""

from __future__ import annotations

import datetime
import math
import shutil
from typing import Any

from edge import __version__
from hw.clock import NS_PER_S
from hw.protocols import Status

from .station import Station


def status_of(station: Station) -> dict[str, Any]:
    """Get the station's state: the run, the newest readings, alarms, interlock, storage and clock."""
    clock, keeper = station.clock, station.keeper
    database = keeper.journal.path
    try:
        free = shutil.disk_usage(database.parent).free
    except OSError:
        free = None
    live, panel = station.live, station.panel
    interlock = "none" if panel is None else "closed" if panel.energised else "open"
    return {
        "state": "idle" if live is None else "running",
        "run": None if live is None else _run(station),
        "alarms": [
            {
                "alarm": str(a.alarm),
                "why": a.why,
                "opened_utc": _utc(clock.wall_s() - (clock.now_ns() - a.opened_ns) / NS_PER_S),
                "closed": a.closed,
                "acknowledged": a.acknowledged,
                "interlock": a.interlock,
            }
            for a in station.alarms.standing
        ],
        "interlock": interlock,
        "readings": _readings(station),
        "storage": {
            "database": str(database),
            "free_bytes": free,
            "pending_s": 0 if live is None else live.journal.waiting_s,
            "error": keeper.error or None,
        },
        "clock": {"synchronised": station.trusted},
        "last_run": None if station.last is None else {k: station.last[k] for k in ("run_id", "sample_id", "verdict")},
        "uptime_s": clock.now_ns() / NS_PER_S,
        "software": __version__,
    }


def _run(station: Station) -> dict[str, Any]:
    live = station.live
    assert live is not None
    phases, row = live.course.phases, live.row
    return {
        "run_id": live.run_id,
        "sample_id": live.given.sample.sample_id,
        "operator": live.given.operator,
        "kind": live.given.kind,
        "phase": str(phases.phase),
        "elapsed_s": float(live.next_seq),
        "hold_required_s": phases.plan.hold_s,
        "hold_s": 0.0 if row is None else row.hold_s,
        "mass_g": None if row is None else _known(row.mass_g),
        "loss_pct": None if row is None else _known(row.loss_pct),
        "temp_c": None if row is None else _known(row.temp_c),
        "cell_temp_c": None if row is None else _known(row.cell_temp_c),
        "pressure_pa": None if row is None else _known(row.pressure_pa),
    }


def _readings(station: Station) -> dict[str, Any]:
    seen = station.seen
    if seen is None:
        return dict.fromkeys(("code", "bridge_status", "temp_c", "cell_temp_c", "pressure_pa"))
    newest = seen.newest
    return {
        "code": newest.code if newest is not None and newest.status is Status.OK else None,
        "bridge_status": None if newest is None else newest.status.name.lower(),
        "temp_c": _known(seen.look.oven_c),
        "cell_temp_c": _known(seen.look.cell_c),
        "pressure_pa": _known(seen.look.pressure_pa),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _utc(wall_s: float) -> str:
    return datetime.datetime.fromtimestamp(wall_s, datetime.UTC).isoformat(timespec="seconds")
