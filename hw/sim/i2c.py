"""A simulated I²C bus, and the two faces Python code knows such a bus by.

:class:`I2cBus` moves bytes between masters and chip models and takes the time the wire takes.
:class:`SimSMBus` looks like ``smbus2.SMBus``, :class:`SimI2C` like CircuitPython's ``busio.I2C``, so that
drivers by others run on the same models. Not modelled: clock stretching, arbitration, 10-bit addresses
and bits damaged on the wire. What is no method here (SMBus process call, block with length byte) the
Raspberry Pi's controller does not do either.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from smbus2 import i2c_msg

from hw.buslock import BusLock
from hw.clock import Clock, real_time

_READ_FLAG = 0x0001
_BYTE = tuple(bytes((value,)) for value in range(256))


class I2cDevice(Protocol):
    """A chip model on the bus. Register chips take the first byte written as a register pointer."""

    def acknowledges(self) -> bool:
        """Get whether the chip answers to its address now."""

    def write(self, data: bytes) -> None:
        """Take the bytes of one write message."""

    def read(self, count: int) -> bytes:
        """Give the bytes of one read message."""


@runtime_checkable
class RegisterChip(I2cDevice, Protocol):
    """A chip model that can do both messages of a register read at once, where nothing hinders them."""

    @property
    def hindered(self) -> bool:
        """Get whether one of them may not be acknowledged: then they are done one by one."""

    def read_at(self, first: int, count: int) -> bytes:
        """Set the register pointer, then give ``count`` bytes from there on."""


class I2cBus:
    """The wires: ``attach`` chips to addresses, then ``transfer`` messages.

    ``clock`` moves on by 9 bit times per byte, address byte included, where it is simulated.
    """

    def __init__(self, clock: Clock, *, frequency_hz: int = 400_000) -> None:
        self._advance_ns: Callable[[int], None] = getattr(clock, "advance_ns", real_time)
        self._byte_ns = 9_000_000_000 // frequency_hz
        self._devices: dict[int, I2cDevice] = {}
        self._chips: dict[int, RegisterChip] = {}

    def attach(self, address: int, device: I2cDevice) -> None:
        """Connect a chip model at ``address`` (0x03 … 0x77)."""
        self._devices[address] = device
        if isinstance(device, RegisterChip):
            self._chips[address] = device

    def detach(self, address: int) -> None:
        """Take away what is connected at ``address``."""
        self._devices.pop(address, None)
        self._chips.pop(address, None)

    def transfer(self, messages: Sequence[tuple[int, bytes | int]]) -> list[bytes]:
        """Do messages with repeated starts: ``(address, bytes to write)`` or ``(address, bytes to read)``.

        Returns what each read message read. Raises ``OSError`` (EREMOTEIO, as Linux does on a
        Raspberry Pi) where nothing acknowledges; the messages before it have been done.
        """
        answers = []
        for address, payload in messages:
            if isinstance(payload, int):
                answers.append(self._addressed(address, payload).read(payload))
            else:
                self._addressed(address, len(payload)).write(payload)
        return answers

    def read_registers(self, address: int, first: int, count: int) -> bytes:
        """Write the register pointer, then read ``count`` bytes with a repeated start: as :meth:`transfer`, sooner."""
        chip = self._chips.get(address)
        if chip is not None and not chip.hindered:
            self._advance_ns((3 + count) * self._byte_ns)
            return chip.read_at(first, count)
        device = self._devices.get(address)
        if device is not None and device.acknowledges():
            self._advance_ns(2 * self._byte_ns)
            device.write(_BYTE[first])
            if device.acknowledges():
                self._advance_ns((1 + count) * self._byte_ns)
                return device.read(count)
        self._advance_ns(self._byte_ns)
        raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))

    def _addressed(self, address: int, size: int) -> I2cDevice:
        """Get the chip that acknowledges; the bus then takes the time of its address and of ``size`` bytes."""
        device = self._devices.get(address)
        if device is None or not device.acknowledges():
            self._advance_ns(self._byte_ns)
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        self._advance_ns(self._byte_ns * (1 + size))
        return device


class SimSMBus:
    """A simulated bus with the methods of ``smbus2.SMBus``."""

    def __init__(self, bus: I2cBus) -> None:
        self._bus: I2cBus | None = bus

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the bus: every later transfer fails with EBADF, as on a closed file."""
        self._bus = None

    def _transfer(self, *messages: tuple[int, bytes | int]) -> list[bytes]:
        return self._opened().transfer(messages)

    def _opened(self) -> I2cBus:
        if self._bus is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._bus

    def write_quick(self, i2c_addr: int, force: bool | None = None) -> None:
        """Address a chip and send nothing."""
        self._transfer((i2c_addr, b""))

    def read_byte(self, i2c_addr: int, force: bool | None = None) -> int:
        """Read one byte from where the register pointer is."""
        return self._transfer((i2c_addr, 1))[0][0]

    def write_byte(self, i2c_addr: int, value: int, force: bool | None = None) -> None:
        """Write one byte: on a register chip, set the pointer."""
        self._transfer((i2c_addr, bytes((value,))))

    def read_byte_data(self, i2c_addr: int, register: int, force: bool | None = None) -> int:
        """Read one register."""
        return self._opened().read_registers(i2c_addr, register, 1)[0]

    def write_byte_data(self, i2c_addr: int, register: int, value: int, force: bool | None = None) -> None:
        """Write one register."""
        self._transfer((i2c_addr, bytes((register, value))))

    def read_word_data(self, i2c_addr: int, register: int, force: bool | None = None) -> int:
        """Read two registers, low byte first."""
        return int.from_bytes(self._opened().read_registers(i2c_addr, register, 2), "little")

    def write_word_data(self, i2c_addr: int, register: int, value: int, force: bool | None = None) -> None:
        """Write two registers, low byte first."""
        self._transfer((i2c_addr, bytes((register,)) + value.to_bytes(2, "little")))

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int, force: bool | None = None) -> list[int]:
        """Read ``length`` (at most 32) registers in one transfer."""
        if length > 32:
            raise ValueError("Desired block length over 32 bytes")
        bus = self._bus or self._opened()
        return list(bus.read_registers(i2c_addr, register, length))

    def write_i2c_block_data(
        self, i2c_addr: int, register: int, data: Sequence[int], force: bool | None = None
    ) -> None:
        """Write at most 32 registers in one transfer."""
        if len(data) > 32:
            raise ValueError("Data length cannot exceed 32 bytes")
        self._transfer((i2c_addr, bytes((register, *data))))

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """Do several messages as one transfer with repeated starts."""
        reads = [m for m in i2c_msgs if m.flags & _READ_FLAG]
        answers = self._transfer(*((m.addr, m.len) if m.flags & _READ_FLAG else (m.addr, bytes(m)) for m in i2c_msgs))
        for message, answer in zip(reads, answers, strict=True):
            for i, byte in enumerate(answer):
                message.buf[i] = bytes((byte,))


