"""Rows of chunks and events as they say it, whatever the schema that stores them.

A chunk's boot is a number there, its wall time ms since 1970, its hash bytes; a schema before had text. This module
must never check what a row says, and never mend it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from sqlite_utils import Database

from .two_chains import StoredRow

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS = datetime.timedelta(milliseconds=1)


def schema_version(db: Database) -> int:
    """Get the version of an open database's schema."""
    return int(db.execute("pragma user_version").fetchone()[0])


def with_zone(at: datetime.datetime) -> datetime.datetime:
    """Get a stored time with its zone: one without is in UTC, as all that is written."""
    return at if at.tzinfo is not None else at.replace(tzinfo=datetime.UTC)


def utc(wall_s: float) -> str:
    """Write wall time (s since 1970) as ISO 8601 in UTC: a label."""
    return datetime.datetime.fromtimestamp(wall_s, datetime.UTC).isoformat(timespec="milliseconds")


def chunk_rows(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get what a run's chunks say, in order: nothing is checked. ``link`` is None for one before schema 3."""
    version = schema_version(db)
    if version < 2:
        for row in db.table("chunks").rows_where("run_id = ?", [run_id], order_by="chunk"):
            yield dict(row) | {"link": None, "wall_ms": as_ms(row["wall_utc"])}
        return
    link = "link" if version > 2 else "null as link"
    rows = db.query(
        f"select run_id, chunk, {link}, boot_id, first_second, seconds, samples, wall_ms, raw, sha256 "
        "from chunks left join boots using (boot) where run_id = ? order by chunk",
        [run_id],
    )
    for row in rows:
        yield dict(row) | {"wall_utc": as_utc(row["wall_ms"]), "sha256": as_hex(row["sha256"])}


def event_rows(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get what a run's events say, in order: nothing is checked. ``link`` is None for one before schema 3."""
    for row in db.table("events").rows_where("run_id = ?", [run_id], order_by="event"):
        yield {"link": None} | dict(row)


def store_chunk(db: Database, row: StoredRow) -> None:
    """Write a chunk of schema 3, with its ``boot_id`` and its hash in bytes. A boot that is new goes into ``boots``."""
    stored = row | {"boot": _boot(db, row["boot_id"])}
    del stored["boot_id"]
    db.table("chunks").insert(stored)


def store_seconds(db: Database, rows: Sequence[StoredRow], *, missing: bool = False) -> None:
    """Write rows of seconds, all of the same columns, by SQLite's own means: it is the table that grows each second.

    ``missing``: those that are stored already stay as they are.
    """
    if not rows:
        return
    columns = list(rows[0])
    names, values = ", ".join(columns), ", ".join(f":{column}" for column in columns)
    insert = "insert or ignore" if missing else "insert"
    db.conn.executemany(f"{insert} into seconds ({names}) values ({values})", rows)


def _boot(db: Database, boot_id: str) -> int:
    find = "select boot from boots where boot_id = ?"
    if db.execute(find, [boot_id]).fetchone() is None:
        db.execute("insert into boots (boot_id) values (?)", [boot_id])
    return int(db.execute(find, [boot_id]).fetchone()[0])


def as_ms(wall_utc: Any) -> Any:
    """Get a wall time's ms since 1970; what :func:`utc` never wrote comes back as it is."""
    try:
        ms = (datetime.datetime.fromisoformat(wall_utc) - _EPOCH) // _MS
    except (TypeError, ValueError, OverflowError):
        return wall_utc
    return ms if as_utc(ms) == wall_utc else wall_utc


def as_utc(wall_ms: Any) -> Any:
    """Get the text of a wall time in ms since 1970; what is none comes back as it is."""
    try:
        return (_EPOCH + wall_ms * _MS).isoformat(timespec="milliseconds")
    except (TypeError, OverflowError):
        return wall_ms


def as_bytes(sha256: Any) -> Any:
    """Get the bytes of a hash in hexadecimal; what is none comes back as it is."""
    try:
        raw = bytes.fromhex(sha256)
    except (TypeError, ValueError):
        return sha256
    return raw if raw.hex() == sha256 else sha256


def as_hex(sha256: Any) -> Any:
    """Get a hash in hexadecimal from its bytes; what is none comes back as it is."""
    return sha256.hex() if isinstance(sha256, bytes) else sha256
