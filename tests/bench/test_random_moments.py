"""Random moments in small: what is drawn is always the same, and a few of them make no confident wrong verdict."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest
from random_moments import WHAT, act_drawn, drawn, found
from virtualpi import lives


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


def test_on_the_virtual_pi_a_night_can_be_kept_in_a_file_between_two_lives_and_its_chips_go_on_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "DATA", tmp_path)
    station = lives.begun(8, 60.0, "nau7802")
    again = pickle.loads(pickle.dumps(station))
    for one in (station, again):
        one._world.rig.place_sample()
        one._world.clock.sleep_s(60.0)
    at_ns = station._world.clock.now_ns()
    assert again._world.clock.now_ns() == at_ns
    assert again._world.disturbances.bridge_ratio(at_ns) == station._world.disturbances.bridge_ratio(at_ns)
    assert again._operator._true_mass_g() == station._operator._true_mass_g()
    assert again.order == station.order
