"""Looking after the database's file: is it sound, and is there room for a run.

A damaged file is renamed, never deleted and never written to. This module must never change a database that holds runs.
"""

from __future__ import annotations

import datetime
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadDatabase
from edge.records.durable_file import sync_folder

from . import connection, writer_lock

CHECK_S = 60.0  # 100 MB took 0.2 s from memory; from a slow card at 10 MB/s it is 10 s


BYTES_PER_SECOND = (
    160.0  # of a run: its row of seconds, and the fifth of a chunk's row; measured, see docs/benchmarks.md
)


BYTES_PER_SAMPLE = 1.5  # at 60 codes rms; measured likewise


BYTES_BESIDE = 8 << 20  # the write-ahead log, schema, settings, events


SPARE = 2.0  # noisier chips, more events, another program's files


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def quarantine_if_damaged(path: Path, wall_s: float, limit_s: float = CHECK_S) -> Path | None:
    """Check a database before it is opened for writing; put it aside where it is damaged. Returns where it went.

    It and its ``-wal`` and ``-shm`` become ``NAME.damaged-YYYYMMDDTHHMMSSZ`` (with ``-2``, ``-3`` … where that is
    taken), by ``wall_s``; the next writer finds no file and makes a new one. A check that takes longer than ``limit_s``
    seconds ends, and what was seen till then counts. What is no SQLite file at all is put aside too; a sound database
    of another program, or of a newer halfpercent, is left for ``open_for_writing`` to refuse. Raises ``BadDatabase``
    where another halfpercent is writing to it, ``StorageFull`` where the disk gives errors.
    """
    connection.check_place(path)
    file = path.resolve()
    if not file.exists() or file.stat().st_size == 0:
        return None
    held = writer_lock.take(file)
    try:
        with connection.translated_errors(path):
            return _put_aside(file, wall_s) if _is_damaged(file, limit_s) else None
    finally:
        writer_lock.drop(file, held)


def _is_damaged(file: Path, limit_s: float) -> bool:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        end_s = time.monotonic() + limit_s
        db.set_progress_handler(lambda: time.monotonic() > end_s, 100_000)
        try:
            return bool(db.execute("pragma quick_check(1)").fetchone() != ("ok",))
        except sqlite3.DatabaseError as e:
            code = getattr(e, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_INTERRUPT:
                return False
            if code in _DAMAGED:
                return True
            raise


def _put_aside(file: Path, wall_s: float) -> Path:
    when = datetime.datetime.fromtimestamp(wall_s, datetime.UTC)
    name = first = f"{file.name}.damaged-{when:%Y%m%dT%H%M%SZ}"
    n = 1
    while any(file.with_name(name + end).exists() for end in ("", "-wal", "-shm")):
        n += 1
        name = f"{first}-{n}"
    try:
        for end in ("-wal", "-shm", ""):  # the log first: beside a new database it would be taken for that one's
            if (beside := file.with_name(file.name + end)).exists():
                beside.rename(file.with_name(name + end))
        sync_folder(file.parent)
    except OSError as e:
        raise BadDatabase(f"{file}: is damaged, and cannot be put aside ({e.strerror}): move it away by hand") from e
    return file.with_name(name)


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What a run will need on the disk of its database, what is free there (bytes), and whether that is enough."""

    needed_bytes: int
    free_bytes: int

    @property
    def enough(self) -> bool:
        """Get whether the run fits."""
        return self.free_bytes >= self.needed_bytes


def disk_space(path: Path, hours: float, rate_sps: float) -> DiskSpace:
    """Get whether a run of ``hours`` at ``rate_sps`` samples a second fits where ``path`` is, with room to spare.

    Raises ``BadDatabase`` where the place is not there.
    """
    at = path if path.exists() else path.parent
    try:
        disk = os.statvfs(at)
    except OSError as e:
        raise BadDatabase(f"{at}: {e.strerror}: make the folder, or choose another") from e
    grows = hours * 3600.0 * (BYTES_PER_SECOND + BYTES_PER_SAMPLE * rate_sps)
    return DiskSpace(int(SPARE * grows) + BYTES_BESIDE, disk.f_bavail * disk.f_frsize)
