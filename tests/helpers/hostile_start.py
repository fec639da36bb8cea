"""A station that is killed in a run, what becomes of its database, and the start after that.

The world (rig, chips, clock) is measured once; each start happens in a child that is forked from there, so that it goes
on where the killed one ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from attacked import Ended, forked
from hostile_databases import one_change
from simulated_service import settings
from sqlite_utils import Database

from edge.control.protocol import Request
from edge.database import hash_chain
from edge.database.journal import Journal
from edge.database.stored_json import canonical
from edge.database.stored_rows import chunk_rows, event_rows
from edge.instrument.config import Config
from edge.simulate.instrument import Simulated, build
from edge.simulate.operator import SimulatedOperator
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import Connections, Service, open_writer, warm_up

SECONDS_BEFORE = 130
FRAMES_AFTER = 4
NAME = "halfpercent.db"


@dataclass
class StopsAfter:
    """In the control socket's place: it is asked at each look, and has the service stop after so many seconds."""

    frames: int
    service: Service | None = field(default=None)

    def open(self) -> None:
        """Open nothing."""

    def close(self) -> None:
        """Close nothing."""

    def poll(self, _handle: Callable[[Request], object]) -> None:
        """Look how far it is."""
        assert self.service is not None
        if self.service.station.good_frames >= self.frames:
            self.service.stop()


@dataclass(frozen=True)
class Killed:
    """A station as it was killed: the world as it is, the settings, and the bytes of its database."""

    simulated: Simulated
    config: Config
    database: bytes

    def started(self, folder: Path, spoil: Callable[[Path], None]) -> Started:
        """Let ``spoil`` do something to the database in ``folder``, then start the station on it, in a child."""
        path = folder / NAME
        path.write_bytes(self.database)
        spoilt = forked(lambda: spoil(path), cpu_s=60)  # what that takes is not counted for the start
        assert spoilt.status == 0, spoilt.err
        before = _chunks(path)
        data = _digest(path)
        ended = forked(lambda: self._start(path), cpu_s=60)
        aside = [p for p in folder.iterdir() if p.name.startswith(f"{NAME}.") and not p.name.endswith(("-wal", "-shm"))]
        # The station's own log may have got a line before the damage showed: then each chunk must be there still.
        whole = any(data is not None and _digest(p) == data for p in aside)
        there = set().union(_chunks(path), *map(_chunks, aside))
        kept = whole or (before <= there and (bool(before) or not aside))
        return Started(ended, bool(aside), kept, _states(path))

    def _start(self, path: Path) -> None:
        clock = self.simulated.clock
        writer, _ = open_writer(path, self.config, clock, put_aside=True)
        stops = StopsAfter(FRAMES_AFTER)
        with writer.journal:
            connections = Connections(stops)  # type: ignore[arg-type]  # as much of a socket as is asked for
            service = Service(self.config, self.simulated.instrument, writer, clock, connections)
            stops.service = service
            with service:
                service.run()
            station = service.station
            print(f"measured {station.good_frames} alarms {[str(a.alarm) for a in station.alarms.standing]}")


