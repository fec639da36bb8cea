"""The Pi's own supply: whether it is under-voltage now.

Two sources, each with a fault. ``/dev/vcio`` asks the firmware itself, so it knows at once, and may miss a dip
between two questions. The kernel's ``rpi_volt`` misses none, but looks only every 2 s. Where neither is there, the
answer is None. This module must never change what it asks: it clears no bit.

Sources: Raspberry Pi documentation, ``vcgencmd get_throttled``, and the firmware wiki's mailbox property interface
(tag 0x00030046, bit 0: under-voltage now); Linux, ``drivers/hwmon/raspberrypi-hwmon.c`` (``in0_lcrit_alarm``, looked
at every 2 s) and ``drivers/char/broadcom/vcio.c`` of raspberrypi/linux. The older ``get_throttled`` file in sysfs
repeats what that driver last saw, and warns in the kernel's log; it is not used.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

HWMON = Path("/sys/class/hwmon")
VCIO = Path("/dev/vcio")

_ASK = 0xC0006400 | struct.calcsize("P") << 16  # _IOWR(100, 0, char *)
_GET_THROTTLED = 0x00030046
_MESSAGE = "7I"  # bytes in all, status, tag, bytes of its value, status of the tag, value, end
_DONE = 0x80000000

Ioctl = Callable[[int, int, bytearray], object]


def under_voltage(hwmon: Path = HWMON, vcio: Path = VCIO, *, ioctl: Ioctl = fcntl.ioctl) -> bool | None:
    """Get whether the Pi's supply is under-voltage now; None where nothing here can tell.

    ``/dev/vcio`` wants the group ``video``; without it, or on another machine, the kernel's answer is all.
    """
    answers = (_of_firmware(vcio, ioctl), _of_kernel(hwmon))
    if True in answers:
        return True
    return False if False in answers else None


def _of_kernel(hwmon: Path) -> bool | None:
    for name in hwmon.glob("hwmon*/name"):
        if _text(name) == "rpi_volt":
            return {"0": False, "1": True}.get(_text(name.with_name("in0_lcrit_alarm")))
    return None


def _of_firmware(vcio: Path, ioctl: Ioctl) -> bool | None:
    try:
        device = os.open(vcio, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    message = bytearray(struct.pack(_MESSAGE, struct.calcsize(_MESSAGE), 0, _GET_THROTTLED, 4, 0, 0, 0))
    try:
        ioctl(device, _ASK, message)
    except OSError:
        return None
    finally:
        os.close(device)
    _, status, tag, _, answered, bits, _ = struct.unpack(_MESSAGE, message)
    if status != _DONE or tag != _GET_THROTTLED or not answered & _DONE:
        return None
    return bool(bits & 1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
