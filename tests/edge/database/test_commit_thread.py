"""A disk that holds up a commit: nothing waits for it, nothing is lost, and its errors are said where somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from slow_disk import SlowDisk, slow_commits
from written_run import NOT_JUDGED, begin, frame, row, write

from edge.database import hash_chain
from edge.database.commit_thread import CommitThread
from edge.database.journal import Journal
from edge.database.queries import result_of_run
from edge.errors import StorageFull, StorageSlow


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    return slow_commits(monkeypatch)


def stored_seconds(journal: Journal) -> list[int]:
    return [seq for (seq,) in journal.db.execute("select second from seconds order by second").fetchall()]


def test_what_comes_while_the_disk_stalls_goes_with_the_next_commit_and_the_chain_is_whole(
    tmp_path: Path, disk: SlowDisk
) -> None:
    path = tmp_path / "a.db"
    with Journal(path, patience_s=0.0) as journal, disk:
        run = begin(journal, batch_s=1)
        disk.stall()
        write(run, range(10))
        assert run.waiting_s == 10
        with pytest.raises(StorageSlow):
            journal.db.execute("select 1")
        disk.go_on()
        with journal.patiently():
            write(run, range(10, 12))
            run.commit(1.75e9)
            assert run.waiting_s == 0
            assert stored_seconds(journal) == list(range(12))
            chunks = journal.db.execute("select first_second, seconds from chunks order by chunk").fetchall()
            assert [second for first, n in chunks for second in range(first, first + n)] == list(range(12))
            assert len(list(hash_chain.chunks(journal.db, run.run_id))) == len(chunks)  # each follows the one before it
        assert journal.commits.longest_s > 0.0


def test_a_result_is_not_stored_before_all_that_it_rests_on(tmp_path: Path, disk: SlowDisk) -> None:
    path = tmp_path / "a.db"
    with Journal(path, patience_s=0.0) as journal, disk:
        run = begin(journal, batch_s=1)
        disk.stall()
        write(run, range(3))
        for _ in range(2):
            with pytest.raises(StorageSlow):
                run.save_result(NOT_JUDGED, 1.75e9)
            with pytest.raises(StorageSlow):
                run.stops()
        disk.go_on()
        with journal.patiently():
            run.save_result(NOT_JUDGED, 1.75e9)
            assert stored_seconds(journal) == [0, 1, 2]
    assert result_of_run(path, "1").verdict == NOT_JUDGED.verdict


def test_an_error_that_comes_late_is_said_once_and_nothing_is_lost(tmp_path: Path, disk: SlowDisk) -> None:
    with Journal(tmp_path / "a.db", patience_s=0.0) as journal, disk:
        run = begin(journal, batch_s=1)
        disk.stall()
        write(run, range(2))
        disk.fail(StorageFull("the disk is full"))
        with pytest.raises(StorageFull), journal.patiently():
            pass
        assert run.waiting_s == 2
        with journal.patiently():
            run.recover(1.75e9)
            assert stored_seconds(journal) == [0, 1]


def test_frames_that_are_let_go_while_they_are_written_are_written_once(tmp_path: Path, disk: SlowDisk) -> None:
    with Journal(tmp_path / "a.db", patience_s=0.0) as journal, disk:
        run = begin(journal, batch_s=4)
        disk.stall()
        write(run, range(20))
        run.forget(6)
        assert run.waiting_s == 6
        disk.go_on()
        with journal.patiently():
            run.commit(1.75e9)
            chunks = journal.db.execute("select first_second, seconds from chunks order by chunk").fetchall()
    assert chunks == [(0, 4), (14, 6)]


def test_a_chunk_is_never_longer_than_an_hour_however_long_the_disk_was_away(
    tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.database.run_journal.CHUNK_SECONDS", 5)
    with Journal(tmp_path / "a.db", patience_s=0.0) as journal, disk:
        run = begin(journal, batch_s=1)
        disk.stall()
        for seq in range(13):
            run.raw(frame(seq))
            run.derived([row(seq)], ["hold"], [], 1.75e9)
        disk.go_on()
        with journal.patiently():
            run.commit(1.75e9)
            lengths = [n for (n,) in journal.db.execute("select seconds from chunks order by chunk").fetchall()]
    assert lengths == [1, 5, 5, 2]


@pytest.mark.parametrize("patience_s", [None, 5.0])
def test_a_quick_transaction_is_done_when_do_returns(patience_s: float | None) -> None:
    said: list[str] = []
    commits = CommitThread(patience_s)
    assert commits.do(lambda: said.append("work"), lambda: said.append("done"))
    assert said == ["work", "done"]
    assert commits.busy_s == 0.0


def test_only_one_is_under_way_and_its_end_is_done_by_who_asks() -> None:
    go_on = threading.Event()
    said: list[str] = []
    here: list[threading.Thread] = []

    def done(what: str) -> Callable[[], None]:
        return lambda: (said.append(what), here.append(threading.current_thread()))[0]

    commits = CommitThread(0.0)
    assert not commits.do(lambda: go_on.wait() and None, done("first"))
    with pytest.raises(StorageSlow):
        commits.do(lambda: said.append("never"), done("second"))
    assert not commits.look()
    assert said == []
    go_on.set()
    commits.patience_s = None
    commits.settle()
    assert said == ["first"]
    assert here == [threading.main_thread()]
