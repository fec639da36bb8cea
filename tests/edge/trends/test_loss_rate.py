"""The rate of loss of a running test: the slope it has now, and no trend that a load cell's walk could make."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.trends.forecast_live import WALK_PCT
from edge.trends.loss_rate import LossRate, Trend, loss_rate

MINUTES = [i / 60.0 for i in range(1, 61)]


def test_of_a_straight_line_it_is_the_slope_and_steady() -> None:
    found = loss_rate(MINUTES, [0.2 * h for h in MINUTES])
    assert found is not None
    assert found.pct_per_h == pytest.approx(0.2)
    assert found.trend is Trend.STEADY


@pytest.mark.parametrize(("sign", "trend"), [(-1.0, Trend.FALLING), (1.0, Trend.RISING)])
def test_a_curve_that_bends_falls_or_rises(sign: float, trend: Trend) -> None:
    found = loss_rate(MINUTES, [math.exp(sign * h / 0.5) * sign for h in MINUTES])
    assert found is not None
    assert found.trend is trend
    at_h = MINUTES[-1] - 14.5 / 60.0  # the middle of the newest half hour
    assert found.pct_per_h == pytest.approx(math.exp(sign * at_h / 0.5) / 0.5, rel=0.05)


def test_less_than_the_walk_of_a_load_cell_is_no_trend() -> None:
    trends: list[Trend | None] = []
    walk = np.random.default_rng(1)
    for _ in range(40):
        steps = walk.normal(0.0, WALK_PCT / math.sqrt(60.0), len(MINUTES))
        found = loss_rate(MINUTES, (0.005 * np.array(MINUTES) + np.cumsum(steps)).tolist())
        assert found is not None
        trends.append(found.trend)
    assert trends.count(Trend.STEADY) >= 36


def test_a_short_curve_has_no_rate_and_a_longer_one_no_trend_yet() -> None:
    assert loss_rate([], []) is None
    assert loss_rate(MINUTES[:5], [0.0] * 5) is None
    assert loss_rate(MINUTES[:12], MINUTES[:12]) == LossRate(pytest.approx(1.0), None)
