"""What weather does to a zero, from made-up nights: a generator of its own, that knows no fit of the software's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.weather import AirNight, WeatherFit, fit_weather, per_kilopascal, without_weather

PER_G, CAPACITY_G = 8000.0, 500.0
CLASS = CAPACITY_G / 10_000.0


def made_up(
    seed: int,
    *,
    per_kpa_g: float,
    hours: float = 10.0,
    walk_g: float = 0.002,
    swing_kpa: float = 0.3,
    red_g_per_h: float = 0.0,
    weight_g: float = 0.0,
) -> AirNight:
    """A night by the minute: smooth weather (three waves of hours), warming, drift, a walk, white noise, in codes."""
    rng, n = np.random.default_rng(seed), int(hours * 60)
    h = np.arange(n) / 60.0
    waves = ((float(rng.uniform(4.0, 14.0)), float(rng.uniform(0.0, 6.3))) for _ in range(3))
    kpa = 101.0 + swing_kpa / 2.0 * sum(np.sin(2.0 * np.pi * h / period + phase) for period, phase in waves)
    temp_c = 25.0 + 9.0 * np.exp(-(((h - hours / 2.0) / 1.5) ** 2))
    zero_g = np.cumsum(rng.standard_normal(n)) * walk_g / math.sqrt(60.0) + float(rng.normal(0.0, 2e-3)) * h
    if red_g_per_h:
        rate, left = float(rng.standard_normal()), math.exp(-1.0 / 120.0)
        for i in range(1, n):
            rate = left * rate + math.sqrt(1.0 - left * left) * float(rng.standard_normal())
            zero_g[i:] += red_g_per_h * rate / 60.0
    zero_g = zero_g + 0.004 * (temp_c - 25.0) + per_kpa_g * (kpa - 101.0) - 1.2e-3 / 101.325 * 10.0 * (kpa - 101.0)
    code = PER_G * (weight_g + zero_g + 3e-4 * rng.standard_normal(n))
    read = kpa + 0.0015 * rng.standard_normal(n)
    return AirNight(h * 3600.0, code, temp_c + 0.01 * rng.standard_normal(n), read, None, weight_g)


def found(*nights: AirNight) -> WeatherFit:
    fit = fit_weather(nights, PER_G, CAPACITY_G)
    assert fit is not None
    return fit


@pytest.mark.parametrize("red_g_per_h", [0.0, 0.003])
def test_the_truth_lies_where_the_uncertainty_says(red_g_per_h: float) -> None:
    z = []
    for seed in range(40):
        per_kpa_g = float(np.random.default_rng((seed, 9)).uniform(-0.05, 0.05))
        fit = found(made_up(seed, per_kpa_g=per_kpa_g, red_g_per_h=red_g_per_h))
        z.append((fit.g_per_kpa - per_kpa_g) / fit.u_g_per_kpa)
    rms = math.sqrt(math.fsum(v * v for v in z) / len(z))
    assert 0.4 < rms < 1.25
    assert sum(abs(v) > 2.0 for v in z) <= 4


def test_more_weather_and_more_nights_say_it_better() -> None:
    still, moved = (found(made_up(3, per_kpa_g=0.02, swing_kpa=kpa)) for kpa in (0.15, 1.5))
    assert moved.u_g_per_kpa < 0.2 * still.u_g_per_kpa
    both = found(made_up(3, per_kpa_g=0.02), made_up(4, per_kpa_g=0.02))
    assert both.u_g_per_kpa < found(made_up(3, per_kpa_g=0.02)).u_g_per_kpa


def test_nights_that_contradict_each_other_say_less_than_either() -> None:
    one, other = made_up(3, per_kpa_g=0.04, walk_g=5e-4), made_up(4, per_kpa_g=-0.04, walk_g=5e-4)
    assert found(one, other).u_g_per_kpa > 10.0 * found(one).u_g_per_kpa


@pytest.mark.parametrize("swing_kpa", [0.0, 0.01])
def test_a_night_of_still_weather_leaves_the_class(swing_kpa: float) -> None:
    assert not found(made_up(5, per_kpa_g=0.02, swing_kpa=swing_kpa)).says_more


def test_pressure_that_goes_as_straight_as_time_or_was_not_read_says_nothing() -> None:
    night = made_up(6, per_kpa_g=0.02)
    straight = AirNight(night.t_s, night.code, night.temp_c, 101.0 + night.t_s / 3.6e5)
    unread = AirNight(night.t_s, night.code, night.temp_c, np.full(len(night.t_s), math.nan))
    short = AirNight(night.t_s[:100], night.code[:100], night.temp_c[:100], night.kpa[:100])
    assert [per_kilopascal(n) for n in (straight, unread, short)] == [None] * 3
    assert fit_weather([unread], PER_G, CAPACITY_G) is None
    told = found(straight, unread, short)
    assert told.u_g_per_kpa == math.inf
    assert not told.says_more


def test_without_a_wander_it_is_what_ordinary_least_squares_say() -> None:
    night = made_up(7, per_kpa_g=0.03, walk_g=0.0)
    h = (night.t_s - night.t_s.mean()) / 3600.0
    design = np.column_stack([np.ones_like(h), h, h * h, night.temp_c, night.kpa])
    plain = np.linalg.lstsq(design, night.code, rcond=None)[0][-1]
    mine = per_kilopascal(night)
    assert mine is not None
    assert mine[0] == pytest.approx(plain, abs=mine[1])


def test_the_air_that_holder_and_weight_displace_is_none_of_the_cells() -> None:
    steel_g = 200.0
    bare = made_up(8, per_kpa_g=0.0, walk_g=1e-4)
    lighter = 1.2e-3 / 101.325 * steel_g / 7.95 * (bare.kpa - 101.0)
    loaded = AirNight(bare.t_s, bare.code + PER_G * (steel_g - lighter), bare.temp_c, bare.kpa, None, steel_g)
    assert found(loaded).g_per_kpa == pytest.approx(found(bare).g_per_kpa, abs=2e-5)


@given(st.floats(-0.04, 0.04), st.floats(1e-4, 1.0))
def test_with_the_class_it_is_known_no_worse_than_by_either(g: float, u: float) -> None:
    fit = WeatherFit(g, u, 100.0, 101.0, CLASS)
    mean, both = fit.with_class
    if abs(g) <= 2.0 * math.hypot(u, CLASS / math.sqrt(3.0)):
        assert both <= min(u, CLASS / math.sqrt(3.0)) * (1.0 + 1e-12)
        assert abs(mean) <= abs(g)


def test_a_cell_that_is_none_of_its_class_is_believed() -> None:
    wild = WeatherFit(0.4, 0.04, 100.0, 101.0, CLASS)
    assert wild.says_more
    assert wild.with_class == (0.4, 0.04)
    weak = WeatherFit(0.01, 0.04, 100.0, 101.0, CLASS)
    assert not weak.says_more


def test_codes_at_one_pressure_bridge_what_nobody_read() -> None:
    t_s, kpa = np.arange(5.0), np.array([101.0, math.nan, 102.0, 103.0, math.nan])
    code = 10.0 + 2.0 * np.array([0.0, 0.5, 1.0, 2.0, 2.0])
    assert without_weather(t_s, code, kpa, 2.0, 101.0) == pytest.approx(np.full(5, 10.0))
    assert without_weather(t_s, code, np.full(5, math.nan), 2.0, 101.0) is code
    assert without_weather(t_s, code, None, 2.0, 101.0) is code
