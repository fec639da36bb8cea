"""The progress bar: what a person in front of a running test sees of its seconds."""

from __future__ import annotations

import math

import pytest
from scripted_seconds import row

from edge.records.event import Event, PhaseChanged, WeighingTaken
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind
from edge.report.progress import Progress


def shown(capsys: pytest.CaptureFixture[str], hold_s: float, *seconds: tuple[object, str, list[Event]]) -> str:
    with Progress(hold_s) as bar:
        for second, phase, events in seconds:
            bar(second, phase, events)
    return capsys.readouterr().err


def test_a_second_is_shown_with_mass_temperature_and_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(capsys, 21_600.0, (row(7200, mass_g=200.1234, temp_c=119.95, hold_s=5400.0), "hold", []))
    assert "hold" in text
    assert "200.123 g" in text
    assert "1:30 of 6:00 h" in text
    assert f"{'-'.rjust(6)} %" in text, "a loss that is not known is no number"


def test_at_80_columns_the_bar_can_be_seen_and_nothing_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = shown(capsys, 21_600.0, (row(7200, mass_g=200.1234, temp_c=119.95, hold_s=10_800.0), "hold", []))
    line = text.splitlines()[-1]
    assert line.count("━") + line.count("╸") >= 8  # half of the hold: the bar is twice as long
    assert "3:00 of 6:00 h   200.123 g  120.0 °C" in line
    assert line.rstrip().endswith("0:00:00")


def test_at_40_columns_the_phase_and_all_numbers_are_there_and_the_bar_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = shown(capsys, 21_600.0, (row(7200, mass_g=200.1234, temp_c=119.95, hold_s=10_800.0), "hold", []))
    assert text.splitlines()[-1].rstrip() == f" hold 3:00 h 200.123 g 120.0 °C {'-'.rjust(6)} %"


def test_the_loss_has_the_air_taken_out_and_is_not_said_while_the_air_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    m1 = Event(99, 99.0, WeighingTaken(WeighingKind.M1, 200.0, 1e-4, 600.0, 0.0, 25.0))
    seconds = [(row(100, mass_g=200.0), "m1", [m1, Event(100, 100.0, PhaseChanged(Phase.M1, Phase.PUMP, ""))])]
    seconds += [(row(t, mass_g=200.1), "pump", []) for t in range(101, 300)]
    seconds += [(row(300, mass_g=200.1), "pump", [Event(300, 300.0, PhaseChanged(Phase.PUMP, Phase.RAMP, ""))])]
    going = shown(capsys, 600.0, *seconds)
    assert "0.000 %" not in going
    assert "0.050 %" not in going
    seconds += [(row(t, mass_g=200.1), "ramp", []) for t in range(301, 430)]
    seconds += [(row(600, mass_g=199.1, temp_c=120.0), "hold", [])]
    assert "0.500 %" in shown(capsys, 600.0, *seconds)


def test_a_change_of_phase_is_a_line_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    change = Event(3601, 3601.0, PhaseChanged(Phase.RAMP, Phase.HOLD, "in band"))
    assert "1.00 h  ramp -> hold: in band" in shown(capsys, 600.0, (row(3601), "hold", [change]))


def test_not_every_second_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(capsys, 600.0, (row(31, mass_g=1.0), "hold", []), (row(32, mass_g=math.pi), "hold", []))
    assert "g  " not in text
