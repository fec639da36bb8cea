"""One run being written: its raw samples first, then what was derived from them, and what happened.

A chunk of raw samples goes into the database before, and in the same transaction as, anything computed from it. Chunks
and events are links of one chain from the run's own header on, in the order of their commits; the last one says what
the result and the seconds hash to. This module must never change or delete what is stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.records.event import FROM_FRAMES, Event, EventKind
from edge.records.frame import Frames, join
from edge.records.result import Result, StopTold, as_json
from edge.records.run import RunState
from edge.records.run_end import RunEnded
from edge.records.second import Second

from . import codec, hash_chain
from .connection import Database, translated_errors
from .hash_chain import ChainEnds
from .kept_run import KeptRun
from .linked_rows import event_row, linked, linked_chunk, linked_event, second_row
from .outcome import RESULT_COLUMNS, newest_ended, sha256_of_text
from .queries import stops_told
from .seconds_hash import SecondsHash, stored_seconds_hash
from .stored_json import canonical
from .stored_rows import store_chunk, store_seconds, utc
from .two_chains import StoredRow
from .writing import WriterConnection

CHUNK_SECONDS = 3600  # a chunk is never longer
BY_OPERATOR = (EventKind.OPERATOR, EventKind.REFUSED)
"""Events of which the operator is the author, though frames make them."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes and how: by which boot's clock, from which wall time on, and after how many seconds it commits."""

    boot_id: str
    wall_s: float
    batch_s: int = 5


