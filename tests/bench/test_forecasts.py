"""The forecasts' bench, in small: four curves of each law at a few cuts, and the real recording where it is."""

from __future__ import annotations

import forecasts
import pytest
from forecasts import EVERY_H, LAWS, WOOD, inside, of_law, wood


def test_the_end_of_a_curve_is_inside_about_as_often_as_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasts, "EVERY_H", 4.0 * EVERY_H)
    found = [f for name in LAWS for f in of_law(name, 4, seed=4)]
    assert len(found) == 4 * 4 * 4
    assert 0.75 <= inside(found) <= 1.0


def test_the_end_of_a_real_recording_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    if not WOOD.exists():
        pytest.skip(f"{WOOD.name} is not beside the project")
    monkeypatch.setattr(forecasts, "EVERY_H", 4.0 * EVERY_H)
    assert inside(wood()) >= 0.75
