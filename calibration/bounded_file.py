"""A file that somebody named, read once and whole: a regular file, of bounded length.

A FIFO, a device or a folder is refused at once and never waited for. This module must never believe a length that it
was told before it has read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

KINDS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


class NotReadable(Exception):
    """Why a file cannot be read: its text goes behind the file's name."""


def what_it_is(mode: int) -> str:
    """Get what a file of this ``st_mode`` is, where it is no regular file; '' where it is one."""
    if stat.S_ISREG(mode):
        return ""
    return next((name for is_so, name in KINDS if is_so(mode)), "is no file")


def read_regular_file(path: Path, most_bytes: int, *, follow_links: bool = True) -> bytes:
    """Get the bytes of a regular file, at most ``most_bytes``. Raise :class:`NotReadable`.

    The file is looked at before it is opened, since opening a device may move it, and again once it is open.
    """
    try:
        if what := what_it_is(path.stat(follow_symlinks=follow_links).st_mode):
            raise NotReadable(what)
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | (0 if follow_links else os.O_NOFOLLOW)
        with os.fdopen(os.open(path, flags), "rb") as file:
            if what := what_it_is(os.fstat(file.fileno()).st_mode):
                raise NotReadable(what)
            data: bytes | None = file.read(most_bytes + 1)  # None: what does not block has nothing
    except FileNotFoundError as e:
        raise NotReadable("no such file") from e
    except (OSError, ValueError) as e:  # ValueError: a NUL in its name
        raise NotReadable(f"cannot be read ({e.strerror if isinstance(e, OSError) else e})") from e
    if data is None:
        raise NotReadable("cannot be read (nothing comes from it)")
    if len(data) > most_bytes:
        raise NotReadable(f"longer than {most_bytes} bytes")
    return data
