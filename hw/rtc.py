"""The real-time clock of a Pi 5 (J5) or an I2C one: whether it kept the time while there was no power.

One without a battery, or with an empty one, begins at 1970 or 2000 at each power cut, and what it says then is no date;
one that shows a date later than this software's has been set and has kept it. This module must never set a clock.

Sources: Linux' rtc sysfs (``Documentation/ABI/testing/sysfs-class-rtc``: ``since_epoch``, ``hctosys``); rtc(4),
``RTC_VL_READ``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

EARLIEST_S = 1_735_689_600.0
"""2025-01-01: no clock that was ever set shows an earlier time, for this software is younger. In s since 1970."""
AGREES_S = 60.0
"""The system's clock was set by it: a crystal is off by some 2 s a day."""
RTC_SYSFS = Path("/sys/class/rtc/rtc0")
RTC_DEVICE = Path("/dev/rtc0")
RTC_VL_READ = 0x80047013
_LOST = 0b101
"""``RTC_VL_DATA_INVALID`` and ``RTC_VL_BACKUP_EMPTY``: with a low battery it still has the time."""


def kept_by_rtc(wall_s: float, sysfs: Path = RTC_SYSFS, voltage: Callable[[], int | None] | None = None) -> bool:
    """Say whether wall time (s since 1970) is that of a real-time clock which has kept it.

    ``voltage`` gives what ``RTC_VL_READ`` says of its battery, None where it cannot be asked.
    """
    try:
        rtc_s = float((sysfs / "since_epoch").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    if not (rtc_s >= EARLIEST_S and abs(rtc_s - wall_s) <= AGREES_S):
        return False
    flags = (voltage or battery_flags)()
    return flags is None or not flags & _LOST


def battery_flags(device: Path = RTC_DEVICE) -> int | None:
    """Get the flags of ``RTC_VL_READ``; None where the clock has none, or may not be asked."""
    try:
        fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return int.from_bytes(fcntl.ioctl(fd, RTC_VL_READ, bytes(4)), "little")
    except OSError:
        return None
    finally:
        os.close(fd)
