"""The progress bar: what a person in front of a running test sees of its seconds."""

from __future__ import annotations

import math

import pytest
from scripted_seconds import row

from edge.records.event import Event, PhaseChanged
from edge.records.phase import Phase
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
    assert "hold 1.50 of 6 h" in text
    assert f"{'-'.rjust(7)} %" in text, "a loss that is not known is no number"


def test_a_change_of_phase_is_a_line_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    change = Event(3601, 3601.0, PhaseChanged(Phase.RAMP, Phase.HOLD, "in band"))
    assert "1.00 h  ramp -> hold: in band" in shown(capsys, 600.0, (row(3601), "hold", [change]))


def test_not_every_second_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(capsys, 600.0, (row(31, mass_g=1.0), "hold", []), (row(32, mass_g=math.pi), "hold", []))
    assert "g  " not in text
