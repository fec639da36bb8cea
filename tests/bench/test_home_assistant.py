"""What the bench with a real Home Assistant calls wrong; and all of it, where one is."""

from __future__ import annotations

import os
from pathlib import Path

import home_assistant
import pytest

from edge.publish.discovery import discovery
from edge.publish.settings import PublishSettings

SETTINGS = PublishSettings(host="b", rig=home_assistant.RIG)


def as_described() -> home_assistant.Held:
    return {
        one.unique_id: {
            "entity": one.name,
            "state": "1",
            "unit_of_measurement": one.unit_of_measurement,
            "device_class": one.device_class,
            "options": None if one.options is None else list(one.options),
        }
        for one in discovery(SETTINGS)[1].components.values()
    }


def test_what_is_held_as_it_was_described_is_right() -> None:
    assert home_assistant.wrong_entities(as_described(), SETTINGS) == []


@pytest.mark.parametrize(("key", "value"), [("unit_of_measurement", "kg"), ("device_class", None), ("options", ["x"])])
def test_another_unit_class_or_option_is_wrong(key: str, value: object) -> None:
    held = as_described()
    name = f"{home_assistant.RIG}_mass_g" if key != "options" else f"{home_assistant.RIG}_phase"
    held[name][key] = value
    assert len(home_assistant.wrong_entities(held, SETTINGS)) == 1


def test_an_entity_that_is_missing_is_wrong_and_unknown_is_not_known() -> None:
    held = as_described()
    del held[f"{home_assistant.RIG}_temp_c"]
    assert home_assistant.wrong_entities(held, SETTINGS) == [f"{home_assistant.RIG}_temp_c: is not there"]
    for one in held.values():
        one["state"] = "unknown"
    assert home_assistant.known(held) == []


def test_a_real_one_finds_the_rig_and_holds_what_the_station_says(tmp_path: Path) -> None:
    python = os.environ.get("HOME_ASSISTANT_PYTHON")
    if python is None or home_assistant.mosquitto() is None:
        pytest.skip("no Home Assistant here (HOME_ASSISTANT_PYTHON), or no Mosquitto: make home-assistant")
    wrong, held = home_assistant.measured(Path(python), tmp_path)
    assert wrong == []
    assert held
