"""What a database says of its station's own life: starts, stops, alarms, declared maintenance, signs of life.

Rows are read in order and bounded; what cannot be parsed is left out and counted. This module must never write.
"""

from __future__ import annotations

import datetime
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.records.event import EventKind

from . import writer_lock
from .connection import Database, parsed_rows, translated_errors
from .reading import open_readonly
from .stored_rows import with_zone

MOST = 100_000
_ALARMS = (EventKind.ALARM_OPENED, EventKind.ALARM_ACKNOWLEDGED, EventKind.ALARM_CLOSED)
_STATION = (EventKind.STARTED, EventKind.STOPPED, EventKind.MAINTENANCE, *_ALARMS)


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event with the wall clock's time; of a run where ``run_id`` is given."""

    at: datetime.datetime
    kind: EventKind
    alarm: str = ""
    why: str = ""
    from_utc: datetime.datetime | None = None
    until_utc: datetime.datetime | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class StationLog:
    """The events of a station in order of time, when it was seen to live, and how many rows could not be read.

    ``alive`` are the times of chunks and events, in order: a station that was cut off says nothing of it, so the last
    one before a start is when it was last seen. ``runs_now``: a station holds the database.
    """

    events: tuple[LoggedEvent, ...]
    alive: tuple[datetime.datetime, ...]
    damaged: int
    runs_now: bool


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    wall_utc: datetime.datetime
    kind: EventKind
    data_json: str
    run_id: int | None = None


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    alarm: str = ""
    why: str = ""
    from_utc: datetime.datetime | None = None
    until_utc: datetime.datetime | None = None


def station_log(path: Path) -> StationLog:
    """Get the station's log of a database. Raises ``BadDatabase``."""
    kinds, alarms = (", ".join(f"'{k}'" for k in which) for which in (_STATION, _ALARMS))
    with closing(open_readonly(path)) as db, translated_errors(path):
        rows = list(
            db.query(f"select wall_utc, kind, data_json from station_events where kind in ({kinds}) limit {MOST}")
        )
        rows += db.query(f"select run_id, wall_utc, kind, data_json from events where kind in ({alarms}) limit {MOST}")
        alive = _signs_of_life(db, path)
    events: list[LoggedEvent] = []
    damaged = 0
    for row in rows:
        try:
            stored = msgspec.convert(row, _Row)
            data = msgspec.json.decode(stored.data_json, type=_Data)
        except (msgspec.ValidationError, msgspec.DecodeError):
            damaged += 1
            continue
        told = {name: getattr(data, name) for name in _Data.__struct_fields__}
        events.append(LoggedEvent(at=with_zone(stored.wall_utc), kind=stored.kind, run_id=stored.run_id, **told))
    return StationLog(tuple(sorted(events, key=lambda e: e.at)), alive, damaged, writer_lock.is_held(path))


def _signs_of_life(db: Database, path: Path) -> tuple[datetime.datetime, ...]:
    with parsed_rows(f"{path}: its times"):
        seen = [row[0] for row in db.execute(f"select wall_utc from station_events order by event desc limit {MOST}")]
        seen += [row[0] for row in db.execute(f"select wall_utc from events order by run_id desc limit {MOST}")]
        times = [with_zone(datetime.datetime.fromisoformat(text)) for text in seen]
        chunks = db.execute(f"select wall_ms from chunks order by run_id desc, chunk desc limit {MOST}")
        times += [datetime.datetime.fromtimestamp(ms / 1000.0, datetime.UTC) for (ms,) in chunks]
    return tuple(sorted(times))
