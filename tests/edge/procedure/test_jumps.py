"""Jumps: found where a hand, a cable or a converter made one, at any rate of rows, and never in an evaporation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from edge.procedure.jumps import find_jumps, net_of_jumps

MATTERS_G = 0.01
"""A fiftieth of the half gram that 100 g may lose: what the verdict asks for."""


def times(interval_s: float) -> np.ndarray:
    return np.arange(0.0, 24_000.0, interval_s)


def evaporating(t_s: np.ndarray, loss_g: float, tau_s: float, noise_g: float, seed: int) -> np.ndarray:
    """A sample that warms up for half an hour and then dries with one time constant."""
    rng = np.random.default_rng(seed)
    warm = np.clip((t_s - 2000.0) / 1800.0, 0.0, 1.0)
    rate = np.exp(-np.maximum(0.0, t_s - 3800.0) / tau_s) * warm
    lost = np.cumsum(rate)
    return 100.0 - loss_g * lost / lost[-1] + noise_g * rng.standard_normal(len(t_s))


@settings(max_examples=60, deadline=None)
@given(
    loss_g=st.floats(0.0, 12.0),
    tau_s=st.floats(600.0, 20_000.0),
    noise_g=st.floats(1e-5, 5e-3),
    interval_s=st.sampled_from([1.0, 5.0, 30.0]),
    seed=st.integers(0, 1000),
)
def test_an_evaporation_has_no_jumps(loss_g: float, tau_s: float, noise_g: float, interval_s: float, seed: int) -> None:
    t_s = times(interval_s)
    assert find_jumps(t_s, evaporating(t_s, loss_g, tau_s, noise_g, seed), MATTERS_G) == ()


@settings(max_examples=40, deadline=None)
@given(
    loss_g=st.floats(0.0, 3.0),
    noise_g=st.floats(1e-4, 5e-3),
    at_s=st.floats(5000.0, 20_000.0),
    gap_s=st.floats(2.0, 900.0),
    seed=st.integers(0, 1000),
)
def test_an_evaporation_of_which_a_piece_was_not_seen_has_no_jumps(
    loss_g: float, noise_g: float, at_s: float, gap_s: float, seed: int
) -> None:
    t_s = times(1.0)
    seen = (t_s < at_s) | (t_s > at_s + gap_s)
    assert find_jumps(t_s[seen], evaporating(t_s, loss_g, 6000.0, noise_g, seed)[seen], MATTERS_G) == ()


@settings(max_examples=60, deadline=None)
@given(
    seen=st.floats(2.0, 500.0).flatmap(lambda s: st.sampled_from([s, -s])),
    at=st.floats(0.2, 0.9),
    interval_s=st.sampled_from([1.0, 5.0, 30.0]),
    seed=st.integers(0, 1000),
)
def test_a_step_is_found_with_its_size_and_its_time(seen: float, at: float, interval_s: float, seed: int) -> None:
    t_s = times(interval_s)
    step_g = seen * (0.01 if interval_s < 10.0 else 0.03)  # few rows see less
    at_s = at * t_s[-1]
    mass_g = evaporating(t_s, 0.4, 6000.0, 1e-3, seed) + step_g * (t_s >= at_s)
    found = find_jumps(t_s, mass_g, MATTERS_G)
    assert len(found) == 1
    assert abs(found[0].step_g - step_g) <= 0.02 * abs(step_g) + 5.0 * found[0].u_g
    assert abs(found[0].t_s - at_s) <= 2.0 * interval_s + 1.0


@pytest.mark.parametrize("for_s", [20.0, 120.0, 1200.0])
def test_a_sample_that_is_lifted_for_a_while_is_two_jumps_that_cancel(for_s: float) -> None:
    t_s = times(1.0)
    lifted = (t_s >= 12_000.0) & (t_s < 12_000.0 + for_s)
    found = find_jumps(t_s, np.where(lifted, 0.0, evaporating(t_s, 0.4, 6000.0, 1e-3, 1)), MATTERS_G)
    assert [round(j.step_g) for j in found] == [-100, 100]
    net_g, u_g = net_of_jumps(found)
    assert abs(net_g) <= 0.05
    assert u_g > 0.0


@pytest.mark.parametrize("over_s", [10.0, 60.0, 200.0])
def test_a_cable_that_creeps_up_in_minutes_is_found(over_s: float) -> None:
    t_s = times(1.0)
    mass_g = evaporating(t_s, 0.4, 6000.0, 1e-3, 4) + 0.15 * np.clip((t_s - 15_000.0) / over_s, 0.0, 1.0)
    found = find_jumps(t_s, mass_g, MATTERS_G)
    assert net_of_jumps(found)[0] == pytest.approx(0.15, abs=0.04)


@settings(max_examples=40, deadline=None)
@given(
    step_g=st.floats(0.03, 0.3),
    tau_s=st.floats(1.0, 40.0),
    at_s=st.floats(9000.0, 20_000.0),
    noise_g=st.floats(2e-4, 2e-3),
    seed=st.integers(0, 1000),
)
def test_what_comes_up_within_a_minute_is_one_jump_and_leaves_no_others_beside_it(
    step_g: float, tau_s: float, at_s: float, noise_g: float, seed: int
) -> None:
    t_s = times(1.0)
    comes = np.where(t_s >= at_s, -np.expm1(-np.maximum(t_s - at_s, 0.0) / tau_s), 0.0)
    found = find_jumps(t_s, evaporating(t_s, 0.4, 6000.0, noise_g, seed) - step_g * comes, MATTERS_G)
    assert len(found) == 1
    assert abs(found[0].step_g + step_g) <= 0.1 * step_g + 5.0 * found[0].u_g
    assert -10.0 <= found[0].t_s - at_s <= 3.0 * tau_s + 10.0


@settings(max_examples=20, deadline=None)
@given(
    mg=st.floats(2.0, 100.0), tau_s=st.floats(5.0, 120.0), for_s=st.floats(1800.0, 6000.0), seed=st.integers(0, 1000)
)
def test_a_draught_is_noise_and_no_row_of_jumps(mg: float, tau_s: float, for_s: float, seed: int) -> None:
    t_s = times(1.0)
    rng, blown_g = np.random.default_rng(seed), np.zeros(len(t_s))
    here = (t_s >= 12_000.0) & (t_s < 12_000.0 + for_s)
    for i in np.flatnonzero(here):
        keeps = np.exp(-1.0 / tau_s)
        blown_g[i] = keeps * blown_g[i - 1] + mg / 1e3 * np.sqrt(1.0 - keeps * keeps) * rng.standard_normal()
    found = find_jumps(t_s, evaporating(t_s, 0.4, 6000.0, 1e-3, seed) + blown_g, MATTERS_G)
    assert len(found) <= 8  # not each of its swings


@pytest.mark.parametrize("seed", [11, 21, 112, 134])
def test_a_record_every_half_minute_with_a_hole_and_two_steps_near_it_can_be_looked_at(seed: int) -> None:
    """Nothing near such a step may move its way, and no row is then on its way: that divided by nothing."""
    rng = np.random.default_rng(seed)
    t_s = times(30.0)
    mass_g = 100.0 + 2e-4 * rng.standard_normal(len(t_s))
    seen = (t_s < 9000.0) | (t_s > 9000.0 + 60.0 * int(rng.integers(20, 120)))
    t_s, mass_g = t_s[seen], mass_g[seen]
    for at_s in rng.uniform(8000.0, 16_000.0, 2):
        mass_g = mass_g + rng.normal() * 0.2 * (t_s > at_s)
    found = find_jumps(t_s, mass_g, MATTERS_G)
    assert found
    assert all(abs(j.step_g) <= 3.0 * np.ptp(mass_g) and j.u_g > 0.0 for j in found)  # a line across a hole: 7 g


def test_too_few_rows_have_no_jumps() -> None:
    assert find_jumps(np.arange(4.0), np.array([1.0, 1.0, 5.0, 5.0]), 0.1) == ()
    assert find_jumps(np.empty(0), np.empty(0), 0.1) == ()


def test_a_draught_does_not_make_a_jump_larger() -> None:
    """Noise that forgets itself in 20 to 160 s: what four looks find is about the step, and not their largest."""
    t_s, found = times(1.0), []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        left = np.exp(-1.0 / (20.0, 60.0, 160.0)[seed % 3])
        gusts = lfilter([1.0], [1.0, -left], 0.016 * np.sqrt(1.0 - left * left) * rng.standard_normal(len(t_s)))
        mass_g = evaporating(t_s, 0.3, 6000.0, 2e-3, seed) + gusts + np.where(t_s >= 12_000.0, 0.1, 0.0)
        found += [j.step_g for j in find_jumps(t_s, mass_g, MATTERS_G) if abs(j.t_s - 12_000.0) < 60.0]
    assert len(found) >= 9
    assert abs(np.mean(found) - 0.1) < 0.01
    assert np.max(found) < 0.15
