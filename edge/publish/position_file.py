"""What the broker has acknowledged, in a small file of the publisher's own.

It is written whole or not at all. One that cannot be read or written costs repeats, never a row. This module must
never be asked by the station.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from calibration.bounded_file import NotReadable, read_regular_file
from edge.database.feed import Position
from edge.records.durable_file import write_beside

_MOST_BYTES = 4096


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """How far was published, and how it goes: what ``doctor`` reads. ``trouble`` is '' where all is well."""

    position: Position = Position()
    trouble: str = ""
    told_utc: str = ""


def load(path: Path) -> Published:
    """Get what a file says; from the beginning where there is none, or where it is not ours."""
    try:
        return msgspec.json.decode(read_regular_file(path, _MOST_BYTES), type=Published)
    except (NotReadable, msgspec.DecodeError):
        return Published()


def save(path: Path, published: Published) -> str:
    """Write the file anew. Get why that cannot be done; '' where it was."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_beside(path, msgspec.json.encode(published)).replace(path)
    except OSError as e:
        return f"{path}: cannot be written ({os.strerror(e.errno or 0)})"
    return ""
