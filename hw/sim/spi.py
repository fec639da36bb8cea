"""Simulated SPI ports, and the face py-spidev code knows such a port by.

Each transfer is one selection of the chip and takes the time the wire takes. :class:`SimSpiPulses` is a port
that is used as a pulse generator, bit by bit. Not modelled: several chips on one bus (give each its own
port), speeds beyond what a chip can do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from hw.clock import Clock, real_time
from hw.sim.pins import ClockedChip


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
        self._advance_ns: Callable[[int], None] = getattr(clock, "advance_ns", real_time)
        self._byte_ns = 8_000_000_000 // frequency_hz

    def transfer(self, data: bytes, /) -> bytes:
        """Send ``data`` under one chip-select and get as many bytes."""
        self._advance_ns(len(data) * self._byte_ns)
        answer = self._chip.exchange(data, self.mode)
        return answer if self.garble is None else self.garble(answer)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class SimSpiPulses:
    """A port whose MOSI is ``chip``'s clock input and whose MISO its data output, as a :class:`hw.spi.SpiPort`.

    MOSI changes at the beginning of a bit, MISO is sampled in its middle. Between two bytes MOSI holds its
    last bit for ``gap_ns`` (by default one bit, as on a Raspberry Pi up to 4); a transfer begins
    ``overhead_ns`` after it was asked for. ``idle`` is the level MOSI takes after a transfer: None holds
    the last bit. Not modelled: skew and ringing on the wires.
    """

    def __init__(
        self,
        chip: ClockedChip,
        clock: Clock,
        *,
        mode: int = 0,
        frequency_hz: int = 1_000_000,
        gap_ns: int | None = None,
        overhead_ns: int = 20_000,
        idle: bool | None = None,
    ) -> None:
        self.mode = mode
        self.idle = idle
        self.garble: Callable[[bytes], bytes] | None = None
        self._chip = chip
        self._advance_ns: Callable[[int], None] = getattr(clock, "advance_ns", real_time)
        self._half_ns = 500_000_000 // frequency_hz
        self._gap_ns = 2 * self._half_ns if gap_ns is None else gap_ns
        self._overhead_ns = overhead_ns
        self._failures = 0
        self._stretch: tuple[int, int] | None = None

    def fail_next(self, transfers: int) -> None:
        """Let the next ``transfers`` transfers fail before their first bit."""
        self._failures = transfers

    def stretch(self, ns: int, *, after_byte: int) -> None:
        """Let the controller pause for ``ns`` after the ``after_byte``-th byte of the next word."""
        self._stretch = (after_byte, ns)

    def transfer(self, data: bytes, /) -> bytes:
        """Send ``data`` bit by bit and get as many bytes. Raise ``OSError`` (EIO) where a test wants it."""
        chip, advance, half_ns = self._chip, self._advance_ns, self._half_ns
        advance(self._overhead_ns)
        if self._failures:
            self._failures -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        answer = bytearray()
        for count, byte in enumerate(data, 1):
            got = 0
            for bit in range(7, -1, -1):
                chip.sck(bool(byte >> bit & 1))
                advance(half_ns)
                got = got << 1 | chip.dout
                advance(half_ns)
            answer.append(got)
            advance(self._gap_ns)
            if self._stretch is not None and len(data) > 1 and count == self._stretch[0]:
                advance(self._stretch[1])
                self._stretch = None
        if self.idle is not None:
            chip.sck(self.idle)
        return bytes(answer) if self.garble is None else self.garble(bytes(answer))

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
        """Send ``values`` and get as many: chip-select is held over all of them, as py-spidev's ``xfer`` does.

        Its documentation says that it is let go between blocks; its code sets no such flag.
        """
        return self.xfer2(values)

    def writebytes(self, values: Sequence[int]) -> None:
        """Send ``values``."""
        self._port.transfer(bytes(values))

    def readbytes(self, count: int) -> list[int]:
        """Send zeros and get ``count`` values."""
        return list(self._port.transfer(bytes(count)))
