"""Discovery as Home Assistant documents it: keys, classes with their units, templates that give the state's values."""

from __future__ import annotations

import json

import msgspec
import pytest
from jinja2 import Environment, StrictUndefined

from edge.control.client import status_told
from edge.publish.discovery import discovery
from edge.publish.message import StateMessage, state_message
from edge.publish.settings import PublishSettings
from edge.records.status import StationStatus
from edge.station.alarm_rules import Alarm

UNITS = {
    "weight": {"kg", "g", "mg", "µg", "oz", "lb", "st"},
    "temperature": {"°C", "°F", "K"},
    "pressure": {"Pa", "kPa", "hPa", "bar", "cbar", "mbar", "mmHg", "inHg", "psi"},
    "duration": {"d", "h", "min", "s", "ms"},
}
"""Home Assistant's sensor device classes, and the units that each may have (developer documentation, Sensor entity)."""
KEYS = {
    "platform", "unique_id", "name", "value_template", "device_class", "state_class", "unit_of_measurement",
    "suggested_display_precision", "options", "payload_on", "payload_off", "entity_category", "expire_after",
}  # fmt: skip


@pytest.fixture
def told() -> tuple[str, dict]:
    topic, message = discovery(PublishSettings(host="b", rig="lab-3", state_every_s=20.0))
    return topic, json.loads(msgspec.json.encode(message))


def test_one_message_describes_the_device_with_all_that_is_documented(told: tuple[str, dict]) -> None:
    topic, message = told
    assert topic == "homeassistant/device/halfpercent-lab-3/config"
    assert set(message) >= {"device", "origin", "components", "state_topic", "availability_topic"}
    assert message["device"]["identifiers"] == ["halfpercent-lab-3"]
    assert message["origin"]["name"] == "halfpercent"
    ids = [one["unique_id"] for one in message["components"].values()]
    assert len(ids) == len(set(ids))
    for one in message["components"].values():
        assert set(one) <= KEYS
        assert one["platform"] in ("sensor", "binary_sensor")
        if one.get("device_class") in UNITS:
            assert one["unit_of_measurement"] in UNITS[one["device_class"]]
        if one.get("device_class") == "enum":
            assert "state_class" not in one
            assert "unit_of_measurement" not in one
        if one["platform"] == "sensor" and one.get("device_class") != "enum":
            assert one["expire_after"] == 60


def rendered(message: dict, key: str, state: StateMessage) -> str:
    """Render a template as Home Assistant does: Jinja, with the payload as ``value_json``."""
    template = Environment(undefined=StrictUndefined).from_string(message["components"][key]["value_template"])
    return template.render(value_json=json.loads(msgspec.json.encode(state)))


def test_each_template_gives_what_the_station_answered(told: tuple[str, dict]) -> None:
    answer = {
        "state": "running",
        "run": {"run_id": 3, "phase": "hold", "mass_g": 196.354, "hold_s": 3600.0, "loss_pct": 0.21},
        "readings": {"temp_c": 120.1, "cell_temp_c": 27.5, "pressure_pa": 80.0},
        "alarms": [{"alarm": "storage", "closed": False}, {"alarm": "gauge", "closed": True}],
        "storage": {"pending_s": 0},
    }
    state = state_message("lab-3", status_told(answer))
    found = {key: rendered(told[1], key, state) for key in told[1]["components"]}
    assert (found["mass_g"], found["temp_c"], found["loss_pct"]) == ("196.354", "120.1", "0.21")
    assert (found["phase"], found["verdict"]) == ("hold", "none")
    assert {key for key, value in found.items() if value == "ON"} == {"alarm_storage"}
    assert len([key for key in found if key.startswith("alarm_")]) == len(Alarm)


def test_what_is_an_enum_is_among_its_options_where_the_station_answers(told: tuple[str, dict]) -> None:
    state = state_message("lab-3", StationStatus(state="idle"))
    for key in ("phase", "verdict"):
        assert rendered(told[1], key, state) in told[1]["components"][key]["options"]


def test_of_a_station_that_does_not_answer_nothing_is_known_and_no_alarm_is_said_to_be_off(
    told: tuple[str, dict],
) -> None:
    state = StateMessage(rig="lab-3", state="unreachable")
    assert {rendered(told[1], key, state) for key in told[1]["components"]} == {"None"}
