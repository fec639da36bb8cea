"""One run being written: its raw samples first, then what was derived from them, and what happened.

A chunk of raw samples goes into the database before, and in the same transaction as, anything computed from it. Chunks
and events are chained by hash from the run's own header on. This module must never change or delete what is stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.records.event import FROM_FRAMES, Event, EventKind
from edge.records.formatting import known
from edge.records.frame import Frames, join
from edge.records.result import Result, StopTold, as_json
from edge.records.run import RunState
from edge.records.second import Second
from hw.protocols import Status

from . import codec, hash_chain
from .connection import Database, translated_errors
from .hash_chain import StoredRow, canonical, link, stored_chunk, utc
from .kept_run import KeptRun
from .queries import stops_told
from .writing import WriterConnection

CHUNK_SECONDS = 3600  # a chunk is never longer
BY_OPERATOR = (EventKind.OPERATOR, EventKind.REFUSED)
"""Events of which the operator is the author, though frames make them."""

RESULT_COLUMNS = {
    "verdict": "verdict",
    "invalid_because": "invalid_because",
    "loss_pct": "loss_pct",
    "standard_uncertainty_pct": "u_pct",
    "expanded_uncertainty_pct": "U_pct",
    "coverage_factor_k": "k",
    "conformance_probability": "pc",
    "limit_pct": "limit_pct",
    "m1_g": "m1_g",
    "m2_g": "m2_g",
    "hold_s": "hold_s",
    "true_loss_pct": "true_loss_pct",
}
"""Columns of ``runs`` and the field of the result that fills each."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes and how: by which boot's clock, from which wall time on, and after how many seconds it commits."""

    boot_id: str
    wall_s: float
    batch_s: int = 5


