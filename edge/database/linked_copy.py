"""A run as a database of its own, whose foreign keys stock tools follow from a table to the next.

The station's own schema has none: a stored file stays readable because its tables are compared with the SQL of ours
(docs/decisions/0031, 0062). This module must never write into a database that is there.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.errors import BadDatabase

from .connection import translated_errors
from .queries import run_number
from .reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from .run_check import check_run
from .schema import TABLES, table_sql
from .views import VIEWS

FOREIGN_KEYS = {
    ("chunks", "run_id"): "runs",
    ("chunks", "boot"): "boots",
    ("seconds", "run_id"): "runs",
    ("events", "run_id"): "runs",
    ("runs", "certificate_sha256"): "certificates",
}
"""Which column of a table names a row of another, by that one's key."""
_OF_THE_RUN = {
    "runs": "run_id = :run",
    "chunks": "run_id = :run",
    "seconds": "run_id = :run",
    "events": "run_id = :run",
    "boots": "boot in (select boot from chunks where run_id = :run)",
    "certificates": "sha256 in (select certificate_sha256 from runs where run_id = :run)",
}
"""Which rows go with a run; what happened at the station while no run was on goes with none."""


def linked_copy(path: Path, run: str) -> bytes:
    """Get the bytes of a new SQLite file with a run's rows, views and foreign keys. ``run`` is its number, or ``last``.

    A certificate's hash that no row has (a run without one) becomes null. Raises ``NoSuchRun`` and ``BadDatabase``,
    which a run is whose rows are not as its chain says.
    """
    with (
        translated_errors(path),
        closing(open_readonly(path, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as copy,
    ):
        run_id = run_number(db, path, run)
        if (altered := check_run(db, run_id, full=True)) is not None:
            raise BadDatabase(f"{path}: run {run_id} is not as it was recorded ({altered}): nothing of it is copied")
        for table in TABLES:
            copy.execute(_sql_with_keys(table))
        copy.execute("begin")
        for table, where in _OF_THE_RUN.items():
            there = {name for _, name, *_ in db.execute(f'pragma table_info("{table}")').fetchall()}
            columns = ", ".join(f'"{name}"' for name in TABLES[table][0] if name in there)
            rows = db.execute(f'select {columns} from "{table}" where {where}', {"run": run_id})
            marks = ", ".join("?" * (columns.count(",") + 1))
            copy.executemany(f'insert into "{table}" ({columns}) values ({marks})', rows)
        copy.execute(
            "update runs set certificate_sha256 = null "
            "where certificate_sha256 not in (select sha256 from certificates)"
        )
        copy.execute("commit")
        for name, sql in VIEWS.items():
            copy.execute(f'create view "{name}" as {sql}')
        return copy.serialize()


def _sql_with_keys(table: str) -> str:
    """Get the SQL of a table of ours, with its foreign keys."""
    keys = [
        f'foreign key ("{column}") references "{other}" ("{TABLES[other][1][0]}")'
        for (of, column), other in FOREIGN_KEYS.items()
        if of == table
    ]
    begin, _, end = table_sql(table).rpartition(")")
    return f"{', '.join((begin, *keys))}){end}"
