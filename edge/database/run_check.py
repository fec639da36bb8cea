"""Is what is stored of a run what its chain says: the first thing that differs, and how far the chain reaches.

The full check follows every link and hashes the seconds again; the quick one reads no frame and no second (what each
of them proves is in docs/evidence.md). Neither computes a number of the result anew: that is verification. This module
must never write, and never call a run sound of which it has not seen what it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec
from sqlite_utils import Database

from calibration.certificate import certificate_hash
from calibration.certificate import loads as loads_certificate
from edge.errors import BadDatabase, BrokenChain, HalfpercentError
from edge.records.event import EventKind
from edge.records.run import RunState
from edge.records.run_end import ChainJoined, ResultAmended, RunDamaged, RunEnded

from . import hash_chain
from .outcome import OUTCOME, RESULT_COLUMNS, outcome_sha256, sha256_of_text
from .seconds_hash import stored_seconds_hash
from .stored_json import decoded
from .stored_rows import as_hex
from .two_chains import StoredRow

CHECK_CPU_S = 60.0
"""Processor time for all of a run, or for a page of runs: 0.4 s here for six hours, some four on an old Pi."""


class Covered(StrEnum):
    """What the head of a run's chain commits to."""

    HEADER = "header"
    FRAMES = "frames"
    EVENTS = "events"
    RESULT = "result"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of a run's chain: its hash, how many links there are with the header's, and what they cover.

    ``first_sha256`` is link 0, the header's. Hashes are in hexadecimal.
    """

    run_id: int
    run_uid: str
    links: int
    first_sha256: str
    sha256: str
    covers: frozenset[Covered]


@dataclass(frozen=True, slots=True)
class Altered:
    """The first thing of a run that is not as its chain says: in which table, which row, and what."""

    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.table}, {self.row}: {self.what}"


def run_head(db: Database, run_id: int) -> Head:
    """Get the head of a run's chain as it is stored; :func:`check_run` says whether the chain holds.

    Raises ``BadDatabase`` where there is no such run, or where it was recorded before schema 3 and nothing has migrated
    its database.
    """
    header = hash_chain.stored_header(db, run_id)
    if header["header_sha256"] is None:
        raise BadDatabase(
            f"run {run_id}: was recorded before schema 3, and its chains are not joined yet: any command that writes "
            "into its database does that, such as halfpercent run"
        )
    ends = hash_chain.chain_ends(db, run_id)
    covers = {Covered.HEADER, Covered.FRAMES, Covered.EVENTS}
    sql = "select 1 from events where run_id = ? and kind = ? limit 1"
    if db.execute(sql, [run_id, str(EventKind.ENDED)]).fetchone() is not None:
        covers |= {Covered.RESULT, Covered.SECONDS}
    first = header["header_sha256"]
    return Head(
        run_id=run_id,
        run_uid=str(header["run_uid"]),
        links=ends.link,
        first_sha256=first.hex() if isinstance(first, bytes) else "",
        sha256=ends.sha256.hex(),
        covers=frozenset(covers),
    )


def not_in_chain(db: Database, run_id: int) -> str | None:
    """Get what of an ended run is in no chain, in words; None where its result and its seconds are.

    Raises ``BadDatabase`` where there is no such run.
    """
    hash_chain.stored_header(db, run_id)
    sql = "select count(*) from events where run_id = ? and kind = ?"
    if db.execute(sql, [run_id, str(EventKind.ENDED)]).fetchone()[0]:
        return None
    return "its result and its seconds, recorded before schema 3"


def check_run(db: Database, run_id: int, *, full: bool, sealed: Head | None = None) -> Altered | None:
    """Get the first thing of a run that is not as its chain says; None where there is none.

    ``sealed`` is a head that somebody kept: the run must still have that link. Raises ``BadDatabase`` where there is no
    such run; SQLite's own errors come out.
    """
    with _one_moment(db):
        try:
            return next(_differences(db, run_id, full=full, sealed=sealed), None)
        except BrokenChain as e:
            return Altered(e.table, e.row, e.why)


@contextmanager
def _one_moment(db: Database) -> Iterator[None]:
    """Read all of it as it is in one moment, whoever writes meanwhile."""
    if db.conn.in_transaction:
        yield
        return
    db.execute("begin")
    try:
        yield
    finally:
        db.conn.rollback()


@dataclass
class _Said:
    """What a run's links say of its end, and where a sealed link is."""

    links: int = 1
    events: int = 0
    frames_s: int = 0
    joined: tuple[StoredRow, ChainJoined] | None = None
    ended: tuple[StoredRow, RunEnded] | None = None
    damaged: tuple[StoredRow, RunDamaged] | None = None
    resumed_after: bool = False
    hashes: dict[int, str] = field(default_factory=dict)

    def take(self, row: StoredRow, run_id: int) -> None:
        """Take an event. Raises ``BrokenChain`` where it says what was never written."""
        self.events += 1
        kind = row["kind"]
        try:
            if kind == EventKind.JOINED:
                self.joined = row, msgspec.convert(decoded(row["data_json"]), ChainJoined)
            elif kind == EventKind.ENDED:
                self.ended, self.resumed_after = (row, msgspec.convert(decoded(row["data_json"]), RunEnded)), False
            elif kind == EventKind.AMENDED:
                self._amend(msgspec.convert(decoded(row["data_json"]), ResultAmended))
            elif kind == EventKind.DAMAGED:
                self.damaged, self.resumed_after = (row, msgspec.convert(decoded(row["data_json"]), RunDamaged)), False
            elif kind == EventKind.RESUMED:
                self.resumed_after = True
        except (TypeError, ValueError, RecursionError) as e:
            raise BrokenChain("events", f"run {run_id}, event {row['event']}", "says what was never written") from e

    def _amend(self, told: ResultAmended) -> None:
        """Take an amended result instead of the one that it names. Raises ``ValueError`` where that is another."""
        if self.ended is None or told.was_sha256 != self.ended[1].result_sha256:
            raise ValueError("amends another result")
        if sha256_of_text(told.was_json) != told.was_sha256:
            raise ValueError("the result that it amends is another")
        self.ended = (self.ended[0], replace(self.ended[1], result_sha256=told.result_sha256))


