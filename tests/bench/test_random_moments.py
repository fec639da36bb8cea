"""Random moments in small: what is drawn is always the same, and a few of them make no confident wrong verdict."""

from __future__ import annotations

import msgspec
import pytest
from random_moments import WHAT, act_drawn, drawn, found


def test_what_is_drawn_is_always_the_same_and_of_every_kind() -> None:
    nights = [drawn(seed, 600.0) for seed in range(1, 60)]
    assert nights == [drawn(seed, 600.0) for seed in range(1, 60)]
    assert {night.name for night in nights} == set(WHAT)
    assert {night.head.bridge for night in nights} == {"nau7802", "hx711"}


def test_a_stated_bridge_changes_nothing_else_of_what_is_drawn() -> None:
    for seed in range(1, 20):
        free, stated = drawn(seed, 600.0), drawn(seed, 600.0, "nau7802")
        assert stated.head == msgspec.structs.replace(free.head, bridge="nau7802")
        assert (stated.name, stated.events) == (free.name, free.events)


@pytest.mark.parametrize("seed", [1, 4])
def test_a_few_of_them_make_no_confident_wrong_verdict(seed: int) -> None:
    done = act_drawn(seed, 120.0)
    assert not done.wrong, done.line()
    assert done.inside is not False, done.line()
    assert found([done]).count("\n") == 4
