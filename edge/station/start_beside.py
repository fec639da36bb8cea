"""What a start names is read beside the measurement: files, a blank run, the room on the disk.

A file may be slow to come (a stick, a network) and dear to read, and the loop that measures must know nothing of that.
So each start has a thread of its own, one at a time; the run begins in the loop, at the first look after all was read.
This module must never touch the station from that thread, and never begin what nobody waits for any more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from edge.control.protocol import Answer
from edge.errors import BadInput, HalfpercentError, StationBusy

ReadT = TypeVar("ReadT")

LONGEST_READ_S = 8.0
"""Who asked is told after so long that nothing came; the socket's client waits for ten."""

_log = logging.getLogger("halfpercent")


class StartsBeside(Generic[ReadT]):
    """Reads for one start at a time, or for one weighing."""

    def __init__(self) -> None:
        self._under_way: _Start[ReadT] | None = None

    def ask(self, read: Callable[[], ReadT], begin: Callable[[ReadT], Answer], what: str = "start") -> _Start[ReadT]:
        """Have ``read`` called in a thread and ``begin`` in this one, once that is done and somebody still asks.

        ``what`` is the command's name. Raises ``StationBusy`` where an earlier one is still being read for.
        """
        if self._under_way is not None and self._under_way.reads:
            raise StationBusy(f"{what}: what an earlier {what} named is still being read: wait, and {what} again")
        self._under_way = _Start(read, begin, what)
        return self._under_way


class _Start(Generic[ReadT]):
    """One start that was asked for: an answer that comes later (:class:`edge.control.protocol.Later`)."""

    def __init__(self, read: Callable[[], ReadT], begin: Callable[[ReadT], Answer], what: str) -> None:
        self._what = what
        self._read = read
        self._begin = begin
        self._asked_s = time.monotonic()
        self._found: list[ReadT] = []
        self._error: Exception | None = None
        self._wanted = True
        self._thread = threading.Thread(target=self._read_all, name=what, daemon=True)
        self._thread.start()

    @property
    def reads(self) -> bool:
        """Get whether it is still being read for."""
        return self._thread.is_alive()

    def answer(self) -> Answer | None:
        """Get what ``begin`` answers, once all was read; None before. Raises what reading or ``begin`` raises."""
        if self._thread.is_alive():
            if time.monotonic() - self._asked_s > LONGEST_READ_S:
                self._wanted = False
                raise BadInput(
                    f"{self._what}: what it names was not read within {LONGEST_READ_S:g} s: {_help(self._what)}"
                )
            return None
        if self._error is not None:
            raise self._error
        if not self._wanted:
            raise BadInput(f"{self._what}: nobody waited for it any more: {self._what} again")
        return self._begin(self._found[0])

    def nobody_waits(self) -> None:
        """Take that who asked has gone: the run does not begin."""
        self._wanted = False

    def _read_all(self) -> None:
        try:
            self._found.append(self._read())
        except (HalfpercentError, ValueError) as e:
            self._error = e
        except Exception as e:  # who asked is told, and it is in the log
            _log.exception("%s: what it names was not read", self._what)
            self._error = BadInput(f"{self._what}: {type(e).__name__}: {e}: check what it names, and the disk")


def _help(what: str) -> str:
    return "copy it to the Pi's own disk" if what == "start" else "switch it on, close its doors, and ask again"
