"""The database's own file, held by an open descriptor: is what has its name still it, and does nobody else write to it.

The lock beside the database can be removed; the one on the file itself goes with the file. A file that was deleted or
replaced under the writer takes what is written with it, without an error: so path, inode and link count are compared at
each commit. This module must never close the descriptor while SQLite has the file open: on closing, the kernel lets go
of SQLite's locks too.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge.errors import BadDatabase

from . import file_lock

_Identity = tuple[int, int]
"""What a file is, whatever its name: its device and its inode."""


class OwnFile:
    """The file at ``path``, made where there is none, with the writer's lock on it. Raises ``BadDatabase``."""

    def __init__(self, path: Path) -> None:
        self._path = str(path.resolve())  # a plain string: it is asked for each second
        self._log_path = f"{self._path}-wal"
        self._log: _Identity | None = None
        try:
            self._fd = os.open(
                self._path, os.O_RDONLY | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | file_lock.FLAGS, 0o644
            )
        except OSError as e:
            raise BadDatabase(
                f"{path}: cannot be opened here ({e.strerror}): check its rights, or choose another"
            ) from e
        try:
            found = os.fstat(self._fd)
            if not stat.S_ISREG(found.st_mode):
                raise BadDatabase(f"{path}: is no file: name a file")
            self._own = _of(found)
            try:
                file_lock.take(self._fd)
            except OSError as e:
                raise BadDatabase(f"{path}: another halfpercent is writing to it: wait, or choose another") from e
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Let go of it, once SQLite has."""
        os.close(self._fd)

    def remember_log(self) -> None:
        """Remember which file the write-ahead log is now."""
        self._log = _identity(self._log_path)

    @property
    def is_there(self) -> bool:
        """Say whether what has the database's name is still this file."""
        return _identity(self._path) == self._own

    @property
    def has_its_log(self) -> bool:
        """Say whether the write-ahead log is still the one that is written to."""
        return self._log is None or _identity(self._log_path) == self._log

    def problem(self) -> str:
        """Get what has become of the file, in the words of an alarm; '' where it is as it was."""
        if not self.is_there:
            if _identity(self._path) is not None:
                return "another file has taken its place"
            became = "deleted" if os.fstat(self._fd).st_nlink == 0 else "moved away"
            return f"it was {became} while it was written to"
        if not self.has_its_log:
            return "its write-ahead log (-wal) was deleted or replaced while it was written to"
        return ""

    def links(self) -> int:
        """Get how many names the file has: with two, a program that opens the other damages it."""
        return os.fstat(self._fd).st_nlink


def _identity(path: str) -> _Identity | None:
    try:
        return _of(os.stat(path))  # noqa: PTH116  # a Path takes longer than the system's answer
    except OSError:
        return None


def _of(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino
