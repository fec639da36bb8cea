"""Killed publishers in small: a real Mosquitto, two kills and one stop, and no row is missing or out of order."""

from __future__ import annotations

from pathlib import Path

import pytest
from publish_kills import calculated, mosquitto, publish_through
from published_rows import two_runs
from short_demo import Demo


def test_a_publisher_that_is_killed_loses_no_row(short_demo: Demo, tmp_path: Path) -> None:
    if mosquitto() is None:
        pytest.skip("mosquitto is not here")
    came = publish_through(two_runs(tmp_path, short_demo.path), tmp_path, kills=2, stops=1, seed=1)
    assert (came.missing, came.out_of_order) == (0, 0)
    assert came.stored > 1000


def test_a_fleet_is_calculated_from_one_message() -> None:
    """10 000 messages of 500 bytes a minute are 83.3 kB each second, and 2.7 GB in nine hours."""
    row = calculated(500.0).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["10000", "60 s", "167", "83.3 kB/s", "30 kB", "2.7 GB"]
