"""A second place for what is finished: a run copied into a database of its own.

The copy holds the run's chains and is read back before it gets its name. This module must never change the database
that it copies from.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from edge.errors import BadDatabase, NoSuchRun, StorageFull
from edge.records.durable_file import sync_folder

from . import hash_chain, schema
from .attachments import copy_kept, named_photographs
from .connection import check, translated_errors
from .reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from .run_file import WHOLE, copy_run
from .seconds_hash import stored_seconds_hash


def is_second_place(path: Path, folder: Path) -> bool:
    """Say whether a folder is on another file system than the database: a stick that is not plugged in is not."""
    try:
        return (path if path.exists() else path.parent).stat().st_dev != folder.stat().st_dev
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Digest:
    """What tells a run from any other: the hashes of its chain, once followed, and its row, seconds and certificate."""

    chain: list[object]
    beside: list[object]

    @staticmethod
    def of(db: Database, run_id: int) -> _Digest:
        """Get it of a stored run. Raises ``BrokenChain``."""
        chain = [link.row["sha256"] for link in hash_chain.follow(db, run_id)]
        seconds = stored_seconds_hash(db, run_id).hexdigest()
        run = db.execute("select * from runs where run_id = ?", [run_id]).fetchone()
        sql = "select toml from certificates where sha256 in (select certificate_sha256 from runs where run_id = ?)"
        certificate = db.execute(sql, [run_id]).fetchall()
        return _Digest(chain, [seconds, run, certificate])

    def is_before(self, later: _Digest) -> bool:
        """Say whether the other only adds links: a run that was corrected after it was copied."""
        return self.beside == later.beside and self.chain == later.chain[: len(self.chain)]


def backup_run(path: Path, run_id: int, folder: Path) -> Path:
    """Copy one finished run into ``folder`` as a database of its own. Returns it; one that is there already is kept.

    A copy to which the run has since only added (a correction) is replaced by one that has that too. The copy has the
    same schema, the run's number and its chains; it is written under another name, read back, and renamed. The database
    may be in use. Raises ``NoSuchRun`` where the run is not there or not finished, ``BadDatabase`` where the folder
    cannot be written, or where the copy or what has its name is not the run, ``StorageFull`` where there is no room.
    """
    with closing(open_readonly(path, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db, translated_errors(path):
        if check(db, path) != schema.SCHEMA_VERSION:
            raise BadDatabase(f"{path}: has an older schema: open it once with halfpercent run, then back it up")
        found = list(db.query("select run_uid, state from runs where run_id = ?", [run_id]))
        if not found or found[0]["state"] == "running":
            raise NoSuchRun(f"{path}: run {run_id} {'has not ended' if found else 'is not there'}: nothing to back up")
        digest = _Digest.of(db, run_id)
    uid = re.sub(r"[^A-Za-z0-9._-]+", "-", str(found[0]["run_uid"]))[:60]
    copy = folder / f"halfpercent-run-{run_id}-{uid}.db"
    with _translated_folder_errors(folder):
        if copy.exists():
            there = _read_back(copy, run_id)
            if there is None or not there.is_before(digest):
                raise _other_than_stored(copy, run_id)
            if there == digest:
                return copy
        part = folder / f".{copy.name}.part"
        try:
            _remove(part)
            part.touch(exist_ok=False)
            copy_run(path, run_id, part, WHOLE)
            if _read_back(part, run_id) != digest:
                raise _other_than_stored(part, run_id)
            part.replace(copy)
            sync_folder(folder)
        finally:
            _remove(part)
    return copy


def backup_attachments(path: Path, run_id: int, copy: Path) -> int:
    """Copy what a run's record names by its hash, and is kept, to where it lies for its ``copy``. Returns how many.

    Raises ``BadDatabase`` where one of them cannot be kept there: the copied run is whole without.
    """
    with closing(open_readonly(path, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db, translated_errors(path):
        names = named_photographs(db, run_id)
    return copy_kept(path, names, copy)


def _read_back(copy: Path, run_id: int) -> _Digest | None:
    """Get what a copy holds of a run; None where it is damaged or no copy."""
    try:
        with closing(open_readonly(copy, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db, translated_errors(copy):
            return _Digest.of(db, run_id) if db.execute("pragma quick_check(1)").fetchone() == ("ok",) else None
    except (BadDatabase, NoSuchRun):
        return None


def _other_than_stored(copy: Path, run_id: int) -> BadDatabase:
    return BadDatabase(f"{copy}: does not hold run {run_id} as it is in the database: move it away and back up again")


@contextmanager
def _translated_folder_errors(folder: Path) -> Iterator[None]:
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
