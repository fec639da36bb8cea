"""The far end of the virtual Pi's wires: serves ``/dev/vpibus`` with the chip models on a simulated rig.

It is a process of its own, so that the drivers see nothing but device nodes. A Unix socket is the hand that heats
the oven and pulls a plug. Where that process is not wanted (``lives.py``) a thread serves. This module must never be
imported by a driver.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import struct
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

from edge.simulate.instrument import DOUT_PIN, SCK_PIN, Chips, chips_on, rig_of
from hw.clock import BootClock, Clock
from hw.nau7802 import ADDRESS
from hw.sim.hx711 import Hx711Model
from hw.sim.i2c import I2cBus
from virtualpi.clock import SharedClock

BUS = "/dev/vpibus"
SIZE = 65536
WIRE = 1 << 30 | 8 << 16 | ord("v") << 8 | 1  # as vpibus.c numbers its ioctls
DRIVE = 1 << 30 | 4 << 16 | ord("v") << 8 | 2
EDGE_NS = 1500  # what an access to a line takes in hw.sim.pins
I2C, SPI, GPIO_SET, GPIO_GET, GPIO_TURN = range(5)
_OK = struct.pack("i", 0)
_TWO, _THREE, _FOUR, _SIX = (struct.Struct(f"{n}I") for n in (2, 3, 4, 6))
_LEVELS = (struct.pack("i", 0), struct.pack("i", 1))


class Wires:
    """What is connected to the Pi: I²C bus 1, SPI bus 0 with two chips, and an HX711 on two lines."""

    def __init__(self, chips: Chips, clock: Clock) -> None:
        self._advance_ns = getattr(clock, "advance_ns", lambda _ns: None)
        self._i2c = I2cBus(clock)
        self._spi = (chips.oven, chips.cell)
        self._hx711: Hx711Model | None = None
        if isinstance(chips.bridge, Hx711Model):
            self._hx711 = chips.bridge
        else:
            self._i2c.attach(ADDRESS, chips.bridge)

    @property
    def lines(self) -> int:
        """Get the lines that end here, as a mask."""
        return 0 if self._hx711 is None else 1 << SCK_PIN | 1 << DOUT_PIN

    def answer(self, request: bytes) -> bytes:
        """Get the reply to one request of the kernel's."""
        kind, what = _TWO.unpack_from(request)
        if kind == GPIO_SET:
            self._advance_ns(EDGE_NS)
            self._drive(what, request[8] != 0)
            return _OK
        if kind == GPIO_GET:
            self._advance_ns(EDGE_NS)
            return _LEVELS[self._hx711.dout if what == DOUT_PIN and self._hx711 is not None else 0]
        if kind == I2C:
            return self._transfer(what, request)
        if kind == SPI:
            return self._select(what, request)
        _, _, is_output, level = _FOUR.unpack_from(request)
        if is_output:
            self._drive(what, bool(level))
        return _OK

    def _drive(self, line: int, level: bool) -> None:
        if line == SCK_PIN and self._hx711 is not None:
            self._hx711.sck(level)

    def _transfer(self, n: int, request: bytes) -> bytes:
        messages: list[tuple[int, bytes | int]] = []
        at = 8
        for _ in range(n):
            address, is_read, length = _THREE.unpack_from(request, at)
            at += 12
            messages.append((address, length if is_read else request[at : at + length]))
            if not is_read:
                at += length
        try:
            return b"".join((_OK, *self._i2c.transfer(messages)))
        except OSError as e:
            return struct.pack("i", -(e.errno or 5))

    def _select(self, n: int, request: bytes) -> bytes:
        """Do one SPI message: what is sent within one selection of a chip is one exchange."""
        answer, sent, at = [_OK], b"", 8
        for i in range(n):
            chip, mode, speed_hz, ends, length = struct.unpack_from("5I", request, at)
            at += 20 + length
            sent += request[at - length : at]
            if ends or i == n - 1:
                self._advance_ns(len(sent) * (8_000_000_000 // speed_hz))
                answer.append(self._spi[chip].exchange(sent, mode))
                sent = b""
        return b"".join(answer)


class Lines:
    """The lines that no chip is on: a button is pressed here."""

    def __init__(self, bus: int) -> None:
        self._bus = bus

    def drive(self, line: int, level: bool) -> None:
        """Drive an input from outside; the kernel tells who listens to its edges."""
        fcntl.ioctl(self._bus, DRIVE, struct.pack("I", line << 1 | level))


def connected(wires: Wires) -> int:
    """Connect the wires to the kernel's module. Returns what :func:`serve` serves."""
    bus = os.open(BUS, os.O_RDWR)
    fcntl.ioctl(bus, WIRE, struct.pack("Q", wires.lines))
    return bus


def serve(bus: int, wires: Wires, one_at_a_time: AbstractContextManager[object]) -> NoReturn:
    """Answer whatever the kernel asks, for ever."""
    while True:
        request = os.read(bus, SIZE)
        with one_at_a_time:
            answer = wires.answer(request)
        os.write(bus, answer)


def main() -> None:
    """Serve until killed. Prints a line when everything is connected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="solid")
    parser.add_argument("--bridge", default="nau7802")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True, help="for the clock and the socket")
    parser.add_argument("--real-time", action="store_true")
    given = parser.parse_args()
    clock: Clock = BootClock() if given.real_time else SharedClock(given.folder / "clock")
    rig = rig_of(given.scenario, given.seed)
    chips = chips_on(rig, given.bridge, clock, given.seed)
    wires = Wires(chips, clock)
    bus = connected(wires)
    one_at_a_time = threading.Lock()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(given.folder / "hand"))
    listener.listen(1)
    parts = {"rig": rig, "bridge": chips.bridge, "oven": chips.oven, "cell": chips.cell, "lines": Lines(bus)}
    threading.Thread(target=_hand, args=(listener, parts, one_at_a_time), daemon=True).start()
    print("connected", flush=True)
    serve(bus, wires, one_at_a_time)


def _hand(listener: socket.socket, parts: dict[str, object], one_at_a_time: threading.Lock) -> None:
    """Do what the hand says, one packet each: which part, which method or value, with what."""
    connection, _ = listener.accept()
    while packet := connection.recv(SIZE):
        part, name, *args = json.loads(packet)
        with one_at_a_time:
            what = getattr(parts[part], name)
            answer = what(*args) if callable(what) else what
        connection.send(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
