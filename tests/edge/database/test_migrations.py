"""An upgrade keeps the database: one of each past schema is opened, read, brought up to date, and still proves itself.

``data/schema-1.sqlite`` was written by the last halfpercent with schema 1: a replay, a simulated run that was stopped
with its bridge dead, and a run that was cut short.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from repository import STORED
from written_run import NOT_JUDGED, begin, write

from edge.database import hash_chain
from edge.database.journal import Journal
from edge.database.queries import list_runs, result_of_run
from edge.database.reading import open_readonly
from edge.database.run_journal import _second
from edge.database.schema import SCHEMA_VERSION
from edge.database.stored_frames import stored_frames
from edge.database.writing import open_for_writing
from edge.errors import BadDatabase
from edge.run.refold import refold

SCHEMA_1 = STORED / "schema-1.sqlite"
RUNS = (1, 2, 3)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(SCHEMA_1, tmp_path / "halfpercent.db"))


def all_of(path: Path) -> dict[str, Any]:
    """Everything that is stored, as it is said whatever the schema."""
    db = open_readonly(path)
    try:
        out: dict[str, Any] = {
            table: [dict(row) for row in db.table(table).rows_where(order_by=key)]
            for table, key in (("runs", "1"), ("seconds", "run_id, second"), ("events", "run_id, event"))
        }
        out["certificates"] = list(db.table("certificates").rows)
        rows = (row for run_id in RUNS for row in hash_chain.chunk_rows(db, run_id))
        out["chunks"] = [{k: v for k, v in row.items() if k != "previous_sha256"} for row in rows]
        return out
    finally:
        db.close()


def proves_itself(path: Path) -> None:
    """Both chains of every run hold, and its raw samples fold to the seconds that are stored."""
    db = open_readonly(path)
    try:
        for run_id in RUNS:
            assert len(list(hash_chain.events(db, run_id))) == db.table("events").count_where("run_id = ?", [run_id])
            frames = list(stored_frames(db, run_id))
            assert len(frames) == db.table("chunks").count_where("run_id = ?", [run_id])
            if frames:
                folded = refold(db, run_id).folded
                again = [
                    _second(run_id, second, phase)
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
        return hash_chain.as_hex(sha256)

    before = all_of(old)
    with monkeypatch.context() as patch:
        patch.setattr(hash_chain, "as_bytes", breaks_off)
        with pytest.raises(BadDatabase):
            open_for_writing(old)
    assert len(calls) == 4
    assert version_of(old) == 1
    assert all_of(old) == before
    open_for_writing(old).close()
    assert version_of(old) == SCHEMA_VERSION
    proves_itself(old)
