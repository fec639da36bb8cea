"""The chains: how a run's chunks and events follow from one another by hash, and what a hash covers.

A link is the SHA-256 of the link before it, of what the row says (canonical JSON) and, for a chunk, of its raw bytes.
What a row says does not depend on how a schema stores it: the boot's id and the wall time of a chunk are hashed as
text in every version, so a migration breaks no chain. A run's chains start from its header, the station's log from a
word. This module only reads, and must never believe a row that does not follow from the one before it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from edge.errors import BadDatabase, DamagedDatabase

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
"""Columns of ``runs`` that are written when a run begins, and that its chains start from."""

StoredRow = dict[str, Any]
"""A row of a table by column, or plain JSON to be stored: what the edge of the program gives and takes."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS = datetime.timedelta(milliseconds=1)
_BESIDE = ("raw", "previous_sha256", "sha256")


def utc(wall_s: float) -> str:
    """Write wall time (s since 1970) as ISO 8601 in UTC: a label."""
    return datetime.datetime.fromtimestamp(wall_s, datetime.UTC).isoformat(timespec="milliseconds")


def canonical(data: object) -> str:
    """Write plain data as JSON in the one form that is hashed: sorted keys, no spaces, no NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


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


def genesis(db: Database, run_id: int) -> str:
    """Get the hash that a run's chains start from: its header, as it was when the run began."""
    rows = list(db.table("runs").rows_where("run_id = ?", [run_id]))
    if not rows:
        raise BadDatabase(f"run {run_id}: there is none: halfpercent runs lists them")
    return _hash("", {"state": "running"} | {name: rows[0][name] for name in HEADER})


def chunks(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get a run's chunks in order, whatever the schema, each once it is found to follow from the one before it.

    Raises ``BadDatabase`` where there is no such run, or where its chain is broken.
    """
    return _follow(chunk_rows(db, run_id), genesis(db, run_id), "chunk", f"run {run_id}, ")


def events(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get a run's events in order, each once it is found to follow from the one before it. Raises ``BadDatabase``."""
    rows = db.table("events").rows_where("run_id = ?", [run_id], order_by="event")
    return _follow(rows, genesis(db, run_id), "event", f"run {run_id}, ")


def follow_all(db: Database, run_id: int) -> None:
    """Follow both of a run's chains to their ends, and parse nothing. Raises ``BadDatabase`` as :func:`chunks`."""
    for rows in (chunks(db, run_id), events(db, run_id)):
        for _ in rows:
            pass


def station_events(db: Database) -> Iterator[StoredRow]:
    """Get the station's own log in order, each event once it is found to follow. Raises ``BadDatabase``."""
    return _follow(db.table("station_events").rows_where(order_by="event"), STATION, "event", "the station's log, ")


def end_of_chain(db: Database, run_id: int, what: str) -> tuple[int, str]:
    """Get the next number of a run's chain of chunks or events (``what``: chunk, event), and the hash it follows."""
    sql = f"select {what}, sha256 from {what}s where run_id = ? order by {what} desc limit 1"
    last = db.execute(sql, [run_id]).fetchone()
    if last and not (isinstance(last[0], int) and isinstance(as_hex(last[1]), str)):
        raise DamagedDatabase(f"run {run_id}, its last {what}: is damaged: trust a copy that was exported earlier")
    return (last[0] + 1, as_hex(last[1])) if last else (0, genesis(db, run_id))


def chain_ends(db: Database, run_id: int) -> dict[str, tuple[int, str]]:
    """Get, for a run's chains of chunks and events, the next number and the hash that the next link follows."""
    return {what: end_of_chain(db, run_id, what) for what in ("chunk", "event")}


def chunk_rows(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get what a run's chunks say, in order, whatever the schema: nothing is checked."""
    if int(db.execute("pragma user_version").fetchone()[0]) < 2:
        yield from db.table("chunks").rows_where("run_id = ?", [run_id], order_by="chunk")
        return
    rows = db.query(
        "select run_id, chunk, boot_id, first_second, seconds, samples, wall_ms as wall_utc, raw, sha256 "
        "from chunks left join boots using (boot) where run_id = ? order by chunk",
        [run_id],
    )
    for row in rows:
        yield row | {"wall_utc": as_utc(row["wall_utc"]), "sha256": as_hex(row["sha256"])}


def stored_chunk(db: Database, said: StoredRow, raw: bytes, sha256: str) -> StoredRow:
    """Get the row of ``chunks`` for what a chunk says. A boot that is new is written into ``boots``."""
    row = said | {"boot": _boot(db, said["boot_id"]), "wall_ms": as_ms(said["wall_utc"])}
    del row["boot_id"], row["wall_utc"]
    return row | {"raw": raw, "sha256": as_bytes(sha256)}


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


def _follow(rows: Iterator[StoredRow], previous: str, what: str, where: str) -> Iterator[StoredRow]:
    for row in rows:
        if row.get("previous_sha256", previous) != previous or _hash(previous, row) != row["sha256"]:
            raise DamagedDatabase(
                f"{where}{what} {row[what]}: does not fit its chain: it, or one before it, was changed; "
                "trust a copy that was exported earlier"
            )
        previous = row["sha256"]
        yield row


def _hash(previous: str, row: StoredRow) -> str:
    """Get the link that a row makes: '' where it holds what was never written."""
    said = {name: value for name, value in row.items() if name not in _BESIDE}
    try:
        return link(previous, canonical(said), *([row["raw"]] if "raw" in row else []))
    except (TypeError, ValueError, AttributeError):
        return ""
