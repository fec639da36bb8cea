"""The NAU7802 load-cell converter on I²C, over smbus2.

This driver must never recalibrate or power-cycle a chip that is set up as it should be, be it opened for the
first time or again: each power-up was reported to step the reading by 0.5 to 1 % (SparkFun_DataLogger#22). A
chip that resets by itself is set up again with the calibration it had, and the reset is counted.

Sources: Nuvoton NAU7802 data sheet 1.7 (sections 8.6 calibration, 9.1 power-on sequence, 11 registers),
and the drivers by SparkFun and Cedar Grove, which are known to work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hw.clock import NS_PER_S, Clock
from hw.converter_pace import Counters, Follower
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady, HwError, NotOpen
from hw.i2c import opened
from hw.protocols import CODE_MAX, CODE_MIN, Conversion, ConverterState, Status

ADDRESS = 0x2A
GAINS = (1, 2, 4, 8, 16, 32, 64, 128)
RATES_SPS = {10: 0, 20: 1, 40: 2, 80: 3, 320: 7}
LDO_V = {4.5: 0, 4.2: 1, 3.9: 2, 3.6: 3, 3.3: 4, 3.0: 5, 2.7: 6, 2.4: 7}

PU_CTRL, CTRL1, CTRL2 = 0x00, 0x01, 0x02
OCAL = {1: 0x03, 2: 0x0A}
GCAL = {1: 0x06, 2: 0x0D}
I2C_CTRL, ADCO, ADC, PGA, PWR_CTRL, REVISION = 0x11, 0x12, 0x15, 0x1B, 0x1C, 0x1F

RR, PUD, PUA, PUR, CS, CR, AVDDS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x80
POWER = PUD | PUA | PUR | CS | AVDDS
CALS, CAL_ERR = 0x04, 0x08
ADC_CHOP_OFF = 0x30
PGA_CAP = 0x80

SETTLING_CONVERSIONS = 6
TRIES = 3
_POWER_UP_S = 0.1  # PUR comes within 200 µs
_ANALOG_S = 0.6  # regulator, reference and PGA capacitor
_CALIBRATION_S = 2.0  # about 0.35 s was measured by others
_CONVERTS_PERIODS = 3.0  # within so many a chip that runs has a new conversion


class I2c(Protocol):
    """What this driver needs of ``smbus2.SMBus``."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int, /) -> list[int]:
        """Read ``length`` registers in one transfer."""

    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int], /) -> None:
        """Write registers in one transfer."""

    def close(self) -> None:
        """Release the bus."""


