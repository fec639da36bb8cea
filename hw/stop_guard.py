"""Ends a process that somebody has stopped (SIGSTOP, a debugger), so that the kernel takes its lines back.

A stopped process holds its GPIO lines as they were, the relay's too, and no thread of its own can let go of it. So a
small process beside it looks once a second whether it is stopped, and kills it after three such looks: the line becomes
an input, the relay's pull-down opens it (docs/wiring.md), and systemd starts the station anew, which goes on with the
test. This module must never end a process that only waits, however long: it looks at what the kernel calls stopped and
at nothing else. It is run as a program of its own, so it imports nothing of the package.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

EVERY_S = 1.0
STOPPED_LOOKS = 3
"""After so many looks in a row that found it stopped, it is ended: 2 to 3 s after it was."""
_STOPPED = ("T", "t")  # proc(5): stopped on a signal, or by a debugger


class StopGuard:
    """Guards this process while inside ``with``. Where the guard itself ends, :meth:`renew` starts another."""

    def __init__(self) -> None:
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.renew()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        guard, self._guard = self._guard, None
        if guard is not None and guard.stdin is not None:
            guard.stdin.close()  # it sees that and ends
            try:
                guard.wait(2.0)
            except subprocess.TimeoutExpired:  # stopped itself
                guard.kill()
                guard.wait()

    def renew(self) -> None:
        """Start a guard where none is there. Raises ``OSError`` where none can be started."""
        if self._guard is not None and self._guard.poll() is None:
            return
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # what a terminal stops is not it
        )


def guard(pid: int) -> None:
    """Look after the process ``pid``, our parent, until our input ends or it does."""
    stopped = 0
    while os.getppid() == pid:
        if select.select([sys.stdin], [], [], EVERY_S)[0]:
            return  # it has let go of us, or has ended
        stopped = stopped + 1 if _state(pid) in _STOPPED else 0
        if stopped >= STOPPED_LOOKS and os.getppid() == pid:
            os.write(2, b"the station was stopped (SIGSTOP): it is ended, so that the relay opens\n")
            os.kill(pid, signal.SIGKILL)
            return


def _state(pid: int) -> str:
    """Get what the kernel says a process does; '' where it has ended."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return about.rpartition(")")[2].split()[0]  # its name is in brackets, and may have some of its own


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the process that it guards
    guard(int(sys.argv[1]))
