"""A MAX31865 at register level, as a :class:`hw.sim.spi.SpiDevice`.

Modelled: the eight registers with their addresses, auto-increment and reset values, bias, automatic and
one-shot conversions with their times, a first conversion that reads low because the bias still charges
the input filter, fault thresholds, the latched fault register and its copy in the RTD register's bit 0,
automatic and manual fault-detection cycles, fault clear, lead resistance for 2, 3 and 4 wires with or
without the 3-wire setting, SPI modes 1 and 3, and nonsense in the others.

Not modelled: DRDY, the notch filter, self-heating, which of several wires is shorted to what (a test
scripts the bits the data sheet's tables 10 to 12 give), temperature drift of the chip.

Source: MAX31865 data sheet Rev 3. From memory and not checked: 0.6 ms for the automatic cycle, a noise of
half a code, that a fault-detection cycle leaves the last RTD code as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from hw.clock import Clock
from hw.sim.noise import Noise

_BIAS, _AUTO, _ONE_SHOT, _THREE_WIRE, _CYCLE, _CLEAR, _50_HZ = 0x80, 0x40, 0x20, 0x10, 0x0C, 0x02, 0x01
_CYCLE_AUTO, _CYCLE_MANUAL, _CYCLE_FINISH = 0x04, 0x08, 0x0C
_HIGH, _LOW, _REFIN_HIGH, _REFIN_LOW, _RTDIN_LOW, _VOLTAGE = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04
_FULL_SCALE = 0x7FFF
_CYCLE_NS = 600_000
_BIAS_TAU_NS = 1_500_000
_OHM_PER_K = 0.38  # of a Pt100 near 100 °C
_LEADS = {(2, False): 2, (2, True): 2, (3, False): 1, (3, True): 0, (4, False): 0, (4, True): -1}
"""How many leads are in the measured resistance, by the wires that there are and the 3-wire setting."""


class Max31865Model:
    """A MAX31865 with a thermometer of ``resistance(t_ns)`` Ω behind ``wires`` leads of ``lead_ohm`` Ω.

    ``ref_ohm`` is the board's reference, ``noise_codes`` the noise in codes rms (0 for none),
    ``power_up_fault`` what the fault register holds after power-up (0x40 was seen on real boards). ``heats_k``: so many
    kelvins the current warms a Pt100 by where it always flows, with a time constant of ``heats_tau_s``.
    """

    def __init__(
        self,
        clock: Clock,
        resistance: Callable[[int], float],
        *,
        ref_ohm: float = 430.0,
        wires: int = 4,
        lead_ohm: float = 0.0,
        seed: int = 0,
        noise_codes: float = 0.5,
        power_up_fault: int = 0,
        heats_k: float = 0.0,
        heats_tau_s: float = 8.0,
    ) -> None:
        self.resistance = resistance
        self.ref_ohm = ref_ohm
        self.wires = wires
        self.lead_ohm = lead_ohm
        self.noise_codes = noise_codes
        self.power_up_fault = power_up_fault
        self.heats_k, self.heats_tau_s = heats_k, heats_tau_s
        self._warm_k, self._warm_ns = 0.0, 0
        self._clock = clock
        self._noise = Noise(seed)
        self._due_ns = 0
        self._line: int | None = None
        self._break: tuple[int, int | None] | None = None
        self._stuck_code: int | None = None
        self.reset()

    # What a test or a scenario does to the chip.

    def reset(self) -> None:
        """Brown the chip out: all registers at their reset values."""
        self._due_ns = 0
        self._regs = bytearray((0, 0, 0, 0xFF, 0xFF, 0, 0, self.power_up_fault))
        self._bias_ns = 0
        self._start_ns = 0
        self._conversions = 0
        self._one_shot_ns = 0
        self._cycle_ns = 0
        self._latch(self.power_up_fault)

    def unplug(self, level: int = 0) -> None:
        """Pull the plug: the host's input floats to ``level`` (0 or 1)."""
        self._line = 0xFF if level else 0x00

    def plug(self) -> None:
        """Put the plug back: the chip starts from its reset values."""
        if self._line is not None:
            self._line = None
            self.reset()

    def open_rtd(self) -> None:
        """Break the thermometer: full scale, and REFIN− above 0.85 of the bias."""
        self._break = (_REFIN_HIGH, _FULL_SCALE)

    def short_rtd(self) -> None:
        """Short the thermometer: code zero."""
        self._break = (0, 0)

    def short_wire(self, bits: int = _REFIN_LOW | _RTDIN_LOW) -> None:
        """Short a wire such that codes look right and only a detection cycle sees ``bits``."""
        self._break = (bits, None)

    def overvoltage(self) -> None:
        """Put too high a voltage on an input: the fault bit comes at once."""
        self._break = (_VOLTAGE, None)
        self._latch(_VOLTAGE)

    def mend(self) -> None:
        """Put the thermometer and its wires in order again."""
        self._break = None

    def stick(self, code: int | None) -> None:
        """Give ``code`` from every conversion (None: convert again)."""
        self._stuck_code = code

    def fault(self, bits: int) -> None:
        """Latch ``bits`` in the fault register."""
        self._update(self._clock.now_ns())
        self._latch(bits)

    def true_code(self, t_ns: int) -> int:
        """Get the code a noise-free, settled conversion at ``t_ns`` gives."""
        return self._clip(self._measured_ohm(t_ns) / self.ref_ohm * 32768)

    # The bus side.

    def exchange(self, data: bytes, mode: int) -> bytes:
        """Take one selection's bytes: an address (0x80 set: write), then data, upwards."""
        if self._line is not None:
            return bytes((self._line,)) * len(data)
        if not mode & 1:  # sampled on the wrong edge both sides see the stream a bit late
            size = len(data)
            seen = (int.from_bytes(data) >> 1).to_bytes(size)
            return (int.from_bytes(self.exchange(seen, mode | 1)) >> 1).to_bytes(size)
        now_ns = self._clock.now_ns()
        if now_ns >= self._due_ns:
            self._update(now_ns)
        address, size = data[0] & 0x7F, len(data)
        if data[0] & 0x80:
            self._due_ns = 0
            for register, value in enumerate(data[1:], address):
                self._write(register, value)
            answer = bytes(size)
        else:
            answer = b"\0" + self._regs[address : address + size - 1]
            if len(answer) < size:  # nothing is beyond the eighth
                answer = answer.ljust(size, b"\0")
        if self._regs[0] & _ONE_SHOT and not self._one_shot_ns and not self._regs[0] & _AUTO:
            self._one_shot_ns = self._clock.now_ns() + self._first_ns()
            self._due_ns = 0
        return answer

    # Inside.

    def _write(self, register: int, value: int) -> None:
        if 3 <= register <= 6:
            self._regs[register] = value
        elif register == 0:
            self._configure(value)

    def _configure(self, value: int) -> None:
        now_ns = self._clock.now_ns()
        self._warm(now_ns)
        old = self._regs[0]
        if value & _CLEAR and not value & (_ONE_SHOT | _CYCLE):
            self._regs[7] = 0
            self._regs[2] &= 0xFE
        value &= ~_CLEAR
        if value & _BIAS and not old & _BIAS:
            self._bias_ns = now_ns
        if value & _AUTO and not old & _AUTO:
            self._start_ns = now_ns
            self._conversions = 0
        cycle = value & _CYCLE
        if cycle == _CYCLE_AUTO:
            self._cycle_ns = now_ns + _CYCLE_NS
        elif cycle == _CYCLE_MANUAL:
            self._detect(_REFIN_HIGH)
        elif cycle == _CYCLE_FINISH:
            self._detect(_REFIN_LOW | _RTDIN_LOW)
            value &= ~_CYCLE
        self._regs[0] = value

    def _update(self, now_ns: int) -> None:
        """Let everything happen that was due by now."""
        if self._cycle_ns and now_ns >= self._cycle_ns:
            self._cycle_ns = 0
            self._regs[0] &= ~(_CYCLE | _AUTO)
            self._detect(_REFIN_HIGH | _REFIN_LOW | _RTDIN_LOW)
        if self._regs[0] & _AUTO:
            first_ns, next_ns = self._first_ns(), self._next_ns()
            since_ns = now_ns - self._start_ns - first_ns
            n = 0 if since_ns < 0 else 1 + since_ns // next_ns
            if n > self._conversions:
                self._conversions = n
                end_ns = self._start_ns + first_ns + (n - 1) * next_ns
                self._convert(end_ns - first_ns, end_ns)
            if not self._cycle_ns:
                self._due_ns = self._start_ns + first_ns + self._conversions * next_ns
        elif self._one_shot_ns and now_ns >= self._one_shot_ns:
            self._convert(self._one_shot_ns - self._first_ns(), self._one_shot_ns)
            self._one_shot_ns = 0
            self._regs[0] &= ~_ONE_SHOT

    def _first_ns(self) -> int:
        return 62_500_000 if self._regs[0] & _50_HZ else 52_000_000

    def _next_ns(self) -> int:
        return 20_000_000 if self._regs[0] & _50_HZ else 16_700_000

    def _convert(self, begin_ns: int, end_ns: int) -> None:
        code = self.true_code(end_ns)
        if self._break is not None and self._break[1] is not None:
            code = self._break[1]
        elif not self._regs[0] & _BIAS:
            code = 0
        else:
            # The mean of the charging curve over the conversion.
            span, on = _BIAS_TAU_NS / (end_ns - begin_ns), self._bias_ns
            lag = math.exp((on - begin_ns) / _BIAS_TAU_NS) - math.exp((on - end_ns) / _BIAS_TAU_NS)
            noise = self.noise_codes * self._noise.next() if self.noise_codes else 0.0
            code = self._clip(code * (1.0 - span * lag) + noise)
        if self._stuck_code is not None:
            code = self._stuck_code
        self._regs[1:3] = (code << 1 | (self._regs[7] != 0)).to_bytes(2)
        if code >= int.from_bytes(self._regs[3:5]) >> 1:
            self._latch(_HIGH)
        if code <= int.from_bytes(self._regs[5:7]) >> 1:
            self._latch(_LOW)
        if self._break is not None:
            self._latch(self._break[0] & _VOLTAGE)

    def _detect(self, bits: int) -> None:
        if self._break is not None:
            self._latch(self._break[0] & bits)

    def _latch(self, bits: int) -> None:
        self._regs[7] |= bits
        if self._regs[7]:
            self._regs[2] |= 0x01

    def _warm(self, now_ns: int) -> float:
        """Get by how many kelvins the current has warmed the thermometer until now."""
        if self.heats_k:
            towards_k = self.heats_k if self._regs[0] & _BIAS else 0.0
            left = math.exp((self._warm_ns - now_ns) / (self.heats_tau_s * 1e9))
            self._warm_k = towards_k + (self._warm_k - towards_k) * left
            self._warm_ns = now_ns
        return self._warm_k

    def _measured_ohm(self, t_ns: int) -> float:
        leads = _LEADS[self.wires, bool(self._regs[0] & _THREE_WIRE)]
        warm_ohm = self._warm(max(t_ns, self._warm_ns)) * _OHM_PER_K
        return self.resistance(t_ns) + warm_ohm + leads * self.lead_ohm

    def _clip(self, code: float) -> int:
        clipped = round(code)
        clipped = clipped if clipped < _FULL_SCALE else _FULL_SCALE
        return clipped if clipped > 0 else 0
