"""A rig with physics: oven, vacuum, load cell and a sample that loses mass.

The chips' models ask it for a bridge ratio and for resistances at a time; an operator heats, pumps, vents and
places the sample. It must never be asked by a driver or by anything that measures: what is true here is for
the chips and for the check afterwards.

Not modelled: convection on the holder, moisture taken up again while cooling, an oven with gradients,
mechanical shocks, mains hum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from hw.clock import NS_PER_S

_KELVIN = 273.15
_A, _B, _C = 3.9083e-3, -5.775e-7, -4.183e-12  # IEC 60751
_GAS_J_PER_MOL_K = 8.314462618
_AIR_KG_M3, _ATMOSPHERE_PA = 1.184, 101_325.0  # at 25 °C


@dataclass(frozen=True, slots=True)
class Volatile:
    """A part of the sample that leaves it: first order, Arrhenius.

    ``fraction`` of the sample's mass, ``per_h_at_120c`` its rate at 120 °C under vacuum, ``activation_kj``
    its activation energy in kJ/mol.
    """

    fraction: float
    per_h_at_120c: float
    activation_kj: float = 60.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named sample on a named kind of load cell."""

    name: str
    about: str
    volatiles: tuple[Volatile, ...]
    zero_walk_g: float = 0.004
    """Standard deviation of the zero's random walk after one hour."""
    creep: float = 2.0e-5
    """Relative creep of the load within the first hour; a tail of half as much follows over hours."""


