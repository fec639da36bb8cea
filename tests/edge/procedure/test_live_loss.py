"""The loss so far: the air's step as it is seen at the pump, and when a loss may be said at all."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.procedure.live_loss import MOST, SEEN_S, LiveLoss, air_step
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.status import AirState
from edge.records.weighing import WeighingKind

M1_G, PUMP_S, RAMP_S = 200.0, 1000.0, 1900.0


def pumped(step_g: float, *, rate_g_per_s: float = 0.0, noise_g: float = 0.005, tau_s: float = 90.0) -> Any:
    """A mass while the air goes: an exponential pump, a loss of so much a second, and noise."""
    t_s = np.arange(PUMP_S, RAMP_S + SEEN_S + 1.0)
    noise = np.random.default_rng(1).normal(0.0, noise_g, len(t_s))
    gone = 1.0 - np.exp(-(t_s - PUMP_S) / tau_s)
    return t_s, M1_G + step_g * gone - rate_g_per_s * (t_s - PUMP_S) + noise


@given(st.floats(0.0, 0.9 * MOST * M1_G), st.floats(0.0, 2e-5))
def test_the_step_that_the_air_made_is_within_four_times_its_uncertainty(step_g: float, rate: float) -> None:
    found = air_step(*pumped(step_g, rate_g_per_s=rate), (M1_G, 0.0005), PUMP_S, RAMP_S)
    assert found is not None
    assert abs(found.step_g - step_g) <= 4.0 * found.u_g


def test_a_sample_that_loses_more_than_the_air_gives_has_no_negative_step_and_a_large_uncertainty() -> None:
    found = air_step(*pumped(0.1, rate_g_per_s=1e-3), (M1_G, 0.0005), PUMP_S, RAMP_S)
    assert found is not None
    assert found.step_g == 0.0
    assert found.u_g > 0.5


def test_nothing_is_made_of_too_few_seconds() -> None:
    t_s, mass_g = pumped(0.1)
    few = t_s < RAMP_S + 10.0
    assert air_step(t_s[few], mass_g[few], (M1_G, 0.0005), PUMP_S, RAMP_S) is None


def second(t_s: float, mass_g: float) -> Second:
    values = dict.fromkeys(Second._fields, 0) | {"t_s": t_s, "mass_g": mass_g, "n_ok": 10}
    return Second(**values)  # type: ignore[arg-type]  # by their names


def phases(phase: Phase, **more: Any) -> Any:
    m1 = SimpleNamespace(value=SimpleNamespace(mean=M1_G, u=0.0005))
    masses = SimpleNamespace(between=lambda from_s, to_s: pumped(0.1))
    values: dict[str, Any] = {
        "phase": phase,
        "plan": SimpleNamespace(weigh="cold"),
        "weighings": {WeighingKind.M1: m1},
        "masses": masses,
        "entered_s": {Phase.PUMP: PUMP_S, Phase.RAMP: RAMP_S},
        "vented_s": math.nan,
        "hold_to_s": 9000.0,
    }
    return SimpleNamespace(**(values | more))


def test_no_loss_is_said_while_the_air_goes() -> None:
    live = LiveLoss()
    told = live.now(second(RAMP_S, M1_G + 0.1), phases(Phase.PUMP))
    assert (told.loss_pct, told.air) == (None, AirState.GOING)
    assert told.as_weighed_pct == pytest.approx(-0.05)


def test_in_the_hold_the_step_is_taken_out_and_both_are_said() -> None:
    live = LiveLoss()
    here = phases(Phase.HOLD)
    live.take(second(RAMP_S + SEEN_S + 1.0, M1_G), here)
    told = live.now(second(8000.0, M1_G - 0.9), here)
    assert told.as_weighed_pct == pytest.approx(0.45)
    assert told.loss_pct == pytest.approx(0.5, abs=0.001)
    assert told.air is AirState.GONE
    assert told.u_air_step_pct is not None
    assert told.u_air_step_pct < 0.002


def test_while_it_cools_the_loss_is_that_of_the_holds_end_and_once_vented_as_it_is_weighed() -> None:
    live = LiveLoss()
    live.take(second(RAMP_S + SEEN_S + 1.0, M1_G), phases(Phase.HOLD))
    end = SimpleNamespace(between=lambda from_s, to_s: (np.array([1.0]), np.array([M1_G - 0.9])))
    cooling = phases(Phase.COOL, masses=end)
    live.take(second(9001.0, M1_G - 0.9), cooling)
    told = live.now(second(9900.0, M1_G - 0.97), cooling)  # the air may be half in
    assert told.loss_pct == pytest.approx(0.5, abs=0.001)
    assert told.air is AirState.COMING
    vented = live.now(second(9990.0, M1_G - 1.0), phases(Phase.COOL, vented_s=9950.0))
    assert vented.loss_pct == vented.as_weighed_pct == pytest.approx(0.5)


def test_before_m1_there_is_no_loss() -> None:
    told = LiveLoss().now(second(10.0, 3.0), phases(Phase.LOAD, weighings={}))
    assert told.loss_pct is None
    assert told.as_weighed_pct is None