class Nau7802:
    """A NAU7802 as a :class:`hw.protocols.Bridge`.

    ``open_bus`` returns the bus when :meth:`open` asks for it, for example ``lambda: SMBus(1)``.
    ``gain`` is 1 … 128 in powers of two, ``rate_sps`` 10, 20, 40, 80 or 320, ``ldo_v`` the excitation
    in volts (2.4 … 4.5 in steps of 0.3; the supply must be 0.3 V above it), ``channel`` 1 or 2. Raises
    ``BadSetting`` for any other value.
    """

    def __init__(
        self,
        open_bus: Callable[[], I2c],
        clock: Clock,
        *,
        address: int = ADDRESS,
        gain: int = 128,
        rate_sps: int = 10,
        ldo_v: float = 3.0,
        channel: int = 1,
    ) -> None:
        _require("gain", gain, GAINS)
        _require("rate_sps", rate_sps, tuple(RATES_SPS))
        _require("ldo_v", ldo_v, tuple(LDO_V))
        _require("channel", channel, (1, 2))
        self.counters = Counters()
        self._open_bus = open_bus
        self._clock = clock
        self._address = address
        self._gain = gain
        self._rate_sps = rate_sps
        self._ldo_v = ldo_v
        self._channel = channel
        self._ctrl1 = LDO_V[ldo_v] << 3 | GAINS.index(gain)
        self._ctrl2 = (channel - 1) << 7 | RATES_SPS[rate_sps] << 4
        self._bus: I2c | None = None
        self._ocal: list[int] = []
        self._gcal: list[int] = []
        self._pga = 0
        self._revision = 0
        self._fresh = False
        self._state = self._newest_state()
        self._follow = Follower(clock, rate_sps, self.counters)

    @property
    def name(self) -> str:
        """Get the chip's name."""
        return "nau7802"

    @property
    def rate_sps(self) -> float:
        """Get the nominal conversion rate in samples per second."""
        return float(self._rate_sps)

    def open(self) -> None:
        """Open the bus; a chip whose registers are as they should be, and which converts, stays as it is.

        Any other is reset, set up and its offset calibrated (takes about a second).

        Raises ``BusError`` where the bus cannot be opened, ``ChipNotFound`` where no NAU7802 answers,
        ``ChipNotReady`` where it does not power up or calibrate.
        """
        self.close()
        self._bus = opened(self._open_bus)
        try:
            self._identify()
            self._fresh = not (self._is_as_left() and self._converts())
            if self._fresh:
                self._set_up()
                self._clock.sleep_s(_ANALOG_S)
                self._calibrate()
            self._ocal = self._read_block(OCAL[self._channel], 3)
            self._gcal = self._read_block(GCAL[self._channel], 4)
            if self._fresh:
                self._start()
            self._pga = self._read(PGA)
            self._state = self._newest_state()
        except HwError:
            self.close()
            raise
        except OSError as e:
            self.close()
            raise BusError(f"NAU7802 at 0x{self._address:02X}: {e}; check the wires and their length") from e
        self._follow = Follower(self._clock, self._rate_sps, self.counters)
        self._follow.set_rails(*self._rails())
        self._follow.settle(SETTLING_CONVERSIONS)

    def read(self, deadline_ns: int) -> Conversion:
        """Get the next conversion (data sheet 11.1: CR, then ADCO in one block, which cannot tear).

        Statuses: ``OK``; ``SETTLING`` for six conversions after ``open``, a reset of the chip (there also
        for 0.6 s) or a conversion that came late; ``SATURATED``; ``STUCK``; ``NOT_READY`` at the
        deadline; ``BUS_ERROR`` after three tries. After ``NOT_READY`` or ``BUS_ERROR`` one conversion
        period has passed, if need be beyond the deadline.

        A conversion that may have waited for half a period or more, because ``read`` was called late or
        the bus was down, is thrown away and the next one waited for: nobody knows its time.
        """
        if self._bus is None:
            raise NotOpen("NAU7802: not open; call open() first")
        clock, follow = self._clock, self._follow
        begin_ns = clock.now_ns()
        try:
            follow.wait(begin_ns, deadline_ns)
            looks, thrown, unready_ns = 0, False, 0
            while True:
                looks += 1
                if self._ready():
                    t_ns = clock.now_ns()
                    code = int.from_bytes(self._read_block(ADCO, 3), signed=True)
                    if looks > 1 or not follow.waited(t_ns):
                        break
                    thrown = True
                    now_ns = clock.now_ns()
                else:
                    now_ns = unready_ns = clock.now_ns()
                if now_ns >= deadline_ns:
                    follow.settle(SETTLING_CONVERSIONS)
                    return self._failed(begin_ns, Status.NOT_READY)
                clock.sleep_s(follow.step_s)
            # A chip that reset itself since the look has an output of exactly zero: ask once more.
            if code == 0 and not self._as_set():
                self._restore()
                return self._failed(begin_ns, Status.NOT_READY)
        except OSError:  # also a ChipNotReady, where a chip found reset does not come up
            self.counters.bus_errors += 1
            return self._failed(begin_ns, Status.BUS_ERROR)
        overdue = not thrown and follow.overdue(unready_ns)
        follow.found(t_ns, looks)
        if overdue:
            # The oscillator paused or the conversion was restarted: the filter settles anew.
            follow.settle(SETTLING_CONVERSIONS)
        return Conversion(t_ns, code, follow.judge(t_ns, code))

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force and, once open, the chip's own calibration."""
        settings: dict[str, str | int | float] = {
            "bridge": self.name,
            "address": f"0x{self._address:02X}",
            "gain": self._gain,
            "rate_sps": self._rate_sps,
            "ldo_v": self._ldo_v,
            "channel": self._channel,
        }
        if self._ocal:
            settings |= {name: value for name, value in self.state().registers().items() if value is not None}
        return settings

    def state(self) -> ConverterState:
        """Get what the chip is set up as: the registers as they were when it was opened, and whether it was reset."""
        return self._state

    def _newest_state(self) -> ConverterState:
        if not self._ocal:
            return ConverterState(self.name, self._fresh, self.counters.resets)
        return ConverterState(
            self.name,
            self._fresh,
            self.counters.resets,
            ocal=bytes(self._ocal).hex(),
            gcal=bytes(self._gcal).hex(),
            pga=f"{self._pga:02x}",
            revision=f"{self._revision:02x}",
        )

    def close(self) -> None:
        """Release the bus; the chip stays powered, so that its offset stays where it is."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()

    def _identify(self) -> None:
        try:
            revision = self._revision = self._read(REVISION)
        except OSError as e:
            raise ChipNotFound(
                f"NAU7802: no answer at 0x{self._address:02X} ({e}); check SDA, SCL and power, "
                "then look with i2cdetect -y 1"
            ) from e
        if revision & 0x0F != 0x0F:
            raise ChipNotFound(
                f"NAU7802: revision 0x{revision:02X} at 0x{self._address:02X} is not 0x0F; "
                "another chip has that address"
            )

    def _is_as_left(self) -> bool:
        """Get whether each register is as this driver would set it, so that the chip may stay as it is."""
        if not self._is_set([self._read(PU_CTRL), self._ctrl1, self._ctrl2]) or not self._as_set():
            return False
        told = {
            I2C_CTRL: (0xFF, 0),
            ADC: (ADC_CHOP_OFF, ADC_CHOP_OFF),
            PGA: (0xFF, 0),
            PWR_CTRL: (PGA_CAP, PGA_CAP if self._channel == 1 else 0),
        }
        return all(self._read(register) & mask == value for register, (mask, value) in told.items())

    def _converts(self) -> bool:
        """Get whether a new conversion comes: the one that waits may be as old as the last reader."""
        self._read_block(ADCO, 3)
        end_ns = self._clock.now_ns() + round(_CONVERTS_PERIODS * self._follow.period_ns)
        while not self._read(PU_CTRL) & CR:
            if self._clock.now_ns() >= end_ns:
                return False
            self._clock.sleep_s(self._follow.step_s)
        return True

    def _set_up(self) -> None:
        """Reset the registers, power up and set gain, rate and excitation (data sheet 9.1)."""
        self._write(PU_CTRL, RR)
        self._write(PU_CTRL, PUD)
        end_ns = self._clock.now_ns() + round(_POWER_UP_S * NS_PER_S)
        while not self._read(PU_CTRL) & PUR:
            if self._clock.now_ns() >= end_ns:
                raise ChipNotReady("NAU7802: does not power up; check its supply voltage")
            self._clock.sleep_s(0.001)
        self._write(PU_CTRL, PUD | PUA | AVDDS)
        self._write(CTRL1, self._ctrl1)
        self._write(CTRL2, self._ctrl2)
        self._write(ADC, ADC_CHOP_OFF)
        # The capacitor hangs on channel 2's pins, so it is for channel 1 alone.
        self._write(PWR_CTRL, PGA_CAP if self._channel == 1 else 0)
        if self._read_block(CTRL1, 2) != [self._ctrl1, self._ctrl2]:
            raise ChipNotReady("NAU7802: does not keep its settings; check its supply voltage")

    def _calibrate(self) -> None:
        """Calibrate the internal offset (data sheet 8.6)."""
        self._write(CTRL2, self._ctrl2 | CALS)
        end_ns = self._clock.now_ns() + round(_CALIBRATION_S * NS_PER_S)
        while (state := self._read(CTRL2)) & CALS:
            if self._clock.now_ns() >= end_ns:
                raise ChipNotReady("NAU7802: its calibration does not end; check the excitation and its load")
            self._clock.sleep_s(0.01)
        if state & CAL_ERR:
            raise ChipNotReady("NAU7802: its calibration failed; check the load cell's four wires")

    def _start(self) -> None:
        """Start conversions now, all settings made."""
        self._write(PU_CTRL, PUD | PUA | AVDDS | CS)

    def _restore(self) -> None:
        """Set up a chip that was found reset, with the calibration it had before."""
        self.counters.resets += 1
        self._fresh = True
        self._state = self._newest_state()
        self._follow.settle(SETTLING_CONVERSIONS, round(_ANALOG_S * NS_PER_S))
        self._set_up()
        self._write_block(OCAL[self._channel], self._ocal)
        self._write_block(GCAL[self._channel], self._gcal)
        self._start()

    def _ready(self) -> bool:
        """Get whether a conversion waits; find out on the way whether the chip is still set up."""
        state = self._read_block(PU_CTRL, 3)
        if not self._is_set(state):
            # A single bad read is no reset.
            if self._as_set():
                self.counters.retries += 1
            else:
                self._restore()
            return False
        return bool(state[0] & CR)

    def _as_set(self) -> bool:
        return self._is_set(self._read_block(PU_CTRL, 3))

    def _is_set(self, state: list[int]) -> bool:
        return state[0] & (POWER | RR) == POWER and state[1] == self._ctrl1 and state[2] == self._ctrl2

    def _rails(self) -> tuple[int, int]:
        """Get the codes at which the converter is at its end: its output is the raw code less OCAL."""
        offset = int.from_bytes(self._ocal)
        # Two's complement or sign and magnitude: whichever makes the small offset that it is.
        size = min((1 << 24) - offset, offset & CODE_MAX)
        return CODE_MIN + size, CODE_MAX - size

    def _failed(self, begin_ns: int, status: Status) -> Conversion:
        """Give a sample without a number, no sooner than one conversion after the read began."""
        t_ns = self._clock.now_ns()
        self._clock.sleep_s((begin_ns + self._follow.period_ns - t_ns) / NS_PER_S)
        return Conversion(t_ns, 0, status)

    def _read(self, register: int) -> int:
        return self._read_block(register, 1)[0]

    def _read_block(self, register: int, length: int) -> list[int]:
        bus = self._bus
        assert bus is not None
        left = TRIES
        while True:
            try:
                return bus.read_i2c_block_data(self._address, register, length)
            except OSError:
                left -= 1
                if not left:
                    raise
                self._pause()

    def _write(self, register: int, value: int) -> None:
        self._write_block(register, [value])

    def _write_block(self, register: int, data: list[int]) -> None:
        bus = self._bus
        assert bus is not None
        for _ in range(TRIES - 1):
            try:
                bus.write_i2c_block_data(self._address, register, data)
                return
            except OSError:
                self._pause()
        bus.write_i2c_block_data(self._address, register, data)

    def _pause(self) -> None:
        self.counters.retries += 1
        self._clock.sleep_s(0.001)


def _require(setting: str, value: float, allowed: tuple[float, ...]) -> None:
    if value not in allowed:
        raise BadSetting(f"NAU7802: {setting} = {value} does not exist; use one of {sorted(allowed)}")
