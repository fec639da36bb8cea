"""The one read-write connection to a database, and the file under it.

WAL and ``synchronous=FULL``: what is committed survives a power cut. A file whose schema is not exactly ours is never
written to. This module must never go on writing into a file that has lost its name.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
from enum import StrEnum
from pathlib import Path

from sqlite_utils import Database

from edge.errors import BadDatabase, DamagedDatabase, HalfpercentError, LostDatabase
from edge.records.durable_file import sync_folder

from .commit_thread import CommitThread
from .connection import check, translated_errors
from .migrations import migrate
from .own_file import OwnFile
from .own_schema import added_triggers, problems_for_writing, refresh_views, views_are_current
from .reading import BESIDE, MOST_ROW_BYTES, look_at, require_regular_file
from .schema import SCHEMA_VERSION, create

LOG_KEPT_BYTES = 8 << 20
"""A log that had grown under a reader is cut to this once it was emptied."""
ALL_OF_IT = (*BESIDE, "")
"""What belongs to a database, in the order in which it is moved: a log beside a new one would be taken for its."""


def check_place(path: Path) -> None:
    """Raise ``BadDatabase`` where there can be no database: before a byte is written beside it."""
    require_regular_file(path)
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise ``BadDatabase`` where the folder of a database is none."""
    if not path.parent.is_dir():
        raise BadDatabase(f"{path.parent}: no such folder: make it, or choose another")


def open_for_writing(path: Path) -> Database:
    """Open the database for the one writer, and make tables and views where it is new, or bring them up to date.

    Raises ``BadDatabase`` or ``StorageFull``, before anything in a file that is not exactly ours is changed.
    """
    check_place(path)
    with translated_errors(path):
        if path.exists() and path.stat().st_size > 0:  # look before touching
            look_at(path)
        # Used by the thread that commits too, never by both at once (CommitThread sees to that).
        connection = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_ROW_BYTES)
        db = Database(connection, recursive_triggers=False, execute_plugins=False)
        try:
            db.execute("pragma trusted_schema = off")
            version = check(db, path)
            if version:
                _require_ours(db, path, version)
            db.enable_wal()
            db.execute("pragma synchronous = FULL")
            db.execute(f"pragma journal_size_limit = {LOG_KEPT_BYTES}")
            if version == 0:
                with db.atomic():
                    create(db)
            elif version < SCHEMA_VERSION:
                migrate(db, path, version)
            elif not views_are_current(db):
                with db.atomic():
                    refresh_views(db)
        except BaseException:
            db.close()
            raise
    return db


def _require_ours(db: Database, path: Path, version: int) -> None:
    found = list(problems_for_writing(db, version))
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise BadDatabase(f"{path}: is not as halfpercent made it: {found[0]}{more}: name another; it was not changed")


def put_aside(file: Path, wall_s: float, what: str = "damaged") -> Path:
    """Rename a database with what belongs to it: ``NAME.damaged-YYYYMMDDTHHMMSSZ``, with ``-2`` where that is taken.

    Nothing is deleted. Raises ``BadDatabase`` where it cannot be renamed.
    """
    when = datetime.datetime.fromtimestamp(wall_s, datetime.UTC)
    name = first = f"{file.name}.{what}-{when:%Y%m%dT%H%M%SZ}"
    n = 1
    while any(os.path.lexists(file.with_name(name + end)) for end in ALL_OF_IT):
        n += 1
        name = f"{first}-{n}"
    try:
        for end in ALL_OF_IT:
            if os.path.lexists(beside := file.with_name(file.name + end)):
                beside.rename(file.with_name(name + end))
        sync_folder(file.parent)
    except OSError as e:
        raise BadDatabase(f"{file}: is {what}, and cannot be put aside ({e.strerror}): move it away by hand") from e
    return file.with_name(name)


CLOSE_WITHIN_S = 60.0
"""So long is a disk waited for that holds up the last commit; systemd kills the service sooner."""


class Disk(StrEnum):
    """How a simulated disk behaves."""

    GOOD = "good"
    FULL = "full"
    READ_ONLY = "read-only"


