"""The Pi's own supply: whether it is under-voltage now, and what the firmware has seen since it started.

Two sources, each with a fault. ``/dev/vcio`` asks the firmware itself, so it knows at once, and may miss a dip
between two questions. The kernel's ``rpi_volt`` misses none, but looks only every 2 s. Where neither is there, the
answer is None. The older ``get_throttled`` file in sysfs repeats what that driver last saw and warns in the kernel's
log: nobody here reads it. This module must never change what it asks: it clears no bit.

Sources: Raspberry Pi documentation, ``vcgencmd get_throttled``, and the firmware wiki's mailbox property interface
(tag 0x00030046); Linux, ``drivers/hwmon/raspberrypi-hwmon.c`` (``in0_lcrit_alarm``, looked at every 2 s) and
``drivers/char/broadcom/vcio.c`` of raspberrypi/linux.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HWMON = Path("/sys/class/hwmon")
VCIO = Path("/dev/vcio")

_ASK = 0xC0006400 | struct.calcsize("P") << 16  # _IOWR(100, 0, char *)
_GET_THROTTLED = 0x00030046
_MESSAGE = "7I"  # bytes in all, status, tag, bytes of its value, status of the tag, value, end
_DONE = 0x80000000

Ioctl = Callable[[int, int, bytearray], object]


FIRMWARE_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "too hot"}
"""What a bit of the firmware's answer says of now; the same, 16 bits higher, of any time since the start."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What is known of the supply: whether it is under-voltage now, and the firmware's bits (None: nobody can tell)."""

    under_voltage: bool | None
    firmware_bits: int | None

    def now(self) -> list[str]:
        """Get what the firmware, and of the voltage also the kernel, finds wrong now."""
        found = self._named(self.firmware_bits or 0)
        return [FIRMWARE_BITS[0], *found] if self.under_voltage and FIRMWARE_BITS[0] not in found else found

    def since_start(self) -> list[str]:
        """Get what the firmware has found wrong at any time since the start."""
        return self._named((self.firmware_bits or 0) >> 16)

    @staticmethod
    def _named(bits: int) -> list[str]:
        return [name for bit, name in FIRMWARE_BITS.items() if bits >> bit & 1]


def ask_supply(hwmon: Path = HWMON, vcio: Path = VCIO, *, ioctl: Ioctl = fcntl.ioctl) -> Supply:
    """Ask the firmware and the kernel how the supply is.

    ``/dev/vcio`` wants the group ``video``; without it, or on another machine, the kernel's answer is all.
    """
    bits = _ask_firmware(vcio, ioctl)
    answers = (None if bits is None else bool(bits & 1), _ask_kernel(hwmon))
    low = True if True in answers else False if False in answers else None
    return Supply(low, bits)


def under_voltage(hwmon: Path = HWMON, vcio: Path = VCIO, *, ioctl: Ioctl = fcntl.ioctl) -> bool | None:
    """Get whether the Pi's supply is under-voltage now; None where nothing here can tell."""
    return ask_supply(hwmon, vcio, ioctl=ioctl).under_voltage


def _ask_kernel(hwmon: Path) -> bool | None:
    """Get the kernel's under-voltage alarm; None where its driver is not there."""
    for name in hwmon.glob("hwmon*/name"):
        if _text(name) == "rpi_volt":
            return {"0": False, "1": True}.get(_text(name.with_name("in0_lcrit_alarm")))
    return None


def _ask_firmware(vcio: Path, ioctl: Ioctl) -> int | None:
    """Get the bits of the firmware's ``get_throttled``; None where it does not answer."""
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
    return int(bits)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
