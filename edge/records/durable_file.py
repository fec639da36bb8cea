"""A file that is there whole or not at all, also where the power is cut.

This module must never write over a file in place.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_beside(path: Path, data: bytes) -> Path:
    """Write ``data`` into a new file beside ``path``, down to the disk, and get its path: to be renamed or linked."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with beside.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return beside


def sync_folder(folder: Path) -> None:
    """Make a change of names in ``folder`` last through a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
