"""Vacuum gauges on I²C: a Honeywell MPR (Adafruit MPRLS), and any analogue gauge behind an ADS1115.

The MPR is the one cheap absolute sensor with a maintained library whose range reaches zero: the barometers
(LPS, BMP, DPS) end at 26 to 30 kPa. It is true to ±1.5 % of 172 kPa, so it tells a pumped chamber from
a leaking one, not 100 Pa from 1000: that takes a Pirani or capacitance gauge on the ADS1115. This module
must never turn a code into a pressure, and never hand out a code that a missing chip gives.

Sources: Honeywell MicroPressure MPR data sheet 32332628 (output measurement command, status byte, 10 to
90 % transfer function) as Linux's mprls0025pa and Adafruit's library have it; TI ADS1115 data sheet
SBAS444 (7.3.3 full scale, 7.3.6 conversion time, 8.1 registers).
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from hw.clock import Clock
from hw.converter_pace import STUCK_AFTER, Counters
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady, NotOpen
from hw.i2c import BusioI2c, MessageBus, opened
from hw.protocols import Reading, Status

if TYPE_CHECKING:
    # Late, because only who has a gauge needs its library.
    from adafruit_ads1x15 import ADS1115
    from adafruit_mprls import MPRLS

MPRLS_ADDRESS = 0x18
ADS1115_ADDRESSES = (0x48, 0x49, 0x4A, 0x4B)
FULL_SCALE_V = {6.144: 2 / 3, 4.096: 1, 2.048: 2, 1.024: 4, 0.512: 8, 0.256: 16}
"""The ADS1115's ranges and what its library calls their gains."""

_TRIES = 3
_PATIENCE_S = 0.05
"""An MPR converts in 5 ms, an ADS1115 at 128 SPS in at most 8.7 ms."""
_RATE_SPS = 128

_MPR_POWERED = 0x40
_MPR_SATURATED = 0x01
_MPR_LOW, _MPR_HIGH = 0x0CCCCD, 0xF33333
"""5 and 95 % of the code's range: zero is 10 %, full scale 90 %, and the error band is 1.2 % of the range."""
_MPR_SHIFT = 8

_ADS_CONFIG = 0x01
_ADS_ZERO = 0x8000
_ADS_SETTINGS = 0x8000 | 0x4000 | 0x0100 | 0x0080 | 0x0003
"""Idle, one input against ground, single shot, 128 SPS, no comparator."""
_ADS_BELOW_GROUND = -16
"""An offset is at most 3 codes; an input further below ground is a wire in the wrong place."""


