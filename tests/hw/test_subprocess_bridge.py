"""A bridge in a process of its own: the same samples, the same errors, and a death survived."""

from __future__ import annotations

import os
import signal
import time

import pytest
from child_bridges import CODE, absent, hx711

from hw.clock import NS_PER_S, BootClock
from hw.errors import ChipNotFound, NotOpen
from hw.protocols import Conversion, Status
from hw.subprocess_bridge import SubprocessBridge

CLOCK = BootClock()


def soon() -> int:
    return CLOCK.now_ns() + NS_PER_S


def until_ok(bridge: SubprocessBridge, tries: int = 400) -> tuple[Conversion, set[Status]]:
    seen = set()
    for _ in range(tries):
        sample = bridge.read(soon())
        seen.add(sample.status)
        if sample.status is Status.OK:
            return sample, seen
    raise AssertionError(f"never ok: {seen}")


def test_samples_come_with_the_chip_s_codes_and_the_shared_clock_s_times() -> None:
    bridge = SubprocessBridge(hx711, name="hx711", rate_sps=80.0)
    bridge.open()
    try:
        samples: list[Conversion] = []
        good: list[Conversion] = []
        while len(good) < 30 and len(samples) < 600:  # a machine under load is late now and then, and says so
            samples.append(bridge.read(soon()))
            good = [s for s in samples if s.status is Status.OK]
    finally:
        bridge.close()
    assert len(good) == 30
    assert all(abs(s.code - CODE) < 8 * 40 for s in good)  # the noise is 38 codes rms
    times = [s.t_ns for s in samples]
    assert times == sorted(times)
    assert abs(times[-1] - CLOCK.now_ns()) < 5 * NS_PER_S


def test_a_killed_child_is_started_anew_and_no_number_is_made_up_meanwhile() -> None:
    bridge = SubprocessBridge(hx711, name="hx711", rate_sps=80.0)
    bridge.open()
    try:
        until_ok(bridge)
        child = bridge._child
        assert child is not None
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        sample, seen = until_ok(bridge)
    finally:
        bridge.close()
    assert seen <= {Status.NOT_READY, Status.SETTLING, Status.OK, Status.LATE, Status.DESYNC}
    assert Status.NOT_READY in seen
    assert abs(sample.code - CODE) < 8 * 40
    assert bridge.counters.resets == 1


def test_an_error_of_the_driver_is_the_same_error_here() -> None:
    bridge = SubprocessBridge(absent, name="hx711", rate_sps=80.0)
    with pytest.raises(ChipNotFound, match="nothing there"):
        bridge.open()
    with pytest.raises(NotOpen):
        bridge.read(soon())


def test_close_leaves_no_process_and_may_be_called_twice() -> None:
    bridge = SubprocessBridge(hx711, name="hx711", rate_sps=80.0)
    bridge.close()
    bridge.open()
    child = bridge._child
    assert child is not None
    pid = child.pid
    assert pid is not None
    bridge.close()
    bridge.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_read_waits_no_longer_than_its_deadline_and_a_period() -> None:
    bridge = SubprocessBridge(hx711, name="hx711", rate_sps=80.0)
    bridge.open()
    try:
        child = bridge._child
        assert child is not None
        assert child.pid is not None
        os.kill(child.pid, signal.SIGSTOP)  # a child that hangs
        for _ in range(200):  # what was on its way
            if bridge.read(CLOCK.now_ns()).status is Status.NOT_READY:
                break
        begin = time.monotonic()
        sample = bridge.read(CLOCK.now_ns() + NS_PER_S // 5)
        waited_s = time.monotonic() - begin
        os.kill(child.pid, signal.SIGCONT)
    finally:
        bridge.close()
    assert sample.status is Status.NOT_READY
    assert 0.15 < waited_s < 2.0
