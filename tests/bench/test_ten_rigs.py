"""Ten rigs in small: one station beside a broker that floods, and a short test with the broker away for a part.

How many seconds a station misses is the bench's to say: a machine that runs all the tests is no measure of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from publish_kills import mosquitto
from short_demo import SHORTER
from ten_rigs import hour_away, measured


def test_a_station_measures_beside_a_broker_that_floods_and_its_publisher_takes_no_whole_processor() -> None:
    found = measured("floods: answers", rigs=1, seconds=2.0)
    assert found.rows > 0
    assert found.publisher_pct < 60.0


def test_a_broker_that_is_away_for_a_part_of_a_test_gets_every_row(tmp_path: Path) -> None:
    if mosquitto() is None:
        pytest.skip("mosquitto is not here")
    (tmp_path / "short.toml").write_text(SHORTER, encoding="utf-8")
    rows, missing, _ = hour_away(tmp_path, tmp_path / "short.toml", away_s=1200.0)
    assert missing == 0
    assert rows > 100
