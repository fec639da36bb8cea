"""The journal: the one writer of a database, and the station's own log in it.

There is one writer: a lock beside the file says so. This module must never change or delete what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from calibration.certificate import Certificate, certificate_hash, to_toml
from edge import __version__
from edge.errors import DamagedDatabase
from edge.records.event import Event, StationEvent
from edge.records.run import RunKind, RunState
from edge.records.run_end import RunDamaged
from edge.standards.standard import Standard

from . import connection, hash_chain, two_chains, writer_lock, writing
from .commit_thread import CommitThread
from .connection import Database
from .hash_chain import ChainEnds
from .kept_run import KeptRun
from .linked_rows import linked_event
from .run_journal import RunJournal, Writing
from .stored_json import canonical
from .stored_rows import utc
from .two_chains import StoredRow

_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a run's chain starts from: what it is of, by whose rules, with which settings, and its second 0 in ns."""

    run_uid: str
    sample_id: str
    operator: str
    kind: RunKind
    standard: Standard
    certificate: Certificate | None
    settings: StoredRow
    t0_ns: int


class Journal:
    """The one writer of a database. Use it as a context manager.

    ``patience_s``: so long is a disk waited for that holds up a commit, in s, before measuring goes on meanwhile; None:
    for as long as it takes.
    """

    def __init__(self, path: Path, patience_s: float | None = None) -> None:
        writing.check_place(path)
        self.path = path
        self._file = path.resolve()  # a link is another name for the same database
        self._lock = writer_lock.take(self._file)
        try:
            self._connection = writing.WriterConnection(path, patience_s)
        except BaseException:
            writer_lock.drop(self._file, self._lock)
            raise

    @property
    def db(self) -> Database:
        """Get the database that is written to now."""
        return self._connection.db

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and give the lock back."""
        self._connection.close()
        writer_lock.drop(self._file, self._lock)

    def begin(self, header: RunHeader, how: Writing) -> RunJournal:
        """Open a run: what it is of, by whose rules and with which numbers. Committed at once."""
        certificate = header.certificate
        row: StoredRow = {
            "run_uid": header.run_uid,
            "sample_id": header.sample_id,
            "operator": header.operator,
            "kind": str(header.kind),
            "state": str(RunState.RUNNING),
            "started_utc": utc(how.wall_s),
            "standard_id": header.standard.id,
            "standard_toml": header.standard.text,
            "certificate_sha256": certificate_hash(certificate) if certificate else "",
            "settings_json": canonical(header.settings),
            "software_version": __version__,
            "t0_ns": header.t0_ns,
        }
        stored_certificate: StoredRow | None = None
        if certificate:
            stored_certificate = {
                "sha256": certificate_hash(certificate),
                "name": certificate.name,
                "made_at": certificate.made_at.isoformat(),
                "toml": to_toml(certificate),
            }
        self.require_own_file()
        with connection.translated_errors(self.path), self.db.atomic():
            if stored_certificate:
                self.db.table("certificates").insert(stored_certificate, ignore=True, pk="sha256")
            self.db.table("runs").insert(row, pk="run_id")
            row = {"run_id": self.db.execute("select last_insert_rowid()").fetchone()[0]} | row
            sha = hash_chain.header_sha256(row)
            self.db.execute("update runs set header_sha256 = ? where run_id = ?", [sha, row["run_id"]])
        ends = ChainEnds(0, 0, 1, sha)
        return RunJournal(self._connection, KeptRun(row | {"header_sha256": sha}, stored_certificate), ends, how)

    def go_on(self, run_id: int, how: Writing) -> RunJournal:
        """Open a run again that was being written when its writer stopped: its chain goes on where it ends.

        Whoever calls has found the chain to be whole (:mod:`edge.database.queries`).
        """
        with connection.translated_errors(self.path):
            kept = KeptRun.of(self.db, run_id)
            running = str(RunState.RUNNING)
            with self.db.atomic():  # whatever its state had become
                self.db.execute(
                    "update runs set state = ? where run_id = ? and state is not ?", [running, run_id, running]
                )
            return RunJournal(self._connection, kept, hash_chain.chain_ends(self.db, run_id), how)

    def log(self, event: StationEvent) -> None:
        """Write an event into the station's own chained log, for what happens where no run is measured."""
        self.require_own_file()
        last = self.db.execute("select event, sha256 from station_events order by event desc limit 1").fetchone()
        if last and not (isinstance(last[0], int) and isinstance(last[1], str) and last[0] < _LAST):
            raise DamagedDatabase(f"{self.path}: the station's log is damaged: restore it from a copy, or name another")
        number, sha = (last[0] + 1, last[1]) if last else (0, two_chains.STATION)
        row = {
            "event": number,
            "boot_id": event.boot_id,
            "uptime_s": round(event.uptime_s, 3),
            "wall_utc": utc(event.wall_s),
            "kind": str(event.what.kind),
            "who": event.who,
            "data_json": canonical(event.what.data()),
        }
        row |= {"previous_sha256": sha, "sha256": two_chains.link(sha, canonical(row))}
        with connection.translated_errors(self.path), self.db.atomic():
            self.db.table("station_events").insert(row)

    @property
    def commits(self) -> CommitThread:
        """Get who does the transactions: what is under way, and how long they took."""
        return self._connection.commits

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Wait for the disk for as long as it takes: for what nobody measures meanwhile."""
        commits = self._connection.commits
        patience_s, commits.patience_s = commits.patience_s, None
        try:
            commits.settle()
            yield
        finally:
            commits.patience_s = patience_s

    def simulate_disk(self, disk: writing.Disk) -> None:
        """Let the disk be full or read-only, for a simulated night."""
        self._connection.simulate_disk(disk)

    def end_damaged(self, run_id: int, why: str, wall_s: float) -> None:
        """End a run that cannot be gone on with, for what is stored of it. Its rows stay.

        Where the end of its chain can be found, a link says so too.
        """
        ended = [str(RunState.DAMAGED), utc(wall_s), why, run_id]
        with connection.translated_errors(self.path), self.db.atomic():
            with suppress(DamagedDatabase):
                ends = hash_chain.chain_ends(self.db, run_id)
                second, elapsed_s = _last_moment(self.db, run_id)
                event = Event(second, elapsed_s, RunDamaged(why))
                self.db.table("events").insert(linked_event(run_id, event, "instrument", wall_s, ends))
            self.db.execute("update runs set state = ?, ended_utc = ?, invalid_because = ? where run_id = ?", ended)

    def mark_done(self, run_id: int) -> None:
        """Say that a run has ended, where its result is stored."""
        with connection.translated_errors(self.path), self.db.atomic():
            self.db.execute("update runs set state = ? where run_id = ?", [str(RunState.DONE), run_id])

    def require_own_file(self) -> None:
        """Raise ``LostDatabase`` where the file was deleted, moved or replaced."""
        self._connection.require_own_file()

    @property
    def links(self) -> int:
        """Get how many names the file has: more than one is dangerous."""
        return self._connection.links

    def checkpoint(self) -> None:
        """Move what waits in the write-ahead log into the file, and empty the log where no reader holds it.

        It is done by whoever commits, and not waited for.
        """
        with connection.translated_errors(self.path):
            if self.commits.look():
                self.commits.do(self._connection.checkpoint, lambda: None, patience_s=0.0)

    def recover(self, wall_s: float, *, damaged: bool = False) -> Path | None:
        """Take a new connection, after a disk gave errors. Returns where another file went that had to go aside."""
        return self._connection.open_again(wall_s, damaged=damaged)


def _last_moment(db: Database, run_id: int) -> tuple[int, float]:
    """Get the second and the time in s of a run's newest event; zeros where they cannot be known."""
    sql = "select second, elapsed_s from events where run_id = ? order by event desc limit 1"
    found = db.execute(sql, [run_id]).fetchone()
    return found if found and isinstance(found[0], int) and isinstance(found[1], float) else (0, 0.0)
