"""What happens to a rig besides its test: shocks, draughts, moisture, weather, wires, another thermometer.

It stands between the rig and the chips: a rig to which nothing happens gives the same signals with it as without it.
Loads are apparent ones, in g on the load cell. It must never be asked by a driver or by anything that measures.

Not modelled: what a disturbance of the load does to the creep, and the bend and the span's temperature of so small a
load.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hw.clock import NS_PER_S

from .rig import Rig

_STANDARD_HPA = 1013.25
_AIR_G_CM3 = 1.184e-3  # at 25 °C and 1013.25 hPa
_VENTED_PA = 10_000.0
"""Below it there is no moisture to take up, and what dries in air is gone."""
VMIN_OF_CAPACITY = 1e-4
"""A load cell's least verification interval of its capacity (OIML R 60, Y = 10 000)."""


@dataclass(slots=True)
class _Draught:
    """A wandering load: first-order autoregressive, of so many g rms."""

    sd_g: float
    tau_s: float
    now_g: float = 0.0

    def blow(self, deviate: float) -> None:
        keeps = math.exp(-1.0 / self.tau_s)
        self.now_g = keeps * self.now_g + math.sqrt(1.0 - keeps * keeps) * self.sd_g * deviate


class Disturbances:
    """A rig's signals with all that happens to it; moved on in steps of one second as far as a chip asks.

    What is changed here holds from the second that is asked for next.
    """

    def __init__(self, rig: Rig, seed: int) -> None:
        self.rig = rig
        self._rng = np.random.default_rng((seed, 14))
        cell = rig.truth.cell
        self._ratio_per_g = cell.ratio_at_capacity / cell.capacity_g
        self._second = 0
        self._quiet = True
        self._sign = 1.0
        self._before_g = self._now_g = 0.0
        self._step_g = self._drifted_g = 0.0
        self._drift_g_per_s = self._regain_g_per_s = self._dry_g_per_s = 0.0
        self._regained_g = self._dried_g = 0.0
        self._draught: _Draught | None = None
        self._weather_kpa = self._zero_g_per_kpa = 0.0
        self._oven_ohm: float | None = None

    # what happens

    def step(self, mass_g: float) -> None:
        """Move the indication once and for good: a knock, a touched cable, something that fell on the holder."""
        self._quiet = False
        self._step_g += mass_g

    def drift(self, g_per_h: float) -> None:
        """Let the zero drift from now on."""
        self._quiet = False
        self._drift_g_per_s = g_per_h / 3600.0

    def draught(self, sd_g: float | None, tau_s: float = 1.0) -> None:
        """Let air move the load by so many g rms, with so long a memory; None: the air is still."""
        self._quiet = False
        self._draught = None if sd_g is None else _Draught(sd_g, tau_s)

    def regain(self, g_per_h: float) -> None:
        """Let the sample take up moisture as long as there is air around it. It is no part of its true mass."""
        self._quiet = False
        self._regain_g_per_s = g_per_h / 3600.0

    def dry(self, g_per_h: float) -> None:
        """Let the sample dry until the air is pumped away. What has dried is part of what it lost."""
        self._quiet = False
        self._dry_g_per_s = g_per_h / 3600.0

    def weather(self, hpa: float, zero_vmin_per_kpa: float) -> None:
        """Change the air's pressure outside: the buoyancy of all that hangs there, and the cell's zero with it."""
        self._quiet = False
        self._weather_kpa = (hpa - _STANDARD_HPA) / 10.0
        self._zero_g_per_kpa = zero_vmin_per_kpa * VMIN_OF_CAPACITY * self.rig.truth.cell.capacity_g

    def swap_wires(self) -> None:
        """Swap the bridge's two signal wires: its output has the other sign."""
        self._sign = -self._sign

    def oven_element(self, ohm: float | None) -> None:
        """Put an element of this resistance in the place of the oven's thermometer; None: the right one again."""
        self._oven_ohm = ohm

    # what the chips see

    def bridge_ratio(self, t_ns: int) -> float:
        """Get the bridge's output in V/V of its excitation at ``t_ns``."""
        ratio = self.rig.bridge_ratio(t_ns)
        if self._quiet:
            return self._sign * ratio
        second, ns = divmod(t_ns, NS_PER_S)
        self._move_to(second + 1)
        more_g = self._before_g + (self._now_g - self._before_g) * (ns / NS_PER_S)
        return self._sign * (ratio + more_g * self._ratio_per_g)

    def oven_ohm(self, t_ns: int) -> float:
        """Get the resistance at the oven's thermometer's terminals in Ω at ``t_ns``."""
        return self.rig.oven_ohm(t_ns) if self._oven_ohm is None else self._oven_ohm

    def cell_ohm(self, t_ns: int) -> float:
        """Get the resistance of the load cell's Pt100 in Ω at ``t_ns``."""
        return self.rig.cell_ohm(t_ns)

    def room_pa(self, _t_ns: int) -> float:
        """Get the pressure of the room's air in Pa, whatever is in the oven."""
        return _STANDARD_HPA * 100.0 + self._weather_kpa * 1000.0

    # what is true

    @property
    def dry_mass_g(self) -> float:
        """Get the sample's true mass in g, without the moisture that it took up again."""
        return self.rig.sample_mass_g - self._dried_g

    @property
    def on_pan_g(self) -> float:
        """Get what a perfect balance in the room shows of the sample, in g: in air, adjusted with steel of 8 g/cm³."""
        mass_g = self.rig.sample_mass_g - self._dried_g + self._regained_g
        return mass_g * (1.0 - _AIR_G_CM3 / self.rig.truth.sample_density_g_cm3) / (1.0 - 1.2e-3 / 8.0)

    def _move_to(self, second: int) -> None:
        if self._second == 0:  # what happens first begins now
            self._second = second - 1
        for _ in range(second - self._second):
            self._move()
        self._second = max(self._second, second)

    def _move(self) -> None:
        """Move on by one second."""
        rig = self.rig
        vented = rig.pressure_pa > _VENTED_PA
        if rig.sample_is_on:
            if vented:
                self._regained_g += self._regain_g_per_s
                self._dried_g += self._dry_g_per_s
            else:
                self._regained_g = self._dry_g_per_s = 0.0
        self._drifted_g += self._drift_g_per_s
        if self._draught is not None:
            self._draught.blow(float(self._rng.standard_normal()))
        self._before_g, self._now_g = self._now_g, self._load_g(vented)

    def _load_g(self, vented: bool) -> float:
        rig, truth = self.rig, self.rig.truth
        load_g = self._step_g + self._drifted_g
        if self._draught is not None:
            load_g += self._draught.now_g
        if rig.sample_is_on:
            load_g += self._regained_g - self._dried_g
        if vented and self._weather_kpa:
            volume_cm3 = truth.holder_g / truth.holder_density_g_cm3
            if rig.sample_is_on:
                volume_cm3 += rig.sample_mass_g / truth.sample_density_g_cm3
            air_g_cm3 = _AIR_G_CM3 * self._weather_kpa * 10.0 / _STANDARD_HPA
            load_g += self._zero_g_per_kpa * self._weather_kpa - air_g_cm3 * volume_cm3
        return load_g
