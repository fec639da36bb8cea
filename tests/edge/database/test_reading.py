"""A database of somebody else, read: nothing of its schema is run, and what it costs is bounded."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attacked import forked
from short_demo import Demo
from written_run import begin

from edge.database import reading, writer_lock
from edge.database.journal import Journal
from edge.database.maintenance import quarantine_if_unusable
from edge.database.queries import MOST_LISTED, SHOWN_CHARS, list_runs, result_of_run
from edge.database.reading import open_readonly
from edge.errors import BadDatabase, NoSuchRun
from edge.evidence.package import make_package

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture
def path(short_demo: Demo, tmp_path: Path) -> Path:
    return Path(shutil.copy(short_demo.path, tmp_path / "a.db"))


def change(path: Path, what: Change) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        what(db)


def refused(path: Path, says: str) -> None:
    for read in (lambda: list_runs(path), lambda: result_of_run(path, "last")):
        began_s = time.process_time()
        with pytest.raises(BadDatabase) as e:
            read()
        assert says in str(e.value)
        assert len(str(e.value).splitlines()) == 1
        assert time.process_time() - began_s < 5.0


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("alter table runs rename to r; create view runs as select * from r", "what it calls runs is a view"),
        (
            "alter table runs rename to r; create view runs as with recursive c(x) as (select 1 union all select x+1 "
            "from c) select r.* from r, c",
            "what it calls runs is a view",
        ),
        ("drop table chunks", "the table chunks is missing"),
        ("create index i on runs (state)", "it has the index i"),
        ("alter table runs add column x generated always as (1) virtual", "what it calls runs is another table"),
        ("pragma application_id = 1", "is a database of another program"),
        ("pragma user_version = 1", "what it calls runs is another table"),
        ("update runs set result_json = zeroblob(8000000)", "a value that is too long"),
        ("update runs set loss_pct = 9e999", "the list of runs is damaged"),
        (
            "update runs set result_json = '{\"x\": ' || replace(hex(zeroblob(25)), '0', '[') || "
            "replace(hex(zeroblob(25)), '0', ']') || '}'",
            "nested more than",
        ),
        (
            "update runs set result_json = '{\"x\": [' || replace(hex(zeroblob(99999)), '0', '[],') || '0]}'",
            "holds more than",
        ),
        ("update runs set started_utc = zeroblob(20)", "the list of runs is damaged"),
    ],
)
def test_what_is_not_ours_is_refused_and_nothing_of_it_is_used(path: Path, sql: str, says: str) -> None:
    change(path, lambda db: db.executescript(sql))
    with pytest.raises(BadDatabase) as e:
        list_runs(path) if "list" in says or "_id" in sql else result_of_run(path, "last")
    assert says in str(e.value)


def test_a_trigger_and_a_view_beside_our_tables_are_never_run(path: Path) -> None:
    before = list_runs(path)
    change(path, lambda db: db.executescript(
        "create trigger t after insert on runs begin select 1; end; create view v as select load_extension('x')"
    ))  # fmt: skip
    assert list_runs(path) == before
    with contextlib.closing(open_readonly(path)) as db:
        for sql in (
            "select * from v",
            "select * from what_happened_when",
            "select load_extension('x')",
            "select randomblob(9)",
            "pragma writable_schema = on",
            "attach ':memory:' as m",
            "create temp table x (y)",
        ):
            with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited|unsafe use"):
                db.execute(sql)


def test_a_schema_of_a_million_views_ends_in_time(path: Path) -> None:
    def many(db: sqlite3.Connection) -> None:
        db.execute("pragma writable_schema = on")
        db.execute(
            "with recursive c(x) as (select 1 union all select x + 1 from c where x < 300000) "
            "insert into sqlite_master "
            "select 'view', 'v' || x, 'v' || x, 0, 'create view v' || x || ' as select 1' from c"
        )

    change(path, many)
    refused(path, "")


def test_a_row_that_is_too_long_to_be_ours_is_copied_by_nobody(path: Path) -> None:
    """SQLite and whoever copies hold it several times: an export of 70 MB of zeros took 340 before it was refused."""

    def packed() -> None:
        with pytest.raises(BadDatabase, match="too long to be ours"):
            make_package(path, "last")

    def looked_at() -> None:
        list_runs(path)

    change(path, lambda db: db.execute("update chunks set raw = zeroblob(70000000) where chunk = 0"))
    calm, spoilt = forked(looked_at), forked(packed)
    assert (calm.status, spoilt.status) == (0, 0), spoilt.err
    assert spoilt.peak_mb < calm.peak_mb + 30.0


def test_a_file_that_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, says in ((fifo, "is a pipe"), (tmp_path, "is a folder"), (Path("/dev/zero"), "is a device")):
        refused(path, says)
        with pytest.raises(BadDatabase, match=says):
            Journal(path)


def test_a_file_that_is_exchanged_for_a_pipe_once_it_was_looked_at_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, looks = tmp_path / "a.db", [0]
    os.mkfifo(path)
    look = reading.no_regular_file

    def looked_at_before(at: Path) -> str:
        looks[0] += 1
        return "" if looks[0] == 1 else look(at)

    monkeypatch.setattr(reading, "no_regular_file", looked_at_before)
    monkeypatch.setattr(reading, "LOOK_AGAIN_S", 0.05)
    with pytest.raises(BadDatabase, match="is a pipe"):
        open_readonly(path)
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))  # the thread that SQLite keeps waiting in ends


def test_what_takes_longer_than_it_may_is_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_STEPS", 10)
    with contextlib.closing(open_readonly(path, cpu_s=0.0)) as db, pytest.raises(sqlite3.OperationalError):
        db.execute("select count(*), sum(mass_g) from seconds where mass_g > 0").fetchall()


def test_a_million_runs_are_listed_a_page_at_a_time_with_their_names_cut(path: Path) -> None:
    change(path, lambda db: db.execute(
        "with recursive c(x) as (select 2 union all select x + 1 from c where x < 1000000) "
        "insert into runs (run_id, sample_id, operator, kind, state, standard_id, started_utc) "
        "select x, hex(zeroblob(300)), 'o', 'test', 'done', 's', '2026-01-01' from c"
    ))  # fmt: skip
    page = list_runs(path, most=5)
    assert [r.run_id for r in page] == [999996, 999997, 999998, 999999, 1000000]
    assert {len(r.sample_id) for r in page} == {SHOWN_CHARS}
    assert [r.run_id for r in list_runs(path, before=3)] == [1, 2]
    assert len(list_runs(path)) == MOST_LISTED


def test_a_copy_without_its_log_says_so_and_is_not_called_empty(tmp_path: Path) -> None:
    path, alone = tmp_path / "a.db", tmp_path / "copy.db"
    with Journal(path) as journal:
        begin(journal)
        shutil.copy(path, alone)
        refused(alone, "its newest part was in copy.db-wal, which is not beside it: copy both")
        shutil.copy(tmp_path / "a.db-wal", tmp_path / "copy.db-wal")
        assert [r.state for r in list_runs(alone)] == ["interrupted"], "nobody measures it there"


def cut_off(path: Path) -> None:
    """Leave a database as a power cut does in the middle of a change: pages of two states, and a journal."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("pragma journal_mode = delete")
        for line in (
            "pragma cache_size = 1",
            "begin",
            "update seconds set mass_g = 0",
            "update runs set verdict = 'x'",
        ):
            db.execute(line)
        journal = path.with_name(f"{path.name}-journal")
        kept = {file: file.read_bytes() for file in (path, journal)}
        db.execute("rollback")
    for file, data in kept.items():
        file.write_bytes(data)


