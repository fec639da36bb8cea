"""A barometer on I²C, a Bosch BMP280 or BME280: raw codes of pressure and temperature, each pair with a status.

The chip converts by itself twice a second; reading it is one transfer that waits for nothing. An unplugged chip that
comes back is set up again. This module must never turn a code into a pressure, and never hand out a code that a missing
or reset chip gives as a good one.

Source: BST-BMP280-DS001 (3.3 to 3.6 oversampling and modes, 3.10 burst reading, 4.3 registers); BST-BME280-DS002, 5.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from hw.clock import NS_PER_S, Clock
from hw.converter_pace import Counters
from hw.errors import BadSetting, ChipNotFound, ChipNotReady, HwError
from hw.i2c import opened
from hw.protocols import Status

CHIP_IDS = {"bmp280": (0x58, 0x57, 0x56), "bme280": (0x60,)}
"""What register 0xD0 says: the BMP280's first samples had another number."""
ADDRESSES = (0x76, 0x77)
STUCK_AFTER = 30
"""So many identical pairs of codes in a row are a fault: the chip's noise is 8 codes of 2²⁰ (1.3 Pa, table 15)."""

TRIMMING, ID, RESET, STATUS, CTRL_MEAS, CONFIG, DATA = 0x88, 0xD0, 0xE0, 0xF3, 0xF4, 0xF5, 0xF7
_TRIMMING_BYTES = 24
_RESET_WORD = 0xB6
_COPYING = 0x01  # in STATUS: the coefficients are not there yet
_SET_CTRL_MEAS = 0b010_101_11  # temperature twice, pressure 16 times oversampled, normal mode
_SET_CONFIG = 0b100_000_00  # half a second of standby, no filter, no three-wire SPI
_EMPTY = 0x80000
"""What the data registers hold before the first conversion."""
_ALL_ONES = 0xFFFFF
_START_S = 0.05
"""A reset takes 2 ms, a conversion at this oversampling at most 44."""
_TRIES = 3
Got = TypeVar("Got")


class RegisterBus(Protocol):
    """What is needed of ``smbus2.SMBus``."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Read registers in one transfer."""

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Write one register."""

    def close(self) -> None:
        """Release the bus."""


class AirCodes(NamedTuple):
    """One reading of a barometer: two 20-bit codes; where ``status`` is not ``OK``, what the chip sent, or 0."""

    t_ns: int
    pressure_code: int
    temp_code: int
    status: Status


class Barometer(Protocol):
    """A barometer: the driver, or the driver behind its lock."""

    @property
    def chip(self) -> str:
        """Get the chip's name, as the settings spell it."""

    @property
    def trimming(self) -> bytes:
        """Get the chip's own coefficients, 24 bytes as it gave them; b"" where it was never there."""

    def open(self) -> None:
        """Find the chip and set it up. Raise an ``HwError`` where that fails."""

    def read(self) -> AirCodes:
        """Get the newest pair of codes. Never raises for what a chip or a bus does: that is a status."""

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""

    def close(self) -> None:
        """Release the bus. Safe to call twice and before ``open``."""


