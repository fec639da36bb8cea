"""The forecast of a running test: exact where the law is its own, honest where it cannot know, and never a verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.records.result import Verdict
from edge.trends.forecast_live import Expected, LiveForecast, Outlook, forecast_loss, outlook


def approach(
    until_h: float, *, whole: float = 0.5, tau_h: float = 1.0, rate: float = 0.0
) -> tuple[list[float], list[float]]:
    t = np.arange(1.0, until_h * 60.0) / 60.0
    return t.tolist(), (whole * -np.expm1(-t / tau_h) + rate * t).tolist()


@pytest.mark.parametrize(("tau_h", "rate"), [(1.0, 0.0), (2.0, 0.01), (0.5, 0.03)])
def test_an_exponential_approach_with_a_slow_rate_ends_where_it_will(tau_h: float, rate: float) -> None:
    found = forecast_loss(*approach(3.0, tau_h=tau_h, rate=rate), 6.0)
    true = 0.5 * -math.expm1(-6.0 / tau_h) + 6.0 * rate
    assert found is not None
    assert found.end.t_h == pytest.approx(6.0)
    assert found.end.low_pct <= true <= found.end.high_pct
    assert found.half_pct < 0.1  # at half of the hold


@pytest.mark.parametrize("begins_h", [0.8, 1.6, 2.2])
def test_after_a_second_onset_the_end_is_inside_and_what_was_before_does_not_count(begins_h: float) -> None:
    def law(t: np.ndarray) -> np.ndarray:
        return 0.2 * -np.expm1(-t / 0.5) + 0.3 * -np.expm1(-np.maximum(t - begins_h, 0.0) / 1.2)

    t = np.arange(1.0, 180.0) / 60.0
    found = forecast_loss(t.tolist(), law(t).tolist(), 6.0)
    assert found is not None
    assert found.end.low_pct <= law(np.array([6.0]))[0] <= found.end.high_pct


def test_the_interval_narrows_as_the_hold_goes_on() -> None:
    halves = [found.half_pct for h in (1.0, 2.0, 4.0, 5.5) if (found := forecast_loss(*approach(h), 6.0)) is not None]
    assert len(halves) == 4
    assert halves == sorted(halves, reverse=True)


@settings(max_examples=15, deadline=None)
@given(st.floats(-50.0, 50.0), st.floats(0.05, 5.0))
def test_a_constant_step_moves_the_forecast_by_itself_and_nothing_else(step: float, whole: float) -> None:
    t, y = approach(2.0, whole=whole)
    plain, moved = forecast_loss(t, y, 6.0), forecast_loss(t, [v + step for v in y], 6.0)
    assert plain is not None
    assert moved is not None
    assert moved.end.loss_pct - step == pytest.approx(plain.end.loss_pct, abs=1e-6)
    assert plain.end.low_pct <= plain.end.loss_pct <= plain.end.high_pct


def test_too_short_a_curve_and_a_hold_that_has_ended_have_no_forecast() -> None:
    t, y = approach(0.3)
    assert forecast_loss(t, y, 6.0) is None
    assert forecast_loss([], [], 6.0) is None
    t, y = approach(2.0)
    assert forecast_loss(t, y, t[-1]) is None


def expecting(loss: float, half: float) -> LiveForecast:
    end = Expected(6.0, loss - half, loss, loss + half)
    return LiveForecast(end, (end,))


@pytest.mark.parametrize(
    ("forecast", "found"),
    [
        (None, Outlook.TOO_EARLY),
        (expecting(0.21, 0.02), Outlook.PASS),
        (expecting(0.81, 0.03), Outlook.FAIL),
        (expecting(0.49, 0.02), Outlook.CLOSE),
        (expecting(0.46, 0.02), Outlook.CLOSE),  # inside the limit, but U of the verdict comes on top
        (expecting(0.5, 0.3), Outlook.TOO_EARLY),
        (expecting(5.0, 2.0), Outlook.FAIL),  # hopeless, however wide
    ],
)
def test_on_which_course_a_test_is(forecast: LiveForecast | None, found: Outlook) -> None:
    assert outlook(forecast, 0.5, 0.034) is found


def test_no_outlook_wears_a_verdicts_word() -> None:
    assert not {word.lower() for word in Verdict} & {word.lower() for word in Outlook}
