"""A disk that holds up what a journal's commits write, or lets them fail, when it is told to."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from edge.database.run_journal import RunJournal


class SlowDisk:
    """``stall`` it, then let it ``go_on`` or ``fail``. ``held`` counts the commits that it held up.

    As a context manager it goes on where a test fails, for a database waits for it when it is closed.
    """

    def __init__(self) -> None:
        self.held = 0
        self._free = threading.Event()
        self._free.set()
        self._error: Exception | None = None

    def __enter__(self) -> SlowDisk:
        return self

    def __exit__(self, *ended: object) -> None:
        self.go_on()

    def stall(self) -> None:
        self._free.clear()

    def wait_until_it_holds(self) -> None:
        """Wait for the commit that it holds up: simulated seconds are over before its thread has begun."""
        until_s = time.monotonic() + 30.0
        while not self.held and time.monotonic() < until_s:
            time.sleep(0.002)

    def go_on(self) -> None:
        self._free.set()

    def fail(self, error: Exception) -> None:
        """Let the commit that it holds up fail, and the next ones go on."""
        self._error = error
        self._free.set()

    def commit(self) -> None:
        self.held += not self._free.is_set()
        self._free.wait()
        error, self._error = self._error, None
        if error is not None:
            raise error


def slow_commits(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    """Put a slow disk under each run's commits."""
    disk, write = SlowDisk(), RunJournal._write

    def held_up(run: RunJournal, *args: Any) -> None:
        disk.commit()
        write(run, *args)

    monkeypatch.setattr(RunJournal, "_write", held_up)
    return disk
