"""The rig's physics against hand calculations: what the chips are given must be worth measuring."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from calibration import iec60751
from hw.clock import NS_PER_S
from hw.sim import rig as physics
from hw.sim.rig import SCENARIOS, CellTruth, Rig, RigTruth, Scenario, Volatile, drawn, pt100_ohm

STILL = Scenario("still", "inert, on a perfect cell", (), zero_walk_g=0.0, creep=0.0)
FLAT = CellTruth(zero_ratio=0.0, zero_ratio_per_k=0.0, span_per_k=0.0, linearity_per_g=0.0)
PLAIN = RigTruth(scenario=STILL, cell=FLAT, sample_g=100.0, holder_g=0.0)
PER_G = FLAT.ratio_at_capacity / FLAT.capacity_g


def test_a_weight_gains_48_mg_per_100_g_when_the_air_is_pumped_out() -> None:
    # FACTS.md: 100 g at 2.5 g/cm³
    rig = Rig(PLAIN, 1)
    rig.place_sample()
    in_air = rig.stretch(10)[0][-1]
    rig.pump(True)
    in_vacuum = rig.stretch(3600)[0][-1]
    gained_g = (in_vacuum - in_air) / PER_G
    assert gained_g == pytest.approx(0.048, abs=0.001)


def test_the_oven_ramps_to_its_setpoint_and_stays() -> None:
    rig = Rig(PLAIN, 1)
    rig.heat(True)
    _, oven_c, _ = rig.stretch(4 * 3600)
    assert np.all(np.diff(oven_c) <= 3.0 / 60.0 + 1e-9)  # 3 K a minute at the most
    hold_c = oven_c[2 * 3600 :]
    assert abs(hold_c.mean() - 120.0) < 0.1
    assert 0.001 < hold_c.std() < 0.2


def test_the_load_cell_lags_behind_the_oven() -> None:
    truth = replace(PLAIN, setpoint_c=120.0, ramp_c_per_min=1e6)
    rig = Rig(truth, 1)
    rig.heat(True)
    _, oven_c, cell_c = rig.stretch(int(6 * truth.cell.lag_s))
    end_c = truth.ambient_c + truth.cell.cell_per_oven * (oven_c[-1] - truth.ambient_c)
    assert cell_c[-1] == pytest.approx(end_c, abs=0.1)
    # two thirds of the way after about one lag (the oven itself eases in over two minutes)
    at = np.searchsorted(cell_c, truth.ambient_c + (1.0 - math.exp(-1.0)) * (end_c - truth.ambient_c))
    assert at == pytest.approx(truth.cell.lag_s + 120.0, rel=0.05)


def test_a_first_order_loss_at_120_c_under_vacuum() -> None:
    scenario = replace(STILL, volatiles=(Volatile(0.1, 0.7, 60.0),))
    rig = Rig(replace(PLAIN, scenario=scenario, ambient_c=120.0), 1)  # an oven that is hot from the start
    rig.place_sample()
    rig.pump(True)
    rig.stretch(600)  # until the pressure no longer hinders
    left_g = rig.sample_mass_g - 90.0
    rig.stretch(3600)
    assert (rig.sample_mass_g - 90.0) / left_g == pytest.approx(math.exp(-0.7), rel=1e-3)


def test_creep_goes_with_the_load_and_dies_out() -> None:
    scenario = replace(STILL, creep=1e-4)
    rig = Rig(replace(PLAIN, scenario=scenario), 1)
    before = rig.stretch(3600)[0][-1]
    rig.place_sample()
    ratios = rig.stretch(20 * 3600)[0]
    load_g = (ratios - before) / PER_G
    start_g, hour_g, end_g = load_g[2], load_g[3600], load_g[-1]
    assert end_g - start_g == pytest.approx(100.0 * 1.5e-4, rel=0.02)
    assert 0.5 * 0.01 < hour_g - start_g < 0.013


def test_what_is_stretched_at_once_is_what_the_chips_would_have_seen() -> None:
    truth = drawn(RigTruth(scenario=SCENARIOS["hybrid"]), 3)
    one, many = Rig(truth, 3), Rig(truth, 3)
    for rig in (one, many):
        rig.place_sample()
        rig.heat(True)
    ratios, oven_c, cell_c = many.stretch(100)
    for second in range(100):
        assert one.bridge_ratio(second * NS_PER_S) == ratios[second]
        half = one.bridge_ratio(second * NS_PER_S + NS_PER_S // 2)
        assert half == pytest.approx((ratios[second] + ratios[second + 1]) / 2.0, rel=1e-12)
        assert one.oven_ohm(second * NS_PER_S) == pt100_ohm(oven_c[second])
        assert one.cell_ohm(second * NS_PER_S) == pt100_ohm(cell_c[second])
    assert one.sample_mass_g == many.sample_mass_g


@pytest.mark.parametrize(("temp_c", "ohm"), [(-200.0, 18.5201), (0.0, 100.0), (120.0, 146.0680), (850.0, 390.4811)])
def test_its_pt100_is_iec_60751_s(temp_c: float, ohm: float) -> None:
    assert pt100_ohm(temp_c) == pytest.approx(ohm, abs=5e-5)


def test_the_same_seed_draws_the_same_rig_and_another_seed_another() -> None:
    truth = RigTruth()
    assert drawn(truth, 5) == drawn(truth, 5)
    assert drawn(truth, 5) != drawn(truth, 6)


def test_the_rig_repeats_the_coefficients_of_iec_60751() -> None:
    assert (physics._A, physics._B, physics._C) == (iec60751.A, iec60751.B, iec60751.C)
