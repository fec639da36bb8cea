"""An HX711 at edge level, as a :class:`hw.sim.pins.ClockedChip`.

Modelled: conversions at the chip's own pace, DOUT low while one waits, 24 bits on the rising edges of SCK,
DOUT high from the 25th pulse to the next conversion, 25/26/27 pulses selecting A×128, B×32 or A×64 for the
next conversion, power-down after 60 µs of SCK high and reset when it falls, settling after a reset or a
change of gain, a random step of the offset at each power-up (by its plug, by a brown-out, or by SCK) but the
first, a conversion that ends while a word is being clocked out (its remaining bits are the new
ones: a torn word), the rails, noise, a data line that is unplugged or shorted.

Not modelled: averaging within a conversion (the signal is taken at its end), supply rejection, what more
than 27 pulses do (here: nothing). The data sheet does not say whether DOUT goes low while the output
settles; ``ready_while_settling`` chooses, nor what a conversion does to a word half clocked out.

Source: Avia HX711 data sheet (table 2 rates, noise and settling; figures 2 and 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hw.clock import NS_PER_S, Clock
from hw.protocols import CODE_MAX, CODE_MIN
from hw.sim.noise import Noise

_POWER_DOWN_NS = 60_000
_SELECT = {25: 128, 26: 32, 27: 64}
_SETTLING_CONVERSIONS = 4
_LACK = (0.6, 0.2, 0.04)
"""How much of a step the n-th conversion after a reset still lacks, where it is given at all."""


def _no_signal(_t_ns: int) -> float:
    return 0.0


class Hx711Model:
    """An HX711 whose channel A sees ``signal(t_ns)`` in V/V of the excitation, channel B ``signal_b``.

    ``rate_sps`` is what the RATE pin selects (10 or 80), ``rate_error`` the oscillator's relative error
    (0.16: 11.6 SPS, as recorded from a real part). ``noise_v`` is the input noise in V rms (0 for
    none; by default the data sheet's 50 nV at 10 SPS, 90 nV at 80), ``excitation_v`` the supply,
    ``power_up_step`` the standard deviation in V/V of the offset's step at a power-up: 0.5 g on a cell of 500 g
    and 1 mV/V.
    """

    def __init__(
        self,
        clock: Clock,
        signal: Callable[[int], float],
        *,
        seed: int = 0,
        rate_sps: int = 10,
        rate_error: float = 0.0,
        noise_v: float | None = None,
        excitation_v: float = 5.0,
        power_up_step: float = 1.0e-6,
        ready_while_settling: bool = False,
        signal_b: Callable[[int], float] = _no_signal,
    ) -> None:
        self.signal = signal
        self.signal_b = signal_b
        self.noise_v = (50e-9 if rate_sps == 10 else 90e-9) if noise_v is None else noise_v
        self.excitation_v = excitation_v
        self.power_up_step = power_up_step
        self.ready_while_settling = ready_while_settling
        self._clock = clock
        self._noise = Noise(seed)
        self._steps = np.random.default_rng((seed, 1))
        self._step = 0.0
        self._converted = False
        self._period_ns = round(NS_PER_S / (rate_sps * (1.0 + rate_error)))
        self._plugged = True
        self._stopped = False
        self._shorted: bool | None = None
        self._stuck_code: int | None = None
        self._overdrive = 0.0
        self._sck = False
        self._rise_ns = 0
        self._ready = False
        self._pulses = 0
        self._word = 0
        self._reset(clock.now_ns())

    # What a test or a scenario does to the chip.

    def unplug(self) -> None:
        """Pull the chip's plug: the pull-up holds the data line high."""
        self._plugged = False

    def plug(self) -> None:
        """Put the plug back: the chip starts anew."""
        if not self._plugged:
            self._plugged = True
            self._power_up(self._clock.now_ns())

    def reset(self) -> None:
        """Brown the chip out: it starts anew, on channel A at gain 128."""
        self._power_up(self._clock.now_ns())

    def stop(self) -> None:
        """Stop the oscillator: no conversion ends any more."""
        self._update()
        self._stopped = True

    def go(self) -> None:
        """Let the oscillator run again, from a reset."""
        if self._stopped:
            self._stopped = False
            self._reset(self._clock.now_ns())

    def short_dout(self, level: bool | None) -> None:
        """Short the data line to ground (False) or supply (True); None takes the short away."""
        self._shorted = level

    def stick(self, code: int | None) -> None:
        """Give ``code`` from every conversion (None: convert again)."""
        self._stuck_code = code

    def saturate(self, sign: int) -> None:
        """Drive the input far beyond a rail: 1 up, −1 down, 0 back to the signal."""
        self._overdrive = sign * 10.0

    def true_code(self, t_ns: int, gain: int = 128) -> int:
        """Get the code a noise-free, settled conversion at ``t_ns`` gives at ``gain`` (128, 64; 32 is B)."""
        ratio = (self.signal_b if gain == 32 else self.signal)(t_ns) + self._step
        return max(CODE_MIN, min(CODE_MAX, round(ratio * gain * (2 << 23))))

    # The wires.

    def sck(self, level: bool) -> None:
        """Take the level the host drives SCK to."""
        if level == self._sck:
            return
        self._sck = level
        now_ns = self._clock.now_ns()
        if now_ns >= self._end_ns:
            self._update()
        if level:
            self._rise_ns = now_ns
            if self._ready or self._pulses:
                self._pulses += 1
                self._ready = False
        elif now_ns - self._rise_ns > _POWER_DOWN_NS:
            self._power_up(now_ns)

    @property
    def dout(self) -> bool:
        """Get the level of the data line, with the host's pull-up on it."""
        if self._shorted is not None:
            return self._shorted
        if not self._plugged:
            return True
        if self._clock.now_ns() >= self._end_ns:
            self._update()
        if 1 <= self._pulses <= 24:
            return bool(self._word >> (24 - self._pulses) & 1)
        return not self._ready

    # Inside.

    def _power_up(self, t_ns: int) -> None:
        if self._converted:  # else nobody has seen the step before
            self._step = self.power_up_step * self._steps.standard_normal()
            self._converted = False
        self._reset(t_ns)

    def _reset(self, t_ns: int) -> None:
        self._gain = 128
        self._restart(t_ns)
        self._ready = False
        self._pulses = 0
        self._word = 0

    def _restart(self, t_ns: int) -> None:
        self._start_ns = t_ns
        self._conversions = 0
        self._end_ns = t_ns + self._period_ns

    def _update(self) -> None:
        """Let the conversion end that was due by now."""
        now_ns = self._clock.now_ns()
        if now_ns < self._end_ns or self._stopped or not self._plugged:
            return
        if self._sck and now_ns - self._rise_ns > _POWER_DOWN_NS:
            return  # powered down
        n = self._conversions = (now_ns - self._start_ns) // self._period_ns
        t_ns = self._start_ns + n * self._period_ns
        self._end_ns = t_ns + self._period_ns
        if n >= _SETTLING_CONVERSIONS or self.ready_while_settling:
            self._word = self._convert(t_ns, n)
            self._converted = True
            if not 1 <= self._pulses <= 24:
                self._ready = True
        if self._pulses > 24:
            gain = _SELECT.get(self._pulses, self._gain)
            self._pulses = 0
            if gain != self._gain:
                # The word that just ended was converted at the old gain: it goes.
                self._gain = gain
                self._restart(t_ns)
                self._ready = False

    def _convert(self, t_ns: int, n: int) -> int:
        if self._stuck_code is not None:
            return self._stuck_code & 0xFFFFFF
        ratio = (self.signal_b if self._gain == 32 else self.signal)(t_ns) + self._step + self._overdrive
        if n < _SETTLING_CONVERSIONS:
            ratio *= 1.0 - _LACK[n - 1]
        if self.noise_v:
            ratio += self.noise_v * self._noise.next() / self.excitation_v
        return max(CODE_MIN, min(CODE_MAX, round(ratio * self._gain * (2 << 23)))) & 0xFFFFFF
