"""What happens to a rig besides its test: each disturbance does to the signals what it says, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hw.clock import NS_PER_S
from hw.sim.disturbances import VMIN_OF_CAPACITY, Disturbances
from hw.sim.rig import Rig, RigTruth, Scenario, pt100_ohm

STILL = RigTruth(scenario=Scenario("still", "no wander, no creep, no loss", (), zero_walk_g=0.0, creep=0.0))
PER_G = STILL.cell.ratio_at_capacity / STILL.cell.capacity_g


def rigged(truth: RigTruth = STILL) -> tuple[Rig, Disturbances]:
    rig = Rig(truth, 1)
    return rig, Disturbances(rig, 1)


def added_g(happens: Callable[[Disturbances], None], seconds: int = 1, on: bool = False) -> np.ndarray:
    """By how much the indication differs from that of a rig to which nothing happens, second by second."""
    (rig, air), (quiet_rig, quiet) = rigged(), rigged()
    for one in (rig, quiet_rig):
        one.place_sample(on)
    air.bridge_ratio(10 * NS_PER_S)
    happens(air)
    times = [(11 + s) * NS_PER_S for s in range(1, seconds + 1)]
    return np.array([(air.bridge_ratio(t) - quiet.bridge_ratio(t)) / PER_G for t in times])


def test_a_rig_to_which_nothing_happens_gives_the_same_signals() -> None:
    rig, plain = Rig(RigTruth(), 1), Rig(RigTruth(), 1)
    air = Disturbances(rig, 1)
    for k in range(2000):
        t_ns = k * 100_000_000
        assert air.bridge_ratio(t_ns) == plain.bridge_ratio(t_ns)
    assert air.oven_ohm(t_ns) == plain.oven_ohm(t_ns)
    assert air.cell_ohm(t_ns) == plain.cell_ohm(t_ns)


def test_a_step_moves_the_indication_at_once_and_for_good() -> None:
    assert added_g(lambda air: air.step(0.09), 50)[1:] == pytest.approx(0.09, abs=1e-9)


def test_a_zero_drifts_by_what_it_is_told() -> None:
    moved = added_g(lambda air: air.drift(0.007), 3600)
    assert moved[-1] - moved[0] == pytest.approx(0.007 * 3599 / 3600, rel=1e-6)


def test_a_draught_is_of_its_size_with_its_memory_and_ends() -> None:
    blown = added_g(lambda air: air.draught(0.03, 20.0), 40_000)
    assert float(np.std(blown)) == pytest.approx(0.03, rel=0.1)
    together = float(np.mean(blown[:-20] * blown[20:])) / float(np.var(blown))
    assert together == pytest.approx(np.exp(-1.0), abs=0.06)
    assert added_g(lambda air: (air.draught(0.03, 20.0), air.draught(None)), 5)[-1] == 0.0  # type: ignore[func-returns-value]


def test_moisture_is_taken_up_in_air_and_is_no_part_of_the_true_mass() -> None:
    gained = added_g(lambda air: air.regain(3.6), 100, on=True)
    assert gained[-1] - gained[0] == pytest.approx(0.099, abs=1e-6)
    assert added_g(lambda air: air.regain(3.6), 100)[-1] == pytest.approx(0.0, abs=1e-12)
    rig, air = rigged()
    rig.place_sample()
    air.regain(3.6)
    air.bridge_ratio(1000 * NS_PER_S)
    assert air.dry_mass_g == rig.sample_mass_g


def test_what_dries_before_the_pump_is_part_of_the_loss() -> None:
    rig, air = rigged()
    rig.place_sample()
    air.dry(3.6)
    before_g = air.dry_mass_g
    air.bridge_ratio(1 * NS_PER_S)
    air.bridge_ratio(101 * NS_PER_S)
    assert before_g - air.dry_mass_g == pytest.approx(0.1, abs=0.003)
    rig.pump(True)
    air.bridge_ratio(2000 * NS_PER_S)
    dried_g = air.dry_mass_g
    rig.pump(False)
    air.bridge_ratio(4000 * NS_PER_S)
    assert air.dry_mass_g == dried_g


def test_falling_air_pressure_lifts_the_sample_less_and_moves_the_zero() -> None:
    lighter_air = added_g(lambda air: air.weather(913.25, 0.0), 5, on=True)[-1]
    cm3 = STILL.holder_g / STILL.holder_density_g_cm3 + STILL.sample_g / STILL.sample_density_g_cm3
    assert lighter_air == pytest.approx(1.184e-3 * 100.0 / 1013.25 * cm3, rel=1e-3)
    both = added_g(lambda air: air.weather(913.25, 0.5), 5, on=True)[-1]
    assert both - lighter_air == pytest.approx(-10.0 * 0.5 * VMIN_OF_CAPACITY * STILL.cell.capacity_g, rel=1e-3)


def test_swapped_wires_turn_the_sign() -> None:
    rig, air = rigged()
    before = air.bridge_ratio(NS_PER_S)
    air.swap_wires()
    assert air.bridge_ratio(NS_PER_S) == -before
    air.swap_wires()
    assert air.bridge_ratio(NS_PER_S) == before
    assert rig.bridge_ratio(NS_PER_S) == before


def test_another_element_is_what_the_oven_s_thermometer_shows() -> None:
    rig, air = rigged()
    air.oven_element(60.0)
    assert air.oven_ohm(NS_PER_S) == 60.0
    assert air.cell_ohm(NS_PER_S) == rig.cell_ohm(NS_PER_S)
    air.oven_element(None)
    assert air.oven_ohm(NS_PER_S) == rig.oven_ohm(NS_PER_S)


def test_an_oven_goes_where_it_is_turned_and_back() -> None:
    rig, _ = rigged()
    rig.heat(True)
    rig.stretch(4000)
    assert rig.oven_c == pytest.approx(120.0, abs=0.5)
    rig.turn_oven_to(60.0)
    rig.stretch(300)
    assert rig.oven_c == pytest.approx(60.0 + 60.0 * np.exp(-300 / 120), abs=1.0)
    rig.turn_oven_to(None)
    rig.stretch(4000)
    assert rig.oven_c == pytest.approx(120.0, abs=0.5)
    assert rig.oven_ohm(9_000 * NS_PER_S) == pytest.approx(pt100_ohm(120.0), abs=0.2)
