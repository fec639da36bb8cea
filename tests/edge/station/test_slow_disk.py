"""The station on a disk that holds up a commit for seconds: no second is lost, and too long is an alarm."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from simulated_service import Rigged, rigged
from slow_disk import SlowDisk, slow_commits

import edge.station.retrying_writer
from edge.database.journal import Journal
from edge.records.event import EventKind
from edge.run.refold import refold


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    return slow_commits(monkeypatch)


def stored(it: Rigged) -> list[int]:
    with it.journal.patiently():
        live = it.service.station.live
        assert live is not None
        live.journal.commit(it.simulated.clock.wall_s())
        first = it.journal.db.execute("select first_second, seconds from chunks order by chunk").fetchall()
    return [second for begin, n in first for second in range(begin, begin + n)]


def test_a_disk_that_stalls_for_ten_seconds_costs_no_second_and_no_alarm(tmp_path: Path, disk: SlowDisk) -> None:
    with rigged(tmp_path, batch_s=1) as it, disk:
        it.journal.commits.patience_s = 0.05
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(5.0)
        disk.stall()
        it.run_s(10.0)
        assert it.relay() == 1
        it.ask("note", text="while it stalls")
        status = it.ask("status")
        assert status["storage"]["pending_s"] >= 10
        assert status["storage"]["error"] is None
        assert not status["alarms"]
        disk.wait_until_it_holds()
        disk.go_on()
        it.run_s(5.0)
        assert stored(it) == list(range(20))
        assert disk.held == 1
        assert [e["second"] for e in it.events("note")] == [15]
        refold(it.journal.db, 1)  # the chains hold


def test_a_station_that_is_stopped_while_the_disk_stalls_loses_no_second(tmp_path: Path, disk: SlowDisk) -> None:
    with disk, rigged(tmp_path, batch_s=1) as it:
        it.journal.commits.patience_s = 0.05
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(5.0)
        disk.stall()
        it.run_s(10.0)
        threading.Timer(0.5, disk.go_on).start()
    with Journal(tmp_path / "halfpercent.db") as again:
        first = again.db.execute("select first_second, seconds from chunks order by chunk").fetchall()
        assert [second for begin, n in first for second in range(begin, begin + n)] == list(range(15))
        (last,) = again.db.execute("select kind from station_events order by event desc limit 1").fetchone()
        assert last == EventKind.STOPPED


def test_a_disk_that_stalls_for_longer_is_an_alarm_that_closes_by_itself(
    tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge.station.retrying_writer, "STALL_S", 0.0)
    with rigged(tmp_path, batch_s=1) as it, disk:
        it.journal.commits.patience_s = 0.05
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(5.0)
        disk.stall()
        it.run_s(10.0)
        assert "held up a commit" in it.ask("status")["storage"]["error"]
        disk.go_on()
        monkeypatch.setattr(edge.station.retrying_writer, "STALL_S", 15.0)
        it.run_s(30.0)
        assert it.ask("status")["storage"]["error"] is None
        assert stored(it) == list(range(45))
        opened = [json.loads(e["data_json"])["alarm"] for e in it.events(EventKind.ALARM_OPENED)]
        assert opened == ["storage"]


def test_a_test_that_ends_while_the_disk_stalls_is_judged_when_all_of_it_is_on_the_disk(
    tmp_path: Path, disk: SlowDisk
) -> None:
    with rigged(tmp_path, batch_s=1) as it, disk:
        it.journal.commits.patience_s = 0.05
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(5.0)
        disk.stall()
        it.run_s(2.0)
        it.ask("abort", reason="seen enough")
        it.run_s(5.0)
        station = it.service.station
        assert station.live is not None
        assert station.last is None
        disk.go_on()
        with it.journal.patiently():
            it.run_s(5.0)
        assert station.live is None
        assert station.last is not None
        assert "aborted" in str(station.last.invalid_because)
        assert it.events("note")[-1]["data_json"] == '{"text":"seen enough"}'
