"""The noise of a mean, in small: two hundred windows of each law, and ten nights of the slow ones."""

from __future__ import annotations

import pytest
from noise_of_means import LAWS, SLOW, alone, apart


@pytest.mark.parametrize("name", LAWS)
def test_the_true_mean_is_inside_about_as_often_as_stated(name: str) -> None:
    assert 0.88 <= alone(LAWS[name], 200, seed=3) <= 1.0


@pytest.mark.parametrize("name", SLOW)
def test_what_a_night_shows_of_hours_makes_a_difference_hold(name: str) -> None:
    assert apart(SLOW[name], 10, seed=3) >= 0.7
