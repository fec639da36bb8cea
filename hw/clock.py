"""Time and sleep, real or simulated.

Elapsed time comes from CLOCK_BOOTTIME, which no one can set and which runs on through suspend; wall time
is a label. The two clocks are interchangeable: with :class:`SimClock` a test of nine hours takes seconds.
This module must never let wall time into a duration.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

NS_PER_S = 1_000_000_000

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the drivers and the station know of time."""

    @property
    def boot_id(self) -> str:
        """Get the identity of this boot: times of two boots cannot be subtracted."""

    def now_ns(self) -> int:
        """Get the time since boot in ns."""

    def sleep_s(self, seconds: float) -> None:
        """Sleep for ``seconds`` (none where that is not positive)."""

    def wall_s(self) -> float:
        """Get the wall time in seconds since 1970-01-01 UTC: a label, never a duration."""


class BootClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else "unknown"

    @property
    def boot_id(self) -> str:
        """Get the kernel's boot id (``unknown`` where there is none)."""
        return self._boot_id

    def now_ns(self) -> int:
        """Get CLOCK_BOOTTIME in ns."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def sleep_s(self, seconds: float) -> None:
        """Sleep for ``seconds`` of real time."""
        if seconds > 0.0:
            time.sleep(seconds)

    def wall_s(self) -> float:
        """Get the system's wall time in s."""
        return time.time()


def real_time(_ns: int) -> None:
    """Let time pass by itself: what a simulated bus does on the machine's own clock, which nobody can move on."""


class SimClock:
    """A clock that moves only when someone sleeps or a simulated bus takes its time.

    It starts at zero on a fixed day, so that the same seed gives the same record twice.
    """

    def __init__(self, wall_start_s: float = 1_767_225_600.0, boot_id: str = "simulated") -> None:  # 2026-01-01
        self._now_ns = 0
        self._wall_start_s = wall_start_s
        self._boot_id = boot_id

    @property
    def boot_id(self) -> str:
        """Get the name that this simulated boot was given."""
        return self._boot_id

    def now_ns(self) -> int:
        """Get the simulated time since the start in ns."""
        return self._now_ns

    def sleep_s(self, seconds: float) -> None:
        """Move the clock on by ``seconds``."""
        if seconds > 0.0:
            self._now_ns += round(seconds * NS_PER_S)

    def advance_ns(self, ns: int) -> None:
        """Move the clock on by ``ns`` (>= 0): what a transfer on a simulated bus takes."""
        self._now_ns += ns

    def wall_s(self) -> float:
        """Get the simulated wall time in s."""
        return self._wall_start_s + self._now_ns / NS_PER_S
