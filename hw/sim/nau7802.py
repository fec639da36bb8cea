"""A NAU7802 at register level, as an :class:`hw.sim.i2c.I2cDevice`.

Modelled: all 32 registers with their reset values and read-only bits, register reset, power-up time,
conversions that run once digital and analog part are powered (with or without CS; a rising CS restarts
them), CR per conversion and cleared by reading the output, an output that a conversion may change between
two single-byte reads but not within a block, settling after a start or a change of gain, rate, channel or
excitation, the three calibrations with their duration and error, OCAL and GCAL applied to each code, the
rails, noise, and a random step of offset and gain at each power-up of the analog part but the first.

Not modelled: averaging within a conversion (the signal is taken at its end), the 50/60 Hz notch, the
temperature sensor, OTP contents, chopping, the crystal oscillator, PGA bypass and inversion.

Sources: Nuvoton NAU7802 data sheet 1.7 for registers and calibration (output = GCAL · (raw − OCAL));
SparkFun_DataLogger#22 and Qwiic NAU7802#10 for the steps, 0.5 to 1 % of a load of 100 to 200 g.
From memory and not checked: GCAL = 0x800000 for a gain of 1, OCAL in
two's complement, CR cleared by the first output byte, 30 nV of noise at 10 SPS and gain 128.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hw.clock import NS_PER_S, Clock
from hw.protocols import CODE_MAX, CODE_MIN
from hw.sim.noise import Noise

_PU_CTRL, _CTRL1, _CTRL2, _I2C_CTRL, _ADCO = 0x00, 0x01, 0x02, 0x11, 0x12
_RR, _PUD, _PUA, _PUR, _CS, _CR, _AVDDS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x80
_CALS, _CAL_ERR, _DRDY_ACTIVE_LOW, _SHORT_INPUTS = 0x04, 0x08, 0x80, 0x08
_RATES_SPS = {0: 10, 1: 20, 2: 40, 3: 80, 7: 320}
_WRITABLE = {_PU_CTRL: 0xD7, _CTRL2: 0xF7}
"""Which bits a write changes; 0xFF in the other registers that can be written."""
_WRITABLE |= dict.fromkeys((_CTRL1, *range(0x03, 0x12), 0x15, 0x1B, 0x1C), 0xFF)
_GCAL_ONE = 1 << 23
_RAW_MIN, _RAW_MAX = float(CODE_MIN), float(CODE_MAX)
_POWER_UP_NS = 200_000
_CALIBRATION_NS = 344_000_000
_SETTLING = (0.6, 0.25, 0.1, 0.04, 0.015, 0.005)
_SETTLES = len(_SETTLING)
"""How much of a step the n-th conversion after a restart still lacks."""


def _no_signal(_t_ns: int) -> float:
    return 0.0


class _Setting(NamedTuple):
    """What the registers set of a conversion."""

    second_channel: bool
    shorted: bool
    codes_per_ratio: float
    """Full scale is half the reference over the gain."""
    excitation_v: float
    noise: float
    """The input noise as a multiple of that at 10 SPS and gain 128."""
    ocal: int
    gcal: float


class Nau7802Model:
    """A NAU7802 whose bridge gives ``signal(t_ns)`` in V/V of the excitation.

    ``noise_v`` is the input noise in V rms at 10 SPS and gain 128 (0 for none), ``offset_v`` the
    converter's own offset in V, which calibration removes, ``power_up_step`` the standard deviation in
    V/V of the offset's step at each analog power-up, which it does not, ``power_up_gain`` that of the gain's
    relative step at each but the first, ``rate_error`` the oscillator's relative error (0.16 makes 11.6 SPS
    of 10). ``signal_2`` is channel 2's input.
    """

    def __init__(
        self,
        clock: Clock,
        signal: Callable[[int], float],
        *,
        seed: int = 0,
        noise_v: float = 30e-9,
        offset_v: float = 5e-6,
        power_up_step: float = 1.4e-6,
        power_up_gain: float = 0.003,
        rate_error: float = 0.0,
        signal_2: Callable[[int], float] = _no_signal,
    ) -> None:
        self.signal = signal
        self.signal_2 = signal_2
        self.noise_v = noise_v
        self.offset_v = offset_v
        self.power_up_step = power_up_step
        self.power_up_gain = power_up_gain
        self.rate_error = rate_error
        self.fail_calibration = False
        """Script: calibrations end with CAL_ERR."""
        self.hang_calibration = False
        """Script: calibrations never end."""
        self._clock = clock
        self._noise = Noise(seed)
        self._steps = np.random.default_rng((seed, 1))
        self._gain_steps = np.random.default_rng((seed, 2))
        self._powered_before = False
        self._plugged = True
        self._stopped = False
        self._stuck_code: int | None = None
        self._nack_next = 0
        self._nack_every = 0
        self.hindered = False
        """Whether a message may not be acknowledged."""
        self._messages = 0
        self._pointer = 0
        self._step = 0.0
        self._gain_step = 0.0
        self._overdrive = 0.0
        self._due_ns = 0
        self._setting: _Setting | None = None
        self._regs = bytearray(0x20)
        self._reset()

    # What a test or a scenario does to the chip.

    def unplug(self) -> None:
        """Pull the chip's plug: no power, no acknowledge."""
        self._plugged = False
        self._hinder()

    def plug(self) -> None:
        """Put the plug back: the chip starts from its reset values."""
        if not self._plugged:
            self._plugged = True
            self._hinder()
            self._reset()

    def reset(self) -> None:
        """Brown the chip out: all registers at their reset values, nothing powered."""
        self._update(self._clock.now_ns())
        self._reset()

    def nack_next(self, count: int) -> None:
        """Do not acknowledge the next ``count`` messages."""
        self._nack_next = count
        self._hinder()

    def nack_every(self, n: int) -> None:
        """Do not acknowledge every ``n``-th message (0: acknowledge all)."""
        self._nack_every = n
        self._hinder()

    def stick(self, code: int | None) -> None:
        """Give ``code`` from every conversion (None: convert again)."""
        self._stuck_code = code

    def saturate(self, sign: int) -> None:
        """Drive the input far beyond a rail: 1 up, −1 down, 0 back to the signal."""
        self._overdrive = sign * 10.0

    def stop(self) -> None:
        """Stop the oscillator: no conversion ends any more."""
        self._update(self._clock.now_ns())
        self._stopped = True

    def go(self) -> None:
        """Let the oscillator run again; the filter then has to settle anew."""
        if self._stopped:
            self._stopped = False
            self._restart(self._clock.now_ns())

    def poke(self, register: int, value: int) -> None:
        """Change a register behind the driver's back, as a disturbance does."""
        self._update(self._clock.now_ns())
        self._changed()
        self._write_register(register, value)

    @property
    def drdy(self) -> bool:
        """Get the level of the DRDY pin (CTRL1 bit 7 makes it active low)."""
        self._update(self._clock.now_ns())
        return bool(self._regs[_PU_CTRL] & _CR) != bool(self._regs[_CTRL1] & _DRDY_ACTIVE_LOW)

    def true_code(self, t_ns: int) -> int:
        """Get the code a noise-free conversion at ``t_ns`` gives, for tests to compare with."""
        return self._calibrated(self._raw(t_ns, 0.0))

    # The bus side.

    def acknowledges(self) -> bool:
        """Get whether the chip answers to its address now."""
        self._messages += 1
        if not self.hindered:
            return True
        if not self._plugged:
            return False
        if self._nack_next > 0:
            self._nack_next -= 1
            self._hinder()
            return False
        return not (self._nack_every and self._messages % self._nack_every == 0)

    def write(self, data: bytes) -> None:
        """Set the register pointer with the first byte, then write registers upwards."""
        if not data:
            return
        self._pointer = data[0] & 0x1F
        if len(data) == 1:
            return
        self._update(self._clock.now_ns())
        self._changed()
        for value in data[1:]:
            self._write_register(self._pointer, value)
            self._pointer = (self._pointer + 1) & 0x1F

    def read(self, count: int) -> bytes:
        """Read registers upwards from the pointer, all as of the start of the transfer."""
        return self.read_at(self._pointer, count, messages=0)

    def read_at(self, first: int, count: int, messages: int = 2) -> bytes:
        """Take a message that sets the pointer to ``first``, and one that reads ``count`` registers from there on.

        ``messages``: so many of them were not asked for whether they are acknowledged.
        """
        self._messages += messages
        now_ns = self._clock.now_ns()
        if now_ns >= self._due_ns:
            self._update(now_ns)
        regs = self._regs
        first &= 0x1F
        end = first + count
        answer = bytes(regs[first:end]) if end <= 0x20 else bytes(regs[i & 0x1F] for i in range(first, end))
        self._pointer = end & 0x1F
        if first <= _ADCO < end:
            regs[_PU_CTRL] &= ~_CR
        return answer

    # Inside.

    def _hinder(self) -> None:
        self.hindered = not self._plugged or bool(self._nack_next) or bool(self._nack_every)

    def _changed(self) -> None:
        """Forget what was worked out from registers and state: something is being done to them."""
        self._due_ns = 0
        self._setting = None

    def _reset(self) -> None:
        self._regs[:] = bytes(0x20)
        for gcal in (0x06, 0x0D):
            self._regs[gcal : gcal + 4] = _GCAL_ONE.to_bytes(4)
        self._regs[0x1F] = 0x0F
        self._power_up_ns = 0
        self._calibrated_ns = 0
        self._settled_raw = 0.0
        self._halt()

    def _halt(self) -> None:
        self._changed()
        self._running = False
        self._start_ns = 0
        self._conversions = 0

    def _write_register(self, register: int, value: int) -> None:
        old = self._regs[register]
        mask = _WRITABLE.get(register, 0)
        new = (old & ~mask) | (value & mask)
        self._regs[register] = new
        changed = old ^ new
        if register == _PU_CTRL:
            self._power(new, changed)
        elif register == _CTRL1 and changed & 0x3F:
            self._restart(self._clock.now_ns())
        elif register == _CTRL2:
            if changed & 0xF0:
                self._restart(self._clock.now_ns())
            if changed & new & _CALS and self._running and not self.hang_calibration:
                self._calibrated_ns = self._clock.now_ns() + _CALIBRATION_NS

    def _power(self, new: int, changed: int) -> None:
        now_ns = self._clock.now_ns()
        if new & _RR:
            self._reset()
            self._regs[_PU_CTRL] = _RR
            return
        if changed & _PUD:
            self._power_up_ns = now_ns + _POWER_UP_NS
            if not new & _PUD:
                self._regs[_PU_CTRL] &= ~(_PUR | _CR)
        if changed & new & _PUA:
            self._step = self.power_up_step * self._steps.standard_normal()
            if self._powered_before:
                self._gain_step = self.power_up_gain * self._gain_steps.standard_normal()
            self._powered_before = True
        if not (new & _PUD and new & _PUA):
            self._halt()
        elif changed & (_PUD | _PUA | _AVDDS) or changed & new & _CS:
            self._restart(max(now_ns, self._power_up_ns))

    def _restart(self, t_ns: int) -> None:
        powered = self._regs[_PU_CTRL] & (_PUD | _PUA) == _PUD | _PUA
        self._halt()
        if powered and not self._stopped:
            self._running = True
            self._start_ns = t_ns
            self._period_ns = round(NS_PER_S / (self._rate_sps() * (1.0 + self.rate_error)))
            self._regs[_PU_CTRL] &= ~_CR

    def _update(self, now_ns: int) -> None:
        """Let everything happen that was due by now."""
        regs = self._regs
        if regs[_PU_CTRL] & (_PUD | _PUR) == _PUD and now_ns >= self._power_up_ns:
            regs[_PU_CTRL] |= _PUR
        if regs[_CTRL2] & _CALS:
            if self._calibrated_ns and now_ns >= self._calibrated_ns:
                self._finish_calibration()
            return
        if not self._running or self._stopped:
            return
        n = (now_ns - self._start_ns) // self._period_ns
        if n > self._conversions:
            self._conversions = n
            regs[_ADCO : _ADCO + 3] = (self._convert(n) & 0xFFFFFF).to_bytes(3)
            regs[_PU_CTRL] |= _CR
        if regs[_PU_CTRL] & _PUR:
            self._due_ns = self._start_ns + (self._conversions + 1) * self._period_ns

    def _convert(self, n: int) -> int:
        raw = self._raw(self._start_ns + n * self._period_ns, self._noise.next() if self.noise_v else 0.0)
        if n <= _SETTLES:
            raw += (self._settled_raw - raw) * _SETTLING[n - 1]
        else:
            self._settled_raw = raw
        return self._calibrated(raw) if self._stuck_code is None else self._stuck_code

    def _raw(self, t_ns: int, deviate: float) -> float:
        """Get the uncalibrated code."""
        setting = self._setting or self._as_set()
        ratio = (self.signal_2 if setting.second_channel else self.signal)(t_ns) + self._overdrive
        if setting.shorted:
            ratio = 0.0
        noise_v = self.noise_v * setting.noise
        ratio *= 1.0 + self._gain_step
        ratio += self._step + (self.offset_v + noise_v * deviate) / setting.excitation_v
        raw = ratio * setting.codes_per_ratio
        raw = raw if raw < _RAW_MAX else _RAW_MAX
        return raw if raw > _RAW_MIN else _RAW_MIN

    def _calibrated(self, raw: float) -> int:
        setting = self._setting or self._as_set()
        code = round((raw - setting.ocal) * setting.gcal)
        code = code if code < CODE_MAX else CODE_MAX
        return code if code > CODE_MIN else CODE_MIN

    def _as_set(self) -> _Setting:
        regs = self._regs
        gain = 1 << (regs[_CTRL1] & 7)
        base = 7 if regs[_CTRL2] & 0x80 else 0
        self._setting = setting = _Setting(
            second_channel=bool(regs[_CTRL2] & 0x80),
            shorted=bool(regs[_I2C_CTRL] & _SHORT_INPUTS),
            codes_per_ratio=float(gain * (2 << 23)),
            excitation_v=4.5 - 0.3 * (regs[_CTRL1] >> 3 & 7) if regs[_PU_CTRL] & _AVDDS else 3.3,
            # Below full gain the converter behind the amplifier adds to the noise at the input.
            noise=math.sqrt(self._rate_sps() / 10 * (1 + (32 / gain) ** 2) / 1.0625),
            ocal=int.from_bytes(regs[0x03 + base : 0x06 + base], signed=True),
            gcal=int.from_bytes(regs[0x06 + base : 0x0A + base]) / _GCAL_ONE,
        )
        return setting

    def _rate_sps(self) -> int:
        return _RATES_SPS.get(self._regs[_CTRL2] >> 4 & 7, 10)

    def _finish_calibration(self) -> None:
        regs, t_ns = self._regs, self._calibrated_ns
        base = 7 if regs[_CTRL2] & 0x80 else 0
        mode = regs[_CTRL2] & 3
        regs[_CTRL2] &= ~(_CALS | _CAL_ERR)
        self._calibrated_ns = 0
        error = self.fail_calibration
        if not error and mode in (0, 2):
            raw = self._raw(t_ns, 0.0)
            if mode == 0:
                shorted = self.offset_v / (4.5 - 0.3 * (regs[_CTRL1] >> 3 & 7))
                raw = shorted * (1 << (regs[_CTRL1] & 7)) * (2 << 23)
            regs[0x03 + base : 0x06 + base] = (round(raw) & 0xFFFFFF).to_bytes(3)
        elif not error and mode == 3:
            net = self._raw(t_ns, 0.0) - int.from_bytes(regs[0x03 + base : 0x06 + base], signed=True)
            error = net <= CODE_MAX / 256
            if not error:
                regs[0x06 + base : 0x0A + base] = round(_GCAL_ONE * CODE_MAX / net).to_bytes(4)
        if error:
            regs[_CTRL2] |= _CAL_ERR
        self._restart(t_ns)
