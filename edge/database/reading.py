"""The one place where a database is opened to be read: it may be anybody's.

A regular file, opened read-only; no trigger, view, extension or untrusted function of its is used; its tables must be
ours by the SQL that made them; what is read is bounded in length, depth and processor time. This module must never
write, and never wait for what is no file.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from sqlite_utils import Database

from calibration.bounded_file import NotReadable, open_regular_file, what_it_is
from edge.errors import BadDatabase, DamagedDatabase

from .connection import check, error_code, is_cut_off, translated_errors
from .own_schema import problems_for_reading

OPEN_CPU_S = 0.75
"""Processor time for a schema to be read, which is memory too, 33 MB a second: ours takes a hundredth, a hostile one
has a million views."""
READ_CPU_S = 3.0
"""Processor time for what a command shows. A slow disk costs none."""
LOOK_AGAIN_S, OPEN_AT_MOST_S = 1.0, 120.0
"""When it is looked again whether what does not open is a file, and when it is given up: a slow card reads a log."""
LONG_CPU_S = 600.0
"""The same for all of a run: a copy, a proof."""
MOST_BYTES = 4 << 20
"""The longest value that a command shows is a result; a real one has some 30 kB."""
MOST_ROW_BYTES = 8 << 20
"""The longest that anybody reads or the writer writes: a minute at 320 samples a second has 80 kB. SQLite holds a row
two or three times over to copy it, or to change a word in it."""
MOST_LOG_BYTES = 1 << 30
"""A reader goes through all of a log before anything else; the station says at 64 MB that it grows."""
UTF8_AT_MOST = 4  # bytes a character
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite opens beside a database."""
_MAGIC = b"SQLite format 3\0"
_STEPS = 2_000
"""Of SQLite's machine, between two looks at the time."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_FUNCTIONS = frozenset(
    (
        "count",
        "max",
        "min",
        "sum",
        "avg",
        "length",
        "substr",
        "typeof",
        "json_extract",
        "hex",
        "lower",
        "round",
        "like",
        "coalesce",
    )
)
_PRAGMAS = frozenset(("user_version", "application_id", "quick_check", "page_count", "table_info", "journal_mode"))
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT))

_NOTHING_BESIDE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL)
"""What SQLite says where it cannot make the ``-shm`` that WAL wants even of a reader: read-only, or a full disk."""


def require_regular_file(path: Path) -> None:
    """Raise ``BadDatabase`` where ``path``, or what SQLite opens beside it, is there and is no regular file.

    A pipe would never open, a device may never end.
    """
    if what := no_regular_file(path):
        raise BadDatabase(f"{path}: {what}")


def no_regular_file(path: Path) -> str:
    """Get what to do where ``path`` or a file beside it is no regular file; '' where they are, or are not there."""
    try:
        file = path.resolve()
        if what := _what_it_is(path):
            return (
                f"{what}: name the database, such as {path.name}/halfpercent.db"
                if path.is_dir()
                else f"{what}: name a file"
            )
        for end in BESIDE:
            if what := _what_it_is(beside := file.with_name(file.name + end)):
                return f"{beside.name} beside it {what}: move that away"
    except (OSError, ValueError, RuntimeError) as e:  # RuntimeError: a link that leads to itself
        why = e.strerror if isinstance(e, OSError) else e
        return f"cannot be opened ({why}): check the path, or name another"
    return ""


def _what_it_is(path: Path) -> str:
    try:
        return what_it_is(path.stat())
    except FileNotFoundError:
        return ""


def open_readonly(path: Path, *, cpu_s: float = READ_CPU_S, most_bytes: int = MOST_BYTES) -> Database:
    """Open a database for reading only. Raise ``BadDatabase`` where it is missing, not ours, or newer.

    ``cpu_s`` is the processor time that may be spent on it from now on, ``most_bytes`` the length of the longest value;
    what needs more is answered with SQLite's error for it. Where nothing can be written beside the file and nothing
    waits in a ``-wal``, it is read as it stands.
    """
    require_regular_file(path)
    if not path.exists():
        raise BadDatabase(f"{path}: no such database: run a test first (halfpercent demo), or name another")
    log = path.resolve().with_name(f"{path.resolve().name}-wal")
    if log.exists() and log.stat().st_size > MOST_LOG_BYTES:
        raise BadDatabase(f"{path}: {log.name} beside it has {log.stat().st_size / 1e9:.1f} GB: start the station once")
    with translated_errors(path):
        try:
            db, version = _open(path, "mode=ro", most_bytes)
        except sqlite3.OperationalError as e:
            if is_cut_off(e):  # its pages as they stand are half of the one state and half of the other
                raise
            if error_code(e) not in _NOTHING_BESIDE and "_SHM" not in getattr(e, "sqlite_errorname", ""):
                raise
            _refuse_waiting(path)
            db, version = _open(path, "immutable=1", most_bytes)
    try:
        if version == 0:
            raise BadDatabase(_nothing_in(path))
        with translated_errors(path):
            for problem in problems_for_reading(db, version):
                raise BadDatabase(
                    f"{path}: is not as halfpercent made it: {problem}: name another, or take the runs from a copy"
                )
        db.conn.set_progress_handler(_stops_after(cpu_s), _STEPS)
    except BaseException:
        db.close()
        raise
    return db


def look_at(path: Path) -> int:
    """Get the schema version of a database (0: empty) without changing it. Raise ``BadDatabase`` if it is not ours.

    A short file that is no database is none to SQLite: it would be written over.
    """
    require_regular_file(path)
    if not has_header(path):
        raise DamagedDatabase(f"{path}: is not a SQLite database: name another; it was left as it is")
    with translated_errors(path):
        db, version = _open(path, "mode=ro", MOST_BYTES)
        db.close()
    return version


def has_header(path: Path) -> bool:
    """Say whether a file begins as every SQLite database does, or is empty."""
    try:
        with open_regular_file(path) as file:
            return file.read(len(_MAGIC)) in (_MAGIC, b"")
    except (OSError, NotReadable):
        return True  # SQLite says what is wrong


def connect_readonly(path: Path, how: str = "mode=ro", most_bytes: int = MOST_ROW_BYTES) -> sqlite3.Connection:
    """Connect to a file to read it, with every guard on that does not need its schema. SQLite's own errors come out."""
    uri = f"{path.resolve().as_uri()}?{how}"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)  # one thread at a time
    try:
        for limit, most in _LIMITS.items():
            connection.setlimit(limit, most)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most_bytes)
        connection.set_progress_handler(_stops_after(OPEN_CPU_S), _STEPS)
        for pragma in ("trusted_schema = off", "cell_size_check = on", "mmap_size = 0", "cache_size = -4000"):
            connection.execute(f"pragma {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _open(path: Path, how: str, most_bytes: int) -> tuple[Database, int]:
    """Open a database and what is beside it. SQLite waits for a pipe without end: then its thread is left to it."""
    opened: Future[tuple[Database, int]] = Future()

    def opening() -> None:
        try:
            opened.set_result(_opened(path, how, most_bytes))
        except BaseException as e:
            opened.set_exception(e)

    threading.Thread(target=opening, daemon=True).start()
    until_s = time.monotonic() + OPEN_AT_MOST_S
    while True:
        try:
            db, version = opened.result(timeout=LOOK_AGAIN_S)
        except TimeoutError:
            require_regular_file(path)
            if time.monotonic() > until_s:
                raise BadDatabase(f"{path}: is not opened within {OPEN_AT_MOST_S:.0f} s: check the disk") from None
        else:
            db.conn.set_progress_handler(_stops_after(OPEN_CPU_S), _STEPS)  # of this thread's time
            return db, version


def _opened(path: Path, how: str, most_bytes: int) -> tuple[Database, int]:
    connection = connect_readonly(path, how, most_bytes)
    try:
        db = Database(connection, recursive_triggers=False, execute_plugins=False)
        connection.set_authorizer(_authorised)
        return db, check(db, path)
    except BaseException:
        connection.close()
        raise


def _stops_after(cpu_s: float) -> Callable[[], bool]:
    end_s = time.thread_time() + cpu_s
    return lambda: time.thread_time() > end_s


def _authorised(action: int, what: str | None, more: str | None, _database: str | None, within: str | None) -> int:
    """Allow what a reader needs, and nothing from within a view or a trigger of the file's."""
    if within is None and (
        action in _ALLOWED
        or (action == sqlite3.SQLITE_FUNCTION and more in _FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and what in _PRAGMAS)
    ):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _nothing_in(path: Path) -> str:
    """Say why a database holds nothing: nothing was written yet, or it was copied without its log."""
    wal = path.resolve().with_name(path.resolve().name + "-wal")
    if _has_write_ahead_log(path):  # tables are made in the moment in which it gets one
        return (
            f"{path}: holds nothing, for its newest part was in {wal.name}, which is not beside it: copy both, or stop "
            "the station first; where that file is lost, restore the database from a backup"
        )
    return f"{path}: is empty: run a test first, or name another"


def _has_write_ahead_log(path: Path) -> bool:
    """Say whether the file says that it has one: bytes 18 and 19 of SQLite's header are 2 then."""
    try:
        with open_regular_file(path) as file:
            return file.read(20)[18:20] == b"\x02\x02"
    except (OSError, NotReadable):
        return False


def _refuse_waiting(path: Path) -> None:
    """Raise ``BadDatabase`` where the last that was written still waits in the ``-wal`` beside the file."""
    wal = Path(f"{path.resolve()}-wal")
    if wal.exists() and wal.stat().st_size > 0:
        raise BadDatabase(f"{path}: its newest part is in {wal.name}: copy both to a folder that can be written")


def has_text_beyond(db: Database, run_id: int, characters: int) -> bool:
    """Say whether a text of a run has more than so many characters, without reading one that has many more.

    SQLite refuses to load what is longer than its own limit, which is of the whole connection and so put back.
    """
    before = db.conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, UTF8_AT_MOST * characters)
    try:
        for column, table in (("settings_json", "runs"), ("standard_toml", "runs"), ("data_json", "events")):
            row = db.execute(f"select max(length({column})) from {table} where run_id = ?", [run_id]).fetchone()
            if int(row[0] or 0) > characters:
                return True
    except sqlite3.DataError as e:
        if error_code(e) != sqlite3.SQLITE_TOOBIG:
            raise
        return True
    finally:
        db.conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
    return False
