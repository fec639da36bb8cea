"""Propagation against the guides' own examples: GUM H.1 and H.2, JCGM 101 section 9.3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import scipy.stats

from calibration.propagation import Input, first_order, simulate, tolerance
from edge.qualify.references import GUM_H1, I_MA, JCGM_101_9_3, PHI, V, buoyant_weight, end_gauge


def test_gum_h1_end_gauge() -> None:
    found = first_order(end_gauge, GUM_H1)
    assert found.y == pytest.approx(50_000_838.0, abs=0.5)
    assert found.u == pytest.approx(32.0, abs=0.5)
    assert math.floor(found.dof) == 16
    assert found.contributions["lS"] == pytest.approx(25.0, abs=0.05)
    assert abs(found.contributions["da"]) == pytest.approx(2.9, abs=0.05)
    assert abs(found.contributions["dt"]) == pytest.approx(16.6, abs=0.1)


def test_gum_h2_resistance_and_reactance_with_correlated_inputs() -> None:
    data = np.array([V, [i / 1000.0 for i in I_MA], PHI])
    mean, u = data.mean(axis=1), data.std(axis=1, ddof=1) / math.sqrt(5.0)
    r = np.corrcoef(data)
    names = ("V", "I", "phi")
    assert (r[0, 1], r[0, 2], r[1, 2]) == pytest.approx((-0.36, 0.86, -0.65), abs=0.006)
    inputs = [Input(n, m, s) for n, m, s in zip(names, mean, u, strict=True)]
    correlations = {(names[i], names[j]): float(r[i, j]) for i in range(3) for j in range(i + 1, 3)}
    for model, value, uncertainty in (
        (lambda x: x["V"] / x["I"] * np.cos(x["phi"]), 127.732, 0.071),
        (lambda x: x["V"] / x["I"] * np.sin(x["phi"]), 219.847, 0.295),
        (lambda x: x["V"] / x["I"], 254.260, 0.236),
    ):
        found = first_order(model, inputs, correlations)
        assert found.y == pytest.approx(value, abs=0.0006)
        assert found.u == pytest.approx(uncertainty, abs=0.0006)


def test_jcgm_101_section_9_3_first_order_misses_buoyancy() -> None:
    found = first_order(buoyant_weight, JCGM_101_9_3)
    assert found.y == pytest.approx(1.2340, abs=5e-5)
    assert found.u == pytest.approx(0.0539, abs=5e-5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jcgm_101_section_9_3_monte_carlo_finds_it(seed: int) -> None:
    found = simulate(buoyant_weight, JCGM_101_9_3, coverage=0.95, seed=seed, digits=2)
    # table 6, adaptive with δ = 0.0005: 1.2341, 0.0754, and [1.0834, 1.3825], which is the guide's shortest interval;
    # ours is the symmetric one: as wide, and its ends may lie elsewhere, for the density is flat
    delta = tolerance(0.0754, 2)
    assert delta == pytest.approx(0.0005)
    assert found.stable
    assert found.y == pytest.approx(1.2341, abs=delta)
    assert found.u == pytest.approx(0.0754, abs=delta)
    assert found.high - found.low == pytest.approx(1.3825 - 1.0834, abs=2.0 * delta)


def test_monte_carlo_is_the_same_for_the_same_seed() -> None:
    runs = [simulate(buoyant_weight, JCGM_101_9_3, coverage=0.9545, seed=4) for _ in range(2)]
    assert repr(runs[0]) == repr(runs[1])  # a NaN is not equal to itself


def test_a_linear_model_of_normals_agrees_with_first_order() -> None:
    inputs = [Input("a", 1.0, 3.0), Input("b", 2.0, 4.0)]
    g = first_order(lambda x: x["a"] + x["b"], inputs)
    m = simulate(lambda x: x["a"] + x["b"], inputs, coverage=0.9545, seed=5)
    assert g.u == pytest.approx(5.0, rel=1e-12)
    assert m.u == pytest.approx(5.0, abs=2.0 * tolerance(5.0, 2))
    assert (m.high - m.low) / 2.0 == pytest.approx(10.0, abs=0.15)


@pytest.mark.parametrize(("distribution", "half"), [("rectangular", math.sqrt(3.0)), ("triangular", math.sqrt(6.0))])
def test_bounded_inputs_have_their_u_and_their_bounds(distribution: Any, half: float) -> None:
    found = simulate(lambda x: x["a"], [Input("a", 0.0, 1.0, distribution)], coverage=0.999, seed=6)
    assert found.u == pytest.approx(1.0, abs=0.02)
    assert abs(found.low) <= half
    assert found.high <= half


def test_the_numerical_tolerance_of_jcgm_101() -> None:
    # JCGM 101, 7.9.2, example: u(y) = 0.35 mg to two digits: δ = 0.005 mg; one digit of 2 nm... 0.5 · 10^r
    assert tolerance(0.35, 2) == pytest.approx(0.005)
    assert tolerance(2.0, 1) == pytest.approx(0.5)


@pytest.mark.parametrize("dof", [1.0, 1.5, 2.0, 2.5, 4.0])
def test_with_few_degrees_of_freedom_monte_carlo_is_students_t(dof: float) -> None:
    from scipy import special

    found = simulate(lambda x: x["a"], [Input("a", 10.0, 0.1, "t", dof)], coverage=0.95, seed=3, limit=10.1)
    k = float(special.stdtrit(dof, 0.975))
    assert (found.high - found.low) / 2.0 == pytest.approx(0.1 * k, rel=0.05)
    assert found.y == pytest.approx(10.0, abs=0.01)
    assert found.below == pytest.approx(float(special.stdtr(dof, 1.0)), abs=0.01)


@pytest.mark.parametrize("dof", [1.0, 30.0])
def test_the_summary_of_all_trials_is_numpys(dof: float) -> None:
    drawn: list[Any] = []

    def model(at: Mapping[str, Any]) -> Any:
        drawn.append(at["x"])
        return at["x"]

    found = simulate(model, [Input("x", 1.0, 0.1, "t", dof)], coverage=0.95, seed=3, max_trials=50_000)
    trials = np.concatenate(drawn)
    low, one_low, median, one_high, high = np.quantile(trials, [0.025, 0.15865525, 0.5, 0.84134475, 0.975])
    if dof < 3.0:  # no variance that trials could settle
        assert (found.y, found.u) == (pytest.approx(median), pytest.approx((one_high - one_low) / 2.0, rel=1e-6))
    else:
        assert (found.y, found.u) == (pytest.approx(np.mean(trials)), pytest.approx(np.std(trials, ddof=1)))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("dof", [2.0, 4.0])
@pytest.mark.parametrize("u", [0.03, 0.0699, 0.0995])
def test_trials_end_where_the_u_of_all_of_them_says_so(dof: float, u: float) -> None:
    """Asked after each sequence, by the same draws: JCGM 101, 7.9.4, a to j. Some u is close to a power of ten."""
    t, seed, block = scipy.stats.t(dof), 4, 10_000
    rng, parts, numbers = np.random.default_rng(seed), list[np.ndarray](), list[tuple[float, ...]]()
    ends, one, stable = (0.025, 0.975), (0.158655, 0.841345), False
    while not stable and len(parts) < 40:
        part = u * rng.standard_t(dof, block)
        low, low_one, middle, high_one, high = np.quantile(part, [ends[0], one[0], 0.5, one[1], ends[1]])
        of_part = ((high_one - low_one) / 2.0, middle) if dof < 3.0 else (np.std(part, ddof=1), np.mean(part))
        numbers.append((*of_part, low, high))
        parts.append(part)
        whole = np.concatenate(parts)
        of_all = np.diff(np.quantile(whole, one))[0] / 2.0 if dof < 3.0 else np.std(whole, ddof=1)
        if len(parts) > 1:
            twice = 2.0 * np.max(np.std(numbers, axis=0, ddof=1)) / math.sqrt(len(parts))
            stable = bool(twice <= 0.5 * 10.0 ** (math.floor(math.log10(of_all)) - 1))
    found = simulate(lambda x: x["x"], [Input("x", 0.0, u, "t", dof)], coverage=0.95, seed=seed, max_trials=400_000)
    assert (found.trials, found.stable) == (block * len(parts), stable)
    assert found.high == pytest.approx(u * t.ppf(0.975), rel=0.03)
