"""Killed publishers in small: a real Mosquitto, two kills and one stop, and no row is missing or out of order."""

from __future__ import annotations

from pathlib import Path

import pytest
from publish_kills import mosquitto, publish_through
from published_rows import two_runs
from short_demo import Demo


def test_a_publisher_that_is_killed_loses_no_row(short_demo: Demo, tmp_path: Path) -> None:
    if mosquitto() is None:
        pytest.skip("mosquitto is not here")
    came = publish_through(two_runs(tmp_path, short_demo.path), tmp_path, kills=2, stops=1, seed=1)
    assert (came.missing, came.out_of_order) == (0, 0)
    assert came.stored > 1000