class SimI2C(BusLock):
    """A simulated bus with the methods of CircuitPython's ``busio.I2C``."""

    def __init__(self, bus: I2cBus) -> None:
        super().__init__()
        self._bus = bus

    def deinit(self) -> None:
        """Release the bus."""
        self.unlock()

    def scan(self) -> list[int]:
        """Get the addresses that acknowledge."""
        found = []
        for address in range(0x08, 0x78):
            try:
                self._bus.transfer(((address, b""),))
            except OSError:
                continue
            found.append(address)
        return found

    def writeto(self, address: int, buffer: bytes, *, start: int = 0, end: int | None = None) -> None:
        """Write ``buffer[start:end]``."""
        self._bus.transfer(((address, bytes(buffer[start:end])),))

    def readfrom_into(self, address: int, buffer: bytearray, *, start: int = 0, end: int | None = None) -> None:
        """Read into ``buffer[start:end]``."""
        view = memoryview(buffer)[start:end]
        view[:] = self._bus.transfer(((address, len(view)),))[0]

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: bytes,
        in_buffer: bytearray,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
    ) -> None:
        """Write, then read with a repeated start."""
        out = bytes(out_buffer[out_start:out_end])
        view = memoryview(in_buffer)[in_start:in_end]
        view[:] = self._bus.transfer(((address, out), (address, len(view))))[0]
