"""The MAX31865 resistance-thermometer converter on SPI, through Adafruit's library.

This driver must never hand out a code that a broken wire, a dead bus or a chip in reset gives, and never
a conversion that was handed out before. One thread may use it: the library's buffer is shared by all
its instances.

Source: MAX31865 data sheet Rev 3 (tables 1 to 12; fault detection cycle; conversion times).
"""

from __future__ import annotations

from collections.abc import Callable

from adafruit_max31865 import MAX31865

from hw.clock import NS_PER_S, Clock
from hw.converter_pace import Counters
from hw.errors import BadSetting, BusError, ChipNotFound, NotOpen
from hw.protocols import Reading, Status
from hw.spi import SpiBus, SpiPort

_CONFIG, _HIGH_THRESHOLD = 0x00, 0x03
_THRESHOLD_REGISTERS = slice(_HIGH_THRESHOLD, _HIGH_THRESHOLD + 4)
_WRITE = 0x80
_BIAS, _AUTO, _THREE_WIRE, _DETECT, _DETECTING, _CLEAR, _50_HZ = 0x80, 0x40, 0x10, 0x04, 0x0C, 0x02, 0x01
_THRESHOLDS = b"\xff\xff\x00\x00"
"""Full scale and zero, as after power-on: a threshold fault then says open or short, never hot or cold."""
_ALL_REGISTERS = bytes((_CONFIG, *bytes(8)))
_CODE_MAX = 0x7FFF

_CONVERSION_S = {50: 0.021, 60: 0.0176}
"""The longest time between two automatic conversions."""
_BIAS_S = 0.012
"""Bias start-up (10 ms) and 10.5 time constants of the input filter (about 0.1 ms each) plus 1 ms."""
_SETTLING_NS = 100_000_000
"""The bias, then a first conversion of at most 66 ms that began in it, then a whole one after it."""
_DETECTION_NS = 5_000_000
"""The automatic fault-detection cycle takes less than 1 ms."""
_LEISURE_NS = 150_000_000
"""Reads that are further apart leave time for a fault-detection cycle and a settled conversion after it."""
_ONE_SHOT = 0x20
_ONE_SHOT_S = {50: 0.066, 60: 0.055}
"""The longest single conversion, with its 62.5 or 52 ms."""
_AGREE_CODES = 64
"""Two readings of one moment differ by a few codes of noise; by more than 2 K only where a bit was lost."""


