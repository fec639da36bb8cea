"""A simulated SPI port, and the face py-spidev code knows such a port by.

Each transfer is one selection of the chip and takes the time the wire takes. Not modelled: several chips
on one bus (give each its own port), speeds beyond what a chip can do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hw.clock import Clock


class SpiDevice(Protocol):
    """A chip model with a chip-select."""

    def exchange(self, data: bytes, mode: int) -> bytes:
        """Take the bytes of one selection in SPI ``mode`` and give as many."""


class SimSpiPort:
    """A port with ``chip`` on it, as a :class:`hw.spi.SpiPort`.

    ``garble`` may be set to a function that damages what the host receives: a bad cable.
    """

    def __init__(self, chip: SpiDevice, clock: Clock, *, mode: int = 1, frequency_hz: int = 500_000) -> None:
        self.mode = mode
        self.garble: Callable[[bytes], bytes] | None = None
        self._chip = chip
        self._advance_ns: Callable[[int], None] | None = getattr(clock, "advance_ns", None)
        self._byte_ns = 8_000_000_000 // frequency_hz

    def transfer(self, data: bytes, /) -> bytes:
        """Send ``data`` under one chip-select and get as many bytes."""
        if self._advance_ns is not None:
            self._advance_ns(len(data) * self._byte_ns)
        answer = self._chip.exchange(data, self.mode)
        return answer if self.garble is None else self.garble(answer)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class SimSpiDev:
    """A port with the methods of ``spidev.SpiDev``."""

    def __init__(self, port: SimSpiPort) -> None:
        self.max_speed_hz = 500_000
        self.bits_per_word = 8
        self._port = port

    def open(self, bus: int, device: int) -> None:
        """Do nothing: the port is given."""

    def close(self) -> None:
        """Do nothing."""

    @property
    def mode(self) -> int:
        """Get or set the SPI mode, 0 … 3."""
        return self._port.mode

    @mode.setter
    def mode(self, mode: int) -> None:
        self._port.mode = mode

    def xfer2(self, values: Sequence[int]) -> list[int]:
        """Send ``values`` under one chip-select and get as many."""
        return list(self._port.transfer(bytes(values)))

    def xfer(self, values: Sequence[int]) -> list[int]:
        """Send each value under a chip-select of its own, as py-spidev's ``xfer`` does."""
        return [self._port.transfer(bytes((value,)))[0] for value in values]

    def writebytes(self, values: Sequence[int]) -> None:
        """Send ``values``."""
        self._port.transfer(bytes(values))

    def readbytes(self, count: int) -> list[int]:
        """Send zeros and get ``count`` values."""
        return list(self._port.transfer(bytes(count)))
