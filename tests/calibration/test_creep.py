"""Creep under a load: found with its sign, for M1 to M2 and for the middle of M1, and never without its uncertainty."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.creep import fit_creep
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
