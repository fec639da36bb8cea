"""A Bosch BMP280 or BME280 at register level, as :class:`hw.sim.i2c.I2cDevice`.

Modelled: id, reset, the copying of its memory, trimming values, sleep, forced and normal mode with standby and
conversion times, oversampling's noise, status bits, data registers that hold 0x80000 before the first conversion, and a
configuration that is ignored while it converts by itself. Not modelled: SPI, the filter's memory, humidity.

Source: BST-BMP280-DS001, 3.6, 3.8.1, 3.11, 3.12, 4.3. Its 64-bit integers (8.2) make the codes, so that a driver's
double precision is held against another way.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from hw.clock import Clock
from hw.sim.gauges import I2cChipModel

EXAMPLE_TRIMMING = struct.pack(
    "<HhhHhhhhhhhh", 27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000
)
"""The data sheet's example."""
_IDS = {"bmp280": 0x58, "bme280": 0x60}
_CODES = 1 << 20
_STANDBY_US = (500, 62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000)
_TIMES = (0, 1, 2, 4, 8, 16, 16, 16)
_COPY_NS = 2_000_000


class Bosch280Model(I2cChipModel):
    """A barometer in air of ``pressure(t_ns)`` Pa and ``temp(t_ns)`` °C; ``noise_codes`` of 2²⁰ rms (0 for none)."""

    def __init__(
        self,
        clock: Clock,
        pressure: Callable[[int], float],
        temp: Callable[[int], float] = lambda _t_ns: 24.0,
        *,
        chip: str = "bmp280",
        trimming: bytes = EXAMPLE_TRIMMING,
        seed: int = 0,
        noise_codes: float = 8.0,
    ) -> None:
        self.pressure = pressure
        self.temp = temp
        self.trimming = trimming
        self.noise_codes = noise_codes
        self.id = _IDS[chip]
        self.dead = False
        """Script: the data registers say 0, whatever is converted."""
        super().__init__(clock, seed)

    def reset(self) -> None:
        """Brown the chip out, or reset it: asleep, nothing converted."""
        self._pointer = 0
        self._control = self._config = 0
        self._data = (0x80000, 0x80000)
        self._begun_ns: int | None = None
        self._done = 0
        self._ready_ns = self._clock.now_ns() + _COPY_NS

    def write(self, data: bytes) -> None:
        """Take a register pointer, then pairs of a value and the next register."""
        if not data:
            return
        self._pointer = data[0]
        pairs = data[1:]
        for i in range(0, len(pairs), 2):  # the chip takes pairs: register, value, register, value (5.2.1)
            register = data[0] if i == 0 else pairs[i - 1]
            self._set(register, pairs[i])

    def read(self, count: int) -> bytes:
        """Give registers from the pointer on."""
        self._update()
        return bytes(self._register(self._pointer + i) for i in range(count))

    def _set(self, register: int, value: int) -> None:
        if register == 0xE0 and value == 0xB6:
            self.reset()
        elif register == 0xF5 and self._control & 3 != 3:
            self._config = value
        elif register == 0xF4:
            self._control = value
            mode = value & 3
            self._begun_ns = self._clock.now_ns() if mode else None
            self._done = 0

    def _register(self, register: int) -> int:
        if 0x88 <= register < 0x88 + len(self.trimming):
            return 0 if self._copying else self.trimming[register - 0x88]
        data = (0, 0) if self.dead else self._data
        packed = b"".join((code << 4).to_bytes(3) for code in data)
        if 0xF7 <= register <= 0xFC:
            return packed[register - 0xF7]
        measuring = self._measuring()
        known = {0xD0: self.id, 0xF3: measuring << 3 | self._copying, 0xF4: self._control, 0xF5: self._config}
        return known.get(register, 0)

    @property
    def _copying(self) -> bool:
        return self._busy or self._clock.now_ns() < self._ready_ns

    def _conversion_ns(self) -> int:
        over_t, over_p = _TIMES[self._control >> 5], _TIMES[self._control >> 2 & 7]
        return round((1.0 + 2.0 * over_t + (2.0 * over_p + 0.5 if over_p else 0.0)) * 1e6)  # typical (3.8.1)

    def _cycle_ns(self) -> int:
        return self._conversion_ns() + _STANDBY_US[self._config >> 5] * 1000

    def _measuring(self) -> bool:
        if self._begun_ns is None:
            return False
        into_ns = self._clock.now_ns() - self._begun_ns
        return (into_ns % self._cycle_ns() if self._control & 3 == 3 else into_ns) < self._conversion_ns()

    def _update(self) -> None:
        """Make the newest conversion that has ended."""
        if self._begun_ns is None or self._busy:
            return
        into_ns, each_ns = self._clock.now_ns() - self._begun_ns, self._conversion_ns()
        if into_ns < each_ns:
            return
        if self._control & 3 != 3:  # forced: one, then asleep
            self._convert(self._begun_ns + each_ns)
            self._begun_ns, self._control = None, self._control & ~3
            return
        done = (into_ns - each_ns) // self._cycle_ns() + 1
        if done > self._done:
            self._done = done
            self._convert(self._begun_ns + (done - 1) * self._cycle_ns() + each_ns)

    def _convert(self, t_ns: int) -> None:
        if self._stuck_code is not None:
            self._data = (self._stuck_code, self._data[1])
            return
        temp_code = _temp_code(round(self.temp(t_ns), 2), self.trimming)
        pressure_code = _pressure_code(round(self.pressure(t_ns)), temp_code, self.trimming)
        noise = [round(self.noise_codes * self._noise.next()) if self.noise_codes else 0 for _ in range(2)]
        over_p, over_t = self._control >> 2 & 7, self._control >> 5
        self._data = (
            _held(pressure_code + noise[0] + self._overdrive * _CODES) if over_p else 0x80000,
            _held(temp_code + noise[1]) if over_t else 0x80000,
        )


