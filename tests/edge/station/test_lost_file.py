"""The database deleted, moved, replaced or damaged under the station: an alarm at once, and the run goes on, whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from simulated_service import Rigged, rigged

from edge.database import hash_chain
from edge.database.journal import Journal
from edge.database.run_check import check_run
from edge.database.stored_frames import stored_frames
from edge.errors import BadDatabase
from edge.records.event import EventKind
from edge.run.refold import refold
from edge.station.refill import Refill


def deleted(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def only_its_name_deleted(path: Path) -> None:
    path.unlink()


def moved_away(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def replaced_by_another(path: Path) -> None:
    other = path.with_name("other.db")
    Journal(other).close()
    other.replace(path)


def replaced_by_text(path: Path) -> None:
    beside = path.with_name("text")
    beside.write_text("what a person wanted to keep")
    beside.replace(path)


def without_its_log(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "deleted": (deleted, "it was deleted while it was written to"),
    "its name deleted": (only_its_name_deleted, "it was deleted while it was written to"),
    "moved away": (moved_away, "it was moved away while it was written to"),
    "an old copy in its place": (replaced_by_another, "another file has taken its place"),
    "a text in its place": (replaced_by_text, "another file has taken its place"),
    "its log deleted": (without_its_log, "its write-ahead log (-wal) was deleted or replaced"),
}


def stored_seconds(it: Rigged) -> list[int]:
    live = it.service.station.live
    assert live is not None
    live.journal.commit(it.simulated.clock.wall_s())
    return [int(second) for frames in stored_frames(it.journal.db, 1) for second in frames.seq]


@pytest.mark.parametrize("name", LOSSES)
def test_a_run_goes_on_into_a_new_file_with_all_that_was_ever_written_and_an_alarm(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose, why = LOSSES[name]
    some = Refill.some

    def folded(refill: Refill) -> Any:
        refill._thread.join(60.0)  # it folds in real time, and may compile first; the rig's seconds are faster
        return some(refill)

    monkeypatch.setattr(Refill, "some", folded)
    with rigged(tmp_path, looks=2) as it:
        it.ask("start", sample="S-1", operator="Ada", note="before")
        it.run_s(30.0)
        lose(it.database)
        it.run_s(3.0)
        standing = it.service.station.alarms.standing
        assert [a.alarm for a in standing] == ["storage"]
        assert why in standing[0].why
        it.ask("note", text="after")
        it.run_s(30.0)
        assert it.ask("status")["storage"]["error"] is None
        assert stored_seconds(it) == list(range(63))
        notes = [json.loads(e["data_json"])["text"] for e in hash_chain.events(it.journal.db, 1) if e["kind"] == "note"]
        assert notes == ["before", "after"]
        rows = it.journal.db.execute("select second from seconds order by second").fetchall()
        assert [r[0] for r in rows] == list(range(62)), "those before are folded again, and filled in"
        again = refold(it.journal.db, 1)
        assert again.last == 62
        assert any(why in e["data_json"] for e in it.events(EventKind.STORAGE))
        with closing(sqlite3.connect(f"{it.database.as_uri()}?mode=ro", uri=True)) as db:
            assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert db.execute("select count(*) from chunks").fetchone()[0] > 5
        it.ask("abort")
        it.run_s(5.0)
        assert it.service.station.last is not None
        assert check_run(it.journal.db, 1, full=True) is None, "one chain, as if the file had never been lost"
    kept = [p for p in tmp_path.iterdir() if ".not-ours-" in p.name and not p.name.endswith(("-wal", "-shm"))]
    assert bool(kept) is (name in ("an old copy in its place", "a text in its place"))
    if name == "a text in its place":
        assert [p.read_text() for p in kept] == ["what a person wanted to keep"]


def test_an_idle_station_says_so_within_a_second_and_writes_its_log_into_a_new_file(tmp_path: Path) -> None:
    with rigged(tmp_path, looks=2) as it:
        it.run_s(5.0)
        deleted(it.database)
        it.run_s(2.0)
        assert [a.alarm for a in it.service.station.alarms.standing] == ["storage"]
        it.ask("note", text="kept")
        it.run_s(10.0)
        assert [json.loads(e["data_json"])["text"] for e in it.events("note")] == ["kept"]
        assert it.database.exists()


def test_a_file_that_is_damaged_under_a_run_is_put_aside_and_the_run_goes_on_whole(tmp_path: Path) -> None:
    with rigged(tmp_path, looks=2) as it:
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(30.0)
        it.journal.db.execute("pragma wal_checkpoint(truncate)")
        size = it.database.stat().st_size
        with it.database.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (size - 4096))
        it.journal.db.execute("pragma cache_size = 0")
        it.run_s(60.0)
        assert it.ask("status")["storage"]["error"] is None
        assert [a.alarm for a in it.service.station.alarms.standing] == ["storage"]
        assert stored_seconds(it) == list(range(90))
        refold(it.journal.db, 1)
    assert [p for p in tmp_path.iterdir() if ".damaged-" in p.name and not p.name.endswith(("-wal", "-shm"))]


def test_a_trigger_that_is_added_in_a_run_writes_nothing_and_its_file_is_put_aside(tmp_path: Path) -> None:
    with rigged(tmp_path, looks=2) as it:
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(20.0)
        with closing(sqlite3.connect(it.database, isolation_level=None)) as db:
            db.execute("create view v as select 1")
            db.execute("create trigger t after insert on chunks begin update chunks set samples = 0; end")
        it.run_s(40.0)
        (standing,) = it.service.station.alarms.standing
        assert "it was given the trigger t while it was written to" in standing.why
        assert it.ask("status")["storage"]["error"] is None
        assert stored_seconds(it) == list(range(60))
        assert it.journal.db.execute("select count(*) from chunks where samples = 0").fetchone() == (0,)
    (aside,) = (p for p in tmp_path.iterdir() if ".damaged-" in p.name and not p.name.endswith(("-wal", "-shm")))
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("select count(*) from chunks where samples = 0").fetchone() == (0,)


def test_a_lock_that_was_removed_lets_no_second_station_into_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "halfpercent.db"
    with Journal(path):
        path.with_name("halfpercent.db.lock").unlink()
        with pytest.raises(BadDatabase, match="another halfpercent is writing to it"):
            Journal(path)
        hard, soft = tmp_path / "hard.db", tmp_path / "soft.db"
        hard.hardlink_to(path)
        soft.symlink_to(path)
        for other in (hard, soft):
            with pytest.raises(BadDatabase, match="another halfpercent is writing to it"):
                Journal(other)
    Journal(path).close()


def test_a_database_with_two_names_is_an_alarm_and_goes_on(tmp_path: Path) -> None:
    with rigged(tmp_path, looks=2) as it:
        (tmp_path / "second.db").hardlink_to(it.database)
        it.run_s(15.0)
        (standing,) = it.service.station.alarms.standing
        assert standing.why == "halfpercent.db has 2 names (hard links): remove the others, or copy it"
        (tmp_path / "second.db").unlink()
        it.run_s(20.0)
        assert [a.closed for a in it.service.station.alarms.standing] == [True]


def test_what_cannot_be_written_for_the_folder_is_gone_waits_and_is_written_when_it_is_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with rigged(home, looks=2) as it:
        it.ask("start", sample="S-1", operator="Ada")
        it.run_s(20.0)
        shutil.rmtree(home)
        it.run_s(20.0)
        assert [a.alarm for a in it.service.station.alarms.standing] == ["storage"]
        assert it.service.station.live is not None
        home.mkdir()
        it.run_s(20.0)
        assert stored_seconds(it) == list(range(60))
