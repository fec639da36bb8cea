"""A file that somebody named, read once and whole: a regular file, of bounded length.

A FIFO, a device or a folder is refused at once and never waited for. This module must never believe a length that it
was told before it has read.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, TextIO

KINDS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


class NotReadable(Exception):
    """Why a file cannot be read: its text goes behind the file's name."""


def what_it_is(found: os.stat_result) -> str:
    """Get what a file is, where it is no regular one, by its ``stat``; '' where it is one."""
    if stat.S_ISREG(found.st_mode):
        return "is the kernel's own" if found.st_dev in _kernels_own() else ""
    return next((name for is_so, name in KINDS if is_so(found.st_mode)), "is no file")


@functools.cache
def _kernels_own() -> frozenset[int]:
    """Get the devices of /proc and /sys: their files look regular, and a reader of some waits without end."""
    return frozenset(Path(path).stat().st_dev for path in ("/proc", "/sys") if os.path.ismount(path))


def read_regular_file(path: Path, most_bytes: int, *, follow_links: bool = True) -> bytes:
    """Get the bytes of a regular file, at most ``most_bytes``. Raise :class:`NotReadable`.

    The file is looked at before it is opened, since opening a device may move it, and again once it is open. Without
    ``follow_links`` it must be no link itself, and the folders on the way to it no links but root's or one's own.
    """
    try:
        if what := what_it_is(path.stat(follow_symlinks=follow_links)):
            raise NotReadable(what)
        with os.fdopen(os.open(path, _FLAGS) if follow_links else _open_by_own_links(path), "rb") as file:
            if what := what_it_is(os.fstat(file.fileno())):
                raise NotReadable(what)
            data: bytes | None = file.read(most_bytes + 1)  # None: what does not block has nothing
    except (FileNotFoundError, ValueError) as e:  # ValueError: a NUL in its name, and no file has one
        raise NotReadable("no such file") from e
    except OSError as e:
        raise NotReadable(f"cannot be read ({e.strerror})") from e
    if data is None:
        raise NotReadable("cannot be read (nothing comes from it)")
    if len(data) > most_bytes:
        raise NotReadable(f"longer than {most_bytes} bytes")
    return data


def open_regular_file(path: Path) -> BinaryIO:
    """Open a regular file of any length to read it. Raise :class:`NotReadable` for what is none, ``OSError``.

    What is opened is what is looked at: a file that is exchanged for a pipe at that moment is not waited for.
    """
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        if what := what_it_is(os.fstat(file.fileno())):
            raise NotReadable(what)
    except BaseException:
        file.close()
        raise
    return file


def open_regular_text(path: Path, encoding: str) -> TextIO:
    """Open a regular file as text whose line ends stay as they are. Raises as :func:`open_regular_file`."""
    return io.TextIOWrapper(open_regular_file(path), encoding=encoding, newline="")


def sha256_of_file(path: Path, most_bytes: int = 1 << 30) -> str:
    """Get the SHA-256 of a regular file of at most ``most_bytes``, in hexadecimal. Raise :class:`NotReadable`."""
    digest, left = hashlib.sha256(), most_bytes
    try:
        if what := what_it_is(path.stat()):
            raise NotReadable(what)
        with open_regular_file(path) as file:
            while chunk := file.read(1 << 16):
                digest.update(chunk)
                left -= len(chunk)
                if left < 0:
                    raise NotReadable(f"longer than {most_bytes} bytes")
    except FileNotFoundError as e:
        raise NotReadable("no such file") from e
    except (OSError, ValueError) as e:
        raise NotReadable(f"cannot be read ({getattr(e, 'strerror', None) or e})") from e
    return digest.hexdigest()


_OF_SYSTEMS = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
"""Of flags, what a system has: Windows has the last, others the rest."""
_FLAGS = os.O_RDONLY | functools.reduce(int.__or__, (getattr(os, name, 0) for name in _OF_SYSTEMS))
MAX_LINKS = 16
"""More links than lead to any file of ours: a circle of them has no end."""


def _open_by_own_links(path: Path) -> int:
    """Open a file step by step, each from the folder before it, so that none can be exchanged for a link meanwhile."""
    trusted = (0, os.geteuid())
    steps = list(reversed(path.absolute().parts[1:]))
    folders, links = [os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)], 0
    try:
        while steps:
            step, here = steps.pop(), folders[-1]
            if not steps:
                return os.open(step, _FLAGS | os.O_NOFOLLOW, dir_fd=here)
            if step == "..":
                if len(folders) > 1:
                    os.close(folders.pop())
                continue
            folders.append(os.open(step, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here))
            about = os.fstat(folders[-1])
            if not stat.S_ISLNK(about.st_mode):
                continue
            os.close(folders.pop())
            links += 1
            if about.st_uid not in trusted or links > MAX_LINKS:
                raise NotReadable("is behind a link that belongs to neither root nor who reads it")
            leads_to = Path(os.readlink(step, dir_fd=here))
            steps += reversed(leads_to.parts[1:] if leads_to.is_absolute() else leads_to.parts)
            while leads_to.is_absolute() and len(folders) > 1:
                os.close(folders.pop())
        raise NotReadable("is a folder")
    finally:
        for folder in folders:
            os.close(folder)
