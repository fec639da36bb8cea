"""What a run has written, kept in memory, so that it can be written again where its file is lost or damaged.

Coded chunks and events of thirty hours are some ten megabytes. Seconds are not kept: they can be folded again. This
module must never hold what was not committed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .connection import Database
from .hash_chain import stored_header
from .stored_rows import as_bytes, chunk_rows, store_chunk
from .two_chains import StoredRow


class _Chunk(NamedTuple):
    """A chunk as it was committed."""

    link: int | None
    boot_id: str
    first_second: int
    seconds: int
    samples: int
    wall_ms: int
    raw: bytes
    sha256: bytes


@dataclass
class KeptRun:
    """A run's header, certificate, chunks and events, as they are in the database."""

    header: StoredRow
    certificate: StoredRow | None = None
    _chunks: list[_Chunk] = field(default_factory=list)
    _events: list[StoredRow] = field(default_factory=list)

    @staticmethod
    def of(db: Database, run_id: int) -> KeptRun:
        """Get what is stored of a run. Nothing is checked: whoever calls has followed its chains."""
        header = stored_header(db, run_id)
        key = [header["certificate_sha256"]]
        certificate = next(
            iter(db.query("select sha256, name, made_at, toml from certificates where sha256 = ?", key)), None
        )
        kept = KeptRun(header, certificate)
        for row in chunk_rows(db, run_id):
            kept.add_chunk(row | {"sha256": as_bytes(row["sha256"])})
        kept.add_events(list(db.table("events").rows_where("run_id = ?", [run_id], order_by="event")))
        return kept

    @property
    def run_id(self) -> int:
        """Get the run's number."""
        return int(self.header["run_id"])

    def add_chunk(self, row: StoredRow) -> None:
        """Keep a chunk that was committed, its hash in bytes."""
        self._chunks.append(_Chunk(*(row[name] for name in _Chunk._fields)))

    def add_events(self, rows: list[StoredRow]) -> None:
        """Keep events that were committed."""
        self._events += rows

    def is_in(self, db: Database) -> bool:
        """Say whether a database holds this run, and not another of its number."""
        found = db.execute("select run_uid from runs where run_id = ?", [self.run_id]).fetchone()
        return found is not None and bool(found[0] == self.header["run_uid"])

    def write(self, db: Database) -> None:
        """Write all of it into a database that does not hold it, in one transaction."""
        with db.atomic():
            if self.certificate is not None:
                db.table("certificates").insert(self.certificate, ignore=True, pk="sha256")
            db.table("runs").insert(self.header)
            for number, chunk in enumerate(self._chunks):
                store_chunk(db, {"run_id": self.run_id, "chunk": number} | chunk._asdict())
            if self._events:
                db.table("events").insert_all(self._events)
