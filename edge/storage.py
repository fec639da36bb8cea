"""Looking after the database: is it sound, is there room for a run, and a second place for what is finished.

A damaged file is renamed, never deleted and never written to. A backup is a database of its own with the run's chains
in it, read back before it gets its name. This module must never change a database that holds runs.
"""

from __future__ import annotations

import datetime
import errno
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from edge import chain, lock, schema
from edge.errors import BadDatabase, BadInput, StorageFull

CHECK_S = 60.0  # 100 MB took 0.2 s from memory; from a slow card at 10 MB/s it is 10 s
BYTES_PER_SECOND = (
    160.0  # of a run: its row of seconds, and the fifth of a chunk's row; measured, see docs/benchmarks.md
)
BYTES_PER_SAMPLE = 1.5  # at 60 codes rms; measured likewise
BYTES_BESIDE = 8 << 20  # the write-ahead log, schema, settings, events
SPARE = 2.0  # noisier chips, more events, another program's files

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CARRIED = ("runs", "chunks", "seconds", "events")


def look_after(path: Path, wall_s: float, limit_s: float = CHECK_S) -> Path | None:
    """Check a database before it is opened for writing; put it aside where it is damaged. Returns where it went.

    It and its ``-wal`` and ``-shm`` become ``NAME.damaged-YYYYMMDDTHHMMSSZ`` (with ``-2``, ``-3`` … where that is
    taken), by ``wall_s``; the next writer finds no file and makes a new one. A check that takes longer than ``limit_s``
    seconds ends, and what was seen till then counts. What is no SQLite file at all is put aside too; a sound database
    of another program, or of a newer halfpercent, is left for ``open_for_writing`` to refuse. Raises ``BadDatabase``
    where another halfpercent is writing to it, ``StorageFull`` where the disk gives errors.
    """
    schema.check_place(path)
    file = path.resolve()
    if not file.exists() or file.stat().st_size == 0:
        return None
    held = lock.take(file)
    try:
        with schema.spoken(path):
            return _put_aside(file, wall_s) if _is_damaged(file, limit_s) else None
    finally:
        lock.drop(file, held)


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
        _sync(file.parent)
    except OSError as e:
        raise BadDatabase(f"{file}: is damaged, and cannot be put aside ({e.strerror}): move it away by hand") from e
    return file.with_name(name)


@dataclass(frozen=True, slots=True)
class Room:
    """What a run will need on the disk of its database, what is free there (bytes), and whether that is enough."""

    needed_bytes: int
    free_bytes: int

    @property
    def enough(self) -> bool:
        """Get whether the run fits."""
        return self.free_bytes >= self.needed_bytes


def room(path: Path, hours: float, rate_sps: float) -> Room:
    """Get whether a run of ``hours`` at ``rate_sps`` samples a second fits where ``path`` is, with room to spare.

    Raises ``BadDatabase`` where the place is not there.
    """
    at = path if path.exists() else path.parent
    try:
        disk = os.statvfs(at)
    except OSError as e:
        raise BadDatabase(f"{at}: {e.strerror}: make the folder, or choose another --db") from e
    grows = hours * 3600.0 * (BYTES_PER_SECOND + BYTES_PER_SAMPLE * rate_sps)
    return Room(int(SPARE * grows) + BYTES_BESIDE, disk.f_bavail * disk.f_frsize)


def is_second_place(path: Path, folder: Path) -> bool:
    """Say whether a folder is on another file system than the database: a stick that is not plugged in is not."""
    try:
        return (path if path.exists() else path.parent).stat().st_dev != folder.stat().st_dev
    except OSError:
        return False