@dataclass(frozen=True)
class Started:
    """What a start came to: ``kept`` says that what was stored is there still, ``states`` those of the runs now."""

    ended: Ended
    put_aside: bool
    kept: bool
    states: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Say whether the station measured."""
        found = re.search(r"measured (\d+)", self.ended.out)
        return self.ended.status == 0 and found is not None and int(found[1]) >= FRAMES_AFTER

    @property
    def as_promised(self) -> bool:
        """Say whether it measured, said what it could not go on with, and left no run that nobody measures."""
        silent = (self.put_aside or "damaged" in self.states) and not self.alarmed
        known = all(state in ("running", "done", "damaged") for state in self.states)
        return self.measured and not silent and known and "running" not in self.states[:-1]

    @property
    def alarmed(self) -> bool:
        """Say whether the alarm ``storage`` stands."""
        return "'storage'" in self.ended.out


def killed_in_a_run(folder: Path, seed: int = 1) -> Killed:
    """Measure an aborted run and the beginning of another, and stop as a killed process does: nothing is closed."""
    simulated = build("solid", "nau7802", seed, looks=1)
    config = settings(folder, simulated)
    path = folder / NAME
    operator = SimulatedOperator(simulated.rig)
    warm_up()
    journal = Journal(path)
    stops = StopsAfter(5)
    writer = RetryingWriter(journal, simulated.clock, 5)
    service = Service(config, simulated.instrument, writer, simulated.clock, Connections(stops))  # type: ignore[arg-type]
    stops.service = service
    with service:
        simulated.instrument.open()
        for sample in ("first", "second"):
            service.handle(Request("start", {"sample": sample, "operator": "Ada", "note": "\u3000 ü"}, "ada"))
            end_ns = simulated.clock.now_ns() + SECONDS_BEFORE * 10**9
            service.station.run(lambda end_ns=end_ns: simulated.clock.now_ns() < end_ns, words=operator.words)
            if sample == "first":
                service.handle(Request("abort", {}, "ada"))
                service.station.run(lambda: service.station.live is not None)
        journal.db.execute("pragma wal_checkpoint(truncate)")
        database = path.read_bytes()
    simulated.instrument.close()
    journal.close()
    return Killed(simulated, config, database)


def _digest(path: Path) -> bytes | None:
    """Get what tells a file's bytes from others'; held whole they would count for the start, which is forked."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _chunks(path: Path) -> set[tuple[object, ...]]:
    if not path.is_file() or path.with_name(f"{path.name}-journal").is_fifo():  # it would be waited for, for ever
        return set()
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("select run_id, chunk, sha256, raw from chunks")
            return {(*row, hashlib.sha256(raw).digest() if isinstance(raw, bytes) else raw) for *row, raw in rows}
    except (sqlite3.Error, OSError, UnicodeError):
        return set()


def _states(path: Path) -> tuple[str, ...]:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            return tuple(str(state) for (state,) in db.execute("select state from runs order by run_id"))
    except (sqlite3.Error, OSError, UnicodeError):
        return ()


# what becomes of a file


