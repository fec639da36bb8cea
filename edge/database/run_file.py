"""One run as a database of its own, in one order of rows: the same run makes the same file where SQLite is the same.

This module must never change the database that it copies from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from edge.errors import BadDatabase, BadEvidence
from edge.records.second import Second

from . import schema
from .codec import claimed_samples
from .connection import check, translated_errors
from .linked_rows import second_row
from .reading import MOST_ROW_BYTES, open_readonly

MOST_SAMPLES = 40_000_000
"""Of a run; five days at 80 a second have 35 million."""
WHOLE = ("runs", "chunks", "seconds", "events")
WITHOUT_SECONDS = ("runs", "chunks", "events")
"""The tables of a run whose seconds are folded from its codes again: half the file."""


def write_run_file(database: Path, run_id: int, file: Path) -> None:
    """Write a run without its seconds into a new file. Raises ``BadDatabase`` where its schema is an older one."""
    with closing(open_readonly(database)) as db, translated_errors(database):
        if check(db, database) != schema.SCHEMA_VERSION:
            raise BadDatabase(f"{database}: has an older schema: open it once with halfpercent run, then export")
    copy_run(database, run_id, file, WITHOUT_SECONDS)


def write_whole_run(database: Path, run_id: int, file: Path, seconds: Iterable[tuple[Second, str]]) -> None:
    """Write a run without its seconds, and these with their phases, into a new file. Raises ``BadDatabase``."""
    write_run_file(database, run_id, file)
    with translated_errors(file), closing(sqlite3.connect(file)) as connection:
        names, _ = schema.TABLES["seconds"]
        sql = f"insert into seconds ({', '.join(names)}) values ({', '.join(f':{name}' for name in names)})"
        connection.execute("pragma synchronous = off")  # it is read once, and gone
        connection.executemany(sql, (second_row(run_id, second, phase) for second, phase in seconds))
        connection.commit()


def require_size_of_a_run(db: Database, where: str) -> None:
    """Raise ``BadEvidence`` where chunks claim more samples than any run has: a few bytes may claim a million."""
    if check(db, Path(where)) != schema.SCHEMA_VERSION:
        raise BadEvidence(f"{where} has another schema than halfpercent exports")
    claimed = 0
    for head, samples in db.execute("select substr(raw, 1, 16), samples from chunks"):
        told = claimed_samples(head) if isinstance(head, bytes) else None
        if told is not None and told != samples:
            raise BadEvidence(f"{where}: a chunk claims {told} samples, its row says otherwise")
        claimed += samples if isinstance(samples, int) else MOST_SAMPLES
        if claimed > MOST_SAMPLES:
            raise BadEvidence(f"{where} claims more than {MOST_SAMPLES} samples, and no run has so many")


def copy_run(database: Path, run_id: int, file: Path, tables: Sequence[str]) -> None:
    """Copy what a database of today's schema holds of a run in ``tables`` into a new file. It may be in use."""
    with translated_errors(file), closing(sqlite3.connect(file.resolve().as_uri(), uri=True)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_ROW_BYTES)
        db = Database(connection, execute_plugins=False)
        db.execute("pragma synchronous = extra")  # a stick may be pulled the moment this is done
        db.execute("attach database ? as source", [f"{database.resolve().as_uri()}?mode=ro"])
        with db.atomic():
            schema.create(db)
            try:
                for table in tables:
                    _carry(db, table, f"run_id = {run_id:d}")
                _carry(db, "boots", "boot in (select boot from main.chunks)")
                _carry(db, "certificates", "sha256 in (select certificate_sha256 from main.runs)")
            except sqlite3.DataError:  # what is too long stands in the one that is copied from
                with translated_errors(database):
                    raise


def _carry(db: Database, table: str, where: str) -> None:
    names, key = schema.TABLES[table]
    columns, order = ", ".join(names), ", ".join(key)
    sql = f"insert into main.{table} ({columns}) select {columns} from source.{table} where {where} order by {order}"
    db.execute(sql)
