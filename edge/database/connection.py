"""What all connections to a database have in common: SQLite's errors in words, and whose file it is.

A file that is not ours, or newer than we are, is refused before a byte of it is changed. Reading is
:mod:`edge.database.reading`, writing :mod:`edge.database.writing`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database as Database  # for readers of a run, who are handed one

from calibration.toml_file import one_line
from calibration.visible_text import visible
from edge.errors import BadDatabase, DamagedDatabase, HalfpercentError, StorageFull

from .schema import APPLICATION_ID, SCHEMA_VERSION

_SAID = {
    sqlite3.SQLITE_FULL: (StorageFull, "the disk is full; what was committed is safe: make room, then go on"),
    sqlite3.SQLITE_IOERR: (StorageFull, "the disk gives errors or is full; what was committed is safe: check the disk"),
    sqlite3.SQLITE_READONLY: (BadDatabase, "cannot be written here: choose another place"),
    sqlite3.SQLITE_CANTOPEN: (BadDatabase, "cannot be opened here: check its rights, or choose another"),
    sqlite3.SQLITE_NOTADB: (DamagedDatabase, "is not a SQLite database: name another; it was left as it is"),
    sqlite3.SQLITE_CORRUPT: (DamagedDatabase, "is damaged: restore it from a copy, or name another"),
    sqlite3.SQLITE_BUSY: (BadDatabase, "another program is writing to it: wait, or choose another"),
    sqlite3.SQLITE_LOCKED: (BadDatabase, "another program is writing to it: wait, or choose another"),
    sqlite3.SQLITE_INTERRUPT: (BadDatabase, "takes too long to read, so it is none of ours: name another"),
    sqlite3.SQLITE_TOOBIG: (BadDatabase, "holds a value that is too long to be ours: restore it from a copy"),
    sqlite3.SQLITE_NOMEM: (BadDatabase, "needs more memory than a database of ours: name another"),
    sqlite3.SQLITE_AUTH: (BadDatabase, "is not as halfpercent made it: name another"),
}
"""SQLite's result codes, and what to say to a person."""
_MOST_SAID = 200


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about ``path`` into one line that says what to do."""
    try:
        yield
    except sqlite3.Error as e:
        said = visible(f"{e}")[:_MOST_SAID]  # it may quote the file
        if is_cut_off(e):
            raise BadDatabase(
                f"{path}: a change to it was cut off, and {path.name}-journal beside it undoes that: start the station "
                "once, or open a copy of both with sqlite3"
            ) from e
        error, what = _SAID.get(error_code(e), (BadDatabase, f"{said}: restore it from a copy, or name another"))
        raise error(f"{path}: {what}") from e
    except (UnicodeError, OverflowError) as e:  # SQLite's words about a damaged name; a number beyond its integers
        raise DamagedDatabase(f"{path}: is damaged: restore it from a copy, or name another") from e


@contextmanager
def parsed_rows(where: str) -> Iterator[None]:
    """Turn what a row that we never wrote does to whoever parses it into one line about ``where``."""
    try:
        yield
    except HalfpercentError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as e:
        why = one_line(str(e) or type(e).__name__)[:120]
        raise DamagedDatabase(f"{where} is damaged ({why}): take it from a copy") from e


def error_code(e: sqlite3.Error) -> int:
    """Get SQLite's result code of an error, without its extension; 0 for an error of the module's own."""
    return getattr(e, "sqlite_errorcode", 0) & 0xFF


def is_cut_off(e: sqlite3.Error) -> bool:
    """Say whether who only reads met a change that was cut off, and must be undone before anything is read."""
    return getattr(e, "sqlite_errorname", "") == "SQLITE_READONLY_ROLLBACK"


def check(db: Database, path: Path) -> int:
    """Get the schema version of an open database (0: empty). Raise ``BadDatabase`` if it is not ours."""
    version = int(db.execute("pragma user_version").fetchone()[0])
    application = int(db.execute("pragma application_id").fetchone()[0])
    if application != APPLICATION_ID:
        if db.execute("select name from sqlite_master limit 1").fetchone() is not None:
            raise BadDatabase(f"{path}: is a database of another program: choose another; it was not changed")
        return 0
    if version < 1:
        raise BadDatabase(f"{path}: has no schema version: restore it from a copy; it was not changed")
    if version > SCHEMA_VERSION:
        raise BadDatabase(
            f"{path}: has schema version {version}, this halfpercent knows {SCHEMA_VERSION}: update halfpercent; "
            "the file was not changed"
        )
    return version


SqliteError = sqlite3.Error
"""What a database may raise that nobody has put into words."""


def sqlite_version() -> str:
    """Get the version of SQLite that is in use."""
    return sqlite3.sqlite_version
