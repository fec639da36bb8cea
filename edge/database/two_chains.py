"""The chains as they were before schema 3, and as the station's own log still has: canonical JSON, linked by hash.

A run of schema 1 or 2 has two, one of its chunks and one of its events; its result and its seconds are in neither. A
link is the SHA-256 of the link before it, of what the row says and, for a chunk, of its raw bytes. What is said does
not depend on how a schema stores it. Frozen: what was chained so is checked so, for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from edge.errors import BrokenChain

from .stored_json import canonical

StoredRow = dict[str, Any]
"""A row of a table by column, or plain JSON to be stored: what the edge of the program gives and takes."""

HEADER = (
    "run_uid",
    "sample_id",
    "operator",
    "kind",
    "started_utc",
    "standard_id",
    "standard_toml",
    "certificate_sha256",
    "settings_json",
    "software_version",
    "t0_ns",
)
"""Columns of ``runs`` that are written when a run begins, and that its chain starts from."""
_CHUNK = ("run_id", "chunk", "boot_id", "first_second", "seconds", "samples", "wall_utc")
_EVENT = ("run_id", "event", "second", "elapsed_s", "wall_utc", "kind", "who", "data_json")
_STATION_EVENT = ("event", "boot_id", "uptime_s", "wall_utc", "kind", "who", "data_json")
SAYS = {"chunks": _CHUNK, "events": _EVENT, "station_events": _STATION_EVENT}
"""What a row of a table says, by column."""


def link(previous: str, *parts: str | bytes) -> str:
    """Get the SHA-256 (hex) of the previous link and these parts, each preceded by its length in bytes."""
    sha = hashlib.sha256(previous.encode())
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        sha.update(len(raw).to_bytes(8, "big"))
        sha.update(raw)
    return sha.hexdigest()


STATION = link("", "station")
"""What the station's own log starts from."""


def genesis(run: StoredRow) -> str:
    """Get the hash that both chains of a run start from: its header, as it was when the run began."""
    return _hash_of({"state": "running"} | {name: run[name] for name in HEADER}, "")


def row_hash(previous: str, row: StoredRow, table: str) -> str:
    """Get the link that a row makes: '' where it holds what was never written."""
    return _hash_of({name: row[name] for name in SAYS[table]}, previous, row.get("raw"))


def follow(rows: Iterator[StoredRow], previous: str, table: str, where: str) -> Iterator[StoredRow]:
    """Get rows in order, each once it is found to follow from the one before it. Raises ``BrokenChain``.

    A row's ``sha256`` is in hexadecimal.
    """
    what = "chunk" if table == "chunks" else "event"
    for row in rows:
        if row.get("previous_sha256", previous) != previous or row_hash(previous, row, table) != row["sha256"]:
            raise BrokenChain(table, f"{where}{what} {row[what]}")
        previous = row["sha256"]
        yield row


def _hash_of(said: StoredRow, previous: str, raw: Any = None) -> str:
    try:
        return link(previous, canonical(said), *([] if raw is None else [raw]))
    except (TypeError, ValueError, AttributeError):
        return ""
