"""How long the loop that measures is kept from its chips: its longest step, the time in which a commit was waited for
apart.

A step is what is done between two reads of a chip: a look with its alarms and questions, or a frame's fold. This module
must never count what a step waited for the disk as the step's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

RECENT_S = 60.0


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
        self._turn()
        return max(self._recent_s, self._before_s)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Measure what is done inside."""
        began_s, waited_s, worked_s = self._now_s(), self._commit_s(), time.thread_time()
        try:
            yield
        finally:
            passed_s = self._now_s() - began_s
            took_s = passed_s - (self._commit_s() - waited_s)
            self._turn()
            self.longest_s = max(self.longest_s, took_s)
            if passed_s > self.longest_processor_s:  # else it was not busier: to ask the kernel takes microseconds
                self.longest_processor_s = max(self.longest_processor_s, time.thread_time() - worked_s)
            self._recent_s = max(self._recent_s, took_s)

    def _turn(self) -> None:
        now_s = self._now_s()
        if now_s - self._since_s >= RECENT_S:
            late = now_s - self._since_s >= 2.0 * RECENT_S
            self._before_s, self._recent_s, self._since_s = 0.0 if late else self._recent_s, 0.0, now_s
