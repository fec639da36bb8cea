"""The times of a simulated night: the world's, at a pace if somebody watches, and the machine's, which begins anew.

This module must never make the simulated time depend on how fast the host is.
"""

from __future__ import annotations

import time

from hw.clock import NS_PER_S, SimClock

STEP_NS = 20_000_000
"""So much simulated time passes between two looks at the host's clock, where there is a pace."""
LATE_S = 1.0
"""A host that is so far behind does not make it good."""
BOOT_S = 20.0
"""So long after power comes the service starts."""


class PacedClock(SimClock):
    """A world's clock that goes ``speed`` times as fast as the host's, if the host can (0: as fast as it can)."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        self._from_s = time.monotonic()
        self._from_ns = self._look_ns = 0

    def sleep_s(self, seconds: float) -> None:
        """Move the clock on by ``seconds``."""
        super().sleep_s(seconds)
        self._keep_pace()

    def advance_ns(self, ns: int) -> None:
        """Move the clock on by ``ns`` (>= 0): what a transfer on a simulated bus takes."""
        self._now_ns += ns
        if self._now_ns >= self._look_ns:
            self._keep_pace()

    def _keep_pace(self) -> None:
        now_ns = self._now_ns
        if now_ns < self._look_ns:
            return
        self._look_ns = now_ns + STEP_NS
        if self._speed <= 0.0:
            return
        early_s = (now_ns - self._from_ns) / NS_PER_S / self._speed - (time.monotonic() - self._from_s)
        if early_s > 0.0:
            time.sleep(early_s)
        elif early_s < -LATE_S:
            self._from_s, self._from_ns = time.monotonic(), now_ns


def world_clock(speed: float) -> SimClock:
    """Get a world's clock: at a pace, or as fast as the host can, which then need not look at its own."""
    return PacedClock(speed) if speed > 0.0 else SimClock()


class MachineClock:
    """The clock of a simulated machine in the world: a new boot begins it anew, somebody may move its wall time."""

    def __init__(self, world: SimClock, name: str) -> None:
        self._world = world
        self._name = name
        self._boots = 1
        self._booted_ns = 0
        self._moved_s = 0.0
        self.is_set = True
        """Whether somebody who knows the time has set the wall clock since the boot."""

    @property
    def boot_id(self) -> str:
        """Get the name of this boot."""
        return f"{self._name} {self._boots}"

    def now_ns(self) -> int:
        """Get the time since boot in ns."""
        return self._world.now_ns() - self._booted_ns

    def sleep_s(self, seconds: float) -> None:
        """Let the world's time pass."""
        self._world.sleep_s(seconds)

    def wall_s(self) -> float:
        """Get the wall time in s."""
        return self._world.wall_s() + self._moved_s

    def move_wall(self, seconds: float) -> None:
        """Move the wall clock."""
        self._moved_s += seconds

    def boot(self, *, is_set: bool) -> None:
        """Start anew, :data:`BOOT_S` before the service does."""
        self._boots += 1
        self._world.sleep_s(BOOT_S)
        self._booted_ns = self._world.now_ns() - round(BOOT_S * NS_PER_S)
        self.is_set = is_set
