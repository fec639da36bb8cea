"""A load cell's numbers from readings: found again from made-up cells, and refused where they cannot be found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.errors import BadFit
from calibration.loadcell import SpanPoint, fit_span
from calibration.thermal import fit_lag, fit_temperature, fit_walk, lagged

S, ZERO, CAPACITY_G = 4295.0, 84_000.0, 500.0


def points(masses: list[float], *, bend: float = 0.0, noise: float = 0.0, seed: int = 1, down: float | None = None,
           u_mass_g: float = 1e-4) -> list[SpanPoint]:  # fmt: skip
    rng = np.random.default_rng(seed)

    def code(m: float) -> float:
        return ZERO + S * m * (1.0 + bend * m) + noise * float(rng.standard_normal())

    out = [SpanPoint(m, u_mass_g, code(m), max(noise, 1e-3)) for m in masses]
    if down is not None:
        out += [SpanPoint(m, u_mass_g, code(m) + S * down, max(noise, 1e-3), rising=False) for m in reversed(masses)]
    return out


def test_span_and_zero_are_found_again() -> None:
    f = fit_span(points([0.0, 100.0, 200.0, 500.0]), CAPACITY_G)
    assert f.counts_per_g == pytest.approx(S, rel=1e-9)
    assert f.zero_code == pytest.approx(ZERO, abs=1e-3)
    assert not f.quadratic
    assert f.linearity_per_g == 0.0


def test_a_bend_is_found_and_named_with_the_fold_s_sign() -> None:
    q = 3e-6
    f = fit_span(points([0.0, 100.0, 200.0, 350.0, 500.0], bend=-q), CAPACITY_G)
    assert f.quadratic
    # mass = load + q·load², so load = m·(1 − q·m): code grows slower than the mass for positive q
    assert f.linearity_per_g == pytest.approx(q, rel=0.01)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_a_bend_that_is_only_noise_is_rarely_kept_and_never_matters(seed: int) -> None:
    f = fit_span(points([0.0, 100.0, 200.0, 300.0, 400.0, 500.0], noise=20.0, seed=seed), CAPACITY_G)
    off_g = abs(f.linearity_per_g) * CAPACITY_G**2
    assert off_g <= 6.0 * 20.0 / S * 3.0  # at the top, no more than noise can make of a parabola


def test_hysteresis_shows() -> None:
    f = fit_span(points([0.0, 100.0, 200.0, 500.0], down=0.02), CAPACITY_G)
    assert f.hysteresis_g == pytest.approx(0.02, rel=1e-3)
    assert math.isnan(fit_span(points([0.0, 200.0]), CAPACITY_G).hysteresis_g)


def test_the_stated_uncertainty_of_a_span_covers_its_errors() -> None:
    """Over many calibrations with noise and weights that are off by what they state: about 95 % within 2u."""
    rng = np.random.default_rng(3)
    inside = 0
    for seed in range(300):
        true = points([0.0, 100.0, 200.0, 300.0, 500.0], noise=10.0, seed=seed)
        given_ = [SpanPoint(p.mass_g + (0.005 * float(rng.standard_normal()) if p.mass_g else 0.0), 0.005, p.code, 10.0)
                  for p in true]  # fmt: skip
        f = fit_span(given_, CAPACITY_G)
        inside += abs(f.counts_per_g - S) <= 2.0 * f.u_counts_per_g
    assert inside >= 0.90 * 300  # 95.4 % ± 1.2 %, and a kept bend makes S itself less certain, never more


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        (points([200.0]), "all weights are the same"),
        (points([200.0, 200.0]), "all weights are the same"),
        (points([0.0, 0.2]), "grams, not kilograms"),
        (points([0.0, 1000.0]), "more than the cell's"),
        ([SpanPoint(0.0, 0.0, 0.0, 1.0), SpanPoint(200.0, 0.0, 8_388_607.0, 1.0)], "rail"),
        ([SpanPoint(0.0, 0.0, 5.0, 1.0), SpanPoint(200.0, 0.0, 6.0, 1.0)], "hardly move"),
        ([SpanPoint(0.0, 0.0, 5.0, 1.0), SpanPoint(math.nan, 0.0, 6.0, 1.0)], "not a number"),
    ],
)
def test_what_gives_no_span_is_refused_with_what_to_do(given_: list[SpanPoint], reason: str) -> None:
    with pytest.raises(BadFit, match=reason) as e:
        fit_span(given_, CAPACITY_G)
    assert ":" in str(e.value)
    assert "\n" not in str(e.value)


def warming(k: float, *, drift: float = 0.0, noise: float = 0.0, seed: int = 1, hours: float = 6.0):  # type: ignore[no-untyped-def]  # three arrays
    rng = np.random.default_rng(seed)
    t_s = np.arange(0.0, hours * 3600.0, 1.0)
    temp_c = 25.0 + 12.0 * (1.0 - np.exp(-t_s / 3000.0)) * np.exp(-((np.maximum(0.0, t_s - 12_000.0) / 6000.0) ** 2))
    code = 1000.0 + k * (temp_c - 25.0) + drift * t_s / 3600.0 + noise * rng.standard_normal(len(t_s))
    return t_s, temp_c, code


@pytest.mark.parametrize("k", [60.0, -60.0])
def test_a_zero_that_rises_with_temperature_has_a_positive_coefficient(k: float) -> None:
    f = fit_temperature(*warming(k, drift=25.0, noise=10.0), 25.0)
    assert math.copysign(1.0, f.per_k) == math.copysign(1.0, k)
    assert abs(f.per_k - k) <= 4.0 * f.u_per_k
    assert abs(f.drift_per_h - 25.0) <= 4.0 * f.u_drift_per_h


def test_drift_is_not_taken_for_temperature() -> None:
    f = fit_temperature(*warming(0.0, drift=100.0, noise=5.0), 25.0)
    assert abs(f.per_k) <= 4.0 * f.u_per_k


@pytest.mark.parametrize("walk", [0.0, 40.0])
def test_the_stated_uncertainty_holds_for_white_noise_and_for_a_wandering_zero(walk: float) -> None:
    """Over 60 nights: the true coefficient lies within two standard uncertainties in at least 90 % of them."""
    inside, u, off = 0, [], []
    for seed in range(60):
        t_s, temp_c, code = warming(60.0, noise=20.0, seed=seed)
        rng = np.random.default_rng((seed, 1))
        code = code + np.cumsum(rng.standard_normal(len(t_s))) * walk / 60.0
        f = fit_temperature(t_s, temp_c, code, 25.0)
        inside += abs(f.per_k - 60.0) <= 2.0 * f.u_per_k
        u.append(f.u_per_k)
        off.append(f.per_k - 60.0)
    assert inside >= 54
    assert np.median(u) < 2.0 * np.sqrt(np.mean(np.square(off)))  # and is no wider than it need be


@pytest.mark.parametrize("hours", [1.5, 4.0])
def test_a_short_night_states_as_much_more_as_it_knows_less(hours: float) -> None:
    """What a fit takes out of a walk it cannot see in its residuals: without that u would be far too small here."""
    off = []
    for seed in range(100):
        t_s, temp_c, code = warming(60.0, noise=20.0, seed=seed, hours=hours)
        rng = np.random.default_rng((seed, 2))
        f = fit_temperature(t_s, temp_c, code + np.cumsum(rng.standard_normal(len(t_s))) * 40.0 / 60.0, 25.0)
        off.append((f.per_k - 60.0) / f.u_per_k)
    # the mean square of 100 errors in units of their u: 1, give or take 4 standard deviations
    assert np.mean(np.square(off)) < 1.0 + 4.0 * math.sqrt(2.0 / 100.0)


@pytest.mark.parametrize(("hours", "scale", "reason"), [(0.2, 1.0, "minutes"), (6.0, 0.1, "warm and cool it")])
def test_too_little_is_refused(hours: float, scale: float, reason: str) -> None:
    t_s, temp_c, code = warming(60.0, hours=hours)
    with pytest.raises(BadFit, match=reason):
        fit_temperature(t_s, 25.0 + (temp_c - 25.0) * scale, code, 25.0)


@pytest.mark.parametrize("lag_s", [400.0, 1500.0, 4000.0])
def test_the_lag_behind_the_oven_is_found_again(lag_s: float) -> None:
    t_s = np.arange(0.0, 6.0 * 3600.0, 5.0)
    oven_c = 25.0 + np.minimum(95.0, np.maximum(0.0, (t_s - 1800.0) / 1900.0 * 95.0))
    rng = np.random.default_rng(2)
    cell_c = lagged(t_s, oven_c, lag_s)
    code = 1000.0 + 7.0 * (cell_c - 25.0) + 3.0 * rng.standard_normal(len(t_s))
    f = fit_lag(t_s, oven_c, code, 25.0)
    assert abs(f.lag_s - lag_s) <= 4.0 * f.u_lag_s
    assert abs(f.fit.per_k - 7.0) <= 4.0 * f.fit.u_per_k


@pytest.mark.parametrize("noise", [0.0, 30.0])
def test_a_random_walk_is_told_from_noise(noise: float) -> None:
    """Over 60 records of eight hours the walk that is found is, in the mean square, the one that was made."""
    q, n = 40.0, 8 * 3600
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        walk = np.cumsum(rng.standard_normal(n)) * q / 60.0
        f = fit_walk(np.arange(n, dtype=float), walk + noise * rng.standard_normal(n))
        found.append(f.per_sqrt_h**2)
    assert f.dof == 23.0
    # the mean of 60 estimates with some 23 degrees of freedom each: 4 standard deviations
    assert np.mean(found) / q**2 == pytest.approx(1.0, abs=4.0 * math.sqrt(2.0 / (60 * 23)))


def test_noise_alone_is_hardly_a_walk() -> None:
    rng = np.random.default_rng(1)
    n = 8 * 3600
    f = fit_walk(np.arange(n, dtype=float), 30.0 * rng.standard_normal(n))
    assert f.per_sqrt_h < 3.0  # a minute's mean of this noise is good to 4 codes


def test_a_record_too_short_for_a_walk_is_refused() -> None:
    with pytest.raises(BadFit, match="record at least"):
        fit_walk(np.arange(3600.0), np.zeros(3600))


def test_a_dead_load_on_a_bad_mount_gives_coefficient_and_lag_within_three_u() -> None:
    """22 kg that nobody touches, on a mount that makes 18 g of a kelvin, behind a lag of 25 minutes."""
    rng, t_s, per_g = np.random.default_rng(5), np.arange(0.0, 12.0 * 3600.0, 60.0) + 30.0, 20.0
    heated, left = 38.0 - 18.0 * np.exp(-(t_s - 7200.0) / 900.0), 20.0 + 18.0 * np.exp(-(t_s - 25_200.0) / 1500.0)
    oven_c = np.where(t_s < 7200.0, 20.0, np.where(t_s < 25_200.0, heated, left))
    code = ZERO + per_g * (22_000.0 - 18.0 * (lagged(t_s, oven_c, 1500.0) - 25.0) + rng.normal(0.0, 0.3, len(t_s)))
    code = code + per_g * np.cumsum(rng.normal(0.0, 0.1, len(t_s)))
    found = fit_lag(t_s, oven_c, code, 25.0)
    assert abs(found.lag_s - 1500.0) <= 3.0 * found.u_lag_s
    assert abs(found.fit.per_k / per_g + 18.0) <= 3.0 * found.fit.u_per_k / per_g
    assert found.fit.u_per_k / per_g < 0.5
