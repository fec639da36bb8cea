"""Wall time, which is a label: whether anyone keeps it right, and whether it has jumped.

A Pi has no battery clock as a rule, so after a power cut without a network its date is wrong until NTP sets it. This
module must never set a clock, and never make a duration of wall time.

Source: adjtimex(2), ``STA_UNSYNC``; systemd-timesyncd.service(8), ``/run/systemd/timesync/synchronized``.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path

from hw.clock import NS_PER_S, Clock
from hw.rtc import kept_by_rtc

SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
"""Made by systemd-timesyncd when it has set the clock for the first time since boot."""

_STA_UNSYNC = 0x0040


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex``; the kernel fills in what follows, too."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def synchronised(file: Path = SYNCHRONIZED, *, status: Callable[[], int | None] | None = None) -> bool | None:
    """Get whether wall time is kept by NTP, or was set by it since boot; None where the kernel does not say.

    ``status`` gives the status bits of ``adjtimex``, or None.
    """
    if os.access(file, os.F_OK):
        return True
    bits = (status or adjtimex_status)()
    return None if bits is None else not bits & _STA_UNSYNC


def clock_is_set() -> bool | None:
    """Get whether somebody who knows the time has set the wall clock: NTP, or a real-time clock that has kept it.

    None where nobody knows.
    """
    found = synchronised()
    return found or kept_by_rtc(time.time()) or found


def adjtimex_status() -> int | None:
    """Get the kernel's clock status bits; None where it cannot be asked."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    timex = _Timex()  # modes 0: ask, change nothing
    if adjtimex is None or adjtimex(ctypes.byref(timex)) < 0:
        return None
    return int(timex.status)


class ClockWatch:
    """Sees wall time jump, by comparing it with the time since boot, which nobody can set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart_s = self._now_apart_s()

    def step_s(self) -> float:
        """Get by how many s wall time was moved since the last call (or since the start): 0 but for its slewing."""
        before_s, self._apart_s = self._apart_s, self._now_apart_s()
        return self._apart_s - before_s

    def _now_apart_s(self) -> float:
        return self._clock.wall_s() - self._clock.now_ns() / NS_PER_S
