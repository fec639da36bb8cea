"""The HX711 load-cell converter on two GPIO lines, over gpiozero.

This driver must never clock a chip that is not ready, and never call a word a number that may have been
shifted out of step. A thread switch while SCK is high can power the chip down, so each pulse is timed.

Source: Avia HX711 data sheet (serial interface, reset and power-down, table 2).
"""

from __future__ import annotations

from typing import Any

from gpiozero import GPIOZeroError, InputDevice, OutputDevice

from hw.bridge import CODE_MAX, Sample, Status
from hw.clock import NS_PER_S, Clock
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady, NotOpen
from hw.follow import Counters, Follower

PULSES = {128: 25, 32: 26, 64: 27}
SETTLING_NS = {10: 400_000_000, 80: 50_000_000}

HIGH_MAX_NS = 50_000
"""Longest SCK high time (T3); at 60 µs the chip powers down."""
_RESET_S = 100e-6
_TRIES = 3
_TAIL = 0xFF
"""What a word ends in when the line or the chip left in mid-word."""


class Hx711:
    """An HX711 as a :class:`hw.bridge.Bridge`.

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
        if gain not in PULSES:
            raise BadSetting(f"HX711: gain = {gain} does not exist; use 128, 64 or 32 (channel B)")
        if rate_sps not in SETTLING_NS:
            raise BadSetting(f"HX711: rate_sps = {rate_sps} does not exist; use 10 or 80, as RATE is wired")
        self.counters = Counters()
        self._sck_pin = sck_pin
        self._dout_pin = dout_pin
        self._clock = clock
        self._gain = gain
        self._rate_sps = rate_sps
        self._pin_factory = pin_factory
        self._settling_ns = SETTLING_NS[rate_sps]
        self._sck: OutputDevice | None = None
        self._dout: InputDevice | None = None
        self._lost = True
        self._last_code = 0
        self._follow = Follower(clock, rate_sps, self.counters)

    @property
    def name(self) -> str:
        """Get the chip's name."""
        return "hx711"

    @property
    def rate_sps(self) -> float:
        """Get the nominal conversion rate in samples per second."""
        return float(self._rate_sps)

    def open(self) -> None:
        """Open the two lines, reset the chip and see it convert (takes 0.5 s at 10 SPS).

        Raises ``BusError`` where the lines cannot be had, ``ChipNotFound`` where DOUT stays high or
        low, ``ChipNotReady`` where the machine is too busy to clock a word.
        """
        self.close()
        try:
            self._sck = OutputDevice(self._sck_pin, pin_factory=self._pin_factory)
            # An unplugged line must read high, which is "not ready".
            self._dout = InputDevice(self._dout_pin, pull_up=True, pin_factory=self._pin_factory)
        except (GPIOZeroError, OSError) as e:
            self.close()
            raise BusError(
                f"HX711: pins {self._sck_pin}, {self._dout_pin}: {e}; check the numbers, the group gpio "
                "and GPIOZERO_PIN_FACTORY"
            ) from e
        try:
            self._find()
        except Exception:
            self.close()
            raise

    def read(self, deadline_ns: int) -> Sample:
        """Get the next conversion: wait for DOUT low, then clock the word out at once.

        Statuses: ``OK``; ``SETTLING`` (400 ms at 10 SPS, 50 ms at 80, and one conversion) after
        ``open``, after a reset, and after a conversion that came late, for then the chip has reset
        itself; ``LATE`` where a pulse lasted more than 50 µs or the word a quarter of a period;
        ``DESYNC`` where DOUT is not high after the last pulse (also a line shorted to ground) or where a
        code that jumps ends in eight ones (a line or a chip that left in mid-word; one jump in 256 does
        so by chance); ``SATURATED``; ``STUCK``; ``NOT_READY`` at the deadline. ``LATE`` and the first
        ``DESYNC`` reset the chip. After them and after ``NOT_READY`` one conversion period has passed,
        if need be beyond the deadline.

        A conversion that ends while a word is clocked out may tear the word, about which the data
        sheet is silent. A word that was seen to get ready is safe; one that may have waited for half a
        period or more, because ``read`` was called late, is clocked out unused and the next one
        waited for. After more than the settling time without a look the chip may have been reset
        unseen, and settling begins anew.

        What cannot be seen here: an extra edge on SCK from outside, which doubles a code, and a chip
        that resets within a word's last eight bits, which makes it up to 255 too high; of the latter the
        next samples tell.
        """
        if self._dout is None:
            raise NotOpen("HX711: not open; call open() first")
        begin_ns = self._clock.now_ns()
        dout = self._dout.pin
        follow = self._follow
        follow.wait(deadline_ns)
        looks, thrown, unready_ns = 0, False, 0
        while True:
            looks += 1
            if not dout.state:
                t_ns = self._clock.now_ns()
                code, status = self._word()
                if status is not Status.OK:
                    self.counters.resets += 1
                    self._reset()
                    return self._failed(begin_ns, t_ns, code, status)
                if looks > 1 or not follow.waited(t_ns):
                    break
                thrown = True
                if self._lost or follow.unseen_ns(t_ns) > self._settling_ns:
                    self._settle()
            else:
                unready_ns = self._clock.now_ns()
            if self._clock.now_ns() >= deadline_ns:
                self._lost = True
                return self._failed(begin_ns, self._clock.now_ns(), 0, Status.NOT_READY)
            self._clock.sleep_s(follow.step_s)
        overdue = not thrown and follow.overdue(unready_ns)
        follow.found(t_ns, looks)
        if overdue:
            # It was not we who were late: the chip was, so it has reset itself.
            self.counters.resets += 1
        if overdue or self._lost:
            self._settle()
        status = follow.judge(t_ns, code)
        if status is Status.OK:
            if code & _TAIL == _TAIL and abs(code - self._last_code) > _TAIL:
                return Sample(t_ns, code, Status.DESYNC)
            self._last_code = code
        return Sample(t_ns, code, status)

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

    def _find(self) -> None:
        """Reset the chip and clock one word out of it."""
        assert self._dout is not None
        for _ in range(_TRIES):
            self._follow = Follower(self._clock, self._rate_sps, self.counters)
            self._reset()
            end_ns = self._clock.now_ns() + 2 * self._settling_ns + NS_PER_S // 5
            while self._dout.pin.state:
                if self._clock.now_ns() >= end_ns:
                    raise ChipNotFound(f"HX711: DOUT (pin {self._dout_pin}) stays high; check power, SCK and DOUT")
                self._clock.sleep_s(self._follow.step_s)
            _, status = self._word()
            if status is Status.OK:
                self._settle()
                return
        if status is Status.LATE:
            raise ChipNotReady("HX711: pulses take more than 50 µs; the machine is too busy, try again")
        raise ChipNotFound(f"HX711: DOUT (pin {self._dout_pin}) is low after a word; is it shorted?")

    def _reset(self) -> None:
        """Power the chip down and up, which brings it back in step, on channel A at gain 128."""
        assert self._sck is not None
        self._sck.pin.state = True
        self._clock.sleep_s(_RESET_S)
        self._sck.pin.state = False
        self._lost = True
        self._follow.settle(1, self._settling_ns)

    def _settle(self) -> None:
        """Begin settling: the word just read is the first after a reset, and it alone has set the gain."""
        self._lost = False
        self._follow.settle(1, self._settling_ns)

    def _word(self) -> tuple[int, Status]:
        """Clock one word out of a chip that is ready, and select the gain for the next conversion."""
        assert self._sck is not None
        assert self._dout is not None
        sck, dout, now_ns = self._sck.pin, self._dout.pin, self._clock.now_ns
        code = 0
        start_ns = now_ns()
        for _ in range(24):
            begin_ns = now_ns()
            sck.state = True
            sck.state = False
            if now_ns() - begin_ns > HIGH_MAX_NS:
                return 0, Status.LATE
            # The bit stays until the next rising edge: reading it now keeps the high time short.
            code = code << 1 | dout.state
        for _ in range(PULSES[self._gain] - 24):
            begin_ns = now_ns()
            sck.state = True
            sck.state = False
            if now_ns() - begin_ns > HIGH_MAX_NS:
                return 0, Status.LATE
        if code > CODE_MAX:
            code -= 1 << 24
        if 4 * (now_ns() - start_ns) > self._follow.period_ns:
            return code, Status.LATE
        if not dout.state:
            return code, Status.DESYNC
        return code, Status.OK

    def _failed(self, begin_ns: int, t_ns: int, code: int, status: Status) -> Sample:
        """Give a sample without a number, no sooner than one conversion after the read began."""
        self._clock.sleep_s((begin_ns + self._follow.period_ns - self._clock.now_ns()) / NS_PER_S)
        return Sample(t_ns, code, status)
