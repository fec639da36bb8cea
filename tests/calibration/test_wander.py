"""A zero's wander over hours: what minutes let expect, unless the hours say that it is bounded, or that it drifts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.special import stdtrit

from calibration.thermal import WalkFit, fit_walk
from calibration.wander import TEST_H, Wander, fit_wander

T_S = np.arange(480) * 60.0 + 30.0  # the minutes of a night
HOURS = T_S / 3600.0


def fitted(nights: list[np.ndarray], drifts_per_h: tuple[float, ...] = (0.0, 0.0)) -> Wander:
    walks = [fit_walk(T_S, code - np.polyval(np.polyfit(T_S, code, 1), T_S)) for code in nights]
    dof = math.fsum(w.dof for w in walks)
    walk = WalkFit(math.sqrt(math.fsum(w.per_sqrt_h**2 * w.dof for w in walks) / dof), dof)
    return fit_wander([(T_S, code) for code in nights], drifts_per_h, walk)


def walked(per_sqrt_h: float, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.cumsum(rng.normal(0.0, per_sqrt_h / math.sqrt(60.0), len(T_S))) for _ in range(2)]


def test_of_a_walk_the_root_of_time_is_taken() -> None:
    found = fitted(walked(10.0, 4))
    assert found.bound is None
    assert found.drift_per_h is None
    assert found.over(4.0).rms == pytest.approx(2.0 * found.over(1.0).rms)
    assert found.over(1.0).rms == pytest.approx(10.0, rel=0.5)


def test_a_walk_is_seldom_taken_for_bounded() -> None:
    taken = [fitted(walked(10.0, seed)).bound is not None for seed in range(100)]
    assert sum(taken) <= 3


@settings(max_examples=20, deadline=None)
@given(phase=st.floats(0.0, 6.28), other=st.floats(0.0, 6.28), amplitude=st.floats(10.0, 1000.0))
def test_an_undulation_is_no_walk(phase: float, other: float, amplitude: float) -> None:
    """Of 25 minutes: a walk from it would be many times what two weighings differ by."""
    nights = [amplitude * np.sin(2.0 * math.pi * T_S / 1500.0 + p) for p in (phase, other)]
    found = fitted(nights)
    # by hand: a mean of ten minutes has 0.757 of the amplitude, the difference of two at any phase that as its rms
    assert found.over(TEST_H).rms == pytest.approx(0.757 * amplitude, rel=0.25)
    assert found.walk.per_sqrt_h * math.sqrt(TEST_H) > 4.0 * found.over(TEST_H).rms


def test_a_drift_counts_where_it_is_more_than_the_walk_explains() -> None:
    line = [code + 50.0 * HOURS for code in walked(10.0, 4)]
    found = fitted(line, (50.0, 48.0))
    assert found.drift_per_h is not None
    assert found.drift_per_h.rms == pytest.approx(49.0, rel=0.03)
    assert found.drift_per_h.dof == 2.0
    assert found.over(8.0).rms == pytest.approx(8.0 * 49.0, rel=0.03)
    assert fitted(walked(10.0, 4), (3.0, -3.0)).drift_per_h is None
    assert fitted(line[:1], (50.0,)).over(8.0).dof == 2.0


def test_what_bends_about_a_drift_is_its_walk() -> None:
    bent = [50.0 * HOURS + 60.0 * np.sin(2.0 * math.pi * HOURS / 8.0 + p) for p in (0.0, 2.0)]
    found, straight = fitted(bent, (50.0, 50.0)), fitted([50.0 * HOURS] * 2, (50.0, 50.0))
    assert found.walk.per_sqrt_h > 20.0
    assert straight.walk.per_sqrt_h < 1.0


def test_an_hour_says_nothing_of_hours() -> None:
    short = T_S[:90]
    found = fit_wander([(short, np.sin(short / 100.0))], (0.0,), WalkFit(1.0, 8.0))
    assert found == Wander(WalkFit(1.0, 8.0), None, None)


def test_a_walk_of_minutes_is_seldom_taken_for_more() -> None:
    more = [fitted(walked(10.0, seed)).walk.dof < 20.0 for seed in range(200)]
    assert sum(more) <= 20  # of 200: the test is at 95 %


def test_what_wanders_more_over_hours_than_minutes_say_is_taken_as_hours_show_it() -> None:
    """A rate that forgets itself in an hour and a half, beside a walk: in minutes next to nothing, in hours a walk."""
    by_hours, inside = 0, 0
    for seed in range(150):
        rng, left = np.random.default_rng(seed), math.exp(-1.0 / 90.0)
        rate = [lfilter([math.sqrt(1.0 - left * left)], [1.0, -left], rng.standard_normal(2000)) for _ in range(3)]
        walk = walked(6.0, 1000 + seed)
        nights = [20.0 * np.cumsum(r)[1000 : 1000 + len(T_S)] / 60.0 + w for r, w in zip(rate, walk, strict=False)]
        found = fitted(nights, tuple(float(np.polyfit(HOURS, code, 1)[0]) for code in nights))
        by_hours += found.walk.dof < 20.0 and found.drift_per_h is None
        third = 20.0 * np.cumsum(rate[2])[1000:] / 60.0
        own = found.over(TEST_H)
        inside += abs(third[round(TEST_H * 60.0)] - third[0]) <= stdtrit(own.dof, 0.975) * own.rms
    assert by_hours >= 8
    assert inside >= 138  # 135 by minutes alone: two nights tell little of such hours