def backup_run(path: Path, run_id: int, folder: Path) -> Path:
    """Copy one finished run into ``folder`` as a database of its own. Returns it; one that is there already is kept.

    The copy has the same schema, the run's number and its chains; it is written under another name, read back, and
    renamed. The database may be in use. Raises ``BadInput`` where the run is not there or not finished,
    ``BadDatabase`` where the folder cannot be written, or where the copy or what has its name is not the run,
    ``StorageFull`` where there is no room.
    """
    with closing(schema.open_readonly(path)) as db, schema.spoken(path):
        if schema.check(db, path) != schema.SCHEMA_VERSION:
            raise BadDatabase(f"{path}: has an older schema: open it once with halfpercent run, then back it up")
        found = list(db.query("select run_uid, state from runs where run_id = ?", [run_id]))
        if not found or found[0]["state"] == "running":
            raise BadInput(f"{path}: run {run_id} {'has not ended' if found else 'is not there'}: nothing to back up")
        digest = _digest(db, run_id)
    uid = re.sub(r"[^A-Za-z0-9._-]+", "-", str(found[0]["run_uid"]))[:60]
    copy = folder / f"halfpercent-run-{run_id}-{uid}.db"
    with _spoken_folder(folder):
        if copy.exists():
            _require_same(copy, run_id, digest)
            return copy
        part = folder / f".{copy.name}.part"
        try:
            _remove(part)
            part.touch(exist_ok=False)
            _copy(path, run_id, part)
            _require_same(part, run_id, digest)
            part.rename(copy)
            _sync(folder)
        finally:
            _remove(part)
    return copy


def _copy(path: Path, run_id: int, part: Path) -> None:
    with schema.spoken(part), closing(sqlite3.connect(part.resolve().as_uri(), uri=True)) as connection:
        db = Database(connection, execute_plugins=False)
        db.execute("pragma synchronous = extra")  # a stick may be pulled the moment this is done
        db.execute("attach database ? as source", [f"{path.resolve().as_uri()}?mode=ro"])
        with db.atomic():
            schema.create(db)
            for table in _CARRIED:
                db.execute(f"insert into main.{table} select * from source.{table} where run_id = ?", [run_id])
            db.execute("insert into main.boots select * from source.boots where boot in (select boot from main.chunks)")
            db.execute(
                "insert into main.certificates select * from source.certificates "
                "where sha256 in (select certificate_sha256 from main.runs)"
            )


def _digest(db: Database, run_id: int) -> list[object]:
    """Get what tells a run from any other: the ends of its chains, once followed, its result and its seconds."""
    ends = [[row["sha256"] for row in follow(db, run_id)][-1:] for follow in (chain.chunks, chain.events)]
    seconds = chain.link("", *(repr(row) for row in db.execute(
        "select * from seconds where run_id = ? order by second", [run_id])))  # fmt: skip
    run = db.execute("select * from runs where run_id = ?", [run_id]).fetchone()
    certificate = db.execute("select toml from certificates where sha256 in "
                             "(select certificate_sha256 from runs where run_id = ?)", [run_id]).fetchall()  # fmt: skip
    return [ends, seconds, run, certificate]


def _require_same(copy: Path, run_id: int, digest: list[object]) -> None:
    try:
        with closing(schema.open_readonly(copy)) as db, schema.spoken(copy):
            if db.execute("pragma quick_check(1)").fetchone() == ("ok",) and _digest(db, run_id) == digest:
                return
    except BadDatabase:
        pass
    raise BadDatabase(f"{copy}: does not hold run {run_id} as it is in the database: move it away and back up again")


@contextmanager
def _spoken_folder(folder: Path) -> Iterator[None]:
    """Turn what a folder or a stick does into one line that says what to do."""
    try:
        yield
    except (BadDatabase, StorageFull):
        raise
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull(f"{folder}: is full: make room there, or choose another folder for backups") from e
        if e.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise BadDatabase(f"{folder}: cannot be written: check its rights, or choose another folder") from e
        raise BadDatabase(f"{folder}: {e.strerror}: plug the stick in, or choose another folder for backups") from e


def _remove(part: Path) -> None:
    for end in ("", "-journal"):
        part.with_name(part.name + end).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Make a change of names in a folder last through a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
