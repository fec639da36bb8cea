"""A simulated world: a rig with what happens to it, the chips on it, and the machine that reads them.

This module must never tell what measures what is true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from calibration.certificate import Certificate
from edge.instrument.acquisition import Instrument
from edge.instrument.config import BarometerConfig, Config, oven_of
from hw.barometer import Barometer, Bosch280
from hw.clock import Clock, SimClock
from hw.sim.barometer import Bosch280Model
from hw.sim.disturbances import Disturbances
from hw.sim.i2c import I2cBus, SimSMBus
from hw.sim.rig import Rig, RigTruth

from .balance import WorldBalance
from .clocks import MachineClock
from .instrument import PROBE, Chips, Wiring, calibrated, chips_on, instrument_on, rig_of

COLD_S, PUMPED_S, COOLED_S = 1_500, 600, 7_200
"""About how long a sample lies cold before M1, then without heat in vacuum, and cools before M2."""


@dataclass(frozen=True, slots=True)
class World:
    """What a simulated station stands in. ``clock`` is the world's time, ``machine`` that of the machine in it."""

    clock: SimClock
    machine: MachineClock
    rig: Rig
    disturbances: Disturbances
    chips: Chips
    certificate: Certificate
    balance: WorldBalance
    barometer_chip: Bosch280Model

    def instrument(self, config: Config, looks: int) -> Instrument:
        """Get the real drivers, set as ``config`` says. Raises ``BadSetting`` for what a chip does not have."""
        cell = config.cell_probe or PROBE
        return instrument_on(self.chips, Wiring(config.bridge, oven_of(config), cell), self.clock, self.machine, looks)

    def barometer(self, config: BarometerConfig | None) -> Barometer | None:
        """Get the real driver of the barometer that the settings name (None: they name none), on its chip model."""
        return None if config is None else barometer_on(self.barometer_chip, config, self.clock, self.machine)

    def pass_s(self, seconds: float) -> None:
        """Let time pass while nobody measures."""
        self.clock.sleep_s(seconds)
        self.disturbances.bridge_ratio(self.clock.now_ns())


def barometer_on(model: Bosch280Model, config: BarometerConfig, clock: SimClock, machine: Clock) -> Barometer:
    """Get the real driver of a barometer on its chip model, on a bus of its own."""
    bus = I2cBus(clock)
    bus.attach(config.address, model)
    return Bosch280(lambda: SimSMBus(bus), machine, chip=config.chip, address=config.address)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What draws a world. ``loss_pct`` is what the sample loses in a hold of ``hold_s`` (None: the scenario's).

    ``barometer`` is the chip that lies in the room.
    """

    scenario: str
    bridge: str
    seed: int
    loss_pct: float | None = None
    hold_s: float = 21_600.0
    barometer: str = "bmp280"


def build_world(drawn: Drawn, clock: SimClock, name: str = "simulated") -> World:
    """Build a world. The same arguments give the same codes; ``name`` is what the machine's boots are called by."""
    rig = rig_of(drawn.scenario, drawn.seed)
    if drawn.loss_pct is not None:
        rig = Rig(losing(rig.truth, drawn.seed, drawn.loss_pct, drawn.hold_s), drawn.seed)
    disturbances = Disturbances(rig, drawn.seed)
    chips = chips_on(disturbances, drawn.bridge, clock, drawn.seed)
    certificate = calibrated(rig.truth, drawn.bridge, drawn.seed)
    balance = WorldBalance(disturbances, drawn.seed)
    air = Bosch280Model(clock, disturbances.room_pa, rig.room_c, chip=drawn.barometer, seed=drawn.seed + 3)
    return World(clock, MachineClock(clock, name), rig, disturbances, chips, certificate, balance, air)


def losing(truth: RigTruth, seed: int, loss_pct: float, hold_s: float) -> RigTruth:
    """Get a rig whose sample loses about ``loss_pct`` in a test: a loss grows as its volatile parts do."""
    rig = Rig(truth, seed)
    rig.place_sample()
    rig.stretch(COLD_S)
    before_g = rig.sample_mass_g
    rig.pump(True)
    rig.stretch(PUMPED_S)
    rig.heat(True)
    rig.stretch(round((truth.setpoint_c - truth.ambient_c) / truth.ramp_c_per_min * 60.0 + hold_s))
    rig.heat(False)
    rig.stretch(COOLED_S)
    share = loss_pct / 100.0 / ((before_g - rig.sample_mass_g) / before_g)
    parts = tuple(replace(part, fraction=part.fraction * share) for part in truth.scenario.volatiles)
    return replace(truth, scenario=replace(truth.scenario, volatiles=parts))