class RunJournal:
    """One run being written. Give it the raw frames first, then what was derived from them.

    Where the disk fails, what is waiting is kept, and :meth:`recover` tries again. ``kept`` is what is stored of the
    run, ``ends`` are the next numbers of its two chains and the hashes that they follow; ``lacks_seconds`` says that
    its file is a new one, without the rows of its seconds until then.
    """

    def __init__(
        self, connection: WriterConnection, kept: KeptRun, ends: dict[str, tuple[int, str]], writing: Writing
    ) -> None:
        self.run_id = kept.run_id
        self._kept = kept
        self._connection = connection
        self._boot_id = writing.boot_id
        self.forgetful = False
        self.lacks_seconds = False
        self._wall_s = writing.wall_s
        self._batch_s = writing.batch_s
        self._ends = _Ends(*ends["chunk"], *ends["event"])
        self._frames: list[Frames] = []
        self._n_frames = 0
        self._seconds: list[StoredRow] = []
        self._events: list[_Waiting] = []

    @property
    def db(self) -> Database:
        """Get the database that is written to now."""
        return self._connection.db

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

    def derived(self, seconds: Sequence[Second], phases: Sequence[str], events: Sequence[Event], wall_s: float) -> None:
        """Take what the fold and the phases made of the frames; commit if it is time or anything happened."""
        self._wall_s = wall_s
        if self.forgetful:
            return
        self._seconds += [_second(self.run_id, s, phase) for s, phase in zip(seconds, phases, strict=True)]
        for event in events:
            by = "operator" if event.kind in BY_OPERATOR else "instrument"
            self._events.append(_Waiting(_event(self.run_id, event, wall_s, by), derived=True))
        if events or self._n_frames >= self._batch_s:
            self.commit(wall_s, patience_s=0.0)

    def catch_up(
        self, seconds: Sequence[Second], phases: Sequence[str], events: Sequence[Event], wall_s: float
    ) -> None:
        """Write what a run's stored frames make and is not stored: all seconds and ``events`` from its start on."""
        db, run = self._connection.db, [self.run_id]
        newest = db.execute("select max(second) from seconds where run_id = ?", run).fetchone()[0]
        kinds = db.execute("select kind from events where run_id = ?", run).fetchall()
        start = 0 if newest is None else bisect_right([s.seq for s in seconds], newest)
        stored = sum(kind in FROM_FRAMES for (kind,) in kinds)
        self.derived(seconds[start:], phases[start:], events[stored:], wall_s)

    def stops(self) -> tuple[StopTold, ...]:
        """Get the times in which nothing was measured because the process or the machine had stopped.

        Raises ``StorageSlow`` where the disk still holds up a commit, for then they are not all there.
        """
        self._all_written()
        return stops_told(self._connection.db, self.run_id)

    def log_event(self, event: Event, who: str, wall_s: float) -> None:
        """Take one event that no frame made, and commit at once."""
        if event.kind in FROM_FRAMES:
            raise ValueError(f"an event of kind {event.kind} is made from frames")
        self._events.append(_Waiting(_event(self.run_id, event, wall_s, who), derived=False))
        self.commit(wall_s)

    def commit(self, wall_s: float, *, patience_s: float | None = None) -> None:
        """Write what is waiting, in one transaction, raw samples first. Where that fails, it goes on waiting.

        It is waited for as long as the connection has patience, or ``patience_s`` where that is less. Where the disk
        holds it up for longer, it goes on by itself, and what comes meanwhile goes with the next one.
        """
        connection = self._connection
        with translated_errors(connection.path):
            if not connection.commits.look():
                return  # the disk holds up the one before: this one goes with the next
            connection.require_own_file()
            batch = _Batch(tuple(self._frames), tuple(self._seconds), tuple(self._events))
            ends, rows = replace(self._ends), _Rows([], [])
            connection.commits.do(
                lambda: self._write(connection.db_of_commit, batch, ends, rows, wall_s),
                lambda: self._written(batch, ends, rows),
                patience_s=patience_s,
            )

    def _write(self, db: Database, batch: _Batch, ends: _Ends, rows: _Rows, wall_s: float) -> None:
        """Write a batch in one transaction, in the thread that commits: it changes but ``ends`` and ``rows``."""
        with translated_errors(self._connection.path), db.atomic():
            self._connection.require_no_trigger()
            for frames in _chunks(batch.frames):
                chunk = self._link_chunk(frames, ends, wall_s)
                db.table("chunks").insert(stored_chunk(db, **chunk))
                rows.chunks.append(chunk)
                ends.chunk, ends.chunk_sha = ends.chunk + 1, chunk["sha256"]
            if batch.seconds:
                db.table("seconds").insert_all(batch.seconds)
            if batch.events:
                events = self._link_events(batch.events, ends)
                db.table("events").insert_all(events)
                rows.events.extend(events)
                ends.event, ends.event_sha = ends.event + len(events), events[-1]["sha256"]

    def _written(self, batch: _Batch, ends: _Ends, rows: _Rows) -> None:
        """Let go of what has been written: what came meanwhile is kept."""
        self._ends = ends
        for chunk in rows.chunks:
            self._kept.add_chunk(**chunk)
        self._kept.add_events(rows.events)
        if batch.frames:
            self._let_go(int(batch.frames[-1].seq[-1]))
        seconds, events = set(map(id, batch.seconds)), set(map(id, batch.events))
        self._seconds = [s for s in self._seconds if id(s) not in seconds]
        self._events = [e for e in self._events if id(e) not in events]

    def commit_all(self, wall_s: float) -> None:
        """Write all that waits. Raises ``StorageSlow`` where that takes too long, else as :meth:`commit`."""
        self._wall_s = wall_s
        self._all_written()

    def _all_written(self) -> None:
        """Write what is waiting. Raises ``StorageSlow`` where the disk holds that up, and as :meth:`commit`."""
        while self._frames or self._seconds or self._events:
            self.commit(self._wall_s)
            with translated_errors(self._connection.path):
                self._connection.commits.settle()

    def recover(self, wall_s: float, *, damaged: bool = False) -> Path | None:
        """Try again, on a new connection, to write what is waiting. Raises as :meth:`commit` does.

        What was written though the disk said that it was not, is found and not written twice. Where the file is another
        (lost, or ``damaged`` and put aside), all that was ever committed of the run is written into it first, but for
        the rows of seconds: :meth:`fill_in` takes those. Returns where a file went that had to go aside.
        """
        connection = self._connection
        with translated_errors(connection.path):
            aside = connection.open_again(wall_s, damaged=damaged)
            if not self._kept.is_in(connection.db):
                self._kept.write(connection.db)
                self.lacks_seconds = True
            ends = hash_chain.chain_ends(connection.db, self.run_id)
            if ends["chunk"][0] > self._ends.chunk:
                newest = connection.db.execute(
                    "select raw from chunks where run_id = ? order by chunk desc limit 1", [self.run_id]
                ).fetchone()
                self._keep_after(int(codec.decode(newest[0]).seq[-1]))
            if ends["event"][0] > self._ends.event:
                stored = connection.db.table("events").rows_where(
                    "run_id = ? and event >= ?", [self.run_id, self._ends.event], order_by="event"
                )
                for row in stored:
                    self._events = [e for e in self._events if e.row.items() - row.items()]
            self._ends = _Ends(*ends["chunk"], *ends["event"])
        self.commit(wall_s)
        return aside

    def fill_in(self, seconds: Sequence[Second], phases: Sequence[str]) -> bool:
        """Write rows of seconds that a new file lacks; those that are there stay. False: the disk has no time now."""
        connection = self._connection
        with translated_errors(connection.path):
            if not connection.commits.look():
                return False
            rows = [_second(self.run_id, s, phase) for s, phase in zip(seconds, phases, strict=True)]
            connection.commits.do(lambda: _fill_in(connection.db_of_commit, rows), _nothing, patience_s=0.0)
        return True

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
        self._let_go(seq)
        self._seconds = [s for s in self._seconds if s["second"] >= seq]  # the row of a second comes a frame late

    def _let_go(self, seq: int) -> None:
        """Let go of frames up to second ``seq``."""
        kept = []
        for frames in self._frames:
            after = int(np.searchsorted(frames.seq, seq, side="right"))
            if after < len(frames):
                kept.append(frames.cut(after, len(frames)) if after else frames)
        self._frames, self._n_frames = kept, sum(map(len, kept))

    def save_result(self, result: Result, wall_s: float) -> None:
        """Write the run's outcome, and the columns of ``runs`` that it fills."""
        self.commit_all(wall_s)
        plain = as_json(result)
        columns = {column: plain.get(field) for column, field in RESULT_COLUMNS.items()}
        row = {"state": str(RunState.DONE), "ended_utc": utc(wall_s), "result_json": canonical(plain), **columns}
        with translated_errors(self._connection.path), self._connection.db.atomic():
            self._connection.require_no_trigger()
            self._connection.db.table("runs").update(self.run_id, row)

    def _link_chunk(self, frames: Frames, ends: _Ends, wall_s: float) -> StoredRow:
        raw = codec.encode(frames)
        said = {
            "run_id": self.run_id,
            "chunk": ends.chunk,
            "boot_id": self._boot_id,
            "first_second": int(frames.seq[0]),
            "seconds": len(frames),
            "samples": len(frames.code),
            "wall_utc": utc(wall_s),
        }
        return {"said": said, "raw": raw, "sha256": link(ends.chunk_sha, canonical(said), raw)}

    def _link_events(self, events: Sequence[_Waiting], ends: _Ends) -> list[StoredRow]:
        out: list[StoredRow] = []
        sha = ends.event_sha
        for number, waiting in enumerate(events, start=ends.event):
            row = {"run_id": self.run_id, "event": number} | waiting.row
            following = link(sha, canonical(row))
            out.append(row | {"previous_sha256": sha, "sha256": following})
            sha = following
        return out


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event that is not written yet, and whether it was made from frames."""

    row: StoredRow
    derived: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """What goes into one transaction."""

    frames: tuple[Frames, ...]
    seconds: tuple[StoredRow, ...]
    events: tuple[_Waiting, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a transaction has written of the two chains."""

    chunks: list[StoredRow]
    events: list[StoredRow]


