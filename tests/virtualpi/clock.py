"""A simulated clock in two processes: the drivers' and the chips'.

Its time is eight bytes of a file that both have mapped. Only one of the two ever runs at a time, for a driver waits
while its request is served; so time moves exactly as it does in one process.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from edge.simulate.instrument import BEGINS_WALL_S
from hw.clock import SimClock


class SharedClock(SimClock):
    """A :class:`SimClock` whose time is in the file ``path``. Starts at 0 for everyone who opens it before it moves."""

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(8)
            self._cell = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")
        super().__init__(BEGINS_WALL_S)  # as a simulated test's: what is compared begins at the same moment

    @property
    def _now_ns(self) -> int:
        return self._cell[0]

    @_now_ns.setter
    def _now_ns(self, ns: int) -> None:
        self._cell[0] = ns
