"""What a display can show: its resolution is not the smallest step in a file, and a frozen one is not a steady load."""

from __future__ import annotations

import numpy as np
import pytest

from edge.replay.display import frozen, glitch_gate, resolution

T_S = np.arange(0.0, 36_000.0, 5.0)


def falling(load_g: float = 250.0, loss_g: float = 1.25, noise_g: float = 0.0, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    lost = loss_g * np.clip((T_S - 6000.0) / 20_000.0, 0.0, 1.0)
    return load_g - lost + noise_g * rng.standard_normal(len(T_S))


def shown(mass_g: np.ndarray, step_g: float) -> np.ndarray:
    return np.round(mass_g / step_g) * step_g


def means_of_ten(mass_g: np.ndarray, step_g: float, seed: int = 2) -> np.ndarray:
    """A logger's means of ten readings of a display, made from the sum of ten readings with a little noise each."""
    rng = np.random.default_rng(seed)
    ten = shown(mass_g[:, None] + 0.02 * step_g * rng.standard_normal((len(mass_g), 10)), step_g)
    return np.round(ten.mean(axis=1), 10)


@pytest.mark.parametrize("step_g", [0.1, 0.01, 0.5, 0.02, 1.0])
def test_a_display_s_own_step_is_found(step_g: float) -> None:
    digit = 10.0 ** np.floor(np.log10(step_g) + 1e-9)
    assert resolution(shown(falling(), step_g), digit) == pytest.approx(step_g)


@pytest.mark.parametrize("step_g", [0.1, 0.5, 1.0])
def test_means_of_a_coarse_display_do_not_look_fine(step_g: float) -> None:
    found = resolution(means_of_ten(falling(loss_g=5.0), step_g), step_g / 10.0)
    assert found >= 0.99 * step_g


def test_noise_that_is_larger_than_the_step_leaves_the_file_s_own() -> None:
    assert resolution(shown(falling(noise_g=0.003), 0.001), 0.001) == pytest.approx(0.001)


def test_a_value_that_never_moves_has_the_digit_in_which_it_is_written() -> None:
    still = np.full(len(T_S), 100.0)
    assert resolution(still, 0.001) == 0.001
    assert resolution(still, 1.0) == 1.0


def test_a_fine_display_that_never_moves_is_frozen_and_whole_grams_are_not() -> None:
    still = np.full(len(T_S), 100.0)
    assert frozen(T_S, still, 0.001).all()
    assert not frozen(T_S, still, 1.0).any()


def test_a_display_that_freezes_in_the_hold_is_frozen_from_half_an_hour_on() -> None:
    mass_g = shown(falling(load_g=100.0, noise_g=0.002), 0.001)
    mass_g[2000:] = mass_g[2000]
    found = frozen(T_S, mass_g, 0.001)
    assert not found[:2000].any()
    assert found[T_S[2000] + 1900.0 < T_S].all()


@pytest.mark.parametrize("tau_s", [1500.0, 3000.0, 6000.0])
def test_a_sample_that_has_dried_rests_on_a_good_balance_and_is_not_frozen(tau_s: float) -> None:
    """0.01 g of 250 g, quiet: it rests longer and longer, and was as still before the oven was hot."""
    dry_g = 250.0 - 1.2 * (1.0 - np.exp(-np.maximum(0.0, T_S - 4200.0) / tau_s))
    noisy_g = dry_g + 0.001 * np.random.default_rng(5).standard_normal(len(T_S))
    for mass_g in (shown(dry_g, 0.01), shown(noisy_g, 0.01)):
        assert not frozen(T_S, mass_g, 0.01).any()


@pytest.mark.parametrize("noise_g", [0.0, 0.001, 0.01])
def test_the_same_display_that_stops_while_the_sample_dries_is_frozen(noise_g: float) -> None:
    mass_g = shown(falling(loss_g=2.0, noise_g=noise_g), 0.01)
    stops = len(T_S) // 3
    mass_g[stops:] = mass_g[stops]
    assert frozen(T_S, mass_g, 0.01)[T_S[stops] + 1900.0 < T_S].all()


def test_an_averaging_logger_of_a_coarse_display_is_not_frozen() -> None:
    mass_g = means_of_ten(falling(), 0.1)
    assert not frozen(T_S, mass_g, resolution(mass_g, 0.01)).any()


def test_noise_that_collapses_makes_no_glitches_of_real_readings() -> None:
    rng = np.random.default_rng(3)
    quiet = 6.5 + 1e-6 * rng.standard_normal(5000)
    busy = 6.5 + 4e-3 * rng.standard_normal(500)
    gate = glitch_gate(np.concatenate((quiet, busy)), 1e-6, 6.5)
    assert gate >= 6.0 * 4e-3 / 2.0


def test_the_gate_still_refuses_what_no_balance_shows() -> None:
    mass_g = falling(load_g=100.0, noise_g=0.002)
    assert glitch_gate(mass_g, 0.001, 100.0) < 1.0
