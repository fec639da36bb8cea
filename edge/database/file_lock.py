"""A lock on an open file, held as long as the process that holds it lives: flock, or what Windows has.

This module must never wait for a lock.
"""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:
    FLOCK = False
else:
    FLOCK = True

FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""With which a file is opened that is locked."""
_FAR = 1 << 40
"""The byte that is locked on Windows, where nobody may read what is: beyond all that is written."""


def take(fd: int) -> None:
    """Lock a file. Raises ``OSError`` where somebody else has."""
    if FLOCK:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(fd, _FAR, os.SEEK_SET)
    msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # mypy looks at Linux
