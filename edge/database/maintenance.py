"""Looking after the database's file: is it sound and ours, and is there room for a run.

What is not is renamed, never deleted and never written to. This module must never change a database that holds runs.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from calibration.bounded_file import open_regular_file
from edge.errors import BadDatabase

from . import writer_lock
from .connection import error_code, is_cut_off, translated_errors
from .own_schema import problems_for_writing
from .reading import connect_readonly, has_header, look_at, no_regular_file
from .writing import check_folder, put_aside

CHECK_S = 60.0  # 100 MB took 0.2 s from memory; from a slow card at 10 MB/s it is 10 s


BYTES_PER_SECOND = (
    160.0  # of a run: its row of seconds, and the fifth of a chunk's row; measured, see docs/benchmarks.md
)


BYTES_PER_SAMPLE = 1.5  # at 60 codes rms; measured likewise


BYTES_BESIDE = 8 << 20  # the write-ahead log, schema, settings, events


SPARE = 2.0  # noisier chips, more events, another program's files


_NOT_ITS_FAULT = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""A journal begins with it, and one that names a journal over several databases ends with it (SQLite's file format)."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """Where a database went that could not be written to, and why it could not."""

    path: Path
    why: str


def quarantine_if_unusable(path: Path, wall_s: float, limit_s: float = CHECK_S) -> PutAside | None:
    """Check a database before it is opened for writing; put it aside where nothing can be written into it.

    What is damaged, no database, another program's, a newer halfpercent's, or not exactly as ours is made, becomes with
    its ``-wal`` and ``-shm`` ``NAME.damaged-YYYYMMDDTHHMMSSZ`` or ``NAME.not-ours-…`` (with ``-2``, ``-3`` … where that
    is taken), by ``wall_s``; the next writer finds no file and makes a new one. A check that takes longer than
    ``limit_s`` seconds ends, and what was seen till then counts. Raises ``BadDatabase`` where another halfpercent is
    writing to it, ``StorageFull`` where the disk gives errors.
    """
    check_folder(path)
    strange = no_regular_file(path)
    file = path.absolute() if strange else path.resolve()  # of a link to what is no file, the link goes aside
    if not strange and (not file.exists() or file.stat().st_size == 0):
        return None
    held = writer_lock.take(file)
    try:
        with translated_errors(path):
            if strange:
                return PutAside(put_aside(file, wall_s, "not-ours"), strange)
            if why := _undone(file):
                return PutAside(put_aside(file, wall_s, "not-ours"), why)
            if _is_damaged(file, limit_s):
                return PutAside(put_aside(file, wall_s), "its pages are damaged")
            why = _why_not_ours(file)
            return PutAside(put_aside(file, wall_s, "not-ours"), why) if why else None
    finally:
        writer_lock.drop(file, held)


def _undone(file: Path) -> str:
    """Have SQLite undo a change that a power cut ended, as a database changes into WAL mode or out of it.

    Get why it must not: a journal that names another file has SQLite delete that, and none of ours does.
    """
    try:
        with closing(connect_readonly(file)) as db:
            db.execute("pragma user_version")
    except UnicodeError:  # SQLite's words about a damaged name
        return ""  # who looks next says what is wrong
    except sqlite3.Error as e:
        if not is_cut_off(e):
            return ""
    else:
        return ""
    journal = file.with_name(f"{file.name}-journal")
    with open_regular_file(journal) as found:
        found.seek(max(0, found.seek(0, os.SEEK_END) - len(_JOURNAL)))
        if found.read() == _JOURNAL:
            return f"{journal.name} beside it names another file"
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file, timeout=10.0)) as db:
        db.execute("pragma user_version")
    return ""


def _is_damaged(file: Path, limit_s: float) -> bool:
    end_s = time.monotonic() + limit_s
    if not has_header(file):
        return True
    try:
        with closing(connect_readonly(file)) as db:
            db.set_progress_handler(lambda: time.monotonic() > end_s, 100_000)
            return bool(db.execute("pragma quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError as e:
        code = error_code(e)
        if code == sqlite3.SQLITE_INTERRUPT:
            return False
        if code in _DAMAGED:
            return True
        raise
    except UnicodeError:  # SQLite's words about a damaged name
        return True


def _why_not_ours(file: Path) -> str:
    """Get why nothing of ours can be written into a sound database; '' where it can."""
    try:
        version = look_at(file)
        with closing(Database(connect_readonly(file), recursive_triggers=False, execute_plugins=False)) as db:
            return next(problems_for_writing(db, version), "") if version else ""
    except sqlite3.Error as e:
        return str(e)
    except UnicodeError:
        return "a name in it is no text"
    except BadDatabase as e:
        if isinstance(e.__cause__, sqlite3.Error) and error_code(e.__cause__) in _NOT_ITS_FAULT:
            raise
        return str(e).removeprefix(f"{file}: ")


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