SCENARIOS = {
    s.name: s
    for s in (
        Scenario("solid", "a solid electrolyte with a trace of moisture", (Volatile(0.0011, 2.0, 45.0),)),
        Scenario("hybrid", "a hybrid solid-liquid cell", (Volatile(0.024, 0.55), Volatile(0.001, 2.0, 45.0))),
        Scenario("liquid", "a cell with liquid electrolyte", (Volatile(0.118, 0.8), Volatile(0.001, 2.0, 45.0))),
        Scenario("borderline", "a sample that loses about the limit", (Volatile(0.00502, 0.9),)),
        Scenario(
            "drift",
            "a solid sample on a load cell that wanders by as much as the limit",
            (Volatile(0.0011, 2.0, 45.0),),
            zero_walk_g=0.3,
            creep=4.0e-4,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class CellTruth:
    """What a load cell is really like. Ratios in V/V of the excitation, temperatures in °C."""

    capacity_g: float = 500.0
    ratio_at_capacity: float = 1.0e-3
    zero_ratio: float = 2.0e-5
    t_ref_c: float = 25.0
    zero_ratio_per_k: float = 2.0e-8
    """Positive: the zero rises with temperature (2e-8 is 0.02 % of full scale in 10 K)."""
    span_per_k: float = 1.5e-5
    linearity_per_g: float = -2.0e-8
    lag_s: float = 1500.0
    cell_per_oven: float = 0.12
    """How much of the oven's temperature above ambient reaches the cell in the end."""
    creep_s: float = 900.0
    creep_tail_s: float = 9_000.0


@dataclass(frozen=True, slots=True)
class RigTruth:
    """Everything that is true of a simulated rig before it starts."""

    scenario: Scenario = SCENARIOS["solid"]
    cell: CellTruth = field(default_factory=CellTruth)
    sample_g: float = 200.0
    sample_density_g_cm3: float = 2.5
    holder_g: float = 60.0
    holder_density_g_cm3: float = 7.9
    ambient_c: float = 25.0
    setpoint_c: float = 120.0
    ramp_c_per_min: float = 3.0
    cool_s: float = 1_500.0
    pump_s: float = 120.0
    vacuum_pa: float = 50.0


def drawn(truth: RigTruth, seed: int) -> RigTruth:
    """Draw a rig like ``truth``: its own sample, cell coefficients and room, the same for the same seed."""
    rng = np.random.default_rng((seed, 11))
    cell = truth.cell

    def about(value: float, relative: float) -> float:
        return float(value * (1.0 + relative * rng.uniform(-1.0, 1.0)))

    return replace(
        truth,
        sample_g=about(truth.sample_g, 0.02),
        ambient_c=truth.ambient_c + float(rng.uniform(-0.5, 0.5)),
        cell=replace(
            cell,
            zero_ratio_per_k=about(cell.zero_ratio_per_k, 0.5),
            span_per_k=about(cell.span_per_k, 0.5),
            zero_ratio=about(cell.zero_ratio, 1.0),
            lag_s=about(cell.lag_s, 0.2),
            cell_per_oven=about(cell.cell_per_oven, 0.15),
        ),
    )


class Rig:
    """The physics, moved on in steps of one second as far as anyone asks."""

    def __init__(self, truth: RigTruth, seed: int) -> None:
        self.truth = truth
        self._rng = np.random.default_rng((seed, 12))
        self._second = 0
        self._heating = False
        self._pumping = False
        self._on = False
        self._left = [v.fraction * truth.sample_g for v in truth.scenario.volatiles]
        self._inert_g = truth.sample_g - sum(self._left)
        self._oven_c = self._cell_c = truth.ambient_c
        self._wander_c = 0.0
        self._pa = _ATMOSPHERE_PA
        self._walk_g = 0.0
        self._creep_g = self._creep_tail_g = 0.0
        self._now = self._before = self._ratio()

    # what the operator does

    def place_sample(self) -> None:
        """Put the sample on the holder."""
        self._on = True

    def heat(self, on: bool) -> None:
        """Set the oven to its setpoint, or off."""
        self._heating = on

    def pump(self, on: bool) -> None:
        """Pump the chamber, or vent it."""
        self._pumping = on

    # what the chips see

    def bridge_ratio(self, t_ns: int) -> float:
        """Get the bridge's output in V/V of its excitation at ``t_ns``."""
        second, ns = divmod(t_ns, NS_PER_S)
        self._move_to(second + 1)
        return self._before + (self._now - self._before) * (ns / NS_PER_S)

    def oven_ohm(self, t_ns: int) -> float:
        """Get the resistance of the oven's Pt100 in Ω at ``t_ns``."""
        self._move_to(t_ns // NS_PER_S + 1)
        return _pt100_ohm(self._oven_c)

    def cell_ohm(self, t_ns: int) -> float:
        """Get the resistance of the load cell's Pt100 in Ω at ``t_ns``."""
        self._move_to(t_ns // NS_PER_S + 1)
        return _pt100_ohm(self._cell_c)

    # what is true

    @property
    def sample_mass_g(self) -> float:
        """Get the sample's true mass in g."""
        return self._inert_g + sum(self._left)

    @property
    def oven_c(self) -> float:
        """Get the oven's true temperature in °C."""
        return self._oven_c

    @property
    def pressure_pa(self) -> float:
        """Get the true pressure in Pa."""
        return self._pa

    def _move_to(self, second: int) -> None:
        while self._second < second:
            self._second += 1
            self._step()

    def _step(self) -> None:
        """Move on by one second."""
        truth, cell = self.truth, self.truth.cell
        a, b = self._rng.standard_normal(2).tolist()
        # the oven: a ramp that eases into its setpoint, then a wander of some 0.05 K; off: Newton's cooling
        if self._heating:
            gap_c = truth.setpoint_c - self._oven_c
            self._oven_c += min(truth.ramp_c_per_min / 60.0, gap_c / 120.0)
            self._wander_c += 0.01 * a - self._wander_c / 60.0
            self._oven_c += (self._wander_c if gap_c < 1.0 else 0.0) / 60.0
        else:
            self._oven_c += (truth.ambient_c - self._oven_c) / truth.cool_s
        target_c = truth.ambient_c + cell.cell_per_oven * (self._oven_c - truth.ambient_c)
        self._cell_c += (target_c - self._cell_c) / cell.lag_s
        # the vacuum
        goal_pa, tau_s = (truth.vacuum_pa, truth.pump_s) if self._pumping else (_ATMOSPHERE_PA, 20.0)
        self._pa += (goal_pa - self._pa) / tau_s
        # the sample
        kelvin = self._oven_c + _KELVIN
        boost = 1.0 if self._pa < 10_000.0 else 0.2  # air hinders what evaporates
        if self._on:
            for i, v in enumerate(truth.scenario.volatiles):
                arrhenius = math.exp(-v.activation_kj * 1e3 / _GAS_J_PER_MOL_K * (1.0 / kelvin - 1.0 / 393.15))
                self._left[i] -= self._left[i] * v.per_h_at_120c / 3600.0 * arrhenius * boost
        # the load cell
        load_g = self._load_g()
        creep = truth.scenario.creep
        self._creep_g += (creep * load_g - self._creep_g) / cell.creep_s
        self._creep_tail_g += (0.5 * creep * load_g - self._creep_tail_g) / cell.creep_tail_s
        self._walk_g += truth.scenario.zero_walk_g / 60.0 * b
        self._before, self._now = self._now, self._ratio()

    def _load_g(self) -> float:
        """Get the apparent load in g: what hangs on the cell, less the air it displaces."""
        truth = self.truth
        air_g_cm3 = _AIR_KG_M3 / 1000.0 * self._pa / _ATMOSPHERE_PA
        load_g = truth.holder_g * (1.0 - air_g_cm3 / truth.holder_density_g_cm3)
        if self._on:
            load_g += self.sample_mass_g * (1.0 - air_g_cm3 / truth.sample_density_g_cm3)
        return load_g

    def _ratio(self) -> float:
        cell = self.truth.cell
        dt_c = self._cell_c - cell.t_ref_c
        load_g = self._load_g() + self._creep_g + self._creep_tail_g + self._walk_g
        bent_g = load_g - cell.linearity_per_g * load_g * load_g
        per_g = cell.ratio_at_capacity / cell.capacity_g
        return cell.zero_ratio + cell.zero_ratio_per_k * dt_c + bent_g * per_g * (1.0 + cell.span_per_k * dt_c)


def _pt100_ohm(temp_c: float) -> float:
    cold = _C * (temp_c - 100.0) * temp_c**3 if temp_c < 0.0 else 0.0
    return 100.0 * (1.0 + temp_c * (_A + _B * temp_c) + cold)
