"""The view kept up to date: the station asked once a second, the database read every five, until q or Ctrl-C.

This module must never act, and never leave a terminal otherwise than it was.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live

from edge.control.client import ask_status
from edge.database.queries import list_runs, result_of_run
from edge.database.reading import open_readonly
from edge.database.so_far import newest_run
from edge.errors import HalfpercentError, NoSuchRun
from edge.records.result import Result
from edge.records.status import StationStatus
from edge.report.language import Words
from edge.trends.run_so_far import RunSoFar, run_so_far

from .frame import CURVE_ROWS, Seen, frame

ASK_EVERY_S, READ_EVERY_S = 1.0, 5.0
BESIDE_CURVE = 18
"""So many lines of a terminal are taken by all else than the curve."""


@dataclass(slots=True)
class Watcher:
    """Looks at one station and its database: ``database``, or (None) the one that it says it writes, else ``own``."""

    database: Path | None
    socket: Path
    own: Path
    _status: StationStatus | None = None
    _heard_s: float | None = None
    _run: RunSoFar | None = None
    _last: Result | None = None
    _read_s: float = field(default=-1e9)

    def look(self) -> Seen:
        """Ask, read where it is time, and get what there is to show."""
        trouble = ""
        try:
            self._status = ask_status(self.socket, timeout_s=2.0)
            self._heard_s = time.time()
        except HalfpercentError as e:
            trouble = str(e)
        if time.monotonic() - self._read_s >= READ_EVERY_S:
            self._read_s = time.monotonic()
            with contextlib.suppress(HalfpercentError):  # none yet, or of another version: the status is shown
                self._read()
        return Seen(time.time(), self._status, self._run, self._last, self._heard_s, trouble)

    def _read(self) -> None:
        database = self._database()
        with closing(open_readonly(database)) as db:
            run_id = newest_run(db)
            self._run = None if run_id is None else run_so_far(db, run_id)
        ended = [r.run_id for r in list_runs(database, most=2) if r.verdict is not None]
        if ended and (self._last is None or self._last.run_id != ended[-1]):
            with contextlib.suppress(NoSuchRun):
                self._last = result_of_run(database, str(ended[-1]))

    def _database(self) -> Path:
        if self.database is not None:
            return self.database
        told = None if self._status is None else self._status.storage.database
        return Path(told) if told and os.access(told, os.R_OK) else self.own


def terminal() -> Console:
    """Get the terminal that is written to, in no more colours than it has, and in none where NO_COLOR is set."""
    return Console(highlight=False)


def once(watcher: Watcher, words: Words, console: Console) -> None:
    """Print one frame."""
    console.print(frame(watcher.look(), words, console.width))


def watch(watcher: Watcher, words: Words, console: Console) -> None:
    """Show the view until q or Ctrl-C."""

    def drawn() -> Group:
        rows = min(CURVE_ROWS + 6, max(4, console.height - BESIDE_CURVE))
        return frame(watcher.look(), words, console.width, rows)

    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(drawn(), refresh=True)
            if pressed(ASK_EVERY_S) in ("q", "Q", "\x03"):
                return


def _no_key(wait_s: float) -> str:
    time.sleep(wait_s)
    return ""


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Take keys one at a time, where there is a keyboard; the terminal is as before at the end."""
    if not sys.stdin.isatty():
        yield _no_key
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)

    def pressed(wait_s: float) -> str:
        ready, _, _ = select.select([handle], [], [], wait_s)
        return os.read(handle, 16).decode(errors="replace")[:1] if ready else ""

    try:
        tty.setcbreak(handle)
        yield pressed
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