class RunJournal:
    """One run being written. Give it the raw frames first, then what was derived from them.

    Where the disk fails, what is waiting is kept, and :meth:`recover` tries again. ``kept`` is what is stored of the
    run, ``ends`` is where its chain goes on; ``lacks_seconds`` says that its file is a new one, without the rows of its
    seconds until then.
    """

    def __init__(self, connection: WriterConnection, kept: KeptRun, ends: ChainEnds, writing: Writing) -> None:
        self.run_id = kept.run_id
        self._kept = kept
        self._connection = connection
        self._boot_id = writing.boot_id
        self.forgetful = False
        self.lacks_seconds = False
        self._wall_s = writing.wall_s
        self._batch_s = writing.batch_s
        self._ends = ends
        self._seconds_hash = SecondsHash() if ends.link == 1 else None  # None: not known without reading them all
        self._frames: list[Frames] = []
        self._n_frames = 0
        self._seconds: list[StoredRow] = []
        self._events: list[_Waiting] = []

    @property
    def run_uid(self) -> str:
        """Get the run's own name: its number is another run's in another database."""
        return str(self._kept.header["run_uid"])

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
        self._seconds += [second_row(self.run_id, s, phase) for s, phase in zip(seconds, phases, strict=True)]
        for event in events:
            by = "operator" if event.kind in BY_OPERATOR else "instrument"
            self._events.append(_Waiting(event_row(self.run_id, event, wall_s, by), derived=True))
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
        self._events.append(_Waiting(event_row(self.run_id, event, wall_s, who), derived=False))
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
            written = _Written(self._ends)
            connection.commits.do(
                lambda: self._write(connection.db_of_commit, batch, written, wall_s),
                lambda: self._let_go_of(batch, written),
                patience_s=patience_s,
            )

    def _write(self, db: Database, batch: _Batch, written: _Written, wall_s: float) -> None:
        """Write a batch in one transaction, in the thread that commits: it changes but ``written``."""
        with translated_errors(self._connection.path), db.atomic():
            self._connection.require_no_trigger()
            for frames in _chunks(batch.frames):
                chunk = linked_chunk(self.run_id, frames, self._boot_id, wall_s, written.ends)
                store_chunk(db, chunk)
                written.add_chunk(chunk)
            store_seconds(db, batch.seconds)
            for waiting in batch.events:
                written.add_event(linked(waiting.row, written.ends))
            if written.events:
                db.table("events").insert_all(written.events)

    def _let_go_of(self, batch: _Batch, written: _Written) -> None:
        """Let go of what has been written: what came meanwhile is kept."""
        self._ends = written.ends
        if self._seconds_hash is not None:
            self._seconds_hash.add(batch.seconds)
        for chunk in written.chunks:
            self._kept.add_chunk(chunk)
        self._kept.add_events(written.events)
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
            if ends.link != self._ends.link:
                self._seconds_hash, self._kept = None, KeptRun.of(connection.db, self.run_id)
            if ends.chunk > self._ends.chunk:
                newest = connection.db.execute(
                    "select raw from chunks where run_id = ? order by chunk desc limit 1", [self.run_id]
                ).fetchone()
                self._keep_after(int(codec.decode(newest[0]).seq[-1]))
            if ends.event > self._ends.event:
                stored = connection.db.table("events").rows_where(
                    "run_id = ? and event >= ?", [self.run_id, self._ends.event], order_by="event"
                )
                for row in stored:
                    self._events = [e for e in self._events if e.row.items() - row.items()]
            self._ends = ends
        self.commit(wall_s)
        return aside

    def fill_in(self, seconds: Sequence[Second], phases: Sequence[str]) -> bool:
        """Write rows of seconds that a new file lacks; those that are there stay. False: the disk has no time now."""
        connection = self._connection
        with translated_errors(connection.path):
            if not connection.commits.look():
                return False
            rows = [second_row(self.run_id, s, phase) for s, phase in zip(seconds, phases, strict=True)]
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
        """Write the run's outcome, the columns of ``runs`` that it fills, and the link that says what they hash to.

        What was written though the disk said that it was not, is not written twice.
        """
        self.commit_all(wall_s)
        plain = as_json(result)
        text = canonical(plain)
        columns = {column: plain.get(field) for column, field in RESULT_COLUMNS.items()}
        with translated_errors(self._connection.path), self._connection.db.atomic():
            db, ends = self._connection.db, self._ends
            self._connection.require_no_trigger()
            ended = newest_ended(db, self.run_id)
            if ended is not None and ended.link == ends.link - 1 and ended.told.result_sha256 == sha256_of_text(text):
                return
            hashed = self._whole_seconds_hash(db)
            told = RunEnded(sha256_of_text(text), hashed.count, hashed.hexdigest())
            moment = Event(*self._last_moment(db), told)
            row = linked_event(self.run_id, moment, "instrument", wall_s, ends)
            db.table("events").insert(row)
            written = {"state": str(RunState.DONE), "ended_utc": utc(wall_s), "result_json": text, **columns}
            db.table("runs").update(self.run_id, written)
        self._ends = ChainEnds(ends.chunk, ends.event + 1, ends.link + 1, bytes.fromhex(row["sha256"]))
        self._kept.add_events([row])

    def _whole_seconds_hash(self, db: Database) -> SecondsHash:
        """Get the hash of the seconds that are stored: the one that went along, where it has seen them all."""
        (count,) = db.execute("select count(*) from seconds where run_id = ?", [self.run_id]).fetchone()
        if self._seconds_hash is None or self._seconds_hash.count != count:
            return stored_seconds_hash(db, self.run_id)
        return self._seconds_hash

    def _last_moment(self, db: Database) -> tuple[int, float]:
        """Get the run's newest second and its time in s; zeros where nothing was measured."""
        sql = "select second, elapsed_s from seconds where run_id = ? order by second desc limit 1"
        return db.execute(sql, [self.run_id]).fetchone() or (0, 0.0)


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


class _Written:
    """What a transaction has written, and where the chain ends with it."""

    def __init__(self, ends: ChainEnds) -> None:
        self.ends = ends
        self.chunks: list[StoredRow] = []
        self.events: list[StoredRow] = []

    def add_chunk(self, row: StoredRow) -> None:
        """Take a chunk that was linked."""
        self.chunks.append(row)
        self.ends = ChainEnds(self.ends.chunk + 1, self.ends.event, self.ends.link + 1, row["sha256"])

    def add_event(self, row: StoredRow) -> None:
        """Take an event that was linked."""
        self.events.append(row)
        sha = bytes.fromhex(row["sha256"])
        self.ends = ChainEnds(self.ends.chunk, self.ends.event + 1, self.ends.link + 1, sha)


def _fill_in(db: Database, rows: list[StoredRow]) -> None:
    with db.atomic():
        store_seconds(db, rows, missing=True)


def _nothing() -> None:
    """Do nothing."""


def _chunks(frames: Sequence[Frames]) -> Iterator[Frames]:
    """Get frames as chunks, none of them too long: more than one where a disk was away."""
    if frames:
        whole = join(frames)
        for start in range(0, len(whole), CHUNK_SECONDS):
            yield whole.cut(start, min(start + CHUNK_SECONDS, len(whole)))
