"""An I²C bus of ours in the shape CircuitPython's libraries expect, over ``smbus2``.

With it Adafruit's libraries run over ``/dev/i2c-*``, or a simulated bus, without board detection. It bounds
what they leave unbounded: they poll a busy chip for ever and without a pause. This module must never know
which chip it talks to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from hw.buslock import BusLock
from hw.clock import NS_PER_S, Clock
from hw.errors import BusError, ChipNotReady

if TYPE_CHECKING:
    from smbus2 import i2c_msg

_PAUSE_S = 0.001
"""Before each read: a library that polls then asks a thousand times a second at most."""


Bus = TypeVar("Bus")


def opened(open_bus: Callable[[], Bus]) -> Bus:
    """Open an I²C bus. Raises ``BusError`` with what to do where it cannot be opened."""
    try:
        return open_bus()
    except OSError as e:
        raise BusError(f"I2C bus: {e}; switch it on (dtparam=i2c_arm=on) and join the group i2c") from e


class MessageBus(Protocol):
    """What is needed of ``smbus2.SMBus``."""

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """Do several messages as one transfer with repeated starts."""

    def close(self) -> None:
        """Release the bus."""


class BusioI2c(BusLock):
    """A bus as CircuitPython's ``busio.I2C``. Each transfer raises ``OSError`` where the bus fails."""

    def __init__(self, bus: MessageBus, clock: Clock) -> None:
        from smbus2 import i2c_msg  # late: it needs fcntl, and who only reads settings has no bus

        super().__init__()
        self._message = i2c_msg
        self.answer = b""
        """What the last read got: the bytes behind the number that a library makes of them."""
        self._bus = bus
        self._clock = clock
        self._end_ns = 0

    def allow(self, seconds: float) -> None:
        """Set how long transfers may go on from now; after that each raises ``ChipNotReady``."""
        self._end_ns = self._clock.now_ns() + round(seconds * NS_PER_S)

    def close(self) -> None:
        """Release the bus."""
        self._bus.close()

    def writeto(self, address: int, buffer: bytes | bytearray, *, start: int = 0, end: int | None = None) -> None:
        """Write ``buffer[start:end]``."""
        self._do(self._message.write(address, bytes(buffer[start:end])))

    def readfrom_into(self, address: int, buffer: bytearray, *, start: int = 0, end: int | None = None) -> None:
        """Read into ``buffer[start:end]``."""
        view = memoryview(buffer)[start:end]
        view[:] = self._read(self._message.read(address, len(view)))

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: bytes | bytearray,
        in_buffer: bytearray,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
    ) -> None:
        """Write, then read with a repeated start."""
        view = memoryview(in_buffer)[in_start:in_end]
        out = self._message.write(address, bytes(out_buffer[out_start:out_end]))
        view[:] = self._read(self._message.read(address, len(view)), out)

    def _read(self, message: i2c_msg, *before: i2c_msg) -> bytes:
        self._clock.sleep_s(_PAUSE_S)
        self._do(*before, message)
        self.answer = bytes(message)
        return self.answer

    def _do(self, *messages: i2c_msg) -> None:
        if self._clock.now_ns() >= self._end_ns:
            raise ChipNotReady("stays busy; check its supply voltage")
        self._bus.i2c_rdwr(*messages)
