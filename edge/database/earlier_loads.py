"""What earlier runs hung on a load cell, and when it was taken off again, from their chained events.

Read-only. What cannot be read or does not follow its chain is no load, and no reason to refuse a run. This module must
never take the end of a run for the moment at which its sample was taken off: nobody saw that.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge.errors import BadDatabase
from edge.records.command import OperatorWord
from edge.records.event import EventKind
from edge.records.phase import Phase
from edge.records.run import RunKind
from edge.records.weighing import WeighingKind

from . import hash_chain
from .connection import Database, SqliteError, translated_errors
from .queries import clock_was_set
from .reading import open_readonly

MOST_RUNS = 4
"""So many of the newest runs are looked at: what hung before them is long gone."""


@dataclass(frozen=True, slots=True)
class LoadOfRun:
    """A run's sample of ``mass_g``, and for how long it was seen on the cell, in s.

    ``off_s`` is when it was off (None: nobody saw that), ``last_s`` when it was last seen on: at M2, else when the run
    ended. Both are of the wall clock, in s since 1970; None where that was not set.
    """

    run_id: int
    mass_g: float
    seen_s: float
    off_s: float | None
    last_s: float | None


def loads_of_runs(path: Path, certificate_sha256: str, kinds: Sequence[RunKind]) -> tuple[LoadOfRun, ...]:
    """Get what the newest runs of these kinds by this certificate hung on the cell, the newest first."""
    if not path.exists():
        return ()
    marks = ", ".join("?" for _ in kinds)
    sql = f"select run_id from runs where certificate_sha256 = ? and kind in ({marks}) order by run_id desc limit ?"
    found = []
    try:
        with closing(open_readonly(path)) as db, translated_errors(path):
            for (run_id,) in db.execute(sql, [certificate_sha256, *map(str, kinds), MOST_RUNS]).fetchall():
                if (load := _load(db, int(run_id))) is not None:
                    found.append(load)
    except (BadDatabase, SqliteError, OSError, ValueError):
        return ()
    return tuple(found)


class _At(NamedTuple):
    """When an event was: on the run's clock and on the wall's, in s."""

    run_s: float
    wall_s: float


def _load(db: Database, run_id: int) -> LoadOfRun | None:
    """Get what a run hung on the cell (None: nothing)."""
    masses: dict[str, float] = {}
    on = said = off = m2 = last = None
    try:
        for event in hash_chain.events(db, run_id):
            wall_s = datetime.datetime.fromisoformat(event["wall_utc"]).timestamp()
            at, told = _At(float(event["elapsed_s"]), wall_s), json.loads(event["data_json"])
            last = at
            match event["kind"]:
                case EventKind.PHASE if told["to"] == Phase.M1:
                    on = on or at
                case EventKind.OPERATOR if told["word"] == OperatorWord.ZERO:
                    said = at
                case EventKind.WEIGHING:
                    masses[str(told["which"])] = float(told["value"])
                    m2 = at if told["which"] == WeighingKind.M2 else m2
                    off = said if told["which"] == WeighingKind.ZERO else off
        dated = clock_was_set(db, run_id)
    except (BadDatabase, KeyError, TypeError, ValueError, RecursionError):
        return None
    mass_g = masses.get(WeighingKind.M1, math.nan)
    seen = off or m2 or last
    if on is None or seen is None or not mass_g > 0.0:
        return None
    if not dated:
        return LoadOfRun(run_id, mass_g, seen.run_s - on.run_s, None, None)
    return LoadOfRun(run_id, mass_g, seen.run_s - on.run_s, None if off is None else off.wall_s, seen.wall_s)
