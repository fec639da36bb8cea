"""The plug is pulled at any commit, and at any byte of one: what was committed of the chain holds, and it goes on."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from written_run import NOT_JUDGED, begin, event, write

from edge.database import hash_chain
from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.run_check import Head, check_run, run_head
from edge.database.run_journal import RunJournal, Writing
from edge.errors import BadDatabase
from edge.records.event import Event, NoteWritten, Resumed


def snapshot(path: Path, to: Path) -> None:
    """Copy a database as it lies there, with its log: what is on the disk when the plug is pulled."""
    to.mkdir()
    for end in ("", "-wal"):
        if (beside := path.with_name(path.name + end)).exists():
            shutil.copy(beside, to / (f"a.db{end}"))


def steps(run: RunJournal, second: int) -> None:
    """Measure a second, in which this or that happens."""
    write(run, range(second, second + 1), {second: [event(second)]} if second in (3, 11) else None)
    if second in (7, 8, 14):
        run.log_event(Event(second + 1, second + 1.0, NoteWritten(f"note {second}")), "Ada", 1.75e9 + second)
    if second == 16:
        run.save_result(NOT_JUDGED, 1.75e9 + 17)


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[str]]:
    """A file for each second of a short run, as it is on the disk then, and the run's links in the end."""
    folder = tmp_path_factory.mktemp("cuts")
    found = []
    with Journal(folder / "halfpercent.db") as journal:
        run = begin(journal, batch_s=5)
        for second in range(17):
            steps(run, second)
            found.append(folder / f"cut-{second}")
            snapshot(folder / "halfpercent.db", found[-1])
        links = [link.row["sha256"] for link in hash_chain.follow(journal.db, 1)]
    return found, links


def checked(path: Path, sealed: Head | None = None) -> None:
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        assert [check_run(db, 1, full=full, sealed=sealed) for full in (False, True)] == [None, None]


def test_after_a_cut_at_any_commit_the_chain_is_the_beginning_of_the_whole_one_and_goes_on(
    cuts: tuple[list[Path], list[str]],
) -> None:
    folders, links = cuts
    seen = set()
    for folder in folders[:-1]:
        path = folder / "a.db"
        with Journal(path) as journal:
            stored = [link.row["sha256"] for link in hash_chain.follow(journal.db, 1)]
            assert stored == links[: len(stored)]
            seen.add(len(stored))
            kept = run_head(journal.db, 1)
            assert kept.links == len(stored) + 1
            run = journal.go_on(1, Writing("another boot", 1.75e9 + 99, 5))
            run.log_event(Event(17, 17.0, Resumed("another boot", 0, True, 17.0, 80.0, 80.0)), "instrument", 1.75e9)
            write(run, range(100, 107))
            run.save_result(NOT_JUDGED, 1.75e9 + 107)
        checked(path, kept)
    assert sorted(seen) == [0, 2, 4, 6, 8, 10], "each commit was cut"
    checked(folders[-1] / "a.db")


def test_after_a_cut_at_any_byte_of_the_log_what_was_committed_holds(
    cuts: tuple[list[Path], list[str]], tmp_path: Path
) -> None:
    folders, links = cuts
    whole = folders[-1] / "a.db-wal"
    if not whole.exists():  # the test before has opened it
        pytest.skip("there is no log")
    log = whole.read_bytes()
    seen = set()
    for i, length in enumerate(range(0, len(log), max(1, len(log) // 40))):
        path = tmp_path / f"{i}.db"
        shutil.copy(folders[-1] / "a.db", path)
        path.with_name(f"{i}.db-wal").write_bytes(log[:length])
        try:
            with closing(open_readonly(path, cpu_s=60.0)) as db:
                if db.execute("select 1 from runs").fetchone() is None:
                    continue
                stored = [link.row["sha256"] for link in hash_chain.follow(db, 1)]
                assert check_run(db, 1, full=True) is None
        except BadDatabase:  # not even the tables were there
            assert not seen
            continue
        assert stored == links[: len(stored)]
        seen.add(len(stored))
    assert len(seen) > 5
    assert max(seen) < len(links), "the last commit was cut"


def test_a_result_that_was_written_though_the_disk_said_no_is_not_written_twice(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.db") as journal:
        run = begin(journal)
        write(run, range(7))
        run.commit_all(1.75e9)
        before, hashed = run._ends, run._seconds_hash
        run.save_result(NOT_JUDGED, 1.75e9 + 8)
        kinds = [e["kind"] for e in hash_chain.events(journal.db, 1)]
        run._ends, run._seconds_hash = before, hashed  # as where the transaction's end was not heard
        run.recover(1.75e9 + 9)
        run.save_result(NOT_JUDGED, 1.75e9 + 10)
        assert [e["kind"] for e in hash_chain.events(journal.db, 1)] == kinds == ["ended"]
        assert check_run(journal.db, 1, full=True) is None
