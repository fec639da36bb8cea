"""The small form of ``reports.py``: a curve of thirty hours is within its bounds, a short run's reports are right."""

from __future__ import annotations

from pathlib import Path

from reports import made, thirty_hours
from short_demo import Demo


def test_thirty_hours_are_drawn_within_their_bounds() -> None:
    points, size, _ = thirty_hours()
    assert points <= 1500
    assert size <= 40_000


def test_a_short_runs_reports_have_nothing_wrong(short_demo: Demo, tmp_path: Path) -> None:
    assert made(short_demo.path, tmp_path, pdf=False) == []
    assert len(list(tmp_path.glob("*.html"))) == 2
