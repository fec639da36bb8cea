"""Drivers on simulated chips, for the tests of ``hw``: each rig is wired as the real one is."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.simulate.instrument import BEGINS_WALL_S
from hw.clock import NS_PER_S, SimClock
from hw.hx711 import Hx711
from hw.hx711_spi import Hx711Spi
from hw.max31865 import Max31865Rtd
from hw.nau7802 import Nau7802
from hw.protocols import Bridge, Conversion, Probe, Reading, Status
from hw.sim.gauges import Ads1115Model, MprModel
from hw.sim.hx711 import Hx711Model
from hw.sim.i2c import I2cBus, SimSMBus
from hw.sim.max31865 import Max31865Model
from hw.sim.nau7802 import Nau7802Model
from hw.sim.pins import SimPinFactory
from hw.sim.spi import SimSpiPort, SimSpiPulses
from hw.vacuum_gauge import Ads1115Gauge, MprlsGauge

RATIO = 2e-4
"""100 g on a 500 g cell of 1 mV/V, in V/V."""


class ScriptedClock(SimClock):
    """A simulated clock that does things at their time, also in the middle of a transfer."""

    def __init__(self, wall_start_s: float = BEGINS_WALL_S) -> None:
        super().__init__(wall_start_s)
        self._events: list[tuple[int, int, Callable[[], None]]] = []

    def at(self, t_ns: int, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (t_ns, len(self._events), event))

    def sleep_s(self, seconds: float) -> None:
        if seconds > 0.0:
            self._move(self.now_ns() + round(seconds * NS_PER_S))

    def advance_ns(self, ns: int) -> None:
        self._move(self.now_ns() + ns)

    def _move(self, end_ns: int) -> None:
        while self._events and self._events[0][0] <= end_ns:
            t_ns, _, event = heapq.heappop(self._events)
            super().advance_ns(max(0, t_ns - self.now_ns()))
            event()
        super().advance_ns(max(0, end_ns - self.now_ns()))


def steady(_t_ns: int) -> float:
    return RATIO


@dataclass
class NauRig:
    """A NAU7802 on an I²C bus."""

    signal: Callable[[int], float] = steady
    driver_settings: dict[str, object] = field(default_factory=dict)
    chip_settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ScriptedClock()
        self.chip = Nau7802Model(self.clock, self.signal, **self.chip_settings)
        self.bus = I2cBus(self.clock)
        self.bus.attach(0x2A, self.chip)
        self.smbus = SimSMBus(self.bus)
        self.driver = Nau7802(self._open_bus, self.clock, **self.driver_settings)

    def _open_bus(self) -> SimSMBus:
        self.smbus = SimSMBus(self.bus)
        return self.smbus


@dataclass
class HxRig:
    """An HX711 on GPIO 5 (SCK) and 6 (DOUT)."""

    signal: Callable[[int], float] = steady
    driver_settings: dict[str, object] = field(default_factory=dict)
    chip_settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ScriptedClock()
        self.chip = Hx711Model(self.clock, self.signal, **self.chip_settings)
        self.pins = SimPinFactory(self.clock)
        self.pins.wire(sck=5, dout=6, chip=self.chip)
        self.driver = Hx711(
            sck_pin=5,
            dout_pin=6,
            clock=self.clock,
            pin_factory=self.pins,
            **self.driver_settings,
        )


@dataclass
class HxSpiRig:
    """An HX711 on an SPI port: MOSI to SCK, MISO to DOUT."""

    signal: Callable[[int], float] = steady
    driver_settings: dict[str, object] = field(default_factory=dict)
    chip_settings: dict[str, object] = field(default_factory=dict)
    port_settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ScriptedClock()
        self.chip = Hx711Model(self.clock, self.signal, **self.chip_settings)
        self.port = SimSpiPulses(self.chip, self.clock, **self.port_settings)
        self.driver = Hx711Spi(lambda: self.port, self.clock, **self.driver_settings)


@dataclass
class RtdRig:
    """A MAX31865 on an SPI port, with a Pt100 at 120 °C."""

    resistance: Callable[[int], float] = lambda _t_ns: 146.068
    driver_settings: dict[str, object] = field(default_factory=dict)
    chip_settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ScriptedClock()
        self.chip = Max31865Model(self.clock, self.resistance, **self.chip_settings)
        self.port = SimSpiPort(self.chip, self.clock)
        settings = {"wires": 4, "ref_ohm": 430.0, "mains_hz": 50} | self.driver_settings
        self.driver = Max31865Rtd(lambda: self.port, self.clock, **settings)

    def read(self, count: int, every_s: float = 0.2) -> list[Reading]:
        return read_probe(self.driver, self.clock, count, every_s)


@dataclass
class MprRig:
    """An MPR on an I²C bus, in a chamber at 5 kPa."""

    pressure: Callable[[int], float] = lambda _t_ns: 5_000.0
    driver_settings: dict[str, object] = field(default_factory=dict)
    chip_settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ScriptedClock()
        self.chip = MprModel(self.clock, self.pressure, **self.chip_settings)
        self.bus = I2cBus(self.clock)
        self.bus.attach(0x18, self.chip)
        self.driver = MprlsGauge(lambda: SimSMBus(self.bus), self.clock, **self.driver_settings)

    def read(self, count: int, every_s: float = 0.2) -> list[Reading]:
        return read_probe(self.driver, self.clock, count, every_s)


@dataclass
class AdsRig:
    """An analogue gauge of 1.5 V on input 2 of an ADS1115."""

    volts: Callable[[int, int], float] = lambda channel, _t_ns: 1.5 if channel == 2 else 0.1
    driver_settings: dict[str, object] = field(default_factory=dict)
    chip_settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = ScriptedClock()
        self.chip = Ads1115Model(self.clock, self.volts, **self.chip_settings)
        self.bus = I2cBus(self.clock)
        self.bus.attach(0x48, self.chip)
        settings = {"channel": 2, "full_scale_v": 4.096} | self.driver_settings
        self.driver = Ads1115Gauge(lambda: SimSMBus(self.bus), self.clock, **settings)

    def read(self, count: int, every_s: float = 0.2) -> list[Reading]:
        return read_probe(self.driver, self.clock, count, every_s)


def read(bridge: Bridge, clock: SimClock, count: int, within_s: float = 0.5) -> list[Conversion]:
    """Read ``count`` samples, each with a deadline ``within_s`` from its call."""
    within_ns = round(within_s * NS_PER_S)
    return [bridge.read(clock.now_ns() + within_ns) for _ in range(count)]


def read_probe(probe: Probe, clock: SimClock, count: int, every_s: float) -> list[Reading]:
    """Read ``count`` samples, each ``every_s`` after the one before."""
    samples = []
    for _ in range(count):
        clock.sleep_s(every_s)
        samples.append(probe.read())
    return samples


def names(samples: list[Conversion] | list[Reading]) -> list[str]:
    """Get the statuses in a row, each named once per run of it."""
    row: list[str] = []
    for sample in samples:
        name = Status(sample.status).name
        if not row or row[-1] != name:
            row.append(name)
    return row


def numbers(samples: list[Conversion]) -> list[Conversion]:
    """Get the samples that count as numbers."""
    return [s for s in samples if s.status == Status.OK]
