"""What can run out under a station that measures: room, names and descriptors, and a log that a reader holds.

Each is said before it hurts. This module must never delete anything, and never end another program.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

from calibration.visible_text import visible

LOOK_EVERY_S = 10.0
LOG_BYTES = 64 << 20
"""The write-ahead log is emptied at 4 MB, unless a reader holds it."""
CHECKPOINT_BYTES = 16 << 20
ROOM_BYTES = 64 << 20
"""A run of thirty hours takes some 20 MB."""
FREE_INODES = 100
DESCRIPTORS_USED = 0.8
"""Of those that the process may have."""
LOCKS = Path("/proc/locks")
DESCRIPTORS = Path("/proc/self/fd")


class StorageWatch:
    """Looks at the database's surroundings every ``LOOK_EVERY_S``. ``checkpoint`` has its log emptied if it can be."""

    def __init__(self, database: Path, checkpoint: Callable[[], object]) -> None:
        self.concern = ""
        """What will hurt if nobody acts, '' where all is well."""
        self._file = database.resolve()
        self._log_file = self._file.with_name(self._file.name + "-wal")
        self._checkpoint = checkpoint
        self._next_s = 0.0

    def look(self, now_s: float, links: Callable[[], int]) -> None:
        """Look again, if it is time. ``now_s`` is the boot clock's, ``links`` says how many names the database has."""
        if now_s < self._next_s:
            return
        self._next_s = now_s + LOOK_EVERY_S
        found = (self._log(), self._room(), _descriptors(), self._names(links()))
        self.concern = "; ".join(filter(None, found))

    def _log(self) -> str:
        log = self._log_file
        size = _size(log)
        if size > CHECKPOINT_BYTES:
            self._checkpoint()
            size = _size(log)
        if size <= LOG_BYTES:
            return ""
        holders = readers_of(self._file.with_name(self._file.name + "-shm"))
        who = f" ({', '.join(holders)})" if holders else ""
        return (
            f"{log.name} has grown to {size / 1e6:.0f} MB, for a program{who} reads the database without end: close it"
        )

    def _room(self) -> str:
        try:
            disk = os.statvfs(self._file.parent)
        except OSError as e:
            return f"{self._file.parent}: {e.strerror}"
        free = disk.f_bavail * disk.f_frsize
        if free < ROOM_BYTES:
            return f"{free / 1e6:.0f} MB are free beside {self._file.name}: make room before it is full"
        if disk.f_files > 0 and disk.f_favail < FREE_INODES:
            return f"{disk.f_favail} more files can be made beside {self._file.name}: delete some that nobody needs"
        return ""

    def _names(self, links: int) -> str:
        return "" if links < 2 else f"{self._file.name} has {links} names (hard links): remove the others, or copy it"


def _descriptors() -> str:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        used = len(os.listdir(DESCRIPTORS))  # noqa: PTH208  # only their number
    except OSError:
        return "no file can be opened any more: restart halfpercent after the run"
    if most > 0 and used > DESCRIPTORS_USED * most:
        return f"{used} of {most} files are open: restart halfpercent after the run, and report this"
    return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def readers_of(shared: Path) -> list[str]:
    """Get which other processes hold locks on a database's ``-shm``: their numbers and names, as the kernel says."""
    try:
        inode = shared.stat().st_ino
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    found: dict[str, str] = {}
    for line in lines:
        words = line.split()
        if len(words) >= 8 and words[1] in ("POSIX", "OFDLCK") and words[5].endswith(f":{inode}"):
            pid = words[4]
            if pid.isdigit() and int(pid) != os.getpid():
                found[pid] = _name(pid)
    return [f"process {pid}{f', {name}' if name else ''}" for pid, name in found.items()]


def _name(pid: str) -> str:
    try:
        return visible(Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip())
    except OSError:
        return ""
