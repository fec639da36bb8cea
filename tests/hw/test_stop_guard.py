"""A stopped process is ended within 5 s, and one that only waits never is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from repository import ROOT

from hw.stop_guard import EVERY_S, STOPPED_LOOKS

PROGRAM = """
import sys, time
from hw.stop_guard import StopGuard
with StopGuard() as guard:
    print(guard._guard.pid, flush=True)
    {what}
"""


def guarded(what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(what=what)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def gone(pid: int) -> bool:
    for _ in range(500):
        if not is_there(pid):
            return True
        time.sleep(0.01)
    return False


def test_a_stopped_process_is_ended_and_its_guard_with_it() -> None:
    assert (STOPPED_LOOKS + 1) * EVERY_S < 5.0
    with guarded("time.sleep(60)") as one:
        assert one.stdout is not None
        pid = int(one.stdout.readline())
        one.send_signal(signal.SIGSTOP)
        assert one.wait(20.0) == -signal.SIGKILL
    assert gone(pid)


def test_one_that_is_stopped_for_a_moment_and_one_that_works_or_waits_are_left_alone() -> None:
    with guarded("t = time.time() + 5\n    while time.time() < t: pass\n    time.sleep(0.1)") as one:
        assert one.stdout is not None
        pid = int(one.stdout.readline())
        one.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        one.send_signal(signal.SIGCONT)
        assert one.wait(30.0) == 0
    assert gone(pid)


def test_a_guard_that_was_killed_is_renewed_and_one_that_is_stopped_keeps_nobody_waiting() -> None:
    what = "sys.stdin.readline(); guard.renew(); print(guard._guard.pid, flush=True); sys.stdin.readline()"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(what=what)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as one:  # fmt: skip
        assert one.stdout is not None
        assert one.stdin is not None
        first = int(one.stdout.readline())
        os.kill(first, signal.SIGKILL)
        time.sleep(0.1)
        one.stdin.write("\n")
        one.stdin.flush()
        second = int(one.stdout.readline())
        assert second != first
        os.kill(second, signal.SIGSTOP)
        one.stdin.write("\n")
        one.stdin.flush()
        assert one.wait(20.0) == 0
    assert gone(second)
