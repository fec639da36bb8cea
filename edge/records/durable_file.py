"""A file that is there whole or not at all, also where the power is cut.

This module must never write over a file in place.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edge.errors import BadInput


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
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows keeps names by itself
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that was not there: it has its name once it is whole, and never takes the name of another.

    Raises ``BadInput`` where there is one, at the beginning or at the end.
    """
    if path.exists() or path.is_symlink():
        raise BadInput(f"{path}: is there already, and is left as it is: name a new file")
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent}: there is no such folder: make it first, or name a file elsewhere")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            raise BadInput(f"{path}: has come there meanwhile, and is left as it is: name a new file") from None
        sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)
