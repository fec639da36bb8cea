"""The journal: a run's raw samples, what was derived from them, and what happened, in SQLite.

Raw first: a chunk of raw samples goes into the database before, and in the same transaction as, anything
computed from it. Chunks and events are chained by hash from the run's own header on. This module must never
change or delete what is stored, and there is one writer: a lock beside the file says so.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlite_utils import Database

from calibration.certificate import Certificate, certificate_hash, to_toml
from hw.bridge import Status

from . import __version__, codec, lock, schema
from .errors import BadDatabase
from .frame import Frames, join
from .standard import Standard
from .words import Event, Row

CHUNK_SECONDS = 3600  # a chunk is never longer
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


def utc(wall_s: float) -> str:
    """Write wall time (s since 1970) as ISO 8601 in UTC: a label."""
    return datetime.datetime.fromtimestamp(wall_s, datetime.UTC).isoformat(timespec="milliseconds")


def canonical(data: Any) -> str:
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


class Journal:
    """The one writer of a database. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        schema.check_place(path)
        self.path = path
        self._file = path.resolve()  # a link is another name for the same database
        self._lock = lock.take(self._file)
        try:
            self.db: Database = schema.open_for_writing(path)
        except BaseException:
            lock.drop(self._file, self._lock)
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and give the lock back."""
        self.db.close()
        lock.drop(self._file, self._lock)

    def begin(
        self,
        *,
        run_uid: str,
        sample_id: str,
        operator: str,
        kind: str,
        wall_s: float,
        t0_ns: int,
        boot_id: str,
        standard: Standard,
        certificate: Certificate | None,
        settings: dict[str, Any],
        batch_s: int = 5,
    ) -> RunJournal:
        """Open a run: what it is of, by whose rules and with which numbers. Committed at once."""
        header = {
            "run_uid": run_uid,
            "sample_id": sample_id,
            "operator": operator,
            "kind": kind,
            "state": "running",
            "started_utc": utc(wall_s),
            "standard_id": standard.id,
            "standard_toml": standard.text,
            "certificate_sha256": certificate_hash(certificate) if certificate else "",
            "settings_json": canonical(settings),
            "software_version": __version__,
            "t0_ns": t0_ns,
        }
        with schema.spoken(self.path), self.db.atomic():
            if certificate:
                self.db.table("certificates").insert(
                    {
                        "sha256": certificate_hash(certificate),
                        "name": certificate.name,
                        "made_at": certificate.made_at.isoformat(),
                        "toml": to_toml(certificate),
                    },
                    ignore=True,
                    pk="sha256",
                )
            self.db.table("runs").insert(header, pk="run_id")
            run_id = int(self.db.execute("select last_insert_rowid()").fetchone()[0])
        return RunJournal(self, run_id, link("", canonical(header)), boot_id, batch_s, wall_s)


class RunJournal:
    """One run being written. Give it the raw frames first, then what was derived from them."""

    def __init__(self, journal: Journal, run_id: int, genesis: str, boot_id: str, batch_s: int, wall_s: float) -> None:
        self.run_id = run_id
        self._journal = journal
        self._boot_id = boot_id
        self._wall_s = wall_s
        self._batch_s = batch_s
        self._chunk = 0
        self._event = 0
        self._chunk_sha = self._event_sha = genesis
        self._frames: list[Frames] = []
        self._n_frames = 0
        self._seconds: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def raw(self, frames: Frames) -> None:
        """Take raw frames: before anything is computed from them."""
        for start in range(0, len(frames), CHUNK_SECONDS):
            part = frames.cut(start, start + CHUNK_SECONDS)
            if self._n_frames + len(part) > CHUNK_SECONDS:
                self.commit(self._wall_s)
            self._frames.append(part)
            self._n_frames += len(part)

    def derived(
        self, rows: list[Row], names: list[str], events: list[Event], wall_s: float, who: str = "instrument"
    ) -> None:
        """Take what the fold and the phases made of the frames; commit if it is time or anything happened."""
        self._wall_s = wall_s
        self._seconds += [_second(self.run_id, row, name) for row, name in zip(rows, names, strict=True)]
        for event in events:
            by = "operator" if event.kind in ("operator", "refused") else who
            self._events.append(self._link_event(event, wall_s, by))
        if events or self._n_frames >= self._batch_s:
            self.commit(wall_s)

    def commit(self, wall_s: float) -> None:
        """Write what is waiting, in one transaction, raw samples first."""
        db = self._journal.db
        with schema.spoken(self._journal.path), db.atomic():
            if self._frames:
                db.table("chunks").insert(self._link_chunk(join(self._frames), wall_s))
            if self._seconds:
                db.table("seconds").insert_all(self._seconds)
            if self._events:
                db.table("events").insert_all(self._events)
        if self._frames:
            self._chunk += 1
            self._chunk_sha = self._next_chunk_sha
        self._frames, self._n_frames, self._seconds, self._events = [], 0, [], []

    def end(self, wall_s: float, result: dict[str, Any], columns: dict[str, Any]) -> None:
        """Write the run's outcome: ``result`` as JSON, and the ``columns`` of ``runs`` that it fills."""
        self.commit(wall_s)
        row = {"state": "done", "ended_utc": utc(wall_s), "result_json": canonical(result), **columns}
        with schema.spoken(self._journal.path):
            self._journal.db.table("runs").update(self.run_id, row)

    def _link_chunk(self, frames: Frames, wall_s: float) -> dict[str, Any]:
        raw = codec.encode(frames)
        row = {
            "run_id": self.run_id,
            "chunk": self._chunk,
            "boot_id": self._boot_id,
            "first_second": int(frames.seq[0]),
            "seconds": len(frames),
            "samples": len(frames.code),
            "wall_utc": utc(wall_s),
        }
        self._next_chunk_sha = link(self._chunk_sha, canonical(row), raw)
        return row | {"raw": raw, "previous_sha256": self._chunk_sha, "sha256": self._next_chunk_sha}

    def _link_event(self, event: Event, wall_s: float, who: str) -> dict[str, Any]:
        row = {
            "run_id": self.run_id,
            "event": self._event,
            "second": event.seq,
            "elapsed_s": float(event.t_s),
            "wall_utc": utc(wall_s),
            "kind": event.kind,
            "who": who,
            "data_json": canonical(event.data),
        }
        sha = link(self._event_sha, canonical(row))
        out = row | {"previous_sha256": self._event_sha, "sha256": sha}
        self._event += 1
        self._event_sha = sha
        return out


