"""The slope at a weighing: what counts is carried towards loss, never away from it, and noise and creep never count."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.records.weighing import WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.slopes import slope_at
from hw.sim.rig import RigTruth

CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
T_S = np.arange(600.0)
QUIET = msgspec.structs.replace(
    CERTIFICATE,
    stability=msgspec.structs.replace(CERTIFICATE.stability, creep_pct_fs=0.0, zero_drift_g=0.0, zero_walk_g=0.0),
)


def readings(rate_g_per_h: float, noise_g: float = 0.005, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 200.0 + rate_g_per_h * T_S / 3600.0 + rng.normal(0.0, noise_g, T_S.size)


@pytest.mark.parametrize(("which", "rate"), [(WeighingKind.M1, -1.0), (WeighingKind.M2, 1.0)])
def test_a_sample_that_dries_before_m1_or_gains_before_m2_has_lost_an_hour_of_it_more(
    which: WeighingKind, rate: float
) -> None:
    found = slope_at(which, T_S, readings(rate), QUIET, None)
    assert found is not None
    assert found.counts
    assert found.rate_g_per_h == pytest.approx(rate, abs=0.05)
    assert found.toward_loss_g == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("which", "rate"), [(WeighingKind.M1, 1.0), (WeighingKind.M2, -1.0)])
def test_a_slope_the_other_way_is_seen_and_moves_nothing(which: WeighingKind, rate: float) -> None:
    found = slope_at(which, T_S, readings(rate), QUIET, None)
    assert found is not None
    assert found.counts
    assert found.toward_loss_g == 0.0


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_white_noise_alone_rarely_counts_and_never_makes_a_loss_smaller(seed: int) -> None:
    found = slope_at(WeighingKind.M1, T_S, readings(0.0, seed=seed), QUIET, None)
    assert found is not None
    assert found.toward_loss_g >= 0.0
    assert found.toward_loss_g < 0.05  # six of its standard uncertainties


def test_creep_that_the_certificate_allows_is_no_drying() -> None:
    creeping = msgspec.structs.replace(QUIET, stability=msgspec.structs.replace(QUIET.stability, creep_pct_fs=0.05))
    found = slope_at(WeighingKind.M1, T_S, readings(-0.1), creeping, None)
    assert found is not None
    assert not found.counts


def test_a_drift_that_is_stated_of_a_balance_is_no_drying() -> None:
    assert slope_at(WeighingKind.M1, T_S, readings(-0.3), None, None).counts is False  # type: ignore[union-attr]  # rows
    stated = slope_at(WeighingKind.M1, T_S, readings(-0.3), None, 0.001)
    assert stated is not None
    assert stated.counts


def test_too_few_rows_have_no_slope() -> None:
    assert slope_at(WeighingKind.M1, T_S[:15], readings(-1.0)[:15], QUIET, None) is None
