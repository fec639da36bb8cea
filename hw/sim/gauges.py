"""A Honeywell MPR and a TI ADS1115 at register level, as :class:`hw.sim.i2c.I2cDevice`.

MPR, modelled: the output measurement command, the busy time, status byte and 24-bit output, the 10 to 90 %
transfer function and its ends, noise, a reset that forgets the last output. Not modelled: the EOC and
RES pins, the checksum of its memory, temperature.

ADS1115, modelled: pointer and four registers with their reset values, input multiplexer, six ranges,
single-shot and continuous conversions with their time, OS, both rails, offset and noise. Not modelled: the
comparator and ALERT, input impedance, general call, inputs beyond the supply.

Sources: Honeywell MPR data sheet 32332628; TI SBAS444. From memory and not checked: the MPR's output is
zero before its first measurement, its noise of 300 codes of 2²⁴, the ADS1115's 110 µs of waking up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from hw.clock import NS_PER_S, Clock
from hw.sim.noise import Noise

PSI_25_PA = 172_368.9
_MPR_MEASURE = b"\xaa\x00\x00"
_MPR_POWERED, _MPR_BUSY, _MPR_INTEGRITY, _MPR_SATURATED = 0x40, 0x20, 0x04, 0x01
_MPR_CONVERSION_NS = 5_000_000
_MPR_ZERO, _MPR_SPAN = 0x19999A, 0xE66666 - 0x19999A

_ADS_RESET = (0x0000, 0x8583, 0x8000, 0x7FFF)
_ADS_FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
_ADS_RATES_SPS = (8, 16, 32, 64, 128, 250, 475, 860)
_ADS_PAIRS = ((0, 1), (0, 3), (1, 3), (2, 3))
_ADS_WAKE_NS = 110_000


class I2cChipModel(ABC):
    """What a test or a scenario does to a chip on I²C."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._noise = Noise(seed)
        self._plugged = True
        self._nack_next = 0
        self._busy = False
        self._stuck_code: int | None = None
        self._overdrive = 0
        self.reset()

    def unplug(self) -> None:
        """Pull the chip's plug: no power, no acknowledge."""
        self._plugged = False

    def plug(self) -> None:
        """Put the plug back: the chip starts from its reset values."""
        if not self._plugged:
            self._plugged = True
            self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Brown the chip out: everything at its reset values."""

    def nack_next(self, count: int) -> None:
        """Do not acknowledge the next ``count`` messages."""
        self._nack_next = count

    def stop(self) -> None:
        """Stop the oscillator: the chip stays busy."""
        self._busy = True

    def go(self) -> None:
        """Let the oscillator run again."""
        self._busy = False

    def stick(self, code: int | None) -> None:
        """Give ``code`` from every conversion (None: convert again)."""
        self._stuck_code = code

    def saturate(self, sign: int) -> None:
        """Drive the input far beyond a rail: 1 up, −1 down, 0 back to the signal."""
        self._overdrive = sign

    def acknowledges(self) -> bool:
        """Get whether the chip answers to its address now."""
        if self._nack_next:
            self._nack_next -= 1
            return False
        return self._plugged


class MprModel(I2cChipModel):
    """A Honeywell MPR at ``pressure(t_ns)`` Pa; ``noise_codes`` in codes of 2²⁴ rms (0 for none)."""

    def __init__(
        self,
        clock: Clock,
        pressure: Callable[[int], float],
        *,
        seed: int = 0,
        full_scale_pa: float = PSI_25_PA,
        noise_codes: float = 300.0,
    ) -> None:
        self.pressure = pressure
        self.full_scale_pa = full_scale_pa
        self.noise_codes = noise_codes
        self.status_bits = 0
        """Script: bits that the chip reports besides power and busy (0x04: its memory is damaged)."""
        super().__init__(clock, seed)

    def reset(self) -> None:
        """Brown the chip out: no measurement under way, no output."""
        self._end_ns = 0
        self._code = 0
        self._saturated = 0

    def true_code(self, t_ns: int) -> int:
        """Get the 24-bit code a noise-free conversion at ``t_ns`` gives."""
        return _MPR_ZERO + round(self.pressure(t_ns) / self.full_scale_pa * _MPR_SPAN)

    def write(self, data: bytes) -> None:
        """Take a command; all but the measurement command do nothing."""
        if data == _MPR_MEASURE:
            self._end_ns = self._clock.now_ns() + _MPR_CONVERSION_NS

    def read(self, count: int) -> bytes:
        """Give the status byte and the output, as many bytes as asked for."""
        if self._end_ns and not self._busy and self._clock.now_ns() >= self._end_ns:
            self._convert(self._end_ns)
            self._end_ns = 0
        busy = _MPR_BUSY if self._end_ns else 0
        status = _MPR_POWERED | busy | self._saturated | self.status_bits
        return (bytes((status,)) + self._code.to_bytes(3)).ljust(count, b"\x00")[:count]

    def _convert(self, t_ns: int) -> None:
        code = self.true_code(t_ns) + self._overdrive * (1 << 24)
        if self.noise_codes:
            code += round(self.noise_codes * self._noise.next())
        if self._stuck_code is not None:
            code = self._stuck_code
        self._code = max(0, min(0xFFFFFF, code))
        self._saturated = 0 if code == self._code else _MPR_SATURATED


class Ads1115Model(I2cChipModel):
    """An ADS1115 whose inputs see ``volts(channel, t_ns)`` V.

    ``rate_error`` is the oscillator's relative error (at most ±0.1), ``noise_codes`` the noise in codes
    rms, ``offset_codes`` the converter's offset.
    """

    def __init__(
        self,
        clock: Clock,
        volts: Callable[[int, int], float],
        *,
        seed: int = 0,
        rate_error: float = 0.0,
        noise_codes: float = 0.3,
        offset_codes: int = 0,
    ) -> None:
        self.volts = volts
        self.rate_error = rate_error
        self.noise_codes = noise_codes
        self.offset_codes = offset_codes
        super().__init__(clock, seed)

    def reset(self) -> None:
        """Brown the chip out: all registers at their reset values, no conversion under way."""
        self._regs = list(_ADS_RESET)
        self._pointer = 0
        self._end_ns = 0

    def poke(self, register: int, value: int) -> None:
        """Change a register behind the driver's back: a disturbance, or another program."""
        self._regs[register] = value

    def true_code(self, t_ns: int) -> int:
        """Get the code a noise-free conversion at ``t_ns`` gives with the settings in force."""
        config = self._regs[1]
        mux = config >> 12 & 7
        pair = _ADS_PAIRS[mux] if mux < 4 else None
        volts = self.volts(mux - 4, t_ns) if pair is None else self.volts(pair[0], t_ns) - self.volts(pair[1], t_ns)
        return round(volts / _ADS_FULL_SCALE_V[config >> 9 & 7] * 0x8000)

    def write(self, data: bytes) -> None:
        """Take a register pointer and, where it follows, a register's two bytes."""
        if not data:
            return
        self._pointer = data[0] & 3
        if len(data) < 3 or self._pointer == 0:
            return
        value = int.from_bytes(data[1:3])
        if self._pointer == 1:
            self._configure(value)
        else:
            self._regs[self._pointer] = value

    def read(self, count: int) -> bytes:
        """Give the two bytes of the register that the pointer is at."""
        self._update()
        value = self._regs[self._pointer]
        if self._pointer == 1 and self._end_ns:
            value &= 0x7FFF
        return value.to_bytes(2).ljust(count, b"\xff")[:count]

    def _configure(self, value: int) -> None:
        single = bool(value & 0x0100)
        self._regs[1] = value | 0x8000
        if not single or value & 0x8000:
            self._end_ns = self._clock.now_ns() + _ADS_WAKE_NS + self._period_ns()

    def _period_ns(self) -> int:
        return round(NS_PER_S / (_ADS_RATES_SPS[self._regs[1] >> 5 & 7] * (1.0 + self.rate_error)))

    def _update(self) -> None:
        now_ns = self._clock.now_ns()
        if not self._end_ns or self._busy or now_ns < self._end_ns:
            return
        single = bool(self._regs[1] & 0x0100)
        period_ns = self._period_ns()
        # In continuous mode only the newest conversion can still be read.
        t_ns = self._end_ns if single else self._end_ns + (now_ns - self._end_ns) // period_ns * period_ns
        self._end_ns = 0 if single else t_ns + period_ns
        code = self.true_code(t_ns) + self.offset_codes + self._overdrive * 0x10000
        if self.noise_codes:
            code += round(self.noise_codes * self._noise.next())
        if self._stuck_code is not None:
            code = self._stuck_code
        self._regs[0] = max(-0x8000, min(0x7FFF, code)) & 0xFFFF
