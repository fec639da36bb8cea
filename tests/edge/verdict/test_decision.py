"""The decision: JCGM 106's published figures, and what each rule must do at and around the limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.propagation import Distribution
from edge.standards.standard import Standard, load_standard, loads_standard
from edge.uncertainty.budget import Budget, combine
from edge.uncertainty.components import Component, ComponentName
from edge.verdict.decision import Verdict, conformance_probability, decide

OWN = 'id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n'


def standard(extra: str = "") -> Standard:
    return loads_standard(OWN + extra)


def budget(loss_pct: float, u_pct: float, k: float = 2.0) -> Budget:
    return Budget(loss_pct, (), u_pct, k * u_pct, math.inf, u_pct, k * u_pct, None, "first order")


@pytest.mark.parametrize(
    ("estimate", "u", "lower", "upper", "pc"),
    [
        (-5.47, 0.05, -math.inf, -5.40, 0.91924),
        (509.7, 8.6, 490.0, math.inf, 0.98901),
        (13.6, 1.8, 12.5, 16.3, 0.66263),
    ],
)
def test_conformance_probability_of_jcgm_106(estimate: float, u: float, lower: float, upper: float, pc: float) -> None:
    assert conformance_probability(estimate, u, lower, upper) == pytest.approx(pc, abs=5e-6)


@pytest.mark.parametrize(("pc", "z"), [(0.80, 0.84), (0.90, 1.28), (0.95, 1.64), (0.99, 2.33), (0.999, 3.09)])
def test_guard_bands_of_jcgm_106(pc: float, z: float) -> None:
    # table 1 gives z to two decimals: the probability at z lies within what half a digit makes
    low, high = (conformance_probability(0.0, 1.0, upper=z + d) for d in (-0.0051, 0.0051))
    assert low <= pc <= high


def test_a_probability_without_uncertainty_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        conformance_probability(0.4, 0.0, upper=0.5)


@pytest.mark.parametrize(
    ("loss", "verdict"),
    [
        (0.1, Verdict.PASS),
        (0.375, Verdict.PASS),  # w + U is exactly the limit
        (0.3751, Verdict.INCONCLUSIVE),
        (0.625, Verdict.INCONCLUSIVE),  # w − U is exactly the limit, which conforms
        (0.6251, Verdict.FAIL),
        (-0.2, Verdict.PASS),
    ],
)
def test_the_guarded_rule(loss: float, verdict: Verdict) -> None:
    assert decide(budget(loss, 0.0625), standard()).verdict is verdict


def test_a_strict_comparator_fails_at_the_limit() -> None:
    strict = standard('comparator = "<"\n')
    assert decide(budget(0.375, 0.0625), strict).verdict is Verdict.INCONCLUSIVE
    assert decide(budget(0.625, 0.0625), strict).verdict is Verdict.FAIL


def test_the_simple_rule_asks_the_estimate_alone() -> None:
    simple = standard('decision_rule = "simple"\n')
    assert decide(budget(0.5, 0.1), simple).verdict is Verdict.PASS
    assert decide(budget(0.5001, 0.1), simple).verdict is Verdict.FAIL


def test_a_guard_factor_widens_the_band() -> None:
    wide = standard("guard_factor = 1.5\n")
    assert decide(budget(0.32, 0.0625), standard()).verdict is Verdict.PASS
    assert decide(budget(0.32, 0.0625), wide).verdict is Verdict.INCONCLUSIVE


@given(loss=st.floats(-1.0, 20.0), u=st.floats(1e-4, 2.0), k=st.floats(1.9, 5.0))
def test_a_pass_is_wrong_at_most_as_often_as_the_guard_band_says(loss: float, u: float, k: float) -> None:
    decision = decide(budget(loss, u, k), load_standard("gbt-48093-1-2026"))
    worst = conformance_probability(0.0, 1.0, upper=-k)  # what lies beyond k standard uncertainties
    if decision.verdict is Verdict.PASS:
        assert decision.conformance_probability >= 1.0 - worst - 1e-9
    if decision.verdict is Verdict.FAIL:
        assert decision.conformance_probability <= worst + 1e-9


def drawn(loss_pct: float, distribution: Distribution, u_pct: float) -> Budget:
    line = Component(ComponentName.MASS_DIFFERENCE, loss_pct, u_pct, "%", u_pct, "assumed", "", distribution)
    return combine(lambda x: x[ComponentName.MASS_DIFFERENCE], [line], 0.9545, 1, 0.5)


def test_the_probability_is_that_of_the_budgets_own_shape_where_it_is_less_confident() -> None:
    """A rectangle of half-width 0.1 % around 0.44 %: 80 % of it lies below the limit; of a normal curve 85 %."""
    decision = decide(drawn(0.44, "rectangular", 0.1 / math.sqrt(3.0)), standard())
    assert decision.conformance_probability == pytest.approx(0.8, abs=0.005)
    assert decision.otherwise is not None
    assert decision.otherwise.by == "a normal curve"
    assert decision.otherwise.pc == pytest.approx(0.851, abs=0.002)


def test_a_normal_budget_has_one_probability() -> None:
    decision = decide(drawn(0.44, "normal", 0.06), standard())
    assert decision.otherwise is None
    assert decision.conformance_probability == pytest.approx(0.841, abs=0.002)
