"""How long a commit takes on a disk, in a database of its own that is gone afterwards.

This module must never touch a person's database.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROW_BYTES = 200
"""About what a second of raw samples takes."""


def commit_times_s(folder: Path, commits: int) -> list[float]:
    """Get how long each of so many commits takes in ``folder``, as the station's: a write-ahead log, synced in full.

    Raises ``OSError`` where the folder cannot be written to.
    """
    times_s = []
    beside = tempfile.TemporaryDirectory(dir=folder, prefix=".halfpercent-selftest-")
    with beside as name, closing(sqlite3.connect(Path(name) / "selftest.db", isolation_level=None)) as db:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("create table seconds (second integer primary key, raw blob)")
        for second in range(commits):
            begin_s = time.perf_counter()
            db.execute("insert into seconds values (?, ?)", (second, bytes(ROW_BYTES)))
            times_s.append(time.perf_counter() - begin_s)
    return times_s
