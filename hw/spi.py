"""An SPI bus and a chip-select of ours, in the shape CircuitPython's libraries expect.

With it Adafruit's library runs over ``/dev/spidev*``, or a simulated port, without board detection. This
module must never know which chip it talks to.

``/dev/spidev*`` drives the chip-select itself, once per transfer, but the library writes an address and
then reads within one selection. So what is written is held until the read, or until the chip is
deselected, and goes out as one full-duplex transfer.
"""

from __future__ import annotations

import os
from typing import Protocol

from hw.buslock import BusLock
from hw.errors import BadSetting


class SpiPort(Protocol):
    """One chip on an SPI bus: each transfer is one selection of it."""

    @property
    def mode(self) -> int:
        """Get the SPI mode, 0 … 3."""

    def transfer(self, data: bytes, /) -> bytes:
        """Send ``data`` and get as many bytes. Raise ``OSError`` where the bus fails."""

    def close(self) -> None:
        """Release the port."""


class SpidevPort:
    """``/dev/spidevB.C`` through Adafruit_PureIO. Raises ``OSError`` where it cannot be opened."""

    def __init__(self, bus: int, device: int, *, mode: int = 1, frequency_hz: int = 500_000) -> None:
        # Late, because this import needs fcntl and only a machine with an SPI port needs it.
        from Adafruit_PureIO.spi import SPI

        self._mode = mode
        self._spi = SPI(
            (bus, device),
            max_speed_hz=frequency_hz,
            bits_per_word=8,
            phase=mode & 1,
            polarity=mode >> 1,
        )

    @property
    def mode(self) -> int:
        """Get the SPI mode, 0 … 3."""
        return self._mode

    def transfer(self, data: bytes, /) -> bytes:
        """Send ``data`` under one chip-select and get as many bytes."""
        return bytes(self._spi.transfer(data))

    def close(self) -> None:
        """Close the device file. Safe to call twice."""
        # PureIO opens the file but has no method to close it.
        handle, self._spi.handle = self._spi.handle, -1
        if handle >= 0:
            os.close(handle)


class SpiBus(BusLock):
    """A port as CircuitPython's ``busio.SPI``; its chip-select is :attr:`select`."""

    def __init__(self, port: SpiPort) -> None:
        super().__init__()
        self.select = ChipSelect(self)
        self._port = port
        self._held = b""

    def configure(self, *, baudrate: int = 100_000, polarity: int = 0, phase: int = 0, bits: int = 8) -> None:
        """Check that the port runs in the wanted mode; its speed was set when it was opened."""
        mode = polarity << 1 | phase
        if mode != self._port.mode or bits != 8:
            raise BadSetting(f"SPI: mode {mode} wanted, the port was opened in mode {self._port.mode}")

    def write(self, buf: bytes | bytearray, *, start: int = 0, end: int | None = None) -> None:
        """Hold ``buf[start:end]`` until the chip is read or deselected."""
        self._held += bytes(buf[start:end])

    def readinto(self, buf: bytearray, *, start: int = 0, end: int | None = None, write_value: int = 0) -> None:
        """Send what is held and read into ``buf[start:end]`` in the same transfer."""
        view = memoryview(buf)[start:end]
        held, self._held = self._held, b""
        view[:] = self._port.transfer(held + bytes((write_value,)) * len(view))[len(held) :]

    def flush(self) -> None:
        """Send what is held: the chip is being deselected."""
        held, self._held = self._held, b""
        if held:
            self._port.transfer(held)


class ChipSelect:
    """The chip-select as CircuitPython's ``digitalio.DigitalInOut``, active low."""

    def __init__(self, bus: SpiBus) -> None:
        self._bus = bus
        self._value = True

    def switch_to_output(self, value: bool = False) -> None:
        """Drive the line."""
        self.value = value

    @property
    def value(self) -> bool:
        """Get or set the line's level; False selects the chip."""
        return self._value

    @value.setter
    def value(self, value: bool) -> None:
        self._value = value
        if value:
            self._bus.flush()