def bit_flip(random_: random.Random) -> Callable[[Path], None]:
    """One bit, anywhere."""

    def spoil(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        path.write_bytes(data)

    return spoil


def truncated(random_: random.Random) -> Callable[[Path], None]:
    """Cut off, at a page or anywhere."""

    def spoil(path: Path) -> None:
        size = path.stat().st_size
        at = random_.randrange(size)
        os.truncate(path, at - at % 4096 if random_.random() < 0.5 else at)

    return spoil


def zeroed(random_: random.Random) -> Callable[[Path], None]:
    """Some pages are zeros, or what was there at another place."""

    def spoil(path: Path) -> None:
        data = bytearray(path.read_bytes())
        pages = len(data) // 4096
        for _ in range(random_.choice((1, 2, 8))):
            at = random_.randrange(pages) * 4096
            other = random_.randrange(pages) * 4096
            data[at : at + 4096] = bytes(4096) if random_.random() < 0.7 else data[other : other + 4096]
        path.write_bytes(data)

    return spoil


def one_value(random_: random.Random) -> Callable[[Path], None]:
    """A value of a sound database is another: of another type, length, or with a bit flipped in its text."""

    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            table = random_.choice(("runs", "chunks", "events", "station_events", "boots", "certificates", "seconds"))
            columns = [row[1] for row in db.execute(f"pragma table_info({table})")]
            column = random_.choice(columns)
            rows = db.execute(f"select count(*) from {table}").fetchone()[0]
            where = f"(select {columns[0]}, {columns[1]} from {table} limit 1 offset {random_.randrange(max(1, rows))})"
            value = random_.choice(
                (
                    None,
                    "",
                    "x",
                    "{}",
                    "[]",
                    "[" * 5000,
                    "null",
                    0,
                    -1,
                    2**62,
                    1e308,
                    b"",
                    b"\xff" * 40,
                    "running",
                    "1" * 300,
                )
            )
            with contextlib.suppress(sqlite3.Error):
                db.execute(f"update {table} set {column} = ? where ({columns[0]}, {columns[1]}) = {where}", [value])

    return spoil


def forged(random_: random.Random) -> Callable[[Path], None]:
    """Settings, a command, a time or raw samples of the run are others, and its chain is made anew to fit."""

    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for _ in range(random_.choice((1, 2, 4))):
                _forge(db, random_)
            _relink(Database(db, execute_plugins=False))

    return spoil


def _forge(db: sqlite3.Connection, random_: random.Random) -> None:
    match random_.randrange(6):
        case 0 | 1:
            (text,) = db.execute("select settings_json from runs where run_id = 2").fetchone()
            plain = json.loads(text)
            one_change(plain, random_)
            db.execute("update runs set settings_json = ? where run_id = 2", [canonical_or(plain, text)])
        case 2:
            rows = db.execute("select event, data_json from events where run_id = 2").fetchall()
            event, text = random_.choice(rows)
            plain = json.loads(text)
            one_change(plain, random_)
            put = [canonical_or(plain, text), random_.choice((event, event, -1, 2**40)), event]
            db.execute("update events set data_json = ?, second = ? where run_id = 2 and event = ?", put)
        case 3:
            value = random_.choice((0, -1, 2**62, -(2**62), 7))
            db.execute("update runs set t0_ns = ? where run_id = 2", [value])
        case 4:
            chunk = random_.randrange(20)
            raw = random_.choice((b"", b"\x02", random_.randbytes(60), bytes(500), zlib.compress(bytes(4_000_000))))
            db.execute("update chunks set raw = ? where run_id = 2 and chunk = ?", [raw, chunk])
        case _:
            column = random_.choice(("standard_toml", "kind", "operator", "certificate_sha256", "run_uid"))
            value = random_.choice(("", "x", "[" * 3000, "limit_pct = 0.5", "blank", "\x1b[2J"))
            db.execute(f"update runs set {column} = ? where run_id = 2", [value])


def canonical_or(plain: object, text: str) -> str:
    """Get JSON as it is hashed, or the old one where it cannot be written."""
    try:
        return canonical(plain)
    except (ValueError, RecursionError):
        return text


def _relink(db: Database) -> None:
    try:
        sha = hash_chain.header_sha256(hash_chain.stored_header(db, 2))
        db.execute("update runs set header_sha256 = ? where run_id = 2", [sha])
        rows = [("chunks", row) for row in chunk_rows(db, 2)] + [("events", row) for row in event_rows(db, 2)]
        for table, row in sorted(rows, key=lambda found: found[1]["link"]):
            previous, sha = sha, hash_chain.link_sha256(sha, row, table)
            if table == "chunks":
                db.execute("update chunks set sha256 = ? where run_id = 2 and chunk = ?", [sha, row["chunk"]])
            else:
                put = [previous.hex(), sha.hex(), row["event"]]
                db.execute("update events set previous_sha256 = ?, sha256 = ? where run_id = 2 and event = ?", put)
    except (TypeError, ValueError, RecursionError):
        pass  # it stays broken


def foreign(random_: random.Random) -> Callable[[Path], None]:
    """Something in its schema is not ours, or it is not ours at all."""
    sql = random_.choice(
        (
            "create trigger t after insert on chunks begin delete from chunks; end",
            "create trigger t after update on runs begin update runs set verdict = 'PASS'; end",
            "create view v as select 1",
            "create index i on events (kind)",
            "create table t (x)",
            "drop table boots",
            "drop table seconds",
            "alter table runs rename to r",
            "pragma user_version = 99",
            "pragma application_id = 1",
            "drop view what_happened_when",
        )
    )

    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(sql)

    return spoil