def _differences(db: Database, run_id: int, *, full: bool, sealed: Head | None) -> Iterator[Altered]:
    said = _followed(db, run_id, sealed) if full else _skimmed(db, run_id, sealed)
    if sealed is not None:
        yield from _other_than_sealed(run_id, said, sealed)
    yield from _outcome_differs(db, run_id, said)
    if full:
        yield from _certificate_differs(db, run_id)
        yield from _seconds_differ(db, run_id, said)


def _followed(db: Database, run_id: int, sealed: Head | None) -> _Said:
    said = _Said()
    for link in hash_chain.follow(db, run_id):
        if link.table == "events":
            said.take(link.row, run_id)
        elif isinstance(link.row["seconds"], int):
            said.frames_s += link.row["seconds"]
        if link.number is not None:
            said.links = link.number + 1
            if sealed is not None and said.links == sealed.links:
                said.hashes[said.links] = link.row["sha256"]
    if sealed is not None and sealed.links == 1:
        said.hashes[1] = hash_chain.stored_header(db, run_id)["header_sha256"].hex()
    return said


def _skimmed(db: Database, run_id: int, sealed: Head | None) -> _Said:
    """Take what the events say, each by its own hash, and hold them against the newest chunk and all numbers."""
    said = _Said()
    newest: StoredRow | None = None
    for row in hash_chain.events(db, run_id):
        said.take(row, run_id)
        newest = row
    ends = hash_chain.chain_ends(db, run_id) if _is_linked(db, run_id) else None
    if ends is None:
        return said
    said.links = ends.link
    before = 0 if said.joined is None else said.joined[1].chunks + said.joined[1].events
    if (counted := ends.chunk + ends.event - before) != ends.link - 1:
        raise BrokenChain("chunks", f"run {run_id}", f"{counted} of {ends.link - 1} links are there")
    sql = "select link, sha256 from chunks where run_id = ? order by chunk desc limit 1"
    chunk = db.execute(sql, [run_id]).fetchone()
    if newest is not None and chunk is not None:
        adjoins = chunk[0] == newest["link"] - 1
        if adjoins and newest["previous_sha256"] != as_hex(chunk[1]):
            raise BrokenChain("chunks", f"run {run_id}, its last chunk")
    if sealed is not None:
        said.hashes |= _stored_hash(db, run_id, sealed.links)
    return said


def _is_linked(db: Database, run_id: int) -> bool:
    return hash_chain.stored_header(db, run_id)["header_sha256"] is not None


def _stored_hash(db: Database, run_id: int, links: int) -> dict[int, str]:
    """Get the stored hash of the last of so many links, by their number; nothing where there is none."""
    if links == 1:
        header = hash_chain.stored_header(db, run_id)["header_sha256"]
        return {1: header.hex()}
    for table in ("events", "chunks"):
        sql = f"select sha256 from {table} where run_id = ? and link = ?"
        if (found := db.execute(sql, [run_id, links - 1]).fetchone()) is not None:
            return {links: found[0].hex() if isinstance(found[0], bytes) else str(found[0])}
    return {}


