"""A transaction that a slow disk may hold up, in a thread of its own, so that whoever measures goes on meanwhile.

An old SD card holds up a commit for ten seconds now and then. One transaction at a time is under way; nobody else may
use the connection until it has ended, and what came of it is said in the thread of whoever asks. This module must never
have two transactions under way, and never lose the error of one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from edge.errors import StorageSlow

Work = Callable[[], None]


class CommitThread:
    """Does transactions, one at a time. ``patience_s``: so long is one waited for, in s; None: for as long as it takes.

    ``waited_s`` is how long all that asked have waited, in s, ``longest_s`` the longest transaction that has ended.
    """

    def __init__(self, patience_s: float | None = None) -> None:
        self.patience_s = patience_s
        self.waited_s = 0.0
        self.longest_s = 0.0
        self._under_way: _Transaction | None = None
        self._queue: SimpleQueue[_Transaction | None] | None = None

    @property
    def busy_s(self) -> float:
        """Get for how long the transaction that is under way has been held up, in s; 0 where none is."""
        return 0.0 if self._under_way is None else time.monotonic() - self._under_way.since_s

    def do(self, work: Work, done: Work, *, patience_s: float | None = None) -> bool:
        """Do ``work`` in a transaction, then ``done`` in this thread. Returns whether both are done.

        Where ``work`` takes longer than the patience (or ``patience_s``, where that is less), it goes on, and ``done``
        is called by a later :meth:`settle`. Raises what ``work`` raises, and as :meth:`settle`.
        """
        self.settle()
        if self.patience_s is None:
            began_s = time.monotonic()
            try:
                work()
            finally:
                self._took(time.monotonic() - began_s)
            done()
            return True
        self._under_way = _Transaction(work, done)
        if self._queue is None:  # a daemon: a disk that never comes back must not keep a process alive
            self._queue = SimpleQueue()
            threading.Thread(target=_commit, args=(self._queue,), name="commit", daemon=True).start()
        self._queue.put(self._under_way)
        least_s = self.patience_s if patience_s is None else min(patience_s, self.patience_s)
        return self._ended(least_s)

    def settle(self) -> None:
        """Wait for what is under way, and do what was to be done then. Raises its error, or ``StorageSlow``."""
        if not self._ended(self.patience_s):
            raise StorageSlow(f"the disk has held up a commit for {self.busy_s:.0f} s: it is waited for")

    def look(self) -> bool:
        """Do what was to be done if what was under way has ended. False: it has not. Raises its error; never waits."""
        return self._ended(0.0)

    def close(self) -> None:
        """Have the thread end, after what is under way."""
        if self._queue is not None:
            self._queue.put(None)
            self._queue = None

    def _ended(self, patience_s: float | None) -> bool:
        under_way = self._under_way
        if under_way is None:
            return True
        began_s = time.monotonic()
        ended = under_way.ended.wait(patience_s)
        self.waited_s += time.monotonic() - began_s
        if not ended:
            return False
        self._under_way = None
        self.longest_s = max(self.longest_s, under_way.took_s)
        if under_way.error is not None:
            raise under_way.error
        under_way.done()
        return True

    def _took(self, length_s: float) -> None:
        self.waited_s += length_s
        self.longest_s = max(self.longest_s, length_s)


class _Transaction:
    """One transaction, and what came of it."""

    def __init__(self, work: Work, done: Work) -> None:
        self.done = done
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.since_s = time.monotonic()
        self.took_s = 0.0
        self._work = work

    def run(self) -> None:
        """Do it, in the thread that commits."""
        try:
            self._work()
        except BaseException as e:  # it is raised where somebody asks
            self.error = e
        self.took_s = time.monotonic() - self.since_s
        self.ended.set()


def _commit(queue: SimpleQueue[_Transaction | None]) -> None:
    """Do transactions as they come, until there is to be no other: the thread's whole life."""
    while (transaction := queue.get()) is not None:
        transaction.run()
