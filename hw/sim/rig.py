"""A rig with physics: oven, vacuum, load cell and a sample that loses mass.

The chips' models ask it for a bridge ratio and for resistances at a time; an operator heats, pumps, vents and
places the sample. It must never be asked by a driver or by anything that measures: what is true here is for
the chips and for the check afterwards.

Not modelled: convection on the holder, an oven with gradients, mains hum. Shocks, draughts, moisture and weather are
:mod:`hw.sim.disturbances`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hw.clock import NS_PER_S
from hw.compiled import call, compiled
from hw.errors import BadSetting

F8 = npt.NDArray[np.float64]

_KELVIN = 273.15
_A, _B, _C = 3.9083e-3, -5.775e-7, -4.183e-12  # IEC 60751
_GAS_J_PER_MOL_K = 8.314462618
_AIR_KG_M3, _ATMOSPHERE_PA = 1.184, 101_325.0  # at 25 °C
_VENT_S = 20.0
_STEEL_G_CM3 = 7.95
_DAY_S = 86_400.0
_DRAWN = 1024


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
    ambient_swing_c: float = 0.0
    """How far the room goes up and down in a day, from ``ambient_c`` at the start upwards."""
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


MOST_VOLATILES = 3

_STATE = np.dtype(
    [(name, "f8") for name in ("oven_c", "wander_c", "cell_c", "pressure_pa", "walk_g", "creep_g", "creep_tail_g")]
    + [(name, "f8") for name in ("inert_g", "weight_g", "heating", "pumping", "on", "before", "now", "t_s")]
    + [("left_g", "f8", (MOST_VOLATILES,))]
)


class Rig:
    """The physics, moved on in steps of one second as far as anyone asks."""

    def __init__(self, truth: RigTruth, seed: int) -> None:
        if len(truth.scenario.volatiles) > MOST_VOLATILES:
            raise BadSetting(f"a scenario has at most {MOST_VOLATILES} volatile parts")
        self.truth = truth
        self._rng = np.random.default_rng((seed, 12))
        self._drawn = np.empty((0, 2))
        self._second = 0
        self._state = np.zeros(1, _STATE)
        self._params = _params(truth)
        parts_g = [v.fraction * truth.sample_g for v in truth.scenario.volatiles]
        self._set("inert_g", truth.sample_g - sum(parts_g))
        self._state["left_g"][0, : len(parts_g)] = parts_g
        self._set("oven_c", truth.ambient_c)
        self._set("cell_c", truth.ambient_c)
        self._set("pressure_pa", _ATMOSPHERE_PA)
        ratio = call(_ratio, self._state[0], self._params[0])
        self._set("now", ratio)
        self._set("before", ratio)
        # What the chips ask for many times a second, as plain numbers.
        self._before = self._now = float(ratio)
        self._oven_c = self._cell_c = truth.ambient_c

    def _set(self, name: str, value: float) -> None:
        self._state[name] = value

    def _get(self, name: str) -> float:
        return float(self._state[name][0])

    # what the operator does

    def place_sample(self, on: bool = True) -> None:
        """Put the sample on the holder, or take it off."""
        self._set("on", float(on))

    def place_weight(self, mass_g: float) -> None:
        """Put a steel check weight (or an inert dummy) on the holder; 0 takes it off."""
        self._set("weight_g", mass_g)

    def heat(self, on: bool) -> None:
        """Set the oven to its setpoint, or off."""
        self._set("heating", float(on))

    def turn_oven_to(self, temp_c: float | None) -> None:
        """Give the oven another setpoint; None: its own again."""
        self._params["setpoint_c"] = self.truth.setpoint_c if temp_c is None else temp_c

    def pump(self, on: bool) -> None:
        """Pump the chamber, or vent it."""
        self._set("pumping", float(on))

    # what the chips see

    def bridge_ratio(self, t_ns: int) -> float:
        """Get the bridge's output in V/V of its excitation at ``t_ns``."""
        second, ns = divmod(t_ns, NS_PER_S)
        if second >= self._second:
            self._move_to(second + 1)
        return self._before + (self._now - self._before) * (ns / NS_PER_S)

    def oven_ohm(self, t_ns: int) -> float:
        """Get the resistance of the oven's Pt100 in Ω at ``t_ns``."""
        self._move_to(t_ns // NS_PER_S + 1)
        return pt100_ohm(self._oven_c)

    def cell_ohm(self, t_ns: int) -> float:
        """Get the resistance of the load cell's Pt100 in Ω at ``t_ns``."""
        self._move_to(t_ns // NS_PER_S + 1)
        return pt100_ohm(self._cell_c)

    def room_c(self, _t_ns: int) -> float:
        """Get the room's temperature in °C, as a chip beside the Pi has it."""
        return self.truth.ambient_c

    def stretch(self, seconds: int) -> tuple[F8, F8, F8]:
        """Move on by ``seconds`` at once: bridge ratios at each end of them, oven and cell in °C within each.

        Shapes (seconds + 1,), (seconds,), (seconds,): what the chips would see, without asking for it.
        """
        out = self._steps(seconds)
        return np.append(out[:, 0], out[-1, 1]), out[:, 2], out[:, 3]

    # what is true

    @property
    def sample_is_on(self) -> bool:
        """Get whether the sample lies on the holder."""
        return self._get("on") > 0.0

    @property
    def heating(self) -> bool:
        """Get whether the oven is on."""
        return self._get("heating") > 0.0

    @property
    def sample_mass_g(self) -> float:
        """Get the sample's true mass in g."""
        return self._get("inert_g") + float(np.sum(self._state["left_g"]))

    @property
    def oven_c(self) -> float:
        """Get the oven's true temperature in °C."""
        return self._oven_c

    @property
    def pressure_pa(self) -> float:
        """Get the true pressure in Pa."""
        return self._get("pressure_pa")

    def _move_to(self, second: int) -> None:
        if second > self._second:
            self._steps(second - self._second)

    def _steps(self, n: int) -> F8:
        out = np.empty((n, 4))
        call(_move, self._state, self._params, self._deviates(n), out)
        self._second += n
        self._before, self._now, self._oven_c, self._cell_c = out[-1].tolist()
        return out

    def _deviates(self, n: int) -> F8:
        """Get the next ``n`` rows of normal deviates, drawn in blocks because a draw at a time is slow."""
        if n > len(self._drawn):
            more = self._rng.standard_normal((max(n, _DRAWN), 2))
            self._drawn = np.concatenate([self._drawn, more])
        taken, self._drawn = self._drawn[:n], self._drawn[n:]
        return taken


def pt100_ohm(temp_c: float) -> float:
    """Get the resistance of a Pt100 in Ω (IEC 60751) at ``temp_c``."""
    cold = _C * (temp_c - 100.0) * temp_c**3 if temp_c < 0.0 else 0.0
    return 100.0 * (1.0 + temp_c * (_A + _B * temp_c) + cold)


_PARAMS = np.dtype(
    [(name, "f8") for name in ("ambient_c", "swing_c", "setpoint_c", "ramp_c_per_s", "cool_s", "vacuum_pa", "pump_s")]
    + [(name, "f8") for name in ("cell_per_oven", "lag_s", "creep", "creep_s", "creep_tail_s", "walk_g")]
    + [(name, "f8") for name in ("holder_g", "holder_density", "sample_density", "zero_ratio", "zero_ratio_per_k")]
    + [(name, "f8") for name in ("t_ref_c", "ratio_per_g", "span_per_k", "linearity_per_g")]
    + [("rate_per_s", "f8", (MOST_VOLATILES,)), ("activation_j", "f8", (MOST_VOLATILES,))]
)


def _params(truth: RigTruth) -> npt.NDArray[np.void]:
    cell, scenario = truth.cell, truth.scenario
    values = {
        "ambient_c": truth.ambient_c,
        "swing_c": truth.ambient_swing_c,
        "setpoint_c": truth.setpoint_c,
        "ramp_c_per_s": truth.ramp_c_per_min / 60.0,
        "cool_s": truth.cool_s,
        "vacuum_pa": truth.vacuum_pa,
        "pump_s": truth.pump_s,
        "cell_per_oven": cell.cell_per_oven,
        "lag_s": cell.lag_s,
        "creep": scenario.creep,
        "creep_s": cell.creep_s,
        "creep_tail_s": cell.creep_tail_s,
        "walk_g": scenario.zero_walk_g / 60.0,
        "holder_g": truth.holder_g,
        "holder_density": truth.holder_density_g_cm3,
        "sample_density": truth.sample_density_g_cm3,
        "zero_ratio": cell.zero_ratio,
        "zero_ratio_per_k": cell.zero_ratio_per_k,
        "t_ref_c": cell.t_ref_c,
        "ratio_per_g": cell.ratio_at_capacity / cell.capacity_g,
        "span_per_k": cell.span_per_k,
        "linearity_per_g": cell.linearity_per_g,
    }
    out = np.zeros(1, _PARAMS)
    for name, value in values.items():
        out[name] = value
    for i, volatile in enumerate(scenario.volatiles):
        out["rate_per_s"][0, i] = volatile.per_h_at_120c / 3600.0
        out["activation_j"][0, i] = volatile.activation_kj * 1e3
    return out


# The physics itself, compiled: one step a second, on plain records.


@compiled
def _load_g(s: Any, p: Any) -> Any:
    """Get the apparent load in g: what hangs on the cell, less the air it displaces."""
    air_g_cm3 = _AIR_KG_M3 / 1000.0 * s["pressure_pa"] / _ATMOSPHERE_PA
    load_g = p["holder_g"] * (1.0 - air_g_cm3 / p["holder_density"])
    load_g += s["weight_g"] * (1.0 - air_g_cm3 / _STEEL_G_CM3)
    if s["on"] > 0.0:
        mass_g = s["inert_g"] + s["left_g"][0] + s["left_g"][1] + s["left_g"][2]
        load_g += mass_g * (1.0 - air_g_cm3 / p["sample_density"])
    return load_g


@compiled
def _ratio(s: Any, p: Any) -> Any:
    """Get the bridge's output in V/V."""
    dt_c = s["cell_c"] - p["t_ref_c"]
    load_g = _load_g(s, p) + s["creep_g"] + s["creep_tail_g"] + s["walk_g"]
    bent_g = load_g - p["linearity_per_g"] * load_g * load_g
    return p["zero_ratio"] + p["zero_ratio_per_k"] * dt_c + bent_g * p["ratio_per_g"] * (1.0 + p["span_per_k"] * dt_c)


@compiled
def _move(state: Any, params: Any, deviates: Any, out: Any) -> None:
    """Move on by one second for each row of ``deviates`` (n, 2); ``out`` (n, 4) gets ratios, oven and cell."""
    s = state[0]
    p = params[0]
    for k in range(deviates.shape[0]):
        s["t_s"] += 1.0
        room_c = p["ambient_c"]
        if p["swing_c"] != 0.0:
            room_c += p["swing_c"] * math.sin(2.0 * math.pi * s["t_s"] / _DAY_S)
        # the oven: a ramp that eases into its setpoint, then a wander of some 0.05 K; off: Newton's cooling
        if s["heating"] > 0.0:
            gap_c = p["setpoint_c"] - s["oven_c"]
            s["oven_c"] += min(p["ramp_c_per_s"], gap_c / 120.0)
            s["wander_c"] += 0.01 * deviates[k, 0] - s["wander_c"] / 60.0
            if gap_c < 1.0:
                s["oven_c"] += s["wander_c"] / 60.0
        else:
            s["oven_c"] += (room_c - s["oven_c"]) / p["cool_s"]
        target_c = room_c + p["cell_per_oven"] * (s["oven_c"] - room_c)
        s["cell_c"] += (target_c - s["cell_c"]) / p["lag_s"]
        # the vacuum
        if s["pumping"] > 0.0:
            s["pressure_pa"] += (p["vacuum_pa"] - s["pressure_pa"]) / p["pump_s"]
        else:
            s["pressure_pa"] += (_ATMOSPHERE_PA - s["pressure_pa"]) / _VENT_S
        # the sample: first order, Arrhenius; air hinders what evaporates
        if s["on"] > 0.0:
            hindered = 1.0 if s["pressure_pa"] < 10_000.0 else 0.2
            for i in range(MOST_VOLATILES):
                if s["left_g"][i] > 0.0:
                    warmer = 1.0 / (s["oven_c"] + _KELVIN) - 1.0 / (120.0 + _KELVIN)
                    rate = p["rate_per_s"][i] * math.exp(-p["activation_j"][i] / _GAS_J_PER_MOL_K * warmer)
                    s["left_g"][i] -= s["left_g"][i] * rate * hindered
        # the load cell
        load_g = _load_g(s, p)
        s["creep_g"] += (p["creep"] * load_g - s["creep_g"]) / p["creep_s"]
        s["creep_tail_g"] += (0.5 * p["creep"] * load_g - s["creep_tail_g"]) / p["creep_tail_s"]
        s["walk_g"] += p["walk_g"] * deviates[k, 1]
        s["before"] = s["now"]
        s["now"] = _ratio(s, p)
        out[k, 0] = s["before"]
        out[k, 1] = s["now"]
        out[k, 2] = s["oven_c"]
        out[k, 3] = s["cell_c"]
