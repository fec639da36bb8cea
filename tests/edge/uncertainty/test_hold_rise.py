"""A rise at the end of the hold is the rig's: it is carried towards more loss, and nothing else is taken for it."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from calibration.certificate import Certificate
from calibration.integrated import Integrated
from edge.procedure.masses import Stretch
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.uncertainty.hold_rise import HoldRise, rose_in_hold
from edge.uncertainty.room_pressure import PressureChange
from edge.uncertainty.slopes import RigStated
from hw.sim.rig import RigTruth

HOUR = 3600.0
HOLD_H = 6.0
EVERY_S = 10


def certificate(walk_g: float) -> Certificate:
    cert = calibrated(RigTruth(), "nau7802", 1)
    stability = msgspec.structs.replace(
        cert.stability, zero_walk_g=walk_g, zero_walk_dof=50.0, zero_drift_g=0.0, creep_pct_fs=0.0
    )
    cell = msgspec.structs.replace(cert.cell, capacity_g=300.0)
    temperature = msgspec.structs.replace(cert.temperature, u_cell_temp_c=0.0)
    return msgspec.structs.replace(cert, stability=stability, cell=cell, temperature=temperature)


def weighed(which: str, at_h: float) -> Weighing:
    value = Integrated(200.0, 2e-4, 6.0, 600, 0, 600)
    return Weighing(WeighingKind(which), value, at_h * HOUR - 300.0, at_h * HOUR + 300.0, 25.0, 25.0, math.nan)


M1, M2 = weighed("m1", -1.0), weighed("m2", 7.5)
T_S = np.arange(0.0, HOLD_H * HOUR, EVERY_S)
H = T_S / HOUR


def rise(gained_g: np.ndarray, walk_g: float = 0.001, kpa: float | None = 0.0, seed: int = 1) -> HoldRise | None:
    """Look at a hold whose indication goes so, with white noise on it."""
    noise = 0.002 * np.random.default_rng(seed).standard_normal(len(T_S))
    rows = Stretch(T_S, 199.0 + gained_g + noise, np.full(len(T_S), 36.8))
    changed = None if kpa is None else PressureChange(kpa, 0.1, "declared")
    return rose_in_hold(rows, M1, M2, RigStated(certificate(walk_g)), changed)


def test_a_drift_that_hides_a_loss_is_carried_from_m1_to_m2() -> None:
    found = rise(0.007 * H)
    assert found is not None
    assert found.counts
    assert found.rate_g_per_h == pytest.approx(0.007, rel=0.1)
    assert found.toward_loss_g == pytest.approx(0.007 * 8.5, rel=0.1)
    assert found.to_s - found.from_s == pytest.approx(4.0 * HOUR, abs=2 * EVERY_S)


@pytest.mark.parametrize("tau_h", [0.4, 0.8, 1.2])
def test_what_still_evaporates_makes_it_a_lower_bound(tau_h: float) -> None:
    found = rise(0.007 * H + np.exp(-H / tau_h))
    assert found is None or found.toward_loss_g < 0.007 * 8.5 * 1.1


def test_a_rig_that_falls_and_a_sample_that_dries_are_not_told_apart() -> None:
    assert rise(-0.007 * H) is None
    assert rise(-0.2 * (1.0 - np.exp(-H / 3.0))) is None


def test_what_relaxes_is_carried_by_its_last_hours_alone() -> None:
    """A gradient in the cell that goes with an hour: 30 mg in all, and next to nothing from the fourth hour on."""
    found = rise(0.03 * (1.0 - np.exp(-H / 1.0)))
    assert found is None or found.toward_loss_g < 0.008


def test_a_hold_that_is_too_short_or_empty_says_nothing() -> None:
    nothing = np.empty(0)
    assert rose_in_hold(Stretch(nothing, nothing, nothing), M1, M2, RigStated(certificate(0.001)), None) is None
    few = slice(0, int(1.5 * HOUR / EVERY_S))
    short = Stretch(T_S[few], 199.0 + 0.01 * H[few], np.full(len(T_S[few]), 36.8))
    assert rose_in_hold(short, M1, M2, RigStated(certificate(0.001)), None) is None


def test_weather_that_nobody_read_explains_more_than_weather_that_was_read() -> None:
    unread, read = rise(0.007 * H, kpa=None), rise(0.007 * H, kpa=0.0)
    assert unread is not None
    assert read is not None
    assert unread.u_g_per_h > 2.0 * read.u_g_per_h


def test_a_zero_that_walks_as_its_certificate_says_hardly_ever_counts() -> None:
    rng, counts, n = np.random.default_rng(8), 0, 300
    for i in range(n):
        walk = np.cumsum(rng.standard_normal(len(T_S))) * 0.004 / math.sqrt(HOUR / EVERY_S)
        found = rise(walk, walk_g=0.004, seed=i)
        counts += found is not None and found.counts
    assert counts <= 0.02 * n


@pytest.mark.parametrize(("u_mass_g", "told"), [(0.001, True), (0.1, False), (None, False)])
def test_of_a_balance_without_a_certificate_what_was_declared_says_what_it_may_do(
    u_mass_g: float | None, told: bool
) -> None:
    rows = Stretch(T_S, 199.0 + 0.007 * H + 0.002 * np.random.default_rng(1).standard_normal(len(T_S)), T_S * 0.0)
    found = rose_in_hold(rows, M1, M2, RigStated(None, u_mass_g), None)
    assert found is not None
    assert found.counts is told
    assert (found.toward_loss_g > 0.0) is told
