"""The Allan deviation against published numbers, and a window no longer than it justifies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import RECORDINGS

from calibration.allan import degrees_of_freedom, deviation, mean_over_stable_window, mean_over_whole_window

RECORDING = RECORDINGS / "hx711-constant-load-10min.csv"

NBS_9 = np.array([892.0, 809, 823, 798, 671, 644, 883, 903, 677])
"""NBS Monograph 140, annex 8.E; its deviations are in NIST SP 1065 (W. J. Riley, 2008), table 30, page 107."""


def nist_1000():
    """Get the 1000 points of NIST SP 1065, section 12.4; their deviations are in its table 31, page 108."""
    n, points = 1234567890, []
    for _ in range(1000):
        points.append(n / 2147483647)
        n = 16807 * n % 2147483647
    return np.array(points)


def test_the_generator_gives_the_published_points():
    points = nist_1000()
    assert points.mean() == pytest.approx(4.897745e-1, abs=5e-8)
    assert points.std(ddof=1) == pytest.approx(2.884664e-1, abs=5e-8)


@pytest.mark.parametrize(("m", "published"), [(1, 91.22945), (2, 85.95287)])
def test_nine_points_of_nbs_monograph_140(m, published):
    assert deviation(NBS_9, m) == pytest.approx(published, abs=5e-6)


@pytest.mark.parametrize(
    ("m", "published", "digit"), [(1, 2.922319e-1, 1e-7), (10, 9.159953e-2, 1e-8), (100, 3.241343e-2, 1e-8)]
)
def test_a_thousand_points_of_nist_sp_1065(m, published, digit):
    assert deviation(nist_1000(), m) == pytest.approx(published, abs=0.5 * digit)


def test_a_recording_of_a_warming_cell_has_the_deviations_that_others_found():
    if not RECORDING.exists():
        pytest.skip("../shared/data/hx711-constant-load-10min.csv is not here")
    counts = np.loadtxt(RECORDING, delimiter=",", skiprows=1, usecols=1)
    assert len(counts) == 7023
    # Told are deviations of means that do not overlap, some rounded and some cut off to the last digit. The
    # overlapping ones estimate the same, and better: they lie within the others' own standard uncertainty.
    for m, told, digit in ((1, 29, 1), (10, 18.7, 0.1), (100, 18.4, 0.1), (700, 63, 1)):
        apart = np.diff(counts[: len(counts) // m * m].reshape(-1, m).mean(axis=1))
        assert abs(math.sqrt(np.mean(apart**2) / 2) - told) < digit
        assert abs(deviation(counts, m) - told) < digit + told / math.sqrt(2 * len(apart))


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.integers(-1000, 1000), min_size=2, max_size=40),
    data=st.data(),
    offset=st.sampled_from([0, 2**23, 10**9]),
)
def test_it_is_the_definition_and_a_constant_changes_nothing(values, data, offset):
    m = data.draw(st.integers(1, len(values) // 2))
    x = np.array(values, np.float64)
    means = [math.fsum(values[i : i + m]) / m for i in range(len(values) - m + 1)]
    squares = [(b - a) ** 2 for a, b in zip(means, means[m:], strict=False)]
    told = math.sqrt(math.fsum(squares) / (2 * len(squares)))
    assert deviation(x + offset, m) == pytest.approx(told, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("m", [0, -1, 5, 9])
def test_a_mean_of_more_than_half_the_values_has_no_deviation(m):
    with pytest.raises(ValueError, match="at most half"):
        deviation(NBS_9, m)


def test_the_deviation_of_white_noise_falls_with_the_root_of_the_averaging_and_has_the_told_freedom():
    rng = np.random.default_rng(11)
    n, trials = 600, 2000
    for m in (1, 8, 64, 128):
        squares = np.array([deviation(rng.normal(0, 1, n), m) ** 2 for _ in range(trials)]) * m
        # A chi-square over its degrees of freedom: mean 1, variance 2 / dof.
        assert abs(squares.mean() - 1) <= 4 * squares.std() / math.sqrt(trials)
        # NIST SP 1065 gives the dof of this table as good to about a tenth.
        assert 2 / squares.var() == pytest.approx(degrees_of_freedom(n, m), rel=0.2)


@pytest.mark.parametrize("n", [60, 300, 1200])
def test_the_uncertainty_of_a_white_mean_is_never_told_too_small_on_average(n):
    rng = np.random.default_rng(n)
    trials = 1500
    found = [mean_over_stable_window(rng.normal(100, 1, n).tolist(), "last") for _ in range(trials)]
    u = np.array([i.u for i in found])
    off = np.array([i.mean for i in found]) - 100
    length = np.array([i.n for i in found])
    # Of a white mean over as many values as were taken, σ/√n is the truth; the mean shows it …
    z_2 = off**2 * length
    assert abs(z_2.mean() - 1) <= 4 * z_2.std() / math.sqrt(trials)
    # … and u is the deviation at the longest octave, n/6 < m <= n/3: between √3 and √6 times that, less what
    # choosing the smallest of several takes away.
    whole = length == n
    assert whole.mean() > 0.85
    assert 1.0 <= math.sqrt((u[whole] ** 2).mean() * n) <= math.sqrt(6)
    assert np.mean(np.abs(off) > 2 * u) < 0.0455  # a normal's two tails beyond 2u


def test_with_a_drift_the_window_is_short_and_the_uncertainty_does_not_shrink_with_its_length():
    rng = np.random.default_rng(4)
    n, slope = 1200, 0.02
    values = rng.normal(0, 1, n) + slope * np.arange(n)
    first, last = mean_over_stable_window(values.tolist(), "first"), mean_over_stable_window(values.tolist(), "last")
    # σ²/m + (slope·m)²/2 is smallest at m = (σ/slope)^(2/3) = 13.6: an octave off at most.
    assert 8 <= first.n == last.n <= 32
    assert (first.start, last.start) == (0, n - last.n)
    assert first.mean == pytest.approx(math.fsum(values[: first.n]) / first.n)
    assert last.mean == pytest.approx(math.fsum(values[-last.n :]) / last.n)
    assert last.mean - first.mean == pytest.approx(slope * (n - last.n), abs=4 * math.hypot(first.u, last.u))
    assert first.u > 3 / math.sqrt(n)


def test_the_warming_cell_is_not_averaged_for_ten_minutes():
    if not RECORDING.exists():
        pytest.skip("../shared/data/hx711-constant-load-10min.csv is not here")
    counts = np.loadtxt(RECORDING, delimiter=",", skiprows=1, usecols=1)
    found = mean_over_stable_window(counts.tolist(), "last")
    assert 10 <= found.n <= 128  # past about 10 s at 11.6 samples a second, averaging buys nothing
    assert found.n_seen == len(counts)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_values_give_their_mean_and_spread(n):
    values = [3.0, 5.0, 4.0, 8.0, 1.0][:n]
    found = mean_over_stable_window(values, "first")
    assert (found.n, found.start, found.dof) == (n, 0, max(1, n - 1))
    assert found.mean == pytest.approx(np.mean(values))
    assert found.u == pytest.approx(np.std(values, ddof=1) if n > 1 else 0.0)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf] * 10])
def test_a_mean_of_nothing_or_of_what_is_not_finite_is_refused(values):
    with pytest.raises(ValueError, match="finite"):
        mean_over_stable_window(values, "first")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_a_mean_over_the_whole_window_is_of_all_values(seed):
    values = np.random.default_rng(seed).normal(5.0, 1.0, 600)
    found = mean_over_whole_window(values.tolist())
    assert found.mean == pytest.approx(values.mean())
    assert (found.n, found.n_seen) == (600, 600)
    assert 1.0 <= found.dof <= 18.0  # of twenty means about a line


def test_of_white_noise_the_u_of_the_mean_is_its_scatter_over_the_root_of_n():
    rng = np.random.default_rng(8)
    found = [mean_over_whole_window(rng.normal(5.0, 1.0, 600).tolist()) for _ in range(400)]
    independent = [f.u for f in found if f.dof >= 3.0]
    assert len(independent) >= 200
    assert np.sqrt(np.mean(np.square(independent))) == pytest.approx(1.0 / math.sqrt(600.0), rel=0.1)


def test_a_drift_within_the_window_is_no_error_of_its_mean():
    values = np.random.default_rng(9).normal(5.0, 1.0, 600)
    level, drifting = (mean_over_whole_window((values + d).tolist()) for d in (0.0, np.linspace(-5.0, 5.0, 600)))
    assert drifting.u == pytest.approx(level.u, rel=0.02)  # the means of twenty parts leave nothing of the line


def test_noise_with_a_memory_has_the_instability_of_thirds_of_the_window():
    values = np.cumsum(np.random.default_rng(10).normal(0.0, 1.0, 600))
    found = mean_over_whole_window(values.tolist())
    assert found.u == pytest.approx(deviation(values, 200))  # NIST SP 1065, 5.2.4
    assert found.dof == degrees_of_freedom(600, 200)


def test_a_mean_over_the_whole_window_sees_a_memory_that_a_short_octave_does_not():
    """Readings through a slow filter: neighbours are alike, and the smallest deviation is that of neighbours."""
    rng, value, values = np.random.default_rng(7), 0.0, []
    for noise in rng.normal(0.0, 1.0, 600):
        value += (noise - value) / 30.0
        values.append(value)
    stable, whole = mean_over_stable_window(values, "last"), mean_over_whole_window(values)
    assert whole.u > 2.0 * stable.u


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_mean_over_the_whole_window_needs_values(value):
    with pytest.raises(ValueError, match="all finite"):
        mean_over_whole_window([*range(9), value])
