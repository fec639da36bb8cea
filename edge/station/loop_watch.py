"""How long the loop that measures is kept from its chips: its longest step, the time in which a commit was waited for
apart.

A step is what is done between two reads of a chip: a look with its alarms and questions, or a frame's fold. This module
must never count what a step waited for the disk as the step's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

RECENT_S = 60.0


class _Began(NamedTuple):
    """When a step began: the time, how long commits had been waited for, and what this thread had worked, in s."""

    at_s: float
    waited_s: float
    worked_s: float


class Step:
    """One step, from when it is made until its ``with`` ends. A generator's would take as long as a look's rules."""

    __slots__ = ("_began", "_ended")

    def __init__(self, began: _Began, ended: Callable[[_Began], None]) -> None:
        self._began, self._ended = began, ended

    def __enter__(self) -> None:
        """Do nothing: it has begun."""

    def __exit__(self, *_error: object) -> None:
        """Say that it has ended."""
        self._ended(self._began)


class LoopWatch:
    """Measures steps, in s; ``longest_processor_s`` is what the processor had to do in the busiest one.

    ``commit_s`` is asked for how long commits have been waited for since the start.
    """

    def __init__(self, commit_s: Callable[[], float], now_s: Callable[[], float] = time.perf_counter) -> None:
        self.longest_s = 0.0
        self.longest_processor_s = 0.0
        self._commit_s = commit_s
        self._now_s = now_s
        self._since_s = now_s()
        self._recent_s = 0.0
        self._before_s = 0.0

    @property
    def recent_s(self) -> float:
        """Get the longest step of the last minute, or up to two of them."""
        self._turn(self._now_s())
        return max(self._recent_s, self._before_s)

    def step(self) -> Step:
        """Measure what is done inside."""
        return Step(_Began(self._now_s(), self._commit_s(), time.thread_time()), self._take)

    def _take(self, began: _Began) -> None:
        now_s = self._now_s()
        passed_s = now_s - began.at_s
        took_s = passed_s - (self._commit_s() - began.waited_s)
        self._turn(now_s)
        self.longest_s = max(self.longest_s, took_s)
        if passed_s > self.longest_processor_s:  # else it was not busier: to ask the kernel takes microseconds
            self.longest_processor_s = max(self.longest_processor_s, time.thread_time() - began.worked_s)
        self._recent_s = max(self._recent_s, took_s)

    def _turn(self, now_s: float) -> None:
        if now_s - self._since_s >= RECENT_S:
            late = now_s - self._since_s >= 2.0 * RECENT_S
            self._before_s, self._recent_s, self._since_s = 0.0 if late else self._recent_s, 0.0, now_s