def _other_than_sealed(run_id: int, said: _Said, sealed: Head) -> Iterator[Altered]:
    if said.links < sealed.links:
        yield Altered("events", f"run {run_id}", f"its end is missing: {said.links} links of {sealed.links} are there")
    elif said.hashes.get(sealed.links) != sealed.sha256:
        yield Altered("events", f"run {run_id}, link {sealed.links - 1}", "is another than was sealed")


def _outcome_differs(db: Database, run_id: int, said: _Said) -> Iterator[Altered]:
    row = next(db.query(f"select {', '.join(OUTCOME)} from runs where run_id = ?", [run_id]))
    where = f"run {run_id}"
    if said.ended is not None:
        event, told = said.ended
        text = row["result_json"]
        if not isinstance(text, str) or sha256_of_text(text) != told.result_sha256:
            what = "is missing" if text is None else "is not the one that its chain states"
            yield Altered("runs", where, f"its result {what}")
            return
        yield from _columns_differ(row, text, where)
        expected = {"ended_utc": event["wall_utc"]}
        if not said.resumed_after:
            expected["state"] = str(RunState.DONE)
    elif said.damaged is not None and not said.resumed_after:
        event, ended = said.damaged
        nothing = dict.fromkeys(OUTCOME)
        expected = nothing | {
            "state": str(RunState.DAMAGED), "ended_utc": event["wall_utc"], "invalid_because": ended.why
        }  # fmt: skip
    elif said.joined is not None and not said.resumed_after:
        if outcome_sha256(row) != said.joined[1].outcome_sha256:
            yield Altered("runs", where, "its outcome was changed after its database was migrated to schema 3")
        yield from _columns_differ(row, row["result_json"], where)
        return
    elif _is_linked(db, run_id):
        if row["state"] == RunState.DONE:
            yield Altered("events", where, "its end is missing: it is done, and no link says so")
        expected = dict.fromkeys(OUTCOME) | {"state": str(RunState.RUNNING)}
    else:
        yield from _columns_differ(row, row["result_json"], where)
        return
    for column, value in expected.items():
        if row[column] != value:
            yield Altered("runs", where, f"{column} is {_shown(row[column])}, its chain says {_shown(value)}")


def _columns_differ(row: StoredRow, text: Any, where: str) -> Iterator[Altered]:
    """Get what the columns of a run say otherwise than its result, where it has one."""
    if text is None:
        return
    try:
        plain = decoded(text)
    except (TypeError, ValueError, RecursionError):
        yield Altered("runs", where, "its result cannot be read")
        return
    for column, name in RESULT_COLUMNS.items():
        if row[column] != plain.get(name):
            yield Altered(
                "runs", where, f"{column} is {_shown(row[column])}, its result says {_shown(plain.get(name))}"
            )


def _certificate_differs(db: Database, run_id: int) -> Iterator[Altered]:
    (sha,) = db.execute("select certificate_sha256 from runs where run_id = ?", [run_id]).fetchone()
    if not sha:
        return
    sql = "select name, made_at, toml from certificates where sha256 = ?"
    found = db.execute(sql, [sha]).fetchone()
    where = f"certificate {str(sha)[:12]}"
    if found is None:
        yield Altered("certificates", where, f"run {run_id} was measured by it, and it is missing")
        return
    try:
        certificate = loads_certificate(found[2], where)
        is_it = certificate_hash(certificate) == sha
        is_it = is_it and (certificate.name, certificate.made_at.isoformat()) == (found[0], found[1])
    except (HalfpercentError, TypeError, ValueError, AttributeError):
        is_it = False
    if not is_it:
        yield Altered("certificates", where, f"is not the one by which run {run_id} was measured")


def _seconds_differ(db: Database, run_id: int, said: _Said) -> Iterator[Altered]:
    where = f"run {run_id}"
    if said.ended is None:
        (count,) = db.execute("select count(*) from seconds where run_id = ?", [run_id]).fetchone()
        if count > said.frames_s:
            yield Altered("seconds", where, f"its end is missing: {count} seconds are there, {said.frames_s} of frames")
        return
    if said.resumed_after:
        return
    stored, told = stored_seconds_hash(db, run_id), said.ended[1]
    if stored.count != told.seconds:
        yield Altered("seconds", where, f"{stored.count} rows are there, its chain says {told.seconds}")
    elif stored.hexdigest() != told.seconds_sha256:
        yield Altered("seconds", where, "a row of them was changed: its chain says another hash of them all")


def _shown(value: Any) -> str:
    """Get a stored value as it is shown: short."""
    return "missing" if value is None else f"{value!r}"[:60] if isinstance(value, str) else f"{value}"[:60]
