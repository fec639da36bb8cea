"""Creep under a load: found with its sign, for M1 to M2 and for the middle of M1, and never without its uncertainty."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.creep import fit_creep, fit_return
from calibration.errors import BadFit
from calibration.thermal import WalkFit
from calibration.wander import Wander

S, ZERO = 1000.0, 50_000.0
LOAD = S * 200.0
T_S = np.arange(7200.0) + 0.5
STILL = Wander(WalkFit(0.0, 1e6), None, None)
M1_H, M2_H = 960.0 / 3600.0, 9.0


def crept(share: float, tau_s: float) -> np.ndarray:
    return ZERO + LOAD * (1.0 + share * (1.0 - np.exp(-T_S / tau_s)))


def gained(share: float, tau_s: float) -> float:
    """By hand, in % of the load, from the middle of M1 to M2 nine hours after."""
    return 100.0 * share * (math.exp(-M1_H * 3600.0 / tau_s) - math.exp(-(M1_H + M2_H) * 3600.0 / tau_s))


@settings(max_examples=50, deadline=None)
@given(share=st.floats(1e-5, 3e-4), tau_s=st.floats(1200.0, 14_400.0), sign=st.sampled_from((-1.0, 1.0)))
def test_a_night_of_creep_is_within_twice_what_is_stated(share: float, tau_s: float, sign: float) -> None:
    found = fit_creep(T_S, crept(sign * share, tau_s), LOAD, STILL)
    assert abs(found.gained_pct - sign * gained(share, tau_s)) <= 2.0 * found.u_pct
    assert found.gained_pct * sign > 0.0


def test_creep_by_the_logarithm_of_time_is_within_twice_what_is_stated() -> None:
    code = ZERO + LOAD * (1.0 + 1e-4 * np.log1p(T_S / 60.0))
    by_hand = 1e-2 * (math.log1p((M1_H + M2_H) * 60.0) - math.log1p(M1_H * 60.0))
    found = fit_creep(T_S, code, LOAD, STILL)
    assert abs(found.gained_pct - by_hand) <= 2.0 * found.u_pct


def test_rate_and_bend_in_the_middle_of_m1_are_those_of_the_curve() -> None:
    share, tau_h = 1e-4, 1.0
    left = math.exp(-M1_H / tau_h)
    found = fit_creep(T_S, crept(share, 3600.0), LOAD, STILL)
    assert found.rate_pct_per_h == pytest.approx(100.0 * share / tau_h * left, rel=0.1)
    assert found.bend_pct_per_h2 == pytest.approx(-100.0 * share / tau_h**2 * left, rel=0.3)


def test_what_it_crept_since_it_was_loaded_is_more_than_after_m1() -> None:
    found = fit_creep(T_S, crept(2e-4, 1800.0), LOAD, STILL)
    assert 0.0195 <= found.whole_pct <= 0.026  # it was 0.02
    assert found.whole_pct > found.gained_pct > 0.0


def test_a_weight_that_is_put_on_within_the_first_minute_is_no_creep() -> None:
    code = crept(2e-4, 1800.0)
    late = np.where(T_S < 20.0, ZERO, code)
    found, at_once = fit_creep(T_S, late, LOAD, STILL), fit_creep(T_S, code, LOAD, STILL)
    assert found == at_once


def test_a_zero_that_wanders_is_in_the_uncertainty_of_the_creep() -> None:
    found = fit_creep(T_S, crept(0.0, 1800.0), LOAD, Wander(WalkFit(20.0, 30.0), None, None))
    # by hand: 1.7 · 20 codes · √(95 min of 60), the two means' middles being 20 min and 115 min after the load
    assert found.u_pct == pytest.approx(1.7 * 20.0 * math.sqrt(95.0 / 60.0) / LOAD * 100.0, rel=0.02)
    assert found.dof == 30.0


@pytest.mark.parametrize(("seconds", "load"), [(1800.0, LOAD), (7200.0, 0.0)])
def test_creep_from_too_little_is_refused(seconds: float, load: float) -> None:
    with pytest.raises(BadFit, match="weight"):
        fit_creep(np.arange(seconds), np.zeros(int(seconds)), load, STILL)


HUNG_S = 36_000.0


def came_back(share: float, tau_s: float, kept: float) -> np.ndarray:
    """By superposition, what the empty holder shows after the load hung for ten hours: the step down creeps too."""
    still_coming = share * (1.0 - np.exp(-(T_S + HUNG_S) / tau_s))
    back = (1.0 - kept) * share * (1.0 - np.exp(-T_S / tau_s))
    return ZERO + LOAD * (still_coming - back)


@settings(max_examples=50, deadline=None)
@given(
    share=st.floats(1e-5, 3e-4),
    tau_s=st.floats(600.0, 7200.0),
    kept=st.floats(0.0, 1.0),
    sign=st.sampled_from((-1.0, 1.0)),
)
def test_the_share_of_a_creep_that_is_kept_is_found(share: float, tau_s: float, kept: float, sign: float) -> None:
    found = fit_return((T_S, crept(sign * share, tau_s)), (T_S, came_back(sign * share, tau_s, kept)), STILL)
    assert found is not None
    assert found.kept == pytest.approx(kept, abs=0.01)  # after ten hours e^-5 of the slowest is still to come


def test_a_return_is_known_as_well_as_the_walk_lets_it_be() -> None:
    rng, tau_s, walk = np.random.default_rng(5), 2400.0, 2.0
    wander = Wander(WalkFit(walk, 1e6), None, None)
    off = []
    for _ in range(200):
        own = [np.cumsum(rng.standard_normal(len(T_S))) * walk / 60.0 for _ in range(2)]
        found = fit_return((T_S, crept(1e-4, tau_s) + own[0]), (T_S, came_back(1e-4, tau_s, 0.3) + own[1]), wander)
        if found is not None:
            off.append((found.kept - 0.3) / found.u)
    assert len(off) > 190
    assert 0.85 < float(np.std(off)) < 1.15
    assert np.mean(np.abs(off) <= 2.0) >= 0.9


def test_of_a_creep_that_the_walk_hides_no_return_is_said() -> None:
    wander = Wander(WalkFit(20_000.0, 1e6), None, None)
    assert fit_return((T_S, crept(1e-4, 2400.0)), (T_S, came_back(1e-4, 2400.0, 0.0)), wander) is None


def test_a_return_of_half_an_hour_is_refused() -> None:
    short = T_S < 1800.0
    with pytest.raises(BadFit, match="two hours"):
        fit_return((T_S, crept(1e-4, 2400.0)), (T_S[short], came_back(1e-4, 2400.0, 0.0)[short]), STILL)
