"""A run is gone on with on the rig that it began on, or ended: swapped settings are INVALID, and say which."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulated_service import order, rigged

from edge.database.queries import rig_changed
from edge.instrument.same_rig import differences
from edge.records.invalid import InvalidReason
from edge.run.refold import refold
from edge.simulate.instrument import Simulated, build

DEVICES: dict[str, dict[str, Any]] = {
    "bridge": {"bridge": "nau7802", "address": "0x2A", "gain": 128, "rate_sps": 10, "ldo_v": 3.0, "ocal": "000001"},
    "oven": {"probe": "max31865", "wires": 4, "ref_ohm": 430.0, "mains_hz": 50, "nominal_ohm": 100.0},
}


def changed(device: str, **to: Any) -> dict[str, dict[str, Any]]:
    return DEVICES | {device: DEVICES[device] | to}


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (DEVICES, []),
        (changed("bridge", address="0x2B", ocal="ffffff"), []),
        (changed("bridge", gain=64), ["bridge: gain is 64, was 128 (-50 %)"]),
        (changed("bridge", bridge="hx711"), ["bridge: bridge is hx711, was nau7802"]),
        (changed("oven", ref_ohm=400.0), ["oven: ref_ohm is 400.0, was 430.0 (-6.98 %)"]),
        (changed("oven", wires=3), ["oven: wires is 3, was 4 (-25 %)"]),
        ({"bridge": DEVICES["bridge"]}, ["oven: not there, was fitted"]),
        (DEVICES | {"cell": DEVICES["oven"]}, ["cell: fitted, was not there"]),
    ],
)
def test_a_difference_is_named_with_how_much(now: dict[str, dict[str, Any]], says: list[str]) -> None:
    assert differences(DEVICES, now) == says


def begun(folder: Path) -> Simulated:
    simulated = build("solid", "nau7802", 1, looks=4)
    with rigged(folder, simulated=simulated) as it:
        it.service.start(order(), "ada")
        it.run_s(30)
    simulated.clock.sleep_s(10.0)
    return simulated


def swap(simulated: Simulated, **to: Any) -> Simulated:
    """Set the bridge's driver otherwise, as an edited config does."""
    driver = simulated.instrument._bridge
    again = type(driver)(driver._open_bus, simulated.clock, **({"gain": 128, "rate_sps": 10} | to))
    simulated.instrument._bridge = again
    return replace(simulated)


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ({"gain": 64}, "bridge: gain is 64, was 128 (-50 %)"),
        ({"ldo_v": 3.3}, "bridge: ldo_v is 3.3, was 3.0 (+10 %)"),
        ({"rate_sps": 80}, "bridge: rate_sps is 80, was 10 (+700 %)"),
        ({"channel": 2}, "bridge: channel is 2, was 1 (+100 %)"),
    ],
)
def test_swapped_settings_end_the_run_invalid_with_an_alarm(tmp_path: Path, to: dict[str, Any], says: str) -> None:
    simulated = swap(begun(tmp_path), **to)
    with rigged(tmp_path, simulated=simulated) as it:
        it.service._take_up()
        it.run_s(3)
        station = it.service.station
        assert station.live is None
        assert station.last is not None
        assert station.last.verdict == "INVALID"
        assert station.last.invalid_reason is InvalidReason.RIG_CHANGED
        assert says in (station.last.invalid_because or "")
        (opened,) = (json.loads(e["data_json"]) for e in it.events("alarm_opened"))
        assert opened["alarm"] == "rig changed"
        assert says in opened["why"]
        assert it.events("converter_reset") == []
        assert says in rig_changed(it.journal.db, 1)
        invalid = refold(it.journal.db, 1).pipeline.phases.invalid
        assert invalid is not None
        assert (invalid.reason, invalid.why) == (InvalidReason.RIG_CHANGED, station.last.invalid_because)
        it.service.start(order("S-2"), "ada")  # and the next run is one of the rig as it is now
        it.run_s(2)
        assert station.live is not None


def test_settings_of_the_next_run_do_not_touch_this_one(tmp_path: Path) -> None:
    simulated = begun(tmp_path)
    with rigged(tmp_path, simulated=simulated, hold_s=300.0, batch_s=9) as it:  # another standard and storage
        it.service._take_up()
        it.run_s(3)
        assert it.service.station.live is not None


def test_a_process_that_dies_before_the_result_is_stored_ends_it_again(tmp_path: Path) -> None:
    simulated = swap(begun(tmp_path), gain=64)
    with rigged(tmp_path, simulated=simulated) as it:
        it.service._take_up()  # and not one frame more
    simulated = swap(simulated, gain=128)  # somebody has set it back meanwhile
    with rigged(tmp_path, simulated=simulated) as it:
        it.service._take_up()
        it.run_s(3)
        last = it.service.station.last
        assert last is not None
        assert last.invalid_reason is InvalidReason.RIG_CHANGED
        assert len(it.events("rig_changed")) <= 2
