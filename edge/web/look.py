"""What the page sees: the station asked once a second and the database read every few, once for all who look.

However many look, the station is asked as often as by one. This module must never act, and never pass off an old
answer for a new one: each snapshot says when the station was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from edge.control.client import ask_status
from edge.database.queries import list_runs
from edge.database.reading import open_readonly
from edge.database.shown_runs import RunOnPage, held_runs, unaltered_result
from edge.database.so_far import newest_run
from edge.errors import HalfpercentError
from edge.records.result import Result
from edge.records.status import StationStatus
from edge.seal.checkpoint import Checkpoint
from edge.seal.key import seal_folder
from edge.seal.rig_log import RigLog
from edge.trends.run_so_far import RunSoFar, run_so_far

ASK_EVERY_S = 1.0
READ_EVERY_S = 5.0
"""While a run is measured; else a new result is looked for this often too, and that is cheap."""
STALE_S = 3.0
RECENT = 5
ASK_WITHIN_S = 2.5

_log = logging.getLogger("halfpercent.web")


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database held when it was read last."""

    seen: RunSoFar | None = None
    last: Result | None = None
    recent: tuple[RunOnPage, ...] = ()
    checkpoint: Checkpoint | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the page shows of now: ``heard_s`` is when the station answered last (wall s; None: never)."""

    at_s: float
    status: StationStatus | None = None
    heard_s: float | None = None
    trouble: str = ""
    stored: Stored = Stored()

    @property
    def is_stale(self) -> bool:
        """Get whether the station's answer is too old to be shown as now."""
        return self.heard_s is None or self.at_s - self.heard_s > STALE_S

    @property
    def seen(self) -> RunSoFar | None:
        """Get the running run as it is stored, where it is the one that the station tells of."""
        seen, status = self.stored.seen, self.status
        if seen is None or status is None or status.run is None:
            return None
        return seen if status.run.tells_of(seen.head.run_id, seen.head.run_uid) else None


@cache
def _trim() -> Callable[[int], int] | None:
    """Get what gives memory that is free back to the system; None where the allocator has no such thing."""
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


class Looker:
    """Looks, on two threads of its own, and tells whoever waits that there is something new."""

    def __init__(self, database: Path, socket: Path, wall: Callable[[], float] = time.time) -> None:
        self.database, self.socket = database, socket
        self.snapshot = Snapshot(wall())
        self._wall = wall
        self._threads = ThreadPoolExecutor(2, "look")
        self._tick: asyncio.Event = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Look once, then go on looking."""
        await asyncio.gather(self._ask_once(), self._read_once())
        self._tasks = [asyncio.create_task(self._asking()), asyncio.create_task(self._reading())]

    async def stop(self) -> None:
        """Stop looking."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks)
        self._threads.shutdown(wait=False)

    async def changed(self) -> None:
        """Wait for the next look."""
        await self._tick.wait()

    def _show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        tick, self._tick = self._tick, asyncio.Event()
        tick.set()

    async def _asking(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            await self._ask_once()

    async def _reading(self) -> None:
        while True:
            await asyncio.sleep(READ_EVERY_S)
            await self._read_once()

    async def _ask_once(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            status = await loop.run_in_executor(self._threads, self._asked)
        except HalfpercentError as e:
            self._show(replace(self.snapshot, at_s=self._wall(), trouble=str(e)))
            return
        now_s = self._wall()
        self._show(replace(self.snapshot, at_s=now_s, status=status, heard_s=now_s, trouble=""))

    def _asked(self) -> StationStatus:
        return ask_status(self.socket, timeout_s=ASK_WITHIN_S)

    async def _read_once(self) -> None:
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(self._threads, self._stored)
        self._show(replace(self.snapshot, at_s=self._wall(), stored=stored))

    def _stored(self) -> Stored:
        found = self._read()
        if sys.platform == "linux" and (trim := _trim()) is not None:
            trim(0)  # each look takes some memory and lets it go
        return found

    def _read(self) -> Stored:
        before = self.snapshot.stored
        try:
            recent = list_runs(self.database, most=RECENT + 1)
            ended = [r for r in recent if r.verdict is not None]
            with closing(open_readonly(self.database)) as db:
                run_id = newest_run(db)
                seen = None if run_id is None else run_so_far(db, run_id)
            last = before.last
            held = held_runs(self.database, ended[::-1][:RECENT])
            if not held or held[0].altered is not None:
                last = None
            elif last is None or last.run_id != held[0].listed.run_id:
                last = unaltered_result(self.database, str(held[0].listed.run_id))
            return Stored(seen, last, tuple(held), self._checkpoint())
        except HalfpercentError as e:  # a database that is not there yet, damaged, or of another version
            return replace(before, trouble=str(e))

    def _checkpoint(self) -> Checkpoint | None:
        try:
            return RigLog(seal_folder(self.database)).last_signed()
        except (HalfpercentError, OSError) as e:
            _log.debug("no checkpoint: %s", e)
            return None
