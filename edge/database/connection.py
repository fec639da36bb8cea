"""The opening of a file that may be anything.

A file that is not ours, or newer than we are, is refused before a byte of it is changed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from sqlite_utils import Database as Database  # for readers of a run, who are handed one

from edge.errors import BadDatabase, HalfpercentError, StorageFull

from .commit_thread import CommitThread
from .migrations import migrate
from .schema import APPLICATION_ID, SCHEMA_VERSION, create

_SAID = {
    sqlite3.SQLITE_FULL: (StorageFull, "the disk is full; what was committed is safe: make room, then go on"),
    sqlite3.SQLITE_IOERR: (StorageFull, "the disk gives errors or is full; what was committed is safe: check the disk"),
    sqlite3.SQLITE_READONLY: (BadDatabase, "cannot be written here: choose another place"),
    sqlite3.SQLITE_CANTOPEN: (BadDatabase, "cannot be opened here: check its rights, or choose another"),
    sqlite3.SQLITE_NOTADB: (BadDatabase, "is not a SQLite database: name another; it was left as it is"),
    sqlite3.SQLITE_CORRUPT: (BadDatabase, "is damaged: restore it from a copy, or name another"),
    sqlite3.SQLITE_BUSY: (BadDatabase, "another program is writing to it: wait, or choose another"),
    sqlite3.SQLITE_LOCKED: (BadDatabase, "another program is writing to it: wait, or choose another"),
}
"""SQLite's result codes, and what to say to a person."""


_NOTHING_BESIDE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL)
"""What SQLite says where it cannot make the ``-shm`` that WAL wants even of a reader: read-only, or a full disk."""


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about ``path`` into one line that says what to do."""
    try:
        yield
    except sqlite3.Error as e:
        error, what = _SAID.get(_code(e), (BadDatabase, f"{e}: restore it from a copy, or name another"))
        raise error(f"{path}: {what}") from e
    except UnicodeDecodeError as e:  # SQLite's words about a damaged name
        raise BadDatabase(f"{path}: is damaged: restore it from a copy, or name another") from e


def _code(e: sqlite3.Error) -> int:
    return getattr(e, "sqlite_errorcode", 0) & 0xFF  # without the extension; an error of the module's has none


def check(db: Database, path: Path) -> int:
    """Get the schema version of an open database (0: empty). Raise ``BadDatabase`` if it is not ours."""
    version = int(db.execute("pragma user_version").fetchone()[0])
    application = int(db.execute("pragma application_id").fetchone()[0])
    if application != APPLICATION_ID:
        if db.table_names():
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


def open_readonly(path: Path) -> Database:
    """Open a database for reading only. Raise ``BadDatabase`` where it is missing, not ours, or newer.

    Where nothing can be written beside it and nothing waits in a ``-wal``, it is read as it stands.
    """
    if not path.exists():
        raise BadDatabase(f"{path}: no such database: run a test first, or name another")
    if path.is_dir():
        raise BadDatabase(f"{path}: is a folder: name a file")
    with translated_errors(path):
        try:
            db, version = _look(path, "mode=ro")
        except sqlite3.OperationalError as e:
            if _code(e) not in _NOTHING_BESIDE and "_SHM" not in getattr(e, "sqlite_errorname", ""):
                raise
            _refuse_waiting(path)
            db, version = _look(path, "immutable=1")
    if version == 0:
        db.close()
        raise BadDatabase(f"{path}: is empty: run a test first, or name another")
    return db


def _look(path: Path, how: str) -> tuple[Database, int]:
    """Open a database without changing it, and get its schema version."""
    db = Database(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True), execute_plugins=False)
    try:
        return db, check(db, path)
    except BaseException:
        db.close()
        raise


def _refuse_waiting(path: Path) -> None:
    """Raise ``BadDatabase`` where the last that was written still waits in the ``-wal`` beside the file."""
    wal = Path(f"{path.resolve()}-wal")
    if wal.exists() and wal.stat().st_size > 0:
        raise BadDatabase(f"{path}: its newest part is in {wal.name}: copy both to a folder that can be written")


def check_place(path: Path) -> None:
    """Raise ``BadDatabase`` where there can be no database: before a byte is written beside it."""
    if path.is_dir():
        raise BadDatabase(f"{path}: is a folder: name a file")
    if not path.parent.is_dir():
        raise BadDatabase(f"{path.parent}: no such folder: make it, or choose another")


def open_for_writing(path: Path) -> Database:
    """Open the database for the one writer, and make tables and views where it is new, or bring them up to date.

    WAL and ``synchronous=FULL``: what is committed survives a power cut. Raises ``BadDatabase`` or
    ``StorageFull``, before anything in a file that is not ours is changed.
    """
    check_place(path)
    with translated_errors(path):
        if path.exists() and path.stat().st_size > 0:  # look before touching
            _look(path, "mode=ro")[0].close()
        # Used by the thread that commits too, never by both at once (CommitThread sees to that).
        db = Database(sqlite3.connect(path, timeout=10.0, check_same_thread=False), execute_plugins=False)
        try:
            db.enable_wal()
            db.execute("pragma synchronous = FULL")
            version = check(db, path)
            if version == 0:
                with db.atomic():
                    create(db)
            elif version < SCHEMA_VERSION:
                migrate(db, path, version)
        except BaseException:
            db.close()
            raise
    return db


CLOSE_WITHIN_S = 60.0
"""So long is a disk waited for that holds up the last commit; systemd kills the service sooner."""


class Disk(StrEnum):
    """How a simulated disk behaves."""

    GOOD = "good"
    FULL = "full"
    READ_ONLY = "read-only"


class WriterConnection:
    """The one read-write connection to a database. ``db`` is replaced where a disk gave errors.

    ``commits`` does its transactions; while the disk holds one up, ``db`` is not to be had.
    """

    def __init__(self, path: Path, patience_s: float | None = None) -> None:
        self.path = path
        self.commits = CommitThread(patience_s)
        self._db: Database = open_for_writing(path)
        self._disk = Disk.GOOD

    @property
    def db(self) -> Database:
        """Get the database, once nothing is under way in it. Raises ``StorageSlow``, or the error of what was."""
        self.commits.settle()
        return self._db

    @property
    def db_of_commit(self) -> Database:
        """Get the database for the transaction that is under way, and for nobody else."""
        return self._db

    def simulate_disk(self, disk: Disk) -> None:
        """Let SQLite refuse to write as it does on such a disk, until it is told that the disk is good again."""
        self._disk = disk
        most = 0xFFFFFFFE if disk is not Disk.FULL else self.db.execute("pragma page_count").fetchone()[0]
        self.db.execute(f"pragma max_page_count = {most}")
        self.db.execute(f"pragma query_only = {int(disk is Disk.READ_ONLY)}")

    def open_again(self) -> None:
        """Take a new connection, after a disk gave errors: what the old one believes of the file may be wrong."""
        self.commits.settle()
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        self._db = open_for_writing(self.path)
        if self._disk is not Disk.GOOD:
            self.simulate_disk(self._disk)

    def close(self) -> None:
        """Wait for what is under way, for a minute, and close it. Who would be told of an error no longer asks."""
        self.commits.patience_s = CLOSE_WITHIN_S
        with contextlib.suppress(sqlite3.Error, HalfpercentError):
            self.commits.settle()
        if not self.commits.busy_s:
            self._db.close()


SqliteError = sqlite3.Error
"""What a database may raise that nobody has put into words."""


def sqlite_version() -> str:
    """Get the version of SQLite that is in use."""
    return sqlite3.sqlite_version