def test_a_change_that_was_cut_off_is_said_and_never_read_half_and_the_station_undoes_it(path: Path) -> None:
    before = [(r.run_id, r.verdict) for r in list_runs(path)]
    cut_off(path)
    half = path.read_bytes()
    refused(path, "a change to it was cut off")
    assert path.read_bytes() == half
    assert quarantine_if_unusable(path, 1.8e9) is None
    assert [(r.run_id, r.verdict) for r in list_runs(path)] == before


def test_a_journal_that_would_have_sqlite_delete_another_file_is_put_aside_with_its_database(path: Path) -> None:
    cut_off(path)
    other, journal = path.with_name("other"), path.with_name(f"{path.name}-journal")
    other.write_bytes(b"dear to somebody")
    name = str(other).encode()
    tail = struct.pack(">I", 1 << 18 | 1) + name + struct.pack(">II", len(name), sum(name)) + journal.read_bytes()[:8]
    journal.write_bytes(journal.read_bytes() + tail)
    aside = quarantine_if_unusable(path, 1.8e9)
    assert aside is not None
    assert "names another file" in aside.why
    assert other.read_bytes() == b"dear to somebody"


def test_a_run_that_nobody_measures_any_more_is_interrupted_and_who_looks_disturbs_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        begin(journal)
        assert [r.state for r in list_runs(path)] == ["running"]
        with pytest.raises(NoSuchRun, match="run 1 has not ended"):
            result_of_run(path, "last")
        assert writer_lock.is_held(path)
    assert not writer_lock.is_held(path)
    assert [r.state for r in list_runs(path)] == ["interrupted"]
    with pytest.raises(NoSuchRun, match="run 1 was interrupted: nobody measures it"):
        result_of_run(path, "last")
    (tmp_path / "a.db.lock").touch()  # as a process that was killed leaves it
    assert [r.state for r in list_runs(path)] == ["interrupted"]


def test_a_database_that_was_closed_has_no_log_and_can_be_read_with_a_stock_tool_where_nothing_is_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        begin(journal)
    assert [p.name for p in tmp_path.iterdir()] == ["a.db"]
    assert path.read_bytes()[18:20] == b"\x01\x01"
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        assert db.execute("select count(*) from runs").fetchone() == (1,)
    assert [p.name for p in tmp_path.iterdir()] == ["a.db"]
