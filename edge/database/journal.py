"""The journal: a run's raw samples, what was derived from them, and what happened, in SQLite.

Raw first: a chunk of raw samples goes into the database before, and in the same transaction as, anything
computed from it. Chunks and events are chained by hash from the run's own header on. This module must never
change or delete what is stored, and there is one writer: a lock beside the file says so.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlite_utils import Database

from calibration.certificate import Certificate, certificate_hash, to_toml
from edge import __version__
from edge.records.event import Event
from edge.records.frame import Frames, join
from edge.records.second import Second
from edge.standards.standard import Standard
from hw.protocols import Status

from . import codec, connection, hash_chain, writer_lock
from .hash_chain import canonical, link, utc

CHUNK_SECONDS = 3600  # a chunk is never longer
HAPPENED = frozenset(
    ("said", "note", "resumed", "clock", "storage", "alarm_opened", "alarm_acknowledged", "alarm_closed")
)
"""Kinds of events that no frame makes; all others are made again when the run is folded again."""


class Journal:
    """The one writer of a database. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        connection.check_place(path)
        self.path = path
        self._file = path.resolve()  # a link is another name for the same database
        self._lock = writer_lock.take(self._file)
        try:
            self.db: Database = connection.open_for_writing(path)
        except BaseException:
            writer_lock.drop(self._file, self._lock)
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
        writer_lock.drop(self._file, self._lock)

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
        with connection.translated_errors(self.path), self.db.atomic():
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
        ends = dict.fromkeys(("chunk", "event"), (0, link("", canonical(header))))
        return RunJournal(self, run_id, ends, boot_id, batch_s, wall_s)

    def go_on(self, run_id: int, *, boot_id: str, wall_s: float, batch_s: int = 5) -> RunJournal:
        """Open a run again that was being written when its writer stopped: its chains go on where they end.

        Whoever calls has found the chains to be whole (:func:`chunks_of`, :func:`events_of`).
        """
        with connection.translated_errors(self.path):
            return RunJournal(self, run_id, self.ends(run_id), boot_id, batch_s, wall_s)

    def ends(self, run_id: int) -> dict[str, tuple[int, str]]:
        """Get, for a run's chains of chunks and events, the next number and the hash that the next link follows."""
        return {what: hash_chain.end_of(self.db, run_id, what) for what in ("chunk", "event")}

    def log(self, kind: str, data: dict[str, Any], who: str, boot_id: str, uptime_s: float, wall_s: float) -> None:
        """Write an event into the station's own chained log, for what happens where no run is measured."""
        last = self.db.execute("select event, sha256 from station_events order by event desc limit 1").fetchone()
        number, sha = (last[0] + 1, last[1]) if last else (0, hash_chain.STATION)
        row = {
            "event": number,
            "boot_id": boot_id,
            "uptime_s": round(uptime_s, 3),
            "wall_utc": utc(wall_s),
            "kind": kind,
            "who": who,
            "data_json": canonical(data),
        }
        row |= {"previous_sha256": sha, "sha256": link(sha, canonical(row))}
        with connection.translated_errors(self.path), self.db.atomic():
            self.db.table("station_events").insert(row)

    def open_again(self) -> None:
        """Take a new connection, after a disk gave errors: what the old one believes of the file may be wrong."""
        with contextlib.suppress(sqlite3.Error):
            self.db.close()
        self.db = connection.open_for_writing(self.path)


