"""The writer's lock: a file beside the database, held as long as its owner lives.

There is one writer. The lock goes with the process that holds it, however that ends; it must never have to
be removed by hand.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.errors import BadDatabase

from . import file_lock


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def take(path: Path) -> int:
    """Take the writer's lock beside the database, for :func:`drop`. Raises ``BadDatabase`` where another holds it."""
    beside = _beside(path)
    while True:
        try:
            fd = os.open(beside, os.O_RDWR | os.O_CREAT | file_lock.FLAGS, 0o640)
        except OSError as e:
            raise BadDatabase(f"{path}: cannot write beside it ({e.strerror}): choose another place") from e
        try:
            file_lock.take(fd)
        except OSError as e:
            os.close(fd)
            raise BadDatabase(f"{path}: another halfpercent is writing to it: wait, or choose another") from e
        try:  # a lock on a file that its last owner has just removed is worth nothing
            if beside.stat().st_ino == os.fstat(fd).st_ino:
                return fd
        except FileNotFoundError:
            pass
        os.close(fd)


def drop(path: Path, fd: int) -> None:
    """Give the writer's lock back."""
    _beside(path).unlink(missing_ok=True)
    os.close(fd)


def is_held(path: Path) -> bool:
    """Say whether somebody holds the writer's lock of a database, without taking it: nobody who begins is disturbed.

    The kernel's own list is asked (``/proc/locks``, proc(5)); where there is none, as on a stranger's laptop, nobody
    measures.
    """
    inodes = {str(status.st_ino) for file in (_beside(path), path) if (status := _status(file)) is not None}
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return False
    fields = (line.split() for line in lines)  # 1: FLOCK ADVISORY WRITE 708 08:01:131234 0 EOF
    return any(len(f) > 5 and f[1] == "FLOCK" and f[5].rpartition(":")[2] in inodes for f in fields)


def _status(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None