class WriterConnection:
    """The one read-write connection to a database. ``db`` is replaced where a disk gave errors or the file was lost.

    ``commits`` does its transactions; while the disk holds one up, ``db`` is not to be had. Raises as
    :func:`open_for_writing`, and ``BadDatabase`` where another holds the lock on the file itself.
    """

    def __init__(self, path: Path, patience_s: float | None = None) -> None:
        self.path = path
        self.commits = CommitThread(patience_s)
        self._disk = Disk.GOOD
        self._own: OwnFile | None = None
        self._schema: int | None = None
        self._open()

    @property
    def db(self) -> Database:
        """Get the database, once nothing is under way in it. Raises ``StorageSlow``, or the error of what was."""
        self.commits.settle()
        return self._db

    @property
    def db_of_commit(self) -> Database:
        """Get the database for the transaction that is under way, and for nobody else."""
        return self._db

    def _open(self) -> None:
        self._db, self._own = self._opened()
        self._schema = None

    def _opened(self) -> tuple[Database, OwnFile]:
        check_place(self.path)
        own = OwnFile(self.path)
        try:
            db = open_for_writing(self.path)
        except BaseException:
            own.close()
            raise
        own.remember_log()
        return db, own

    @property
    def links(self) -> int:
        """Get how many names the file has."""
        return 1 if self._own is None else self._own.links()

    def require_no_trigger(self) -> None:
        """Raise ``DamagedDatabase`` where somebody has given the database a trigger since it was opened.

        For the transaction that is under way, in its own thread: what it writes must be what is stored.
        """
        (schema,) = self._db.execute("pragma schema_version").fetchone()
        if schema != self._schema:
            if found := added_triggers(self._db):
                raise DamagedDatabase(f"{self.path}: it was given the trigger {found[0]} while it was written to")
            self._schema = schema

    def require_own_file(self) -> None:
        """Raise ``LostDatabase`` where what has the database's name is no longer what is written to."""
        if self._own is not None and (why := self._own.problem()):
            raise LostDatabase(f"{self.path}: {why}: what is measured is kept, and written again")

    def simulate_disk(self, disk: Disk) -> None:
        """Let SQLite refuse to write as it does on such a disk, until it is told that the disk is good again."""
        self._disk = disk
        most = 0xFFFFFFFE if disk is not Disk.FULL else self.db.execute("pragma page_count").fetchone()[0]
        self.db.execute(f"pragma max_page_count = {most}")
        self.db.execute(f"pragma query_only = {int(disk is Disk.READ_ONLY)}")

    def checkpoint(self) -> None:
        """Empty the write-ahead log as far as readers let go of it: in the thread that commits."""
        db = self._db
        (waits_ms,) = db.execute("pragma busy_timeout").fetchone()
        db.execute("pragma busy_timeout = 0")  # a reader is not waited for
        db.execute("pragma wal_checkpoint(truncate)")
        db.execute(f"pragma busy_timeout = {waits_ms}")

    def open_again(self, wall_s: float, *, damaged: bool = False) -> Path | None:
        """Take a new connection, after a disk gave errors: what the old one believes of the file may be wrong.

        What is ``damaged``, or has taken the place of what was lost, is put aside; returns where it went. Raises as
        :func:`open_for_writing`.
        """
        self.commits.settle()
        own, self._own = self._own, None
        lost = own is not None and not own.is_there
        if own is not None and not lost and not own.has_its_log:
            # SQLite still has the log open: what waits there goes into the file.
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("pragma wal_checkpoint(truncate)")
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        if own is not None:
            own.close()
        aside = None
        file = self.path.resolve()
        if (lost or damaged) and any(file.with_name(file.name + end).exists() for end in ALL_OF_IT):
            was_there = file.exists()
            went = put_aside(file, wall_s, "damaged" if damaged else "not-ours")
            aside = went if was_there else None  # else only the log of what was lost
        self._open()
        if self._disk is not Disk.GOOD:
            self.simulate_disk(self._disk)
        return aside

    def close(self) -> None:
        """Wait for what is under way, for a minute, and close it, as a file that opens anywhere.

        Read-only media have no place for a write-ahead log. Who would be told of an error no longer asks.
        """
        self.commits.patience_s = CLOSE_WITHIN_S
        with contextlib.suppress(sqlite3.Error, HalfpercentError):
            self.commits.settle()
        self.commits.close()
        if self.commits.busy_s:
            return
        own, self._own = self._own, None
        with contextlib.suppress(sqlite3.Error):
            if own is not None and not own.problem():
                self._db.execute("pragma busy_timeout = 0")
                self._db.execute("pragma journal_mode = delete")  # not while somebody reads
        self._db.close()
        if own is not None:
            own.close()