class Max31865Rtd:
    """A MAX31865 as a :class:`hw.protocols.Probe`, converting by itself 50 or 60 times a second.

    ``open_port`` returns the port when :meth:`open` asks for it, for example
    ``lambda: SpidevPort(0, 0)``. ``wires`` (2, 3, 4), ``ref_ohm`` (the board's reference: 430 on most
    Pt100 boards, 400 on others) and ``mains_hz`` (50, 60) have no default because a wrong one gives
    plausible, wrong temperatures. A resistance outside ``plausible_ohm`` is one that only a fault gives (None: any is
    taken). Raises ``BadSetting``.
    """

    def __init__(
        self,
        open_port: Callable[[], SpiPort],
        clock: Clock,
        *,
        wires: int,
        ref_ohm: float,
        mains_hz: int,
        nominal_ohm: float = 100.0,
        plausible_ohm: tuple[float, float] | None = None,
    ) -> None:
        if wires not in (2, 3, 4):
            raise BadSetting(f"MAX31865: wires = {wires}; a resistance thermometer has 2, 3 or 4")
        if mains_hz not in _CONVERSION_S:
            raise BadSetting(f"MAX31865: mains_hz = {mains_hz}; use 50 or 60")
        if not ref_ohm > nominal_ohm > 0.0:
            raise BadSetting(f"MAX31865: ref_ohm = {ref_ohm} must be above nominal_ohm = {nominal_ohm}")
        self.counters = Counters()
        self._open_port = open_port
        self._clock = clock
        self._wires = wires
        self._ref_ohm = ref_ohm
        self._mains_hz = mains_hz
        self._nominal_ohm = nominal_ohm
        low_ohm, high_ohm = (0.0, ref_ohm) if plausible_ohm is None else plausible_ohm
        self._lowest, self._highest = (ohm / ref_ohm * (_CODE_MAX + 1) for ohm in (low_ohm, high_ohm))
        self._still = _BIAS | (_THREE_WIRE if wires == 3 else 0) | (_50_HZ if mains_hz == 50 else 0)
        self._config = self._still | _AUTO
        # A tenth more than the longest conversion, for the host's clock and ours differ.
        self._fresh_ns = round(1.1 * _CONVERSION_S[mains_hz] * NS_PER_S)
        self._port: SpiPort | None = None
        self._sensor: MAX31865 | None = None
        self._next_ns = 0
        self._settled_ns = 0
        self._read_ns = 0
        self._unhurried = False
        self._found = 0
        self._rare = False

    def open(self) -> None:
        """Open the port, set the chip up and run its fault-detection cycle (takes about 20 ms).

        Raises ``BusError`` where the port cannot be opened, ``ChipNotFound`` where no MAX31865
        answers. A broken thermometer is no error here: its samples say ``FAULT``.
        """
        self.close()
        try:
            self._port = self._open_port()
        except OSError as e:
            raise BusError(f"SPI port: {e}; switch it on (dtparam=spi=on) and join the group spi") from e
        try:
            bus = SpiBus(self._port)
            self._sensor = MAX31865(
                bus,
                bus.select,
                rtd_nominal=self._nominal_ohm,
                ref_resistor=self._ref_ohm,
                wires=self._wires,
                filter_frequency=self._mains_hz,
            )
            if not self._set_up():
                raise ChipNotFound("MAX31865: no answer; check SDI, SDO, CLK, CS and power, and the CS pin")
        except OSError as e:
            self.close()
            raise BusError(f"MAX31865: {e}; check the SPI port") from e
        except Exception:
            self.close()
            raise

    def read(self) -> Reading:
        """Get the newest conversion, waiting up to 24 ms where the last one was read already.

        Statuses: ``OK``; ``SETTLING`` for 0.1 s after ``open``, a fault or a fault-detection cycle (the bias
        charges the input filter); ``FAULT`` with the fault register (data sheet table 7) and what the
        last cycle found, also for codes that only a fault gives (with the code, and no fault bit, where no thermometer
        in its place can have it) and for a chip found reset; ``BUS_ERROR``
        where nothing sensible answers. A cycle runs after each fault and, where reads are at least 0.15 s
        apart, after each sample: what it finds makes the next one a ``FAULT``. A converter that stops while
        its registers stay right cannot be told from a steady temperature.
        """
        if self._port is None or self._sensor is None:
            raise NotOpen("MAX31865: not open; call open() first")
        if self._rare:
            return self._read_once()
        self._clock.sleep_s((self._next_ns - self._clock.now_ns()) / NS_PER_S)
        t_ns = self._clock.now_ns()
        self._next_ns = t_ns + self._fresh_ns
        # Twice in a row: one pause between two fast reads is no sign that there will be another.
        unhurried, self._unhurried = self._unhurried, t_ns - self._read_ns >= _LEISURE_NS
        self._read_ns = t_ns
        try:
            sample = self._sample(t_ns, self._sensor)
            if unhurried and self._unhurried and sample.status is Status.OK:
                self._detect()
            return sample
        except OSError:
            self.counters.bus_errors += 1
            return Reading(t_ns, 0, 0, Status.BUS_ERROR)

    def read_rarely(self, *, rarely: bool) -> float:
        """Set whether current flows through the thermometer only while it is read, or always, as in a test (False).

        Between readings the bias is then off, so that what the current warms is known from the difference: the caller
        reads about once a second. Returns for how long the current flows at each such reading, in s.
        """
        if self._port is None:
            raise NotOpen("MAX31865: not open; call open() first")
        self._rare = rarely
        self._configure(self._still & ~_BIAS if rarely else self._config)
        self._settled_ns = self._clock.now_ns() + _SETTLING_NS
        self._found, self._unhurried = 0, False
        return _BIAS_S + _ONE_SHOT_S[self._mains_hz]

    def describe(self) -> dict[str, str | int | float]:
        """Get the settings in force."""
        return {
            "probe": "max31865",
            "wires": self._wires,
            "ref_ohm": self._ref_ohm,
            "mains_hz": self._mains_hz,
            "nominal_ohm": self._nominal_ohm,
        }

    def close(self) -> None:
        """Release the port."""
        port, self._port, self._sensor = self._port, None, None
        if port is not None:
            port.close()

    def _read_once(self) -> Reading:
        """Switch the bias on, convert once, and switch it off again."""
        t_ns = self._clock.now_ns()
        try:
            self._configure(self._still | _CLEAR)
            self._clock.sleep_s(_BIAS_S)
            self._configure(self._still | _ONE_SHOT)
            self._clock.sleep_s(_ONE_SHOT_S[self._mains_hz])
            registers = self._registers()
            self._configure(self._still & ~_BIAS)
        except OSError:
            self.counters.bus_errors += 1
            return Reading(t_ns, 0, 0, Status.BUS_ERROR)
        if not self._is_set(registers, self._still):
            return Reading(t_ns, 0, 0, Status.BUS_ERROR)
        code, fault = _code(registers), registers[7]
        good = not fault and self._lowest <= code <= self._highest and 0 < code < _CODE_MAX
        return Reading(t_ns, code, fault, Status.OK if good else Status.FAULT)

    def _sample(self, t_ns: int, sensor: MAX31865) -> Reading:
        before = self._registers()
        if not self._is_set(before):
            return self._lost(t_ns)
        # The library answers a fault with a one-shot conversion that leaves the bias off: ask it only
        # where there is no fault, and look afterwards whether it did so all the same.
        if before[7] or self._found:
            return self._fault(t_ns, _code(before), before[7])
        code = int(sensor.read_rtd())
        after = self._registers()
        if not self._is_set(after):
            return self._lost(t_ns)
        if after[7] or not 0 < code < _CODE_MAX:
            return self._fault(t_ns, code, after[7])
        if max(abs(code - _code(before)), abs(code - _code(after))) > _AGREE_CODES:
            self.counters.bus_errors += 1
            return Reading(t_ns, code, 0, Status.BUS_ERROR)
        if t_ns < self._settled_ns:
            return Reading(t_ns, code, 0, Status.SETTLING)
        return Reading(t_ns, code, 0, Status.OK if self._lowest <= code <= self._highest else Status.FAULT)

    def _fault(self, t_ns: int, code: int, fault: int) -> Reading:
        """Find out what is broken, clear the latch and go on converting."""
        if t_ns < self._settled_ns:
            # While the bias comes up a threshold may trip: nothing is known yet.
            self._configure(self._config | _CLEAR)
            return Reading(t_ns, code, fault, Status.SETTLING)
        found = self._found
        return Reading(t_ns, code, fault | found | self._detect(), Status.FAULT)

    def _lost(self, t_ns: int) -> Reading:
        """Set a chip up again that is not as it was set: reset, or not there."""
        self.counters.resets += 1
        if self._set_up():
            return Reading(t_ns, 0, 0, Status.FAULT)
        self.counters.bus_errors += 1
        return Reading(t_ns, 0, 0, Status.BUS_ERROR)

    def _set_up(self) -> bool:
        """Set thresholds, wires and filter, look for faults and start. False where nothing answers."""
        assert self._port is not None
        self._port.transfer(bytes((_WRITE | _HIGH_THRESHOLD,)) + _THRESHOLDS)
        self._configure(self._still | _CLEAR)
        if not self._is_set(self._registers(), self._still):
            return False
        self._clock.sleep_s(_BIAS_S)
        self._detect()
        return self._is_set(self._registers())

    def _detect(self) -> int:
        """Run the fault-detection cycle, clear the latch, restart the conversions; get what it found."""
        clock = self._clock
        self._configure(self._still | _DETECT)
        end_ns = clock.now_ns() + _DETECTION_NS
        while (registers := self._registers())[_CONFIG] & _DETECTING and clock.now_ns() < end_ns:
            clock.sleep_s(0.0005)
        self._configure(self._still | _CLEAR)
        self._configure(self._config)
        self._settled_ns = clock.now_ns() + _SETTLING_NS
        self._found = registers[7]
        return self._found

    def _is_set(self, registers: bytes, config: int | None = None) -> bool:
        # The thresholds hold ones and zeros: neither a line stuck high nor one stuck low passes.
        return registers[_CONFIG] == (self._config if config is None else config) and (
            registers[_THRESHOLD_REGISTERS] == _THRESHOLDS
        )

    def _registers(self) -> bytes:
        """Get all eight registers as of one moment."""
        assert self._port is not None
        return self._port.transfer(_ALL_REGISTERS)[1:]

    def _configure(self, config: int) -> None:
        assert self._port is not None
        self._port.transfer(bytes((_WRITE | _CONFIG, config)))


def _code(registers: bytes) -> int:
    return int.from_bytes(registers[1:3]) >> 1