class _I2cGauge(ABC):
    """What both gauges share: the bus, bounded retries, and who answers for what."""

    def __init__(self, open_bus: Callable[[], MessageBus], clock: Clock, address: int) -> None:
        self.counters = Counters()
        self._open_bus = open_bus
        self._clock = clock
        self._address = address
        self._bus: BusioI2c | None = None

    def open(self) -> None:
        """Open the bus and set the chip up (takes about 10 ms).

        Raises ``BusError`` where the bus cannot be opened or fails, ``ChipNotFound`` where no such chip
        answers, ``ChipNotReady`` where it stays busy.
        """
        self.close()
        self._bus = BusioI2c(opened(self._open_bus), self._clock)
        where = f"{self._name} at 0x{self._address:02X}"
        try:
            self._bus.allow(_PATIENCE_S)
            self._set_up(self._bus)
        except ChipNotFound:
            self.close()
            raise
        except ValueError as e:  # the library's word for no acknowledge
            self.close()
            raise ChipNotFound(f"{where}: no answer; check SDA, SCL and power, then look with i2cdetect") from e
        except ChipNotReady as e:
            self.close()
            raise ChipNotReady(f"{where}: {e}") from e
        except OSError as e:
            self.close()
            raise BusError(f"{where}: {e}; check the wires and their length") from e

    def read(self) -> Reading:
        """Get a conversion made now (takes about 10 ms, at most 0.2 s).

        Statuses: ``OK``; ``SATURATED`` beyond the chip's range; ``FAULT`` where the chip says so or
        answers what it cannot; ``STUCK`` (MPR alone) where its noise is gone; ``NOT_READY`` where it stays
        busy; ``BUS_ERROR`` after three tries. ``fault`` is the MPR's status byte with the power bit
        inverted, so 0 where all is well; always 0 for an ADS1115. Every conversion is commanded anew, so
        there is nothing to settle and nothing stale.
        """
        if self._bus is None:
            raise NotOpen(f"{self._name}: not open; call open() first")
        for last in (*(False,) * (_TRIES - 1), True):
            t_ns = self._clock.now_ns()
            self._bus.allow(_PATIENCE_S)
            try:
                return self._measure(t_ns, self._bus)
            except ChipNotReady:
                return Reading(t_ns, 0, 0, Status.NOT_READY)
            except OSError:
                if not last:
                    self.counters.retries += 1
                    self._clock.sleep_s(0.001)
        self.counters.bus_errors += 1
        return Reading(t_ns, 0, 0, Status.BUS_ERROR)

    @abstractmethod
    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""

    def close(self) -> None:
        """Release the bus."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()

    @property
    @abstractmethod
    def _name(self) -> str: ...

    @abstractmethod
    def _set_up(self, bus: BusioI2c) -> None: ...

    @abstractmethod
    def _measure(self, t_ns: int, bus: BusioI2c) -> Reading: ...


def _not_installed(name: str) -> BadSetting:
    return BadSetting(f"{name}: its library is not installed; install halfpercent with its extra [gauge]")


class MprlsGauge(_I2cGauge):
    """A Honeywell MPR, 0 to 25 psi absolute, as a :class:`hw.protocols.Probe`.

    ``open_bus`` returns the bus when :meth:`open` asks for it, for example ``lambda: SMBus(1)``.
    ``code`` is the chip's 24-bit code less its last eight bits, which are noise: one code is 3.3 Pa of
    an error band of ±2600 Pa. 10 % of the code's range is zero, 90 % full scale.
    """

    def __init__(self, open_bus: Callable[[], MessageBus], clock: Clock, *, address: int = MPRLS_ADDRESS) -> None:
        super().__init__(open_bus, clock, address)
        self._sensor: MPRLS | None = None
        self._last_code = -1
        self._run = 0

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return {"gauge": "mprls", "address": f"0x{self._address:02X}", "code_bits": 16}

    @property
    def _name(self) -> str:
        return "MPRLS"

    def _set_up(self, bus: BusioI2c) -> None:
        try:
            from adafruit_mprls import MPRLS
        except ImportError as e:
            raise _not_installed("MPRLS") from e

        self._sensor = MPRLS(bus, addr=self._address)
        self._run = 0
        if self._measure(self._clock.now_ns(), bus).fault & ~_MPR_SATURATED:
            raise ChipNotFound(
                f"MPRLS: what answers at 0x{self._address:02X} gives status 0x{bus.answer[0]:02X}; "
                "check its supply, or whether another chip has that address"
            )

    def _measure(self, t_ns: int, bus: BusioI2c) -> Reading:
        assert self._sensor is not None
        # The library raises for a status bit, which is in the answer too; its hPa are not needed.
        with contextlib.suppress(RuntimeError):
            _ = self._sensor.pressure
        code, fault = int.from_bytes(bus.answer[1:4]), bus.answer[0] ^ _MPR_POWERED
        self._run = self._run + 1 if code == self._last_code else 1
        self._last_code = code
        return Reading(t_ns, code >> _MPR_SHIFT, fault, self._judge(code, fault))

    def _judge(self, code: int, fault: int) -> Status:
        if fault & ~_MPR_SATURATED or (not fault and code in (0, 0xFFFFFF)):
            return Status.FAULT
        if fault or not _MPR_LOW <= code <= _MPR_HIGH:
            return Status.SATURATED
        return Status.STUCK if self._run >= STUCK_AFTER else Status.OK


class Ads1115Gauge(_I2cGauge):
    """An analogue gauge on input ``channel`` (0 … 3, against ground) of an ADS1115, as a :class:`hw.protocols.Probe`.

    ``full_scale_v`` is the converter's range, one of :data:`FULL_SCALE_V`; the input must stay within its
    supply. ``code`` is the 16-bit code plus 32768, so that an offset below zero has a code too: one code
    is ``full_scale_v`` / 32768. Raises ``BadSetting``.

    A wire that is off floats and gives any code: a resistor of 100 kΩ to ground makes it 0 V, which no
    gauge's curve holds. A gauge that fails at a plausible voltage cannot be seen here.
    """

    def __init__(
        self,
        open_bus: Callable[[], MessageBus],
        clock: Clock,
        *,
        channel: int,
        full_scale_v: float,
        address: int = ADS1115_ADDRESSES[0],
    ) -> None:
        if channel not in range(4):
            raise BadSetting(f"ADS1115: channel = {channel} does not exist; use 0 to 3")
        if full_scale_v not in FULL_SCALE_V:
            raise BadSetting(f"ADS1115: full_scale_v = {full_scale_v}; use one of {sorted(FULL_SCALE_V)}")
        super().__init__(open_bus, clock, address)
        self._channel = channel
        self._full_scale_v = full_scale_v
        self._config = _ADS_SETTINGS | channel << 12 | list(FULL_SCALE_V).index(full_scale_v) << 9
        self._adc: ADS1115 | None = None

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return {
            "gauge": "ads1115",
            "address": f"0x{self._address:02X}",
            "channel": self._channel,
            "full_scale_v": self._full_scale_v,
            "code_zero": _ADS_ZERO,
        }

    @property
    def _name(self) -> str:
        return "ADS1115"

    def _set_up(self, bus: BusioI2c) -> None:
        try:
            from adafruit_ads1x15 import ADS1115
        except ImportError as e:
            raise _not_installed("ADS1115") from e

        self._adc = ADS1115(bus, gain=FULL_SCALE_V[self._full_scale_v], data_rate=_RATE_SPS, address=self._address)
        if self._measure(self._clock.now_ns(), bus).status is Status.FAULT and not self._is_set(bus):
            raise ChipNotFound(
                f"ADS1115: what answers at 0x{self._address:02X} does not keep its settings; "
                "check its supply, or whether another chip has that address"
            )

    def _measure(self, t_ns: int, bus: BusioI2c) -> Reading:
        assert self._adc is not None
        # The library writes all settings with each single shot, so a chip that was reset before is no harm.
        code = int(self._adc.read(self._channel + 4))
        stored = code + _ADS_ZERO
        if not self._is_set(bus):
            self.counters.resets += 1
            return Reading(t_ns, stored, 0, Status.FAULT)
        if code in (-0x8000, 0x7FFF):
            return Reading(t_ns, stored, 0, Status.SATURATED)
        return Reading(t_ns, stored, 0, Status.FAULT if code < _ADS_BELOW_GROUND else Status.OK)

    def _is_set(self, bus: BusioI2c) -> bool:
        """Get whether the conversion just read was made as set, by a chip that is still there."""
        config = bytearray(2)
        bus.writeto_then_readfrom(self._address, bytes((_ADS_CONFIG,)), config)
        return int.from_bytes(config) == self._config