def _held(code: int) -> int:
    return max(0, min(_CODES - 1, code))


@lru_cache(maxsize=1024)
def _temp_code(temp_c: float, trimming: bytes) -> int:
    low, high = 0, _CODES - 1
    while low < high:  # the temperature rises with its code
        middle = (low + high) // 2
        if _fine(middle, trimming) / 5120.0 < temp_c:
            low = middle + 1
        else:
            high = middle
    return low


@lru_cache(maxsize=1024)
def _pressure_code(pa: float, temp_code: int, trimming: bytes) -> int:
    low, high = 0, _CODES - 1
    while low < high:  # the pressure falls as its code rises
        middle = (low + high) // 2
        if integer_pa(middle, temp_code, trimming) > pa:
            low = middle + 1
        else:
            high = middle
    return low


def _fine(temp_code: int, trimming: bytes) -> int:
    t1, t2, t3 = struct.unpack_from("<Hhh", trimming)
    first = ((temp_code >> 3) - (t1 << 1)) * t2 >> 11
    away = (temp_code >> 4) - t1
    return int(first + ((away * away >> 12) * t3 >> 14))


def integer_pa(pressure_code: int, temp_code: int, trimming: bytes) -> float:
    """Get the pressure in Pa as the data sheet's 64-bit integers make it (8.2), in 1/256 Pa."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = struct.unpack_from("<Hhhhhhhhh", trimming, 6)
    away = _fine(temp_code, trimming) - 128000
    offset = away * away * p6 + (away * p5 << 17) + (p4 << 35)
    scale = (away * away * p3 >> 8) + (away * p2 << 12)
    scale = ((1 << 47) + scale) * p1 >> 33
    if scale == 0:
        return 0.0
    p = ((_CODES - pressure_code << 31) - offset) * 3125 // scale
    p = (p + (p9 * (p >> 13) * (p >> 13) >> 25) + (p8 * p >> 19) >> 8) + (p7 << 4)
    return float(p / 256.0)
