"""What both ways to an HX711 share: when to look, what a word may be, and when not to trust it.

A driver on top of it says how to look at DOUT, how to clock a word and how to reset the chip. This module
must never clock a chip that is not ready, never power a chip down that answers, and never call a word a number that
may have been shifted out of step.

Source: Avia HX711 data sheet (serial interface, reset and power-down, table 2).
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod

from hw.clock import NS_PER_S, Clock
from hw.converter_pace import Counters, Follower
from hw.errors import BadSetting, BusError, ChipNotFound, ChipNotReady, NotOpen
from hw.protocols import CODE_MAX, CODE_MIN, Conversion, ConverterState, Status

PULSES = {128: 25, 32: 26, 64: 27}
SETTLING_NS = {10: 400_000_000, 80: 50_000_000}

_FOUND_WITHIN_NS = NS_PER_S
"""The slowest chip has a word within its settling time after a reset."""
_BETWEEN_RATES_NS = 40_000_000
"""Of one conversion: 10 and 80 a second are told apart there, with oscillators that are off by a sixth."""
_RATE_GAPS = 3
_TRIES = 3
_GONE_PERIODS = 2
"""A chip that gives no conversion for so long is off, unplugged or being reset."""
_TAIL = 0x7F
"""What a word ends in when the line or the chip left in mid-word. With fewer ones it is off by 63 at most."""
_JUMP_PER_GAIN = {10: 0.625, 80: 1.125}
"""Codes per unit of gain that noise alone seldom moves a code by: 3.75 of its standard deviations."""
_UNCONFIRMED_PER_GAIN = 8.0
"""Codes per unit of gain that a code may move by without the next one to confirm it: 1024 at gain 128, 2 g on
a cell of 500 g. So a word that was shifted, or clocked while a wire touched another, is no number."""


class Hx711Base(ABC):
    """An HX711 as a :class:`hw.protocols.Bridge`, however it is clocked.

    ``gain`` is 128 or 64 (channel A) or 32 (channel B), ``rate_sps`` what the board's RATE pin selects
    (10 or 80). Raises ``BadSetting``.
    """

    def __init__(self, clock: Clock, *, gain: int, rate_sps: int) -> None:
        if gain not in PULSES:
            raise BadSetting(f"HX711: gain = {gain} does not exist; use 128, 64 or 32 (channel B)")
        if rate_sps not in SETTLING_NS:
            raise BadSetting(f"HX711: rate_sps = {rate_sps} does not exist; use 10 or 80, as RATE is wired")
        self.counters = Counters()
        self._clock = clock
        self._gain = gain
        self._rate_sps = rate_sps
        self._settling_ns = SETTLING_NS[rate_sps]
        self._lost = True
        self._in_doubt = False
        self._gone = False
        self._fresh = False
        self._was_open = False
        self._last_code = 0
        self._newest = (0, Status.SETTLING)
        self._jump = round(_JUMP_PER_GAIN[rate_sps] * gain)
        self._unconfirmed = round(_UNCONFIRMED_PER_GAIN * gain)
        self._follow = self._follower()

    @property
    @abstractmethod
    def name(self) -> str:
        """Get the chip's name."""

    @property
    def rate_sps(self) -> float:
        """Get the nominal conversion rate in samples per second."""
        return float(self._rate_sps)

    def open(self) -> None:
        """Open the lines and see the chip convert; reset it where no word waits (then it takes 0.5 s at 10 SPS).

        A chip that runs keeps its zero; the first conversions, which may be of another gain, are settling. Nobody can
        see whether it lost its power since it was read last: it has no registers.

        Raises ``BusError`` where the lines cannot be had, ``ChipNotFound`` where DOUT stays high or
        low or the RATE pin is wired otherwise than set, ``ChipNotReady`` where the machine is too busy to clock a word.
        """
        self.close()
        self._take()
        try:
            self._find()
        except OSError as e:
            self.close()
            if isinstance(e, ChipNotReady):  # which is an OSError too, being a TimeoutError
                raise
            raise BusError(f"HX711: {e}; check {self._where}") from e
        except Exception:
            self.close()
            raise

    def read(self, deadline_ns: int) -> Conversion:
        """Get the next conversion: wait for DOUT low, then clock the word out at once.

        Statuses: ``OK``; ``SETTLING`` (400 ms at 10 SPS, 50 ms at 80, and one conversion) after
        ``open``, after a reset, and after a conversion that came late, for then the chip has reset
        itself; ``LATE`` where the word took a quarter of a period, or a pulse on two GPIO lines more
        than 50 µs; ``DESYNC`` where DOUT is not high after the last pulse (also a line shorted to ground),
        where a code jumps by more than 8 times the gain (the word may have been shifted; if the next code
        confirms it, that one is a number, so a load put on costs one sample) or where one that moves ends
        in seven ones (a line or a chip that left in mid-word; one move in 128 does so by chance);
        ``SATURATED`` (within 127 codes of the lower rail, for the same reason), and ``SETTLING`` where the
        first code after it jumps; ``STUCK``; ``NOT_READY`` at
        the deadline; ``BUS_ERROR`` where the port fails. ``LATE``, ``BUS_ERROR`` and a DOUT that is not high
        reset the chip. After them and after ``NOT_READY`` one conversion period has passed, if need be
        beyond the deadline.

        A conversion that ends while a word is clocked out may tear the word, about which the data
        sheet is silent. A word that was seen to get ready is safe; one that may have waited for half a
        period or more, because ``read`` was called late, is clocked out unused and the next one
        waited for. After more than the settling time without a look the chip may have been reset
        unseen, and settling begins anew.

        What cannot be seen here: a chip or line that leaves within a word's last six bits, which makes it
        up to 63 too high (3 sigma of the noise at gain 128), and a disturbance that moves a code by less
        than 8 times the gain; of the former the next samples tell.
        """
        if not self._is_open:
            raise NotOpen("HX711: not open; call open() first")
        begin_ns = self._clock.now_ns()
        try:
            if self._in_doubt:
                self._had_to_reset()
            return self._next(begin_ns, deadline_ns)
        except OSError:
            # A word may have been cut anywhere: nothing is known before the chip has been reset.
            self.counters.bus_errors += 1
            self._in_doubt = True
            return self._failed(begin_ns, self._clock.now_ns(), 0, Status.BUS_ERROR)

    @abstractmethod
    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""

    def state(self) -> ConverterState:
        """Get whether the chip was reset; it has no registers."""
        return ConverterState(self.name, self._fresh, self.counters.resets)

    @abstractmethod
    def close(self) -> None:
        """Release the lines."""

    # How the lines are driven.

    @property
    @abstractmethod
    def _is_open(self) -> bool: ...

    @property
    @abstractmethod
    def _where(self) -> str:
        """Get what to call DOUT in a message."""

    @abstractmethod
    def _take(self) -> None:
        """Open the lines. Raise ``BusError``."""

    @abstractmethod
    def _ready(self) -> bool:
        """Get whether DOUT is low."""

    @abstractmethod
    def _clock_word(self) -> tuple[int, Status]:
        """Clock one word out of a chip that is ready, and select the gain for the next conversion."""

    @abstractmethod
    def _hold_sck(self) -> None:
        """Hold SCK high for more than 60 µs, then low."""

    # The same for both.

    def _next(self, begin_ns: int, deadline_ns: int) -> Conversion:
        follow, clock = self._follow, self._clock
        follow.wait(clock.now_ns(), deadline_ns)
        looks, thrown, unready_ns = 0, False, 0
        while True:
            looks += 1
            if self._ready():
                t_ns = clock.now_ns()
                code, status = self._word()
                if status is not Status.OK:
                    self._had_to_reset()
                    return self._failed(begin_ns, t_ns, code, status)
                if looks > 1 or not follow.waited(t_ns):
                    break
                thrown = True
                if self._lost or follow.unseen_ns(t_ns) > self._settling_ns:
                    self._settle()
                now_ns = clock.now_ns()
            else:
                now_ns = unready_ns = clock.now_ns()
            if now_ns >= deadline_ns:
                self._lost = True
                self._gone |= now_ns - begin_ns > _GONE_PERIODS * follow.period_ns
                return self._failed(begin_ns, now_ns, 0, Status.NOT_READY)
            clock.sleep_s(follow.step_s)
        overdue = not thrown and follow.overdue(unready_ns)
        follow.found(t_ns, looks)
        if overdue or self._gone:
            # It was not we who were late: the chip was, so it has reset itself.
            self.counters.resets += 1
            self._fresh, self._gone = True, False
        if overdue or self._lost:
            self._settle()
        status = follow.judge(t_ns, code)
        (before, was), self._newest = self._newest, (code, status)
        if status is Status.OK:
            if abs(code - before) > self._unconfirmed:
                unsettled = was in (Status.SETTLING, Status.SATURATED)
                return Conversion(t_ns, code, Status.SETTLING if unsettled else Status.DESYNC)
            if code & _TAIL == _TAIL and abs(code - self._last_code) > self._jump:
                return Conversion(t_ns, code, Status.DESYNC)
            self._last_code = code
        return Conversion(t_ns, code, status)

    def _follower(self) -> Follower:
        follow = Follower(self._clock, self._rate_sps, self.counters)
        # A line that leaves in a word's last bits must not turn the lower rail into a number.
        follow.set_rails(CODE_MIN + _TAIL, CODE_MAX)
        return follow

    def _find(self) -> None:
        """Clock one word out of the chip; reset it first where none waits, or where one came out of step."""
        for tried in range(_TRIES):
            self._follow = self._follower()
            runs = tried == 0 and self._runs()
            if not runs:
                self._reset()
            if self._ready_within(_FOUND_WITHIN_NS) is None:
                raise ChipNotFound(f"HX711: {self._where} stays high; check power, SCK and DOUT")
            _, status = self._word()
            if status is Status.OK:
                self._see_rate()
                self._fresh, self._was_open = not runs, True
                self._gone = self._in_doubt = False
                self._settle()
                return
        if status is Status.LATE:
            raise ChipNotReady("HX711: its words come too slowly; the machine is too busy, try again")
        raise ChipNotFound(f"HX711: {self._where} is low after a word; check whether it is shorted or lacks a pull-up")

    def _ready_within(self, wait_ns: int) -> int | None:
        """Wait for a word; get when it was seen (None: none came)."""
        end_ns = self._clock.now_ns() + wait_ns
        while not self._ready():
            if self._clock.now_ns() >= end_ns:
                return None
            self._clock.sleep_s(self._follow.step_s)
        return self._clock.now_ns()

    def _see_rate(self) -> None:
        """See that the chip converts as often as it is said to. Raises ``ChipNotFound`` where RATE is wired otherwise.

        A machine that pauses makes single conversions seem late: all must be far too slow, or none slow enough.
        """
        seen_ns: list[int] = []
        while len(seen_ns) <= _RATE_GAPS:
            ready_ns = self._ready_within(_FOUND_WITHIN_NS)
            if ready_ns is None:
                raise ChipNotFound(f"HX711: {self._where} stays high after a word; check power, SCK and DOUT")
            seen_ns.append(ready_ns)
            if self._word()[1] is not Status.OK:
                return  # what is wrong is told by the samples
        gaps_ns = [b - a for a, b in itertools.pairwise(seen_ns)]
        if self._rate_sps == 10 and max(gaps_ns) < _BETWEEN_RATES_NS:
            wired = "high; set rate_sps = 80, not 10"
        elif self._rate_sps == 80 and min(gaps_ns) > _BETWEEN_RATES_NS:
            wired = "low; set rate_sps = 10, not 80"
        else:
            return
        found_sps = NS_PER_S / sorted(gaps_ns)[_RATE_GAPS // 2]
        raise ChipNotFound(f"HX711: it converts about {found_sps:.0f} times a second: its RATE pin is wired {wired}")

    def _runs(self) -> bool:
        """Get whether a word waits: a chip that is powered and was left alone for a period has one.

        Where we had it open ourselves, it may have been less than that.
        """
        end_ns = self._clock.now_ns() + (3 * self._follow.period_ns // 2 if self._was_open else 0)
        while not self._ready():
            if self._clock.now_ns() >= end_ns:
                return False
            self._clock.sleep_s(self._follow.step_s)
        return True

    def _word(self) -> tuple[int, Status]:
        start_ns = self._clock.now_ns()
        code, status = self._clock_word()
        if status is Status.OK and 4 * (self._clock.now_ns() - start_ns) > self._follow.period_ns:
            return code, Status.LATE
        return code, status

    def _had_to_reset(self) -> None:
        """Reset a chip of which nothing is known any more."""
        self.counters.resets += 1
        self._fresh = True
        self._reset()

    def _reset(self) -> None:
        """Power the chip down and up, which brings it back in step, on channel A at gain 128."""
        self._lost = True
        self._hold_sck()
        self._in_doubt = False
        self._follow.settle(1, self._settling_ns)

    def _settle(self) -> None:
        """Begin settling: the word just read is the first after a reset, and it alone has set the gain."""
        self._lost = False
        self._follow.settle(1, self._settling_ns)

    def _failed(self, begin_ns: int, t_ns: int, code: int, status: Status) -> Conversion:
        """Give a sample without a number, no sooner than one conversion after the read began."""
        self._clock.sleep_s((begin_ns + self._follow.period_ns - self._clock.now_ns()) / NS_PER_S)
        return Conversion(t_ns, code, status)


def signed(word: int) -> int:
    """Get the two's-complement code of a 24-bit word (0 … 2²⁴−1)."""
    return word - (word >> 23 << 24)
