"""The run's chain: its header, its frames and all that happened, each link the hash of the one before and of its row.

Schema 3 (docs/evidence.md has it to the byte): link 0 is the header, then come chunks and events in the order in which
they were committed, numbered through. What was recorded before it has two chains (:mod:`edge.database.two_chains`);
a migration joins their ends in link 1, and new links follow. This module only reads, and must never believe a row that
does not follow from the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlite_utils import Database

from edge.errors import BadDatabase, BrokenChain, DamagedDatabase
from edge.records.event import EventKind

from . import two_chains
from .preimage import sha256_of
from .stored_json import decoded
from .stored_rows import as_hex, chunk_rows, event_rows, schema_version
from .two_chains import HEADER, StoredRow

CHUNK_SAYS = ("link", "chunk", "boot_id", "first_second", "seconds", "samples", "wall_ms", "raw")
EVENT_SAYS = ("link", "event", "second", "elapsed_s", "wall_utc", "kind", "who", "data_json")
SAYS = {"chunks": CHUNK_SAYS, "events": EVENT_SAYS}
"""What the hash of a link covers, in this order, after its word and the hash of the link before it."""
NUMBER = {"chunks": "chunk", "events": "event"}
"""The column that numbers a table's rows within a run; also the word with which the bytes of a link begin."""


class Link(NamedTuple):
    """A link of a run's chain: its ``number`` (None: of a run before schema 3), its row with its hash in hex."""

    number: int | None
    table: str
    row: StoredRow


class ChainEnds(NamedTuple):
    """The next numbers of a run's chunks, events and links, and the hash that the next link follows."""

    chunk: int
    event: int
    link: int
    sha256: bytes


def header_sha256(run: StoredRow) -> bytes:
    """Get link 0 of a run: the hash of its header. Raises ``ValueError``, ``TypeError`` for what was never written."""
    return sha256_of("run", run["run_id"], *(run[name] for name in HEADER))


def link_sha256(previous: bytes, row: StoredRow, table: str) -> bytes:
    """Get the link that a row of ``chunks`` or ``events`` makes. Raises as :func:`header_sha256`."""
    return sha256_of(NUMBER[table], previous, *(row[name] for name in SAYS[table]))


def stored_header(db: Database, run_id: int) -> StoredRow:
    """Get a run's header by column, with ``header_sha256`` (None: before schema 3). Raises ``BadDatabase``."""
    linked = ("header_sha256",) if schema_version(db) > 2 else ()
    columns = ", ".join(("run_id", "state", *HEADER, *linked))
    found = list(db.query(f"select {columns} from runs where run_id = ?", [run_id]))
    if not found:
        raise BadDatabase(f"run {run_id}: there is none: halfpercent runs lists them")
    return {"header_sha256": None} | dict(found[0])


# a run's links, in order


def follow(db: Database, run_id: int) -> Iterator[Link]:
    """Get a run's links in order, whatever the schema, each once it is found to follow from the one before it.

    What was recorded before schema 3 comes first, its chunks before its events. Raises ``BadDatabase`` where there is
    no such run, ``BrokenChain`` where its chain is broken.
    """
    header = stored_header(db, run_id)
    waiting = {"chunks": _Ahead(chunk_rows(db, run_id)), "events": _Ahead(event_rows(db, run_id))}
    start = two_chains.genesis(header)
    before = {"chunks": (0, start), "events": (0, start)}
    for table, rows in waiting.items():
        for row in two_chains.follow(rows.without_link(), start, table, f"run {run_id}, "):
            before[table] = before[table][0] + 1, row["sha256"]
            yield Link(None, table, row)
    number, sha = 1, b"" if header["header_sha256"] is None else _sound_header(header)
    joined = not any(n for n, _ in before.values())
    while found := {table: rows.next for table, rows in waiting.items() if rows.next is not None}:
        table = min(found, key=lambda name: _place(found[name]))
        row = found[table]
        joined = joined or (number == 1 and row.get("kind") == EventKind.JOINED and _joins(row, before))
        if number < _place(row):
            raise _broken(run_id, table, row, f"link {number}, before it in its chain, is missing")
        if not (sha and joined and row["link"] == number and _fits(sha, row, table)):
            raise _broken(run_id, table, row)
        sha = bytes.fromhex(row["sha256"])
        yield Link(number, table, row)
        waiting[table].take()
        number += 1
    if sha and not joined:
        raise BrokenChain("events", f"run {run_id}", "the link that joins what was recorded before schema 3 is missing")