@dataclass(slots=True)
class _Ends:
    """The next numbers of the two chains, and the hashes that they follow."""

    chunk: int
    chunk_sha: str
    event: int
    event_sha: str


def _fill_in(db: Database, rows: list[StoredRow]) -> None:
    with db.atomic():
        db.table("seconds").insert_all(rows, ignore=True)


def _nothing() -> None:
    """Do nothing."""


def _chunks(frames: Sequence[Frames]) -> Iterator[Frames]:
    """Get frames as chunks, none of them too long: more than one where a disk was away."""
    if frames:
        whole = join(frames)
        for start in range(0, len(whole), CHUNK_SECONDS):
            yield whole.cut(start, min(start + CHUNK_SECONDS, len(whole)))


def _event(run_id: int, event: Event, wall_s: float, who: str) -> StoredRow:
    return {
        "run_id": run_id,
        "second": event.seq,
        "elapsed_s": float(event.t_s),
        "wall_utc": utc(wall_s),
        "kind": str(event.kind),
        "who": who,
        "data_json": canonical(event.what.data()),
    }


def _second(run_id: int, row: Second, phase: str) -> StoredRow:
    because = [s.name.lower() for s in Status if s and row.bad_mask >> s & 1]
    return {
        "run_id": run_id,
        "second": row.seq,
        "elapsed_s": row.t_s,
        "phase": phase,
        "mass_g": known(row.mass_g),
        "sd_g": known(row.sd_g),
        "temp_c": known(row.temp_c),
        "cell_temp_c": known(row.cell_temp_c),
        "pressure_pa": known(row.pressure_pa),
        "qualified": row.qualified,
        "hold_s": row.hold_s,
        "loss_pct": known(row.loss_pct),
        "drift_g_per_h": known(row.drift_g_per_h),
        "zero_code": known(row.zero_code),
        "samples_ok": row.n_ok,
        "samples_bad": row.n_bad,
        "samples_spike": row.n_spike,
        "bad_because": ", ".join(because),
    }
