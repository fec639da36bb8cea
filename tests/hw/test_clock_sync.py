"""Wall time: kept by NTP or not, and seen when it jumps."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw.clock import BootClock, SimClock
from hw.clock_sync import ClockWatch, adjtimex_status, synchronised


class SettableClock(SimClock):
    """A clock whose wall time somebody sets."""

    moved_s = 0.0

    def wall_s(self) -> float:
        return super().wall_s() + self.moved_s


@pytest.mark.parametrize(("bits", "expected"), [(0x2001, True), (0x0040, False), (0x2041, False), (None, None)])
def test_the_kernel_says_whether_anyone_keeps_the_clock(
    tmp_path: Path, bits: int | None, expected: bool | None
) -> None:
    assert synchronised(tmp_path / "none", status=lambda: bits) is expected


def test_timesyncd_says_that_it_has_set_it(tmp_path: Path) -> None:
    (tmp_path / "synchronized").touch()
    assert synchronised(tmp_path / "synchronized", status=lambda: 0x40) is True


def test_this_kernel_is_asked_and_not_changed() -> None:
    before = adjtimex_status()
    assert before is not None
    assert adjtimex_status() == before
    # What Python's own view of the same call gives: a program that reads struct timex by its documented offsets.
    code = (
        "import ctypes, struct\nb = ctypes.create_string_buffer(512)\n"
        "assert ctypes.CDLL(None).adjtimex(b) >= 0\nprint(struct.unpack_from('=I4xqqqqi', b.raw)[5])\n"
    )
    if sys.maxsize > 2**32:
        assert int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) == before
    assert synchronised() in (True, False)


def test_a_step_is_seen_once_with_its_size_and_sign() -> None:
    clock = SettableClock()
    watch = ClockWatch(clock)
    assert watch.step_s() == 0.0
    clock.sleep_s(1000.0)
    assert watch.step_s() == pytest.approx(0.0, abs=1e-5)
    clock.moved_s = -3600.0
    assert watch.step_s() == pytest.approx(-3600.0, abs=1e-5)
    assert watch.step_s() == pytest.approx(0.0, abs=1e-5)
    clock.moved_s = 5.0
    assert watch.step_s() == pytest.approx(3605.0, abs=1e-5)


def test_this_machines_clock_does_not_step_by_itself() -> None:
    watch = ClockWatch(BootClock())
    time.sleep(0.05)
    assert abs(watch.step_s()) < 0.5
