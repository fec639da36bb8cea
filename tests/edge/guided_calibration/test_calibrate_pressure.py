"""A pump-down in the guided calibration: what the air does to the zero is in the certificate, and makes U smaller."""

from __future__ import annotations

from pathlib import Path

import pytest
from guided_lab import Lab

from edge.standards.standard import load_standard
from edge.uncertainty.forecast import expected


def test_a_cell_that_does_not_feel_the_air_is_shown_not_to(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.done("tare")
    lab.done("span")
    before = lab.certificate
    said = lab.done("pressure", "--vacuum-hpa", "0.5", "--air-hpa", "1013")
    assert "mg a kilopascal" in said.out
    after = lab.certificate
    assert after.record is not None
    assert after.record.pressure is not None
    stability = after.stability
    assert stability.zero_g_per_kpa == pytest.approx(0.0, abs=3.0 * stability.u_zero_g_per_kpa)
    assert 0.0 < stability.u_zero_g_per_kpa < 1e-3, "its class allows 50 mg"
    assert before.stability.zero_g_per_kpa is None
    standard = load_standard("gbt-48093-1-2026")
    assert expected(after, standard, 100.0).expanded_pct < expected(before, standard, 100.0).expanded_pct
    assert "200 below" in lab.calibrate("pressure", "--vacuum-hpa", "990").line
    assert "300 to 1100" in lab.calibrate("pressure", "--vacuum-hpa", "1", "--air-hpa", "5").line
