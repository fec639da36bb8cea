"""The simulated rig as a calibration's bench: it does what it is asked and hides its truth.

This module must never answer with more than a person and a rig could.
"""

from __future__ import annotations

import math

import numpy as np

from calibration.calibration_record import ThermometerPlace, Weight
from calibration.weights import true_mass_g
from edge.guided_calibration.bench import Ask, Bench, Resistance
from edge.instrument.config import Config
from hw.clock import NS_PER_S
from hw.sim.barometer import Bosch280Model

from .world import barometer_on

PUMPED_S = 600
CORNER_PER_G, AGAIN_G = 1e-4, 0.002
"""Standard deviations: of what a place on the holder does to a load, in g/g, and of what putting it on again does."""


def _weather_pa(t_ns: int) -> float:
    """Get the air's pressure on the simulated bench: 4 hPa up and down in 14 h; its load cell feels nothing."""
    return 101_325.0 + 200.0 * math.sin(2.0 * math.pi * t_ns / (14.0 * 3600.0 * NS_PER_S))


class SimulatedBench(Bench):
    """The simulated rig, through the real drivers. Its weights and converters are a little off, as real ones are.

    ``ask`` shows a person what is to be done before it is done (None: nobody is asked).
    """

    def __init__(self, config: Config, seed: int, ask: Ask | None = None) -> None:
        from .instrument import build

        chip = config.bridge.chip.removesuffix("_spi")
        simulated = build("solid", chip, seed, any_ohm=True)
        barometer = None
        if config.barometer is not None:
            air = Bosch280Model(simulated.clock, _weather_pa, chip=config.barometer.chip, seed=seed + 3)
            barometer = barometer_on(air, config.barometer, simulated.clock, simulated.clock)
        super().__init__(
            lambda: simulated.instrument, simulated.clock, None, ask or (lambda _text: ""), barometer=barometer
        )
        self.rig, self.chips, self._seed = simulated.rig, simulated.chips, seed
        self._again = np.random.default_rng((seed, 44))
        rng = np.random.default_rng((seed, 42))
        self.chips.oven.ref_ohm *= 1.0 + float(rng.uniform(-1e-3, 1e-3))
        self.chips.oven.wires = 4 if config.oven_probe is None else config.oven_probe.wires
        self.chips.oven.lead_ohm = float(rng.uniform(0.2, 0.8))

    def put(self, weight: Weight | None) -> None:
        """Put the weight on, off by an error drawn from the uncertainty that it states."""
        super().put(weight)
        self.rig.place_weight(0.0 if weight is None else self.hidden_mass_g(weight))

    def place(self, weight: Weight, where: str) -> None:
        """Put the weight there: each place shows it a little otherwise, and each time does too."""
        super().place(weight, where)
        per_g = float(np.random.default_rng((self._seed, 43, *where.encode())).normal(0.0, CORNER_PER_G))
        again_g = float(self._again.normal(0.0, AGAIN_G))
        self.rig.place_weight(self.hidden_mass_g(weight) * (1.0 + per_g) + again_g)

    def hidden_mass_g(self, weight: Weight) -> float:
        """Get the true mass of the weight that lies there, as one of the rig's own steel."""
        rng = np.random.default_rng((self._seed, 41, round(weight.mass_g * 1e3)))
        true_g = true_mass_g(weight) + weight.u_mass_g * float(rng.standard_normal())
        air = 1.184
        return true_g * (1.0 - air / weight.density_kg_m3) / (1.0 - air / 7950.0)

    def connect(self, kind: Resistance, ohm: float, probe: ThermometerPlace) -> None:
        """Connect it to the chip model."""
        super().connect(kind, ohm, probe)
        value = 100.0 if kind == "ice" else ohm
        (self.chips.oven if probe == "oven" else self.chips.cell).resistance = lambda _t_ns: value

    def leave(self, probe: ThermometerPlace) -> None:
        """Leave it in its place, where its current warms it by what the seed draws."""
        super().leave(probe)
        chip = self.chips.oven if probe == "oven" else self.chips.cell
        chip.resistance = self.rig.oven_ohm if probe == "oven" else self.rig.cell_ohm
        chip.heats_k = float(np.random.default_rng((self._seed, 43)).uniform(0.2, 0.8))

    def pump(self, vacuum_hpa: float | None) -> None:
        """Pump it down, or vent it, and wait."""
        self.rig.pump(vacuum_hpa is not None)
        self.record(PUMPED_S)

    def warm(self, minute: int, minutes: int, *, loaded: bool) -> None:
        """Let it settle (under load two hours, or a quarter of the time), heat for three sevenths of the rest, cool."""
        rest = min(120.0 if loaded else 30.0, minutes / 4.0)
        self.rig.heat(rest <= minute < rest + math.floor((minutes - rest) * 3.0 / 7.0))