class Bosch280:
    """A BMP280 or BME280 as a :class:`Barometer`; ``open_bus`` returns the bus, for example ``lambda: SMBus(1)``.

    Raises ``BadSetting`` for a chip or an address that does not exist.
    """

    def __init__(
        self, open_bus: Callable[[], RegisterBus], clock: Clock, *, chip: str, address: int = ADDRESSES[0]
    ) -> None:
        if chip not in CHIP_IDS:
            raise BadSetting(f"barometer: chip = {chip} is unknown; use one of {sorted(CHIP_IDS)}")
        if address not in ADDRESSES:
            raise BadSetting(f"barometer: address = 0x{address:02X}; use 0x76 or 0x77")
        self.counters = Counters()
        self.trimming = b""
        self.chip = chip
        self._open_bus = open_bus
        self._clock = clock
        self._address = address
        self._bus: RegisterBus | None = None
        self._last = (-1, -1)
        self._run = 0

    def open(self) -> None:
        """Open the bus, reset the chip, read its coefficients and let it convert (takes about 5 ms).

        Raises ``BusError`` where the bus cannot be opened or fails, ``ChipNotFound`` where no such chip answers,
        ``ChipNotReady`` where it does not come up or keep its settings.
        """
        self.close()
        self._bus = opened(self._open_bus)
        try:
            self._set_up()
        except HwError:  # some are an OSError too
            self.close()
            raise
        except OSError as e:
            self.close()
            raise ChipNotFound(
                f"{self._where()}: no answer ({e}); check SDA, SCL and power, then look with i2cdetect"
            ) from e

    def read(self) -> AirCodes:
        """Get the newest pair of codes: status, settings and data in one transfer, which cannot tear.

        Statuses: ``OK``; ``SETTLING`` before the first conversion; ``FAULT`` for codes that only a fault gives;
        ``STUCK`` where their noise is gone; ``BUS_ERROR`` after three tries, and where the bus is not open. A chip that
        was reset, or put back, is set up again, which is ``SETTLING`` too.
        """
        t_ns = self._clock.now_ns()
        if self._bus is None:
            return AirCodes(t_ns, 0, 0, Status.BUS_ERROR)
        try:
            state = self._block(STATUS, 10)
            if (state[1], state[2]) != (_SET_CTRL_MEAS, _SET_CONFIG):
                self.counters.resets += 1
                self._set_up()
                return AirCodes(t_ns, 0, 0, Status.SETTLING)
        except HwError:  # some are an OSError too
            return AirCodes(t_ns, 0, 0, Status.FAULT)
        except OSError:
            self.counters.bus_errors += 1
            return AirCodes(t_ns, 0, 0, Status.BUS_ERROR)
        pressure, temp = (int.from_bytes(bytes(state[i : i + 3])) >> 4 for i in (4, 7))
        self._run = self._run + 1 if (pressure, temp) == self._last else 1
        self._last = (pressure, temp)
        return AirCodes(t_ns, pressure, temp, self._judge(pressure, temp))

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return {"barometer": self.chip, "address": f"0x{self._address:02X}", "trimming": self.trimming.hex()}

    def close(self) -> None:
        """Release the bus; the chip goes on converting."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()

    def _judge(self, pressure: int, temp: int) -> Status:
        if (pressure, temp) == (_EMPTY, _EMPTY):
            return Status.STUCK if self._run >= STUCK_AFTER else Status.SETTLING
        if any(code in (0, _EMPTY, _ALL_ONES) for code in (pressure, temp)):
            return Status.FAULT
        return Status.STUCK if self._run >= STUCK_AFTER else Status.OK

    def _set_up(self) -> None:
        found = self._block(ID, 1)[0]
        if found not in CHIP_IDS[self.chip]:
            other = next((name for name, ids in CHIP_IDS.items() if found in ids), "")
            do = f"set chip = {other}" if other else "another chip has that address"
            raise ChipNotFound(f"{self._where()}: what answers says it is 0x{found:02X}; {do}")
        self._write(RESET, _RESET_WORD)
        end_ns = self._clock.now_ns() + round(_START_S * NS_PER_S)
        self._clock.sleep_s(0.003)
        while self._block(STATUS, 1)[0] & _COPYING:
            if self._clock.now_ns() >= end_ns:
                raise ChipNotReady(f"{self._where()}: does not come up; check its supply voltage")
            self._clock.sleep_s(0.001)
        self.trimming = bytes(self._block(TRIMMING, _TRIMMING_BYTES))
        self._write(CONFIG, _SET_CONFIG)  # first: it may be ignored while the chip converts
        self._write(CTRL_MEAS, _SET_CTRL_MEAS)
        self._last, self._run = (-1, -1), 0
        if self._block(CTRL_MEAS, 2) != [_SET_CTRL_MEAS, _SET_CONFIG]:
            raise ChipNotReady(f"{self._where()}: does not keep its settings; check its supply voltage")

    def _where(self) -> str:
        return f"{self.chip.upper()} at 0x{self._address:02X}"

    def _block(self, register: int, length: int) -> list[int]:
        return self._tried(lambda bus: bus.read_i2c_block_data(self._address, register, length))

    def _write(self, register: int, value: int) -> None:
        self._tried(lambda bus: bus.write_byte_data(self._address, register, value))

    def _tried(self, transfer: Callable[[RegisterBus], Got]) -> Got:
        bus = self._bus
        assert bus is not None  # who calls has opened it
        for _ in range(_TRIES - 1):
            try:
                return transfer(bus)
            except OSError:
                self.counters.retries += 1
                self._clock.sleep_s(0.001)
        return transfer(bus)
