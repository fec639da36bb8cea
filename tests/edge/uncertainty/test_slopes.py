"""What left before M1 and came before M2: carried towards loss, never away from it, and noise and creep never count."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.certificate import Certificate
from calibration.integrated import Integrated
from edge.procedure.masses import Stretch
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.slopes import RigStated, Slope, came_before_m2, left_before_m1
from hw.sim.rig import RigTruth

HOUR = 3600.0
NOISE_G = 0.005


def certificate(**stability: Any) -> Certificate:
    """A rig that does nothing by itself but what ``stability`` says, and whose cell the weather does not reach."""
    cert = calibrated(RigTruth(), "nau7802", 1)
    still = {"creep_pct_fs": 0.0, "zero_drift_g": 0.0, "zero_walk_g": 0.0} | stability
    return msgspec.structs.replace(
        cert,
        stability=msgspec.structs.replace(cert.stability, **still),
        cell=msgspec.structs.replace(cert.cell, capacity_g=300.0),
        temperature=msgspec.structs.replace(cert.temperature, u_cell_temp_c=0.0),
    )


QUIET = RigStated(certificate())


def rows(from_s: float, to_s: float, mass_g: Any, seed: int = 1) -> Stretch:
    t_s = np.arange(from_s, to_s + 1.0)
    noise = np.random.default_rng(seed).normal(0.0, NOISE_G, len(t_s))
    return Stretch(t_s, np.vectorize(mass_g)(t_s).astype(float) + noise, np.full(len(t_s), 25.0))


def weighed(which: str, of: Stretch, from_s: float, to_s: float) -> Weighing:
    window = of.between(from_s, to_s)
    taken = Integrated(float(window.mass_g.mean()), 2e-4, 6.0, len(window.t_s), 0, len(window.t_s))
    return Weighing(WeighingKind(which), taken, from_s, to_s, 25.0, 25.0, math.nan)


def before_m1(mass_g: Any, rig: RigStated = QUIET, opened_h: float | None = None, seed: int = 1) -> Slope:
    of = rows(60.0, 1200.0, mass_g, seed)
    found = left_before_m1(of, weighed("m1", of, 600.0, 1200.0), opened_h, rig)
    assert found is not None
    return found


def before_m2(mass_g: Any, vented_s: float | None = 0.0, rig: RigStated = QUIET, seed: int = 1) -> Slope:
    of = rows(60.0, 4200.0, mass_g, seed)
    found = came_before_m2(of, weighed("m2", of, 3600.0, 4200.0), vented_s, rig)
    assert found is not None
    return found


def test_a_sample_that_dries_before_m1_had_an_hour_of_it_more() -> None:
    found = before_m1(lambda t: 200.0 - 0.2 * t / HOUR)
    assert found.counts
    assert found.rate_g_per_h == pytest.approx(-0.2, abs=0.01)
    assert found.toward_loss_g == pytest.approx(0.2, abs=0.01)


def test_since_it_was_opened_where_that_is_known_to_be_less_than_an_hour() -> None:
    assert before_m1(lambda t: 200.0 - 0.2 * t / HOUR, opened_h=0.5).toward_loss_g == pytest.approx(0.1, abs=0.005)
    assert before_m1(lambda t: 200.0 - 0.2 * t / HOUR, opened_h=5.0).toward_loss_g == pytest.approx(0.2, abs=0.01)


def test_what_dries_more_and_more_slowly_was_faster_before() -> None:
    tau_s = 1800.0
    found = before_m1(lambda t: 200.0 + 0.5 * math.exp(-t / tau_s))
    # by hand: an exponential's rate and bend in the middle of M1, which is 900 s after the load
    left_g = 0.5 * math.exp(-900.0 / tau_s)
    assert found.toward_loss_g == pytest.approx(left_g * (HOUR / tau_s + 0.5 * (HOUR / tau_s) ** 2), rel=0.2)


def test_creep_that_the_calibration_saw_at_m1_is_no_drying() -> None:
    creeping = RigStated(certificate(creep_at_m1_pct_per_h=-0.05))
    assert before_m1(lambda t: 200.0 - 0.1 * t / HOUR, creeping).toward_loss_g == 0.0
    assert before_m1(lambda t: 200.0 - 0.3 * t / HOUR, creeping).toward_loss_g == pytest.approx(0.2, abs=0.01)


def test_creep_that_the_calibration_allows_does_not_count() -> None:
    found = before_m1(lambda t: 200.0 - 0.1 * t / HOUR, RigStated(certificate(creep_pct_fs=0.1)))
    assert not found.counts


@pytest.mark.parametrize("tau_h", [1.0, 2.0, 5.0])
def test_all_that_came_since_the_vent_is_carried(tau_h: float) -> None:
    found = before_m2(lambda t: 199.0 + 0.1 * (1.0 - math.exp(-t / tau_h / HOUR)))
    by_hand = 0.1 * (1.0 - math.exp(-3900.0 / HOUR / tau_h))
    assert found.counts
    assert found.toward_loss_g == pytest.approx(by_hand, rel=0.1)


def test_where_nobody_knows_when_the_air_came_it_is_an_hour_of_the_rate_and_the_more() -> None:
    found = before_m2(lambda t: 199.0 + 0.06 * t / HOUR, vented_s=None)
    assert found.toward_loss_g == pytest.approx(0.06 * (math.e - 1.0), rel=0.1)


def test_a_vent_just_before_m2_carries_no_more_than_came_since() -> None:
    of = rows(3500.0, 4200.0, lambda t: 199.0 + 0.06 * t / HOUR)
    found = came_before_m2(of, weighed("m2", of, 3600.0, 4200.0), 3400.0, QUIET)
    assert found is not None
    assert found.toward_loss_g == pytest.approx(0.06 * 500.0 / HOUR, rel=0.3)


@pytest.mark.parametrize("rate", [0.02, 1.0])
def test_a_slope_the_other_way_moves_nothing(rate: float) -> None:
    assert before_m1(lambda t: 200.0 + rate * t / HOUR).toward_loss_g == 0.0
    assert before_m2(lambda t: 199.0 - rate * t / HOUR).toward_loss_g == 0.0
    assert before_m2(lambda t: 199.0 - rate * t / HOUR, vented_s=None).toward_loss_g == 0.0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_white_noise_alone_carries_next_to_nothing_and_never_makes_a_loss_smaller(seed: int) -> None:
    assert 0.0 <= before_m1(lambda t: 200.0, seed=seed).toward_loss_g < 0.03
    assert 0.0 <= before_m2(lambda t: 199.0, seed=seed).toward_loss_g < 0.01


def test_a_drift_that_is_stated_of_a_balance_is_no_drying() -> None:
    assert not before_m1(lambda t: 200.0 - 0.3 * t / HOUR, RigStated(None)).counts
    assert before_m1(lambda t: 200.0 - 0.3 * t / HOUR, RigStated(None, 0.001)).counts


def test_too_few_rows_have_no_slope() -> None:
    of = rows(600.0, 608.0, lambda t: 200.0)
    assert left_before_m1(of, weighed("m1", of, 600.0, 608.0), None, QUIET) is None
    assert came_before_m2(of, weighed("m2", of, 600.0, 608.0), None, QUIET) is None