class RunJournal:
    """One run being written. Give it the raw frames first, then what was derived from them.

    Where the disk fails, what is waiting is kept, and :meth:`recover` tries again. ``ends`` are the next numbers of the
    run's two chains and the hashes that they follow.
    """

    def __init__(
        self,
        journal: Journal,
        run_id: int,
        ends: dict[str, tuple[int, str]],
        boot_id: str,
        batch_s: int,
        wall_s: float,
    ) -> None:
        self.run_id = run_id
        self._journal = journal
        self._boot_id = boot_id
        self.forgetful = False
        self._wall_s = wall_s
        self._batch_s = batch_s
        self._chunk, self._chunk_sha = ends["chunk"]
        self._event, self._event_sha = ends["event"]
        self._frames: list[Frames] = []
        self._n_frames = 0
        self._seconds: list[dict[str, Any]] = []
        self._events: list[_Waiting] = []

    def raw(self, frames: Frames) -> None:
        """Take raw frames: before anything is computed from them."""
        for start in range(0, len(frames), CHUNK_SECONDS):
            part = frames.cut(start, start + CHUNK_SECONDS)
            if self._n_frames and self._n_frames + len(part) > CHUNK_SECONDS:
                self.commit(self._wall_s)
            self._frames.append(part)
            self._n_frames += len(part)

    @property
    def waiting_s(self) -> int:
        """Get how many seconds of frames wait to be written."""
        return self._n_frames

    def derived(
        self, rows: list[Second], names: list[str], events: list[Event], wall_s: float, who: str = "instrument"
    ) -> None:
        """Take what the fold and the phases made of the frames; commit if it is time or anything happened."""
        self._wall_s = wall_s
        if self.forgetful:
            return
        self._seconds += [_second(self.run_id, row, name) for row, name in zip(rows, names, strict=True)]
        for event in events:
            by = "operator" if event.kind in ("operator", "refused") else who
            self._events.append(_Waiting(_event(self.run_id, event, wall_s, by), derived=True))
        if events or self._n_frames >= self._batch_s:
            self.commit(wall_s)

    def catch_up(self, table: npt.NDArray[np.void], names: list[str], events: list[Event], wall_s: float) -> None:
        """Write what a run's stored frames make and is not stored: all rows and ``events`` from its start on."""
        db, run = self._journal.db, [self.run_id]
        newest = db.execute("select max(second) from seconds where run_id = ?", run).fetchone()[0]
        kinds = db.execute("select kind from events where run_id = ?", run).fetchall()
        start = 0 if newest is None else int(np.searchsorted(table["seq"], newest, side="right"))
        stored = sum(kind not in HAPPENED for (kind,) in kinds)
        self.derived([Second(*values) for values in table[start:].tolist()], names[start:], events[stored:], wall_s)

    def stops(self) -> list[dict[str, Any]]:
        """Get the times in which nothing was measured because the process or the machine had stopped, in s."""
        events = hash_chain.events(self._journal.db, self.run_id)
        data = (json.loads(e["data_json"]) for e in events if e["kind"] == "resumed")
        return [
            {"from_s": d["from_s"], "length_s": d["gap_s"], "at_least_s": d["at_least_s"]}
            for d in data
            if "from_s" in d and d["gap_s"] != 0.0
        ]

    def happened(self, event: Event, who: str, wall_s: float) -> None:
        """Take one event that no frame made, of a kind in ``HAPPENED``, and commit at once."""
        if event.kind not in HAPPENED:
            raise ValueError(f"an event of kind {event.kind} is made from frames")
        self._events.append(_Waiting(_event(self.run_id, event, wall_s, who), derived=False))
        self.commit(wall_s)

    def commit(self, wall_s: float) -> None:
        """Write what is waiting, in one transaction, raw samples first. Where that fails, it goes on waiting."""
        db = self._journal.db
        chunk = self._link_chunk(join(self._frames), wall_s) if self._frames else None
        events = self._link_events()
        with connection.translated_errors(self._journal.path), db.atomic():
            if chunk is not None:
                db.table("chunks").insert(hash_chain.stored_chunk(db, **chunk))
            if self._seconds:
                db.table("seconds").insert_all(self._seconds)
            if events:
                db.table("events").insert_all(events)
        if chunk is not None:
            self._chunk, self._chunk_sha = self._chunk + 1, chunk["sha256"]
        if events:
            self._event, self._event_sha = self._event + len(events), events[-1]["sha256"]
        self._frames, self._n_frames, self._seconds, self._events = [], 0, [], []

    def recover(self, wall_s: float) -> None:
        """Try again, on a new connection, to write what is waiting. Raises as :meth:`commit` does.

        What was written though the disk said that it was not, is found and not written twice.
        """
        journal = self._journal
        with connection.translated_errors(journal.path):
            journal.open_again()
            ends = journal.ends(self.run_id)
            if ends["chunk"][0] > self._chunk:
                newest = journal.db.execute(
                    "select raw from chunks where run_id = ? order by chunk desc limit 1", [self.run_id]
                ).fetchone()
                self._keep_after(int(codec.decode(newest[0]).seq[-1]))
            if ends["event"][0] > self._event:
                stored = journal.db.table("events").rows_where(
                    "run_id = ? and event >= ?", [self.run_id, self._event], order_by="event"
                )
                for row in stored:
                    self._events = [e for e in self._events if e.row.items() - row.items()]
            (self._chunk, self._chunk_sha), (self._event, self._event_sha) = ends["chunk"], ends["event"]
        self.commit(wall_s)

    def forget(self, keep_s: int) -> None:
        """Let go of all but the newest ``keep_s`` seconds of frames, for a disk that does not come back.

        What was derived from frames goes with them, and nothing more is taken (``forgetful``), for the fold has seen
        what will not be stored: resume the run when the disk is back. Words and alarms stay.
        """
        self.forgetful = True
        self._keep_after(int(self._frames[-1].seq[-1]) - keep_s)
        self._seconds = []
        self._events = [e for e in self._events if not e.derived]

    def _keep_after(self, seq: int) -> None:
        """Let go of frames and seconds up to second ``seq``."""
        frames = join(self._frames)
        after = int(np.searchsorted(frames.seq, seq, side="right"))
        self._frames = [frames.cut(after, len(frames))] if after < len(frames) else []
        self._n_frames = len(frames) - after
        self._seconds = [s for s in self._seconds if s["second"] >= seq]  # the row of a second comes a frame late

    def end(self, wall_s: float, result: dict[str, Any], columns: dict[str, Any]) -> None:
        """Write the run's outcome: ``result`` as JSON, and the ``columns`` of ``runs`` that it fills."""
        self.commit(wall_s)
        row = {"state": "done", "ended_utc": utc(wall_s), "result_json": canonical(result), **columns}
        with connection.translated_errors(self._journal.path):
            self._journal.db.table("runs").update(self.run_id, row)

    def _link_chunk(self, frames: Frames, wall_s: float) -> dict[str, Any]:
        raw = codec.encode(frames)
        said = {
            "run_id": self.run_id,
            "chunk": self._chunk,
            "boot_id": self._boot_id,
            "first_second": int(frames.seq[0]),
            "seconds": len(frames),
            "samples": len(frames.code),
            "wall_utc": utc(wall_s),
        }
        return {"said": said, "raw": raw, "sha256": link(self._chunk_sha, canonical(said), raw)}

    def _link_events(self) -> list[dict[str, Any]]:
        out, sha = [], self._event_sha
        for number, waiting in enumerate(self._events, start=self._event):
            row = {"run_id": self.run_id, "event": number} | waiting.row
            out.append(row | {"previous_sha256": sha, "sha256": link(sha, canonical(row))})
            sha = out[-1]["sha256"]
        return out


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event that is not written yet, and whether it was made from frames."""

    row: dict[str, Any]
    derived: bool


def _event(run_id: int, event: Event, wall_s: float, who: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "second": event.seq,
        "elapsed_s": float(event.t_s),
        "wall_utc": utc(wall_s),
        "kind": event.kind,
        "who": who,
        "data_json": canonical(event.data),
    }


def chunks_of(db: Database, run_id: int) -> Iterator[Frames]:
    """Get a run's raw frames, chunk by chunk. Raise ``BadDatabase`` where the chain is broken."""
    for _, frames in boots_and_chunks_of(db, run_id):
        yield frames


def boots_and_chunks_of(db: Database, run_id: int) -> Iterator[tuple[str, Frames]]:
    """Get a run's raw frames, chunk by chunk, each with the boot whose clock they go by. Raises ``BadDatabase``."""
    for row in hash_chain.chunks(db, run_id):
        yield row["boot_id"], codec.decode(row["raw"])


def events_of(db: Database, run_id: int) -> Iterator[dict[str, Any]]:
    """Get the rows of a run's events, in order. Raise ``BadDatabase`` where the chain is broken."""
    return hash_chain.events(db, run_id)


def _second(run_id: int, row: Second, phase: str) -> dict[str, Any]:
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
