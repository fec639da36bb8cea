"""A copy of a run with foreign keys: what a stock tool follows, and what is never copied."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from short_demo import Demo

from edge.database.linked_copy import FOREIGN_KEYS, linked_copy
from edge.database.schema import TABLES, VIEWS
from edge.errors import BadDatabase, NoSuchRun


def test_a_copy_has_the_runs_rows_foreign_keys_that_hold_and_every_view(short_demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    path.write_bytes(linked_copy(short_demo.path, "last"))
    with closing(sqlite3.connect(path)) as copy, closing(sqlite3.connect(short_demo.path)) as stored:
        assert copy.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert copy.execute("pragma foreign_key_check").fetchall() == []
        keys = {
            (table, column): other
            for table in TABLES
            for _, _, other, column, *_ in copy.execute(f"pragma foreign_key_list({table})")
        }
        assert keys == FOREIGN_KEYS
        for table in ("runs", "chunks", "seconds", "events", "boots", "certificates"):
            every = f"select * from {table} order by 1, 2"
            assert copy.execute(every).fetchall() == stored.execute(every).fetchall() != []
        for view in VIEWS:
            copy.execute(f"select * from {view}").fetchall()


def test_a_run_that_was_altered_or_is_not_there_is_not_copied(short_demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "altered.db"
    shutil.copy(short_demo.path, path)
    with pytest.raises(NoSuchRun):
        linked_copy(path, "77")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update events set data_json = '{}' where event = 2")
    with pytest.raises(BadDatabase, match="is not as it was recorded"):
        linked_copy(path, "last")
