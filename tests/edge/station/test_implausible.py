"""A temperature that nothing in its place can have is a fault: an alarm, and the interlock opens, within a second."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from simulated_service import Rigged, rigged

from edge.errors import BadConfig
from edge.instrument.config import loads_config, usual
from edge.instrument.plausible import OVEN_C, cell_plausible_c, oven_plausible_c
from edge.simulate.instrument import REF_OHM, build
from hw.protocols import Status
from hw.sim.rig import pt100_ohm


def show(it: Rigged, probe: str, ohm: float) -> None:
    getattr(it.simulated.chips, probe).resistance = lambda _t_ns: ohm


CASES = {
    "-127 °C of another make": 48.9,
    "a Pt100 on a Pt1000 board": 10.97,
    "half shorted": 60.0,
    "beyond any oven": pt100_ohm(450.0),
}


@pytest.mark.parametrize("probe", ["oven", "cell"])
@pytest.mark.parametrize("ohm", CASES.values(), ids=CASES)
def test_it_alarms_and_opens_the_interlock_within_a_second(tmp_path: Path, probe: str, ohm: float) -> None:
    with rigged(tmp_path) as it:
        it.run_s(3)
        assert it.relay() == 1
        assert it.events("alarm_opened") == []
        show(it, probe, ohm)
        it.run_s(1.0)
        assert it.relay() == 0
        opened = [json.loads(e["data_json"]) for e in it.events("alarm_opened")]
        assert opened[0]["alarm"] == f"{probe} probe"
        assert "doctor" in opened[0]["why"]
        latest = it.service.station.latest
        assert latest is not None
        reading = getattr(latest.look, probe)
        assert reading.status is Status.FAULT
        assert reading.code == pytest.approx(ohm / REF_OHM * 32768, abs=3), "raw is raw"


def test_a_cell_probe_that_merely_fell_off_its_plug_opens_no_interlock(tmp_path: Path) -> None:
    with rigged(tmp_path) as it:
        it.run_s(3)
        it.simulated.chips.cell.unplug()
        it.run_s(2)
        assert [json.loads(e["data_json"])["alarm"] for e in it.events("alarm_opened")] == ["cell probe"]
        assert it.relay() == 1
        it.simulated.chips.cell.plug()
        show(it, "cell", 48.9)  # and then it comes back with nonsense
        it.run_s(2)
        assert it.relay() == 0


@pytest.mark.parametrize("temp_c", [-29.0, 0.0, 120.0, 399.0])
def test_what_an_oven_can_have_is_a_temperature(tmp_path: Path, temp_c: float) -> None:
    with rigged(tmp_path) as it:
        show(it, "oven", pt100_ohm(temp_c))
        it.run_s(2)
        latest = it.service.station.latest
        assert latest is not None
        assert latest.look.oven_c == pytest.approx(temp_c, abs=0.2)


@pytest.mark.parametrize("missing", ["oven", "cell"])
def test_a_probe_that_was_never_there_alarms_by_its_own_name(tmp_path: Path, missing: str) -> None:
    simulated = build("solid", "nau7802", 1, looks=4)
    with rigged(tmp_path, simulated=simulated) as it:
        simulated.instrument.close()
        getattr(simulated.chips, missing).unplug()
        stop_ns = simulated.clock.now_ns() + 3_000_000_000

        def poll() -> None:
            if simulated.clock.now_ns() > stop_ns:
                it.service.stop()

        station = it.service.station
        station._hooks = replace(station._hooks, poll=poll)
        assert it.service.run() is None
        alarms = {json.loads(e["data_json"])["alarm"] for e in it.events("alarm_opened")}
        assert f"{missing} probe" in alarms
        assert station.alarms.interlock_open


def test_a_range_is_the_settings_own_where_they_give_one() -> None:
    config = usual("nau7802")
    assert oven_plausible_c(config) == OVEN_C
    assert cell_plausible_c(config) == (-30.0, 85.0)
    text = (
        '[bridge]\nchip = "nau7802"\n[oven_probe]\nwires = 4\nref_ohm = 430\nmains_hz = 50\n'
        "plausible_c = [0.0, 200.0]\n[alarms]\ncell_over_temp_c = 100\n"
    )
    assert oven_plausible_c(loads_config(text)) == (0.0, 200.0)
    assert cell_plausible_c(loads_config(text)) == (-30.0, 125.0)
    with pytest.raises(BadConfig, match="lower one first"):
        loads_config(text.replace("[0.0, 200.0]", "[200.0, 0.0]"))
