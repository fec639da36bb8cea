"""The HX711 load-cell converter on two GPIO lines, over gpiozero.

This driver must never clock a chip that is not ready, and never call a word a number that may have been
shifted out of step. A thread switch while SCK is high can power the chip down, so each pulse is timed.
Where a port is free, :mod:`hw.hx711_spi` leaves the pulses to the hardware.

Source: Avia HX711 data sheet (serial interface, reset and power-down, table 2).
"""

from __future__ import annotations

from typing import Any

from gpiozero import GPIOZeroError, InputDevice, OutputDevice

from hw.clock import Clock
from hw.errors import pins_do_not_open
from hw.hx711_base import PULSES, Hx711Base, signed
from hw.protocols import Status

HIGH_MAX_NS = 50_000
"""Longest SCK high time (T3); at 60 µs the chip powers down."""
_RESET_S = 100e-6


class Hx711(Hx711Base):
    """An HX711 as a :class:`hw.protocols.Bridge`, on two GPIO lines.

    ``sck_pin`` and ``dout_pin`` are gpiozero pin names (BCM numbers, or ``"GPIO5"``), ``gain`` is 128
    or 64 (channel A) or 32 (channel B), ``rate_sps`` what the board's RATE pin selects (10 or 80).
    ``pin_factory`` is gpiozero's, by default the machine's own. Raises ``BadSetting``.
    """

    def __init__(
        self,
        *,
        sck_pin: int | str,
        dout_pin: int | str,
        clock: Clock,
        gain: int = 128,
        rate_sps: int = 10,
        pin_factory: Any = None,  # a gpiozero Factory, which has no type information
    ) -> None:
        super().__init__(clock, gain=gain, rate_sps=rate_sps)
        self._sck_pin = sck_pin
        self._dout_pin = dout_pin
        self._pin_factory = pin_factory
        self._sck: OutputDevice | None = None
        self._dout: InputDevice | None = None

    @property
    def name(self) -> str:
        """Get the chip's name."""
        return "hx711"

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return {
            "bridge": self.name,
            "sck_pin": self._sck_pin,
            "dout_pin": self._dout_pin,
            "gain": self._gain,
            "rate_sps": self._rate_sps,
        }

    def close(self) -> None:
        """Release the two lines."""
        for device in (self._sck, self._dout):
            if device is not None:
                device.close()
        self._sck = self._dout = None

    @property
    def _is_open(self) -> bool:
        return self._dout is not None

    @property
    def _where(self) -> str:
        return f"DOUT (pin {self._dout_pin})"

    def _take(self) -> None:
        try:
            self._sck = OutputDevice(self._sck_pin, pin_factory=self._pin_factory)
            # An unplugged line must read high, which is "not ready".
            self._dout = InputDevice(self._dout_pin, pull_up=True, pin_factory=self._pin_factory)
        except (GPIOZeroError, OSError, ImportError) as e:
            self.close()
            raise pins_do_not_open(f"HX711 (pins {self._sck_pin}, {self._dout_pin})", e) from e

    def _ready(self) -> bool:
        assert self._dout is not None
        return not self._dout.pin.state

    def _hold_sck(self) -> None:
        assert self._sck is not None
        self._sck.pin.state = True
        self._clock.sleep_s(_RESET_S)
        self._sck.pin.state = False

    def _clock_word(self) -> tuple[int, Status]:
        assert self._sck is not None
        assert self._dout is not None
        sck, dout, now_ns = self._sck.pin, self._dout.pin, self._clock.now_ns
        word = 0
        for _ in range(24):
            begin_ns = now_ns()
            sck.state = True
            sck.state = False
            if now_ns() - begin_ns > HIGH_MAX_NS:
                return 0, Status.LATE
            # The bit stays until the next rising edge: reading it now keeps the high time short.
            word = word << 1 | dout.state
        for _ in range(PULSES[self._gain] - 24):
            begin_ns = now_ns()
            sck.state = True
            sck.state = False
            if now_ns() - begin_ns > HIGH_MAX_NS:
                return 0, Status.LATE
        return signed(word), Status.OK if dout.state else Status.DESYNC