def chunks(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get a run's chunks in order, each once it, and all that was written before it, follows. Raises as above."""
    return (link.row for link in follow(db, run_id) if link.table == "chunks")


def events(db: Database, run_id: int) -> Iterator[StoredRow]:
    """Get a run's events in order, each once it fits its own hash and, where nothing is between, the event before it.

    No frame is read for that; :func:`follow_all` follows the whole chain. Raises ``BrokenChain``.
    """
    header = stored_header(db, run_id)
    waiting = _Ahead(event_rows(db, run_id))
    start = two_chains.genesis(header)
    yield from two_chains.follow(waiting.without_link(), start, "events", f"run {run_id}, ")
    number, sha = 0, b"" if header["header_sha256"] is None else _sound_header(header)
    while (row := waiting.next) is not None:
        place, follows = _place(row), _previous(row)
        if not (sha and number < place and follows and _fits(follows, row, "events")):
            raise _broken(run_id, "events", row)
        if place == number + 1 and follows != sha:
            raise _broken(run_id, "events", row)
        number, sha = place, bytes.fromhex(row["sha256"])
        yield row
        waiting.take()


def follow_all(db: Database, run_id: int) -> None:
    """Follow a run's chain to its end, and parse nothing. Raises ``BadDatabase`` as :func:`follow`."""
    for _ in follow(db, run_id):
        pass


def station_events(db: Database) -> Iterator[StoredRow]:
    """Get the station's own log in order, each event once it is found to follow. Raises ``BrokenChain``."""
    rows = db.table("station_events").rows_where(order_by="event")
    return two_chains.follow(rows, two_chains.STATION, "station_events", "the station's log, ")


def chain_ends(db: Database, run_id: int) -> ChainEnds:
    """Get where a run's chain ends. Nothing is followed. Raises ``DamagedDatabase`` where that cannot be known."""
    header = stored_header(db, run_id)
    sha, link, next_number = header["header_sha256"], 0, dict[str, int]()
    for table, number in NUMBER.items():
        sql = f"select {number}, link, sha256 from {table} where run_id = ? order by {number} desc limit 1"
        last = db.execute(sql, [run_id]).fetchone()
        if last is None:
            next_number[table] = 0
            continue
        if not isinstance(last[0], int):
            raise DamagedDatabase(
                f"run {run_id}, its last {number}: is damaged: trust a copy that was exported earlier"
            )
        next_number[table] = last[0] + 1
        if last[1] is not None and _place({"link": last[1]}) > link:
            link, sha = last[1], _bytes_of(last[2])
    if not (isinstance(sha, bytes) and len(sha) == 32):
        raise DamagedDatabase(f"run {run_id}: the end of its chain is damaged: trust a copy that was exported earlier")
    return ChainEnds(next_number["chunks"], next_number["events"], link + 1, sha)


class _Ahead:
    """Rows, of which the next one is known."""

    def __init__(self, rows: Iterator[StoredRow]) -> None:
        self._rows = rows
        self.next = next(rows, None)

    def take(self) -> None:
        """Go on to the row after it."""
        self.next = next(self._rows, None)

    def without_link(self) -> Iterator[StoredRow]:
        """Get the rows from here on that have no link: those before schema 3."""
        while self.next is not None and self.next["link"] is None:
            yield self.next
            self.take()


def _place(row: StoredRow) -> int:
    """Get a row's place in the chain; where it has none, it is the first that does not fit."""
    return row["link"] if isinstance(row["link"], int) else -1


def _previous(row: StoredRow) -> bytes:
    return _bytes_of(row["previous_sha256"])


def _bytes_of(sha256: Any) -> bytes:
    """Get a hash as bytes, whether it is stored as these or in hexadecimal; none where it is no hash."""
    if isinstance(sha256, bytes):
        return sha256
    try:
        return bytes.fromhex(sha256)
    except (TypeError, ValueError):
        return b""


def fits_header(header: StoredRow) -> bool:
    """Say whether a run's header is the one that its chain starts from."""
    try:
        return bool(header["header_sha256"] == header_sha256(header))
    except (TypeError, ValueError):
        return False


def _sound_header(header: StoredRow) -> bytes:
    if not fits_header(header):
        raise BrokenChain("runs", f"run {header['run_id']}, its header", "")
    sha: bytes = header["header_sha256"]
    return sha


def _fits(previous: bytes, row: StoredRow, table: str) -> bool:
    """Say whether a row follows from the link before it, and its hash is its own."""
    try:
        sha = link_sha256(previous, row, table).hex()
    except (TypeError, ValueError):
        return False
    return bool(row["sha256"] == sha and row.get("previous_sha256", previous.hex()) == previous.hex())


def _joins(row: StoredRow, before: dict[str, tuple[int, str]]) -> bool:
    """Say whether the link that joins states how many rows there were before schema 3, and the last hash of them."""
    try:
        told = decoded(row["data_json"])
        ends = {table: (told[table], told[f"{table}_sha256"]) for table in before}
    except (TypeError, ValueError, LookupError, RecursionError):
        return False
    return all(ends[table] == (n, sha if n else None) for table, (n, sha) in before.items())


def _broken(run_id: int, table: str, row: StoredRow, why: str = "") -> BrokenChain:
    """Get the error of a row that does not follow."""
    return BrokenChain(table, f"run {run_id}, {NUMBER[table]} {as_hex(row[NUMBER[table]])}", why)
