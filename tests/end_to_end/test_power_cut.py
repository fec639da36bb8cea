"""A run whose process is killed, or whose machine starts again, goes on with the same bits and says what is missing."""

from __future__ import annotations

import datetime
import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from recorded_run import HOLD_S, BootedClock, Recorded, given, measure, record, seconds_of
from sigkill import comparable, compare, kill_through

from edge.database.journal import Journal
from edge.database.queries import interrupted_runs
from edge.records.phase import Phase
from edge.records.result import from_json
from edge.report.text import text
from edge.run.live_run import Beginning, begin_run
from edge.run.resume import resume
from hw.clock import NS_PER_S


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return record(1)


@pytest.fixture(scope="module")
def whole(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test that nobody interrupted."""
    database = tmp_path_factory.mktemp("whole") / "h.db"
    assert measured(database, recorded)["verdict"] == "PASS"
    return database


def measured(database: Path, recorded: Recorded, **how: Any) -> dict[str, Any]:
    """Measure with few commits: these tests are about what is stored, not about when."""
    return measure(database, recorded, batch_s=60, **how)


def when(database: Path, phase: Phase) -> int:
    """Get the second at which a phase was entered."""
    db = sqlite3.connect(database)
    rows = db.execute("select second, data_json from events where kind = 'phase'").fetchall()
    db.close()
    return next(int(second) for second, data in rows if json.loads(data)["to"] == phase)


def told(database: Path, kind: str) -> list[dict[str, Any]]:
    db = sqlite3.connect(database)
    rows = db.execute("select data_json from events where kind = ? order by event", [kind]).fetchall()
    db.close()
    return [json.loads(data) for (data,) in rows]


def test_killed_again_and_again_it_ends_with_the_same_bits(recorded: Recorded, whole: Path, tmp_path: Path) -> None:
    killed = compare(
        tmp_path / "h.db",
        whole,
        kill_through(tmp_path / "h.db", recorded, random.Random(5), mean_s=0.5, most=8),
    )
    assert killed.kills > 0
    assert (killed.lost_commits, killed.broken) == (0, 0)
    assert killed.same_seconds
    assert killed.same_result


def test_stopped_in_each_phase_it_goes_on_with_the_same_bits(recorded: Recorded, whole: Path, tmp_path: Path) -> None:
    database = tmp_path / "h.db"
    for at in (Phase.LOAD, Phase.M1, Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL, Phase.M2):
        assert measured(database, recorded, until=when(whole, at) + 3) == {}
    measured(database, recorded)
    assert seconds_of(database) == seconds_of(whole)
    assert comparable(database) == comparable(whole)
    assert [e["gap_s"] for e in told(database, "resumed")] == [0.0] * 7


def test_seconds_lost_in_the_hold_are_listed_and_do_not_count(recorded: Recorded, whole: Path, tmp_path: Path) -> None:
    database = tmp_path / "h.db"
    at = when(whole, Phase.HOLD) + 300
    measured(database, recorded, until=at)
    result = measured(database, recorded, boot_id="boot-2", lost_s=100)
    assert result["verdict"] == "PASS"
    (gap,) = [e for e in result["excursions"] if e["why"] == "nothing was recorded"]
    lost_s = told(database, "resumed")[0]["gap_s"]
    assert 100.0 <= lost_s <= 161.0  # and what waited to be committed
    assert [(s["from_s"], s["length_s"]) for s in result["stops"]] == [(gap["from_s"] + 1.0, lost_s)]
    assert f"nothing was measured for {lost_s:.0f} s" in text(from_json(result))
    assert gap["length_s"] == pytest.approx(lost_s + 1.0, abs=1.0)
    assert result["hold_s"] >= HOLD_S
    whole_end = when(whole, Phase.COOL)
    assert when(database, Phase.COOL) == pytest.approx(whole_end + lost_s, abs=2.0)


def test_a_stop_longer_than_the_standard_allows_makes_the_run_invalid(
    recorded: Recorded, whole: Path, tmp_path: Path
) -> None:
    database = tmp_path / "h.db"
    measured(database, recorded, until=when(whole, Phase.HOLD) + 100)
    result = measured(database, recorded, lost_s=700)
    assert result["verdict"] == "INVALID"
    assert "600 s are the most" in result["invalid_because"]


@pytest.mark.parametrize("trusted", [False, None])
def test_a_stop_of_unknown_length_in_the_hold_cannot_be_judged(
    trusted: bool | None, recorded: Recorded, whole: Path, tmp_path: Path
) -> None:
    database = tmp_path / "h.db"
    measured(database, recorded, until=when(whole, Phase.HOLD) + 100)
    result = measured(database, recorded, boot_id="boot-2", trusted=trusted)
    assert result["verdict"] == "INVALID"
    assert "for a time that is not known" in result["invalid_because"]
    assert told(database, "resumed")[0]["gap_s"] is None


def test_a_stop_of_unknown_length_before_the_hold_is_listed_and_the_run_is_judged(
    recorded: Recorded, whole: Path, tmp_path: Path
) -> None:
    database = tmp_path / "h.db"
    measured(database, recorded, until=when(whole, Phase.PUMP) + 100)
    result = measured(database, recorded, boot_id="boot-2", trusted=False)
    assert result["verdict"] == "PASS"
    assert [s["length_s"] for s in result["stops"]] == [None]
    assert "for a time that is not known" in text(from_json(result))


def test_a_stop_becomes_known_when_the_clock_is_set(recorded: Recorded, whole: Path, tmp_path: Path) -> None:
    database = tmp_path / "h.db"
    measured(database, recorded, until=when(whole, Phase.HOLD) + 100)
    with Journal(database) as journal:
        (run_id,) = interrupted_runs(journal.db)
        (utc,) = journal.db.execute("select wall_utc from what_is_in_each_chunk order by chunk desc limit 1").fetchone()
        clock = BootedClock(boot_id="boot-2")
        clock.at(20 * NS_PER_S, 0.0)  # its clock stands at 1970
        live = resume(journal, run_id, clock, clock_set=False, batch_s=5)
        assert told(database, "resumed")[0]["gap_s"] is None
        stopped_s = datetime.datetime.fromisoformat(utc).timestamp()
        clock.at(50 * NS_PER_S, stopped_s + 120.0)  # 30 s later the network sets it
        assert live.gap_found_s() == pytest.approx(90.0, abs=0.01)
        assert live.gap_found_s() is None  # it is said once


def test_a_run_that_was_killed_as_it_began_loses_nothing(recorded: Recorded, whole: Path, tmp_path: Path) -> None:
    database = tmp_path / "h.db"
    with Journal(database) as journal:  # its header is written, and nothing else
        run = given(recorded.seed)
        begin_run(journal, run, BootedClock(boot_id="boot-0"), Beginning("cut-1", 0, {}, 60))
    measured(database, recorded, boot_id="boot-1", until=when(whole, Phase.M1))
    measured(database, recorded, boot_id="boot-2")
    assert seconds_of(database) == seconds_of(whole)
    assert comparable(database) == comparable(whole)


def test_the_last_word_before_a_kill_is_kept(recorded: Recorded, tmp_path: Path) -> None:
    database = tmp_path / "h.db"
    second, word = recorded.words[0]
    measure(database, recorded, until=second + 1)  # said, and killed before the second was measured
    assert [e["word"] for e in told(database, "said")] == [word]
    measured(database, recorded, until=second + 100)
    assert [e["word"] for e in told(database, "said")] == [word]
    assert [e["word"] for e in told(database, "operator")] == [word]
