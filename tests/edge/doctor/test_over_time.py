"""What a rig's past says: a publisher in trouble, a calibration that is due, and nothing of a rig without a past."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from short_demo import Demo

from edge.database.feed import Position
from edge.doctor.over_time import over_time
from edge.publish import position_file
from edge.publish.position_file import Published

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


def test_a_publisher_in_trouble_is_told_with_since_when_and_that_nothing_is_lost(tmp_path: Path) -> None:
    state = tmp_path / "position.json"
    position_file.save(state, Published(position=Position(), trouble="b:8883: timed out", told_utc="2026-05-31T22:00"))
    (found,) = over_time(tmp_path / "none.db", NOW, state)
    assert (found.check, found.state) == ("publisher", "warn")
    assert found.found == "since 2026-05-31T22:00: b:8883: timed out"
    assert "none is lost" in found.do
    position_file.save(state, Published())
    assert [f.state for f in over_time(tmp_path / "none.db", NOW, state)] == ["ok"]


def test_a_publisher_that_writes_no_more_is_told_whatever_it_wrote_last(tmp_path: Path) -> None:
    state = tmp_path / "position.json"
    position_file.save(state, Published())
    os.utime(state, (NOW.timestamp() - 3 * 3600.0,) * 2)
    (found,) = over_time(tmp_path / "none.db", NOW, state)
    assert (found.check, found.state) == ("publisher", "warn")
    assert found.found == "nothing was heard of it for 3.0 h"
    assert "none is lost" in found.do
    os.utime(state, (NOW.timestamp() + 3600.0,) * 2)  # the clock was set back
    assert [f.state for f in over_time(tmp_path / "none.db", NOW, state)] == ["ok"]


def test_a_calibration_that_is_due_is_a_warning_and_one_that_is_not_is_none(short_demo: Demo, tmp_path: Path) -> None:
    none = tmp_path / "none.json"
    first = next(over_time(short_demo.path, NOW, none))
    assert (first.check, first.state) == ("calibration", "ok")
    late = next(over_time(short_demo.path, NOW + datetime.timedelta(days=3650), none))
    assert (late.state, late.do) == ("warn", "halfpercent calibrate span")
    assert late.found.startswith("due now (ILAC-G24 method 1")


def test_a_rig_without_a_past_is_told_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    assert list(over_time(tmp_path / "none.db", NOW, tmp_path / "bad.json")) == []
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)
    assert list(over_time(tmp_path / "bad.db", NOW, tmp_path / "none.json")) == []
