"""The doctor asks the station that runs, and leaves its chips alone; and names the board that is likely there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from simulated_service import rigged

import edge.control.client
import edge.doctor.machine
import edge.doctor.station
from edge.doctor.chips import _likely
from edge.doctor.finding import Finding
from edge.doctor.machine import examine
from edge.doctor.station import what_the_station_sees
from edge.errors import SocketTrouble
from edge.instrument.config import ProbeConfig, loads_config

SETTINGS = """
[bridge]
chip = "nau7802"
[oven_probe]
wires = 4
ref_ohm = 430
mains_hz = 50
[cell_probe]
wires = 4
ref_ohm = 430
mains_hz = 50
chip_select = 1
"""


def by_check(found: list[Finding]) -> dict[str, Finding]:
    return {f.check: f for f in found}


def test_a_running_station_is_asked_and_no_chip_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "rig.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    opened: list[Any] = []
    monkeypatch.setattr("edge.instrument.drivers.make_bridge", lambda *given: opened.append(given))
    monkeypatch.setattr("edge.instrument.drivers.make_thermometer", lambda *given: opened.append(given))
    with rigged(tmp_path) as it:
        monkeypatch.setattr(edge.control.client, "ask", lambda *given, **more: it.ask("status"))
        it.run_s(3)
        found = by_check(list(examine(config, tmp_path / "x.db")))
        assert found["station"].state == "ok"
        assert {found[name].state for name in ("nau7802", "oven probe", "cell probe")} == {"ok"}
        assert found["oven probe"].found.endswith(" °C")
        it.simulated.chips.oven.unplug()
        it.run_s(2)
        found = by_check(list(examine(config, tmp_path / "x.db")))
        assert found["oven probe"].state == "fail"
        assert "plug" in found["oven probe"].found
    assert opened == []


def test_where_nobody_listens_the_chips_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFPERCENT_SOCKET", "/nowhere/socket")
    assert what_the_station_sees(loads_config(SETTINGS)) == ([], False)


def test_a_station_that_may_not_be_asked_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: Any, **more: Any) -> None:
        raise SocketTrouble("/run/x: you may not: sudo usermod -aG halfpercent $USER") from PermissionError()

    monkeypatch.setattr(edge.control.client, "ask", refused)
    (found,), asked = what_the_station_sees(loads_config(SETTINGS))
    assert (found.state, asked) == ("warn", False)


PT100 = ProbeConfig(wires=4, ref_ohm=430.0, mains_hz=50)
PT1000 = ProbeConfig(wires=4, ref_ohm=4300.0, mains_hz=50, nominal_ohm=1000.0)


@pytest.mark.parametrize(
    ("settings", "ohm", "says"),
    [
        (PT1000, 109.7, "a Pt100 on a board for a Pt1000 (it would be at 25 °C)"),
        (PT100, 10.97, "a board of 4300 or 4000 Ω (it would be at 25 °C)"),
        (PT100, 49.0, "half shorted, or another make of sensor"),
        (PT100, 300.0, ""),
    ],
)
def test_the_likely_board_is_named(settings: ProbeConfig, ohm: float, says: str) -> None:
    found = _likely(ohm, settings)
    assert says in found
    assert bool(found) is bool(says)
