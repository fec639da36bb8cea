"""An upgrade keeps the database: one of each past schema is opened, read, brought up to date, and still proves itself.

``data/schema-1.sqlite`` was written by the last halfpercent with schema 1: a replay, a simulated run that was stopped
with its bridge dead, and a run that was cut short. ``data/schema-2.sqlite`` by the last one with schema 2: a run
that is done, one that was ended as damaged, and one that was cut short.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from repository import STORED
from written_run import NOT_JUDGED, begin, write

from edge.database import hash_chain, stored_rows
from edge.database.journal import Journal
from edge.database.linked_rows import second_row
from edge.database.queries import list_runs, result_of_run
from edge.database.reading import open_readonly
from edge.database.run_check import Covered, Head, check_run, not_in_chain, run_head
from edge.database.run_journal import Writing
from edge.database.schema import SCHEMA_VERSION
from edge.database.stored_frames import stored_frames
from edge.database.writing import open_for_writing
from edge.errors import BadDatabase
from edge.records.event import Event, Resumed
from edge.run.refold import refold

SCHEMA_1, SCHEMA_2 = STORED / "schema-1.sqlite", STORED / "schema-2.sqlite"
RUNS = (1, 2, 3)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(SCHEMA_1, tmp_path / "halfpercent.db"))


@pytest.fixture
def schema_2(tmp_path: Path) -> Path:
    return Path(shutil.copy(SCHEMA_2, tmp_path / "halfpercent.db"))


def all_of(path: Path) -> dict[str, Any]:
    """Everything that was stored, as it is said whatever the schema, without what a migration adds."""
    db = open_readonly(path)
    try:
        out: dict[str, Any] = {
            table: [
                {name: value for name, value in row.items() if name not in ("header_sha256", "link")}
                for row in db.table(table).rows_where(order_by=key)
                if row.get("kind") != "joined"
            ]
            for table, key in (("runs", "1"), ("seconds", "run_id, second"), ("events", "run_id, event"))
        }
        out["certificates"] = list(db.table("certificates").rows)
        rows = (row for run_id in RUNS for row in stored_rows.chunk_rows(db, run_id))
        out["chunks"] = [{k: v for k, v in row.items() if k != "previous_sha256"} for row in rows]
        return out
    finally:
        db.close()


def proves_itself(path: Path) -> None:
    """The chains of every run hold, and its raw samples fold to the seconds that are stored."""
    db = open_readonly(path)
    try:
        for run_id in RUNS:
            assert len(list(hash_chain.events(db, run_id))) == db.table("events").count_where("run_id = ?", [run_id])
            frames = list(stored_frames(db, run_id))
            assert len(frames) == db.table("chunks").count_where("run_id = ?", [run_id])
            if frames:
                folded = refold(db, run_id).folded
                again = [
                    second_row(run_id, second, phase)
                    for second, phase in zip(folded.seconds(), folded.phases, strict=True)
                ]
                stored = list(db.table("seconds").rows_where("run_id = ?", [run_id], order_by="second"))
                assert len(stored) > 100
                assert again == stored
    finally:
        db.close()


def version_of(path: Path) -> int:
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(db.execute("pragma user_version").fetchone()[0])
    finally:
        db.close()


def test_the_stored_database_has_schema_1() -> None:
    assert version_of(SCHEMA_1) == 1
    assert SCHEMA_1.stat().st_size < 100_000


def test_reading_an_old_database_needs_no_migration_and_makes_none(old: Path) -> None:
    before = old.read_bytes()
    assert [run.verdict for run in list_runs(old)] == ["PASS", "INVALID", None]
    assert result_of_run(old, "1").verdict == "PASS"
    proves_itself(old)
    assert old.read_bytes() == before


def test_opening_it_for_writing_brings_it_up_to_date_and_keeps_all_of_it(old: Path) -> None:
    before, listed = all_of(old), list_runs(old)
    open_for_writing(old).close()
    assert version_of(old) == SCHEMA_VERSION
    after = all_of(old)
    for table, rows in before.items():
        assert rows == after[table], table
    assert list_runs(old) == listed
    proves_itself(old)


def test_what_was_migrated_has_the_schema_of_what_is_new(old: Path, tmp_path: Path) -> None:
    open_for_writing(old).close()
    open_for_writing(tmp_path / "new.db").close()
    schemas = []
    for path in (old, tmp_path / "new.db"):
        db = sqlite3.connect(path)
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        made = {name: sql for name, sql in db.execute("select name, sql from sqlite_master") if sql}
        columns = {name: db.execute(f"pragma table_info({name})").fetchall() for name in made}
        flat = {name: [(c[1], c[2].upper(), c[5]) for c in found] for name, found in columns.items()}
        shape = {name: sql if "create view" in sql.lower() else "without rowid" in sql for name, sql in made.items()}
        schemas.append((flat, shape))
        db.close()
    assert schemas[0] == schemas[1]


def test_a_run_can_be_written_into_a_migrated_database(old: Path) -> None:
    with Journal(old) as journal:
        run = begin(journal)
        assert run.run_id == 4
        write(run, range(10))
        run.save_result(NOT_JUDGED, 1.75e9)
    proves_itself(old)
    db = open_readonly(old)
    assert sum(len(frames) for frames in stored_frames(db, 4)) == 10
    db.close()


@pytest.mark.parametrize("change", [
    "boot_id = 'another'", "boot_id = null", "wall_utc = '2026-01-01T00:00:09.999+00:00'", "wall_utc = 'never'",
    "wall_utc = null", "sha256 = upper(sha256)", "sha256 = null", "raw = cast(substr(raw, 1, 20) as blob)",
    "raw = null", "seconds = seconds + 1", "first_second = '7'", "samples = 1.5",
])  # fmt: skip
def test_a_change_that_was_made_before_the_migration_is_found_after_it(old: Path, change: str) -> None:
    db = sqlite3.connect(old)
    with db:
        assert db.execute(f"update chunks set {change} where run_id = 2 and chunk = 1").rowcount == 1
    db.close()
    for _ in range(2):  # before, and after
        db = open_readonly(old)
        with pytest.raises(BadDatabase, match=r"run 2, chunk [12]: does not fit its chain"):
            list(stored_frames(db, 2))
        db.close()
        open_for_writing(old).close()
    assert version_of(old) == SCHEMA_VERSION


def test_what_a_person_added_is_refused_by_name_and_nothing_is_migrated(old: Path) -> None:
    db = sqlite3.connect(old)
    db.execute("create view mine as select run_id, sum(samples) as n from chunks group by run_id")
    db.close()
    before = all_of(old)
    with pytest.raises(BadDatabase, match="it has the view mine"):
        open_for_writing(old)
    assert version_of(old) == 1
    assert all_of(old) == before
    assert len(list_runs(old)) == 3, "it can still be read"


@pytest.mark.parametrize("sql", [
    "update chunks set chunk = null where run_id = 2 and chunk = 1",
    "update seconds set second = null where run_id = 2 and second = 9",
])  # fmt: skip
def test_what_fits_nowhere_stops_the_migration_and_leaves_everything(old: Path, sql: str) -> None:
    db = sqlite3.connect(old)
    db.executescript(sql)
    before = list(db.iterdump())
    db.close()
    with pytest.raises(BadDatabase) as caught:
        open_for_writing(old)
    assert len(str(caught.value).splitlines()) == 1
    assert version_of(old) == 1
    db = sqlite3.connect(old)
    assert list(db.iterdump()) == before
    db.close()


def test_a_migration_that_breaks_off_leaves_the_old_database(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def breaks_off(sha256: Any) -> Any:
        calls.append(sha256)
        if len(calls) > 3:
            raise OSError("the plug is pulled")
        return stored_rows.as_hex(sha256)

    before = all_of(old)
    with monkeypatch.context() as patch:
        patch.setattr(stored_rows, "as_bytes", breaks_off)
        with pytest.raises(BadDatabase):
            open_for_writing(old)
    assert len(calls) == 4
    assert version_of(old) == 1
    assert all_of(old) == before
    open_for_writing(old).close()
    assert version_of(old) == SCHEMA_VERSION
    proves_itself(old)


def checked(path: Path, run_id: int, sealed: Head | None = None) -> list[str | None]:
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        found = [check_run(db, run_id, full=full, sealed=sealed) for full in (False, True)]
    return [None if altered is None else str(altered) for altered in found]


@pytest.mark.parametrize("stored", [SCHEMA_1, SCHEMA_2])
def test_what_was_in_no_chain_is_named_before_the_migration_and_after_it(tmp_path: Path, stored: Path) -> None:
    path = Path(shutil.copy(stored, tmp_path / "a.db"))
    for _ in range(2):
        for run_id in RUNS:
            assert checked(path, run_id) == [None, None]
            with closing(open_readonly(path)) as db:
                assert not_in_chain(db, run_id) == ("its result and its seconds, recorded before schema 3")
                if version_of(path) < 3:
                    with pytest.raises(BadDatabase, match="recorded before schema 3"):
                        run_head(db, run_id)
                else:
                    assert run_head(db, run_id).covers == {Covered.HEADER, Covered.FRAMES, Covered.EVENTS}
                    assert run_head(db, run_id).links == 2
        open_for_writing(path).close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("update runs set verdict = 'PASS', loss_pct = 0.2 where run_id = 1", "its outcome was changed after"),
        (
            "update runs set result_json = replace(result_json, 'S 1', 'S 2') where run_id = 1",
            "its outcome was changed",
        ),
        ("delete from events where kind = 'joined' and run_id = 1", "is missing"),
        (
            "update events set data_json = replace(data_json, 'a\":2', 'a\":1') where kind = 'joined' and run_id = 1",
            "not fit",
        ),
        ("delete from chunks where run_id = 1 and chunk = (select max(chunk) from chunks where run_id = 1)", "not fit"),
        ("update runs set header_sha256 = null where run_id = 1", "does not fit"),
        ("update runs set state = 'running' where run_id = 1", "its outcome was changed"),
    ],
)
def test_what_is_changed_after_the_migration_is_found(schema_2: Path, change: str, says: str) -> None:
    open_for_writing(schema_2).close()
    assert checked(schema_2, 1) == [None, None]
    with closing(sqlite3.connect(schema_2)) as db, db:
        assert db.execute(change).rowcount == 1
    assert says in str(checked(schema_2, 1)[1])


def test_a_run_that_was_cut_short_before_the_migration_goes_on_in_one_chain(schema_2: Path) -> None:
    with Journal(schema_2) as journal:
        hash_chain.follow_all(journal.db, 3)
        run = journal.go_on(3, Writing("another boot", 1.75e9 + 60, 5))
        run.log_event(Event(28, 28.0, Resumed("another boot", 0, True, 28.0, 12.0, 1.0)), "instrument", 1.75e9 + 60)
        write(run, range(40, 60))
        run.save_result(NOT_JUDGED, 1.75e9 + 90)
        frames = [seq for piece in stored_frames(journal.db, 3) for seq in piece.seq.tolist()]
    assert frames == [*range(28), *range(40, 60)]
    assert checked(schema_2, 3) == [None, None]
    with closing(open_readonly(schema_2)) as db:
        assert not_in_chain(db, 3) is None
        assert run_head(db, 3).covers == set(Covered)
