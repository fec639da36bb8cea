"""A service in real time: drivers, fold, alarms, panel, journal and socket, on chip models, by the machine's clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpiozero.pins.mock import MockFactory
from simulated_service import settings

from edge.control.server import Control
from edge.database.journal import Journal
from edge.instrument.acquisition import Instrument
from edge.simulate.instrument import PROBE, Simulated, calibrated, chips_on, rig_of
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import LOOKS, PATIENCE_S, Connections, Service
from hw.clock import BootClock
from hw.max31865 import Max31865Rtd
from hw.nau7802 import ADDRESS, Nau7802
from hw.panel import Panel
from hw.sim.i2c import I2cBus, SimSMBus
from hw.sim.spi import SimSpiPort


class ModelsClock(BootClock):
    """The machine's clock, as the models' buses want it: a transfer takes its real time."""

    start_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def now_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self.start_ns

    def advance_ns(self, ns: int) -> None:
        time.sleep(ns / 1e9)


@contextmanager
def real_time_station(folder: Path, rate_sps: int) -> Iterator[tuple[Service, ModelsClock]]:
    """Open a station in ``folder``, its socket there as ``s``; the caller lets it measure."""
    clock = ModelsClock()
    rig = rig_of("solid", 1)
    chips = chips_on(rig, "nau7802", clock, 1, rate_sps)
    bus = I2cBus(clock)  # type: ignore[arg-type]  # it has what the bus uses
    bus.attach(ADDRESS, chips.bridge)  # type: ignore[arg-type]  # a NAU7802
    bridge = Nau7802(lambda: SimSMBus(bus), clock, gain=128, rate_sps=rate_sps)

    def probe(chip: object) -> Max31865Rtd:
        port = lambda: SimSpiPort(chip, clock)  # type: ignore[arg-type]  # noqa: E731
        return Max31865Rtd(port, clock, wires=PROBE.wires, ref_ohm=PROBE.ref_ohm, mains_hz=PROBE.mains_hz)

    instrument = Instrument(bridge, probe(chips.oven), probe(chips.cell), clock, looks=LOOKS)
    certificate = calibrated(rig.truth, "nau7802", 1, rate_sps)
    config = settings(folder, Simulated(clock, rig, chips, instrument, certificate))  # type: ignore[arg-type]  # a real clock
    panel = Panel(clock, relay_pin="GPIO25", lamp_pin="GPIO22", pin_factory=MockFactory())
    with Journal(folder / "halfpercent.db", PATIENCE_S) as journal:
        service = Service(
            config, instrument, RetryingWriter(journal, clock, 5), clock, Connections(Control(folder / "s"), panel)
        )
        with service:
            instrument.open()
            service._warm.result()
            try:
                yield service, clock
            finally:
                instrument.close()
