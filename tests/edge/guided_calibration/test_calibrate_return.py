"""The return of a creep in the guided calibration is refused where no weight hung through a night."""

from __future__ import annotations

from pathlib import Path

from guided_lab import Lab


def test_without_a_night_under_load_there_is_no_return_to_see(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.done("tare")
    assert "no weight has hung for 4 h" in lab.calibrate("return").line
    assert lab.session.returned is None