def chunks_of(db: Database, run_id: int) -> Iterator[Frames]:
    """Get a run's raw frames, chunk by chunk. Raise ``BadDatabase`` where the chain is broken."""
    for row in _chained(db, run_id, "chunk"):
        yield codec.decode(row["raw"])


def events_of(db: Database, run_id: int) -> Iterator[dict[str, Any]]:
    """Get the rows of a run's events, in order. Raise ``BadDatabase`` where the chain is broken."""
    yield from _chained(db, run_id, "event")


def genesis_of(db: Database, run_id: int) -> str:
    """Get the hash that a run's chains start from: its header, as it was when the run began."""
    rows = list(db.table("runs").rows_where("run_id = ?", [run_id]))
    if not rows:
        raise BadDatabase(f"run {run_id}: there is none: halfpercent runs lists them")
    return _hash("", {"state": "running"} | {name: rows[0][name] for name in HEADER})


def _chained(db: Database, run_id: int, what: str) -> Iterator[dict[str, Any]]:
    """Get the rows of a run's chunks or events, each once it is found to follow from the one before it."""
    previous = genesis_of(db, run_id)
    for row in db.table(f"{what}s").rows_where("run_id = ?", [run_id], order_by=what):
        if row["previous_sha256"] != previous or _hash(previous, row) != row["sha256"]:
            raise BadDatabase(
                f"run {run_id}, {what} {row[what]}: does not fit its chain: it, or one before it, was changed; "
                "trust a copy that was exported earlier"
            )
        previous = row["sha256"]
        yield row


def _hash(previous: str, row: dict[str, Any]) -> str:
    """Get the link that a stored row makes: '' where it holds what was never written."""
    named = {k: v for k, v in row.items() if k not in ("raw", "previous_sha256", "sha256")}
    try:
        return link(previous, canonical(named), *([row["raw"]] if "raw" in row else []))
    except (TypeError, ValueError):
        return ""


def _second(run_id: int, row: Row, phase: str) -> dict[str, Any]:
    because = [s.name.lower() for s in Status if s and row.bad_mask >> s & 1]
    return {
        "run_id": run_id,
        "second": row.seq,
        "elapsed_s": row.t_s,
        "phase": phase,
        "mass_g": _known(row.mass_g),
        "sd_g": _known(row.sd_g),
        "temp_c": _known(row.temp_c),
        "cell_temp_c": _known(row.cell_temp_c),
        "pressure_pa": _known(row.pressure_pa),
        "qualified": row.qualified,
        "hold_s": row.hold_s,
        "loss_pct": _known(row.loss_pct),
        "drift_g_per_h": _known(row.drift_g_per_h),
        "zero_code": _known(row.zero_code),
        "samples_ok": row.n_ok,
        "samples_bad": row.n_bad,
        "samples_spike": row.n_spike,
        "bad_because": ", ".join(because),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
