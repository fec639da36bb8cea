"""The journal: raw samples exactly, raw before derived, chains that show every change, one writer."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import HELPERS, ROOT
from written_run import CERTIFICATE, NOT_JUDGED, NS, begin, event, frame, row, write

from calibration.certificate import loads
from edge.database import hash_chain, run_journal
from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.schema import TABLES
from edge.database.stored_frames import stored_frames
from edge.database.two_chains import HEADER
from edge.errors import BadDatabase, HalfpercentError, StorageFull
from edge.records.command import OperatorWord
from edge.records.event import CommandTaken
from edge.records.frame import Frames, join, one_frame
from hw.protocols import CODE_MAX, CODE_MIN, Conversion, Reading, Status


def count(path: Path, table: str) -> int:
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(db.execute(f"select count(*) from {table}").fetchone()[0])
    finally:
        db.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two runs; the first has three chunks and four events."""
    path = tmp_path_factory.mktemp("journal") / "halfpercent.db"
    with Journal(path) as journal:
        run = begin(journal)
        write(
            run, range(15), {2: [event(2), event(2, CommandTaken(OperatorWord.TARE))], 9: [event(9)], 14: [event(14)]}
        )
        run.save_result(NOT_JUDGED, 1.75e9 + 15)
        other = begin(journal, run_uid="u-2")
        write(other, range(5))
        other.save_result(NOT_JUDGED, 1.75e9 + 99)
    return path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "copy.db"))


def whole(path: Path, run_id: int = 1) -> tuple[Frames, list[dict[str, Any]]]:
    """A run's raw frames and its events, both chains followed to their ends."""
    db = open_readonly(path)
    try:
        return join(list(stored_frames(db, run_id))), list(hash_chain.events(db, run_id))
    finally:
        db.close()


def is_found_changed(path: Path) -> bool:
    try:
        whole(path)
    except BadDatabase as e:
        return len(str(e).splitlines()) == 1
    return False


def tamper(path: Path, sql: str, *values: Any) -> None:
    db = sqlite3.connect(path)
    with db:
        assert db.execute(sql, values).rowcount >= 1
    db.close()


# raw samples


SAMPLE = st.tuples(st.integers(0, 999_999), st.integers(CODE_MIN, CODE_MAX), st.sampled_from(list(Status)))
PROBE = st.builds(Reading, st.just(0), st.integers(0, 2**16 - 1), st.integers(0, 255), st.sampled_from(list(Status)))
FRAME = st.tuples(st.integers(1, 5), st.lists(SAMPLE, max_size=12), PROBE, PROBE, PROBE)


@given(frames=st.lists(FRAME, min_size=1, max_size=8), batch_s=st.integers(1, 10))
@settings(max_examples=40, deadline=None)
def test_raw_samples_come_back_exactly_as_the_chips_gave_them(
    tmp_path_factory: pytest.TempPathFactory, frames: list[Any], batch_s: int
) -> None:
    path = tmp_path_factory.mktemp("raw") / "a.db"
    seq, batches = 0, []
    for step, samples, oven, cell, gauge in frames:
        seq += step  # some seconds were not seen
        t_ns = 3 * 10**18 + seq * NS
        taken = [Conversion(t_ns + us * 1000, code, status) for us, code, status in sorted(samples)]
        batches.append(one_frame(seq, t_ns, taken, oven, cell, gauge))
    with Journal(path) as journal:
        run = begin(journal, batch_s=batch_s)
        for batch in batches:
            run.raw(batch)
            run.derived([], [], [], 1.75e9)
        run.save_result(NOT_JUDGED, 1.75e9)
    got, want = whole(path)[0], join(batches)
    for name in ("seq", "t_ns", "first", "sample_us", "code", "status"):
        assert getattr(got, name).tobytes() == getattr(want, name).tobytes(), name
        assert getattr(got, name).dtype == getattr(want, name).dtype, name
    for channel in ("oven", "cell", "gauge"):
        for part in ("value", "fault", "status"):
            ours, theirs = (getattr(getattr(frames_, channel), part) for frames_ in (got, want))
            assert ours.tobytes() == theirs.tobytes(), f"{channel}.{part}"


def test_a_long_recording_is_cut_into_chunks_that_join_without_a_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_journal, "CHUNK_SECONDS", 10)
    frames = join([frame(seq) for seq in range(34)])
    with Journal(tmp_path / "a.db") as journal:
        run = begin(journal, batch_s=1000)
        run.raw(frames)
        run.derived([row(seq) for seq in range(34)], ["hold"] * 34, [], 1.75e9 + 34)
        run.save_result(NOT_JUDGED, 1.75e9 + 34)
    got, _ = whole(tmp_path / "a.db")
    assert got.code.tobytes() == frames.code.tobytes()
    assert got.seq.tolist() == list(range(34))
    db = sqlite3.connect(tmp_path / "a.db")
    stored = db.execute("select first_second, seconds, wall_utc from what_is_in_each_chunk order by chunk").fetchall()
    db.close()
    assert [s[:2] for s in stored] == [(0, 10), (10, 10), (20, 10), (30, 4)]
    assert {s[2][:4] for s in stored} == {"2025"}, "each has the date of its run, also before anything was derived"


def test_a_replays_numbers_are_stored_as_doubles(tmp_path: Path) -> None:
    of = frame(0)
    code = np.array([0.1, -0.0, 1e-300, 1.5, 2**53 + 1.0])
    grams = Frames(of.seq, of.t_ns, of.first, of.sample_us, code, of.status, of.oven, of.cell, of.gauge)
    with Journal(tmp_path / "a.db") as journal:
        run = begin(journal)
        run.raw(grams)
        run.save_result(NOT_JUDGED, 1.75e9)
    assert whole(tmp_path / "a.db")[0].code.tobytes() == code.tobytes()


# what is derived


def test_seconds_and_events_are_stored_as_they_were_and_what_is_unknown_is_null(original: Path) -> None:
    db = sqlite3.connect(original)
    db.row_factory = sqlite3.Row
    seconds = [dict(r) for r in db.execute("select * from seconds where run_id = 1 order by second")]
    logged = [dict(r) for r in db.execute("select * from events where run_id = 1 order by event")]
    db.close()
    assert [s["second"] for s in seconds] == list(range(15))
    assert {s["mass_g"] for s in seconds} == {1.5}
    assert {s["pressure_pa"] for s in seconds} == {None}
    assert [(e["second"], e["elapsed_s"], e["kind"], e["who"]) for e in logged] == [
        (2, 2.25, "phase", "instrument"),
        (2, 2.25, "operator", "operator"),
        (9, 9.25, "phase", "instrument"),
        (14, 14.25, "phase", "instrument"),
        (14, 14.0, "ended", "instrument"),
    ]
    assert json.loads(logged[0]["data_json"]) == {"from": "ramp", "to": "hold", "why": "in band: „°C“"}


def test_the_run_holds_the_exact_text_of_its_standard_and_its_certificate(original: Path) -> None:
    db = sqlite3.connect(original)
    toml, sha = db.execute("select standard_toml, certificate_sha256 from runs where run_id = 1").fetchone()
    kept = db.execute("select toml from certificates where sha256 = ?", [sha]).fetchone()[0]
    certificates = db.execute("select count(*) from certificates").fetchone()[0]
    db.close()
    assert toml == (ROOT / "edge" / "standards" / "gbt-48093-1-2026.toml").read_text(encoding="utf-8")
    assert loads(kept) == CERTIFICATE
    assert certificates == 1, "two runs with one certificate store it once"


def test_seconds_wait_for_the_batch_and_an_event_is_committed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        run = begin(journal, batch_s=5)
        assert count(path, "runs") == 1, "the run itself is there from its first moment"
        write(run, range(4))
        assert count(path, "chunks") == count(path, "seconds") == 0
        write(run, range(4, 5))
        assert (count(path, "chunks"), count(path, "seconds")) == (1, 5)
        write(run, range(5, 6), {5: [event(5)]})
        assert (count(path, "chunks"), count(path, "seconds"), count(path, "events")) == (2, 6, 1)


def test_wal_and_full_synchronous_are_in_force_whenever_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for _ in range(2):
        with Journal(path) as journal:
            assert journal.db.execute("pragma journal_mode").fetchone()[0] == "wal"
            assert journal.db.execute("pragma synchronous").fetchone()[0] == 2
            assert path.read_bytes()[18:20] == b"\x02\x02"  # the file format's own mark of WAL
        assert path.read_bytes()[18:20] == b"\x01\x01", "closed, it opens anywhere"


# raw first


def test_raw_goes_first_and_in_the_same_transaction_as_what_was_derived_from_it(tmp_path: Path) -> None:
    said: list[str] = []
    with Journal(tmp_path / "a.db") as journal:
        run = begin(journal, batch_s=3)
        journal.db.conn.set_trace_callback(said.append)
        write(run, range(3), {2: [event(2)]})
        journal.db.conn.set_trace_callback(None)
    verbs = [s.strip().split("(")[0].upper() for s in said]
    at = {
        t: next(i for i, v in enumerate(verbs) if v.startswith("INSERT") and t in v)
        for t in ("CHUNKS", "SECONDS", "EVENTS")
    }
    assert at["CHUNKS"] < at["SECONDS"] < at["EVENTS"]
    assert [v for v in verbs if v.startswith(("BEGIN", "COMMIT"))] == ["BEGIN", "COMMIT"]
    assert verbs[0].startswith("BEGIN")
    assert verbs[-1].startswith("COMMIT")


@pytest.mark.parametrize("table", ["chunks", "seconds", "events"])
def test_where_one_part_cannot_be_written_none_is_and_the_next_commit_mends_it(tmp_path: Path, table: str) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        run = begin(journal, batch_s=3)
        write(run, range(3))
        journal.db.execute(f"create trigger no before insert on {table} begin select raise(abort, 'no'); end")
        with pytest.raises(BadDatabase) as caught:
            write(run, range(3, 6), {5: [event(5)]})
        assert len(str(caught.value).splitlines()) == 1
        assert (count(path, "chunks"), count(path, "seconds"), count(path, "events")) == (1, 3, 0)
        journal.db.execute("drop trigger no")
        run.save_result(NOT_JUDGED, 1.75e9 + 6)
    frames, events = whole(path)
    assert frames.seq.tolist() == list(range(6))
    assert [e["kind"] for e in events] == ["phase", "ended"]


STEPS = st.lists(st.sampled_from(["raw", "derive", "event", "break", "mend"]), max_size=30)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None)
def test_no_second_is_ever_stored_without_its_raw_samples(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    path = tmp_path_factory.mktemp("order") / "a.db"
    with Journal(path) as journal:
        run = begin(journal, batch_s=2)
        measured = derived = 0
        for step in steps:
            if step in ("break", "mend"):
                journal.db.execute("drop trigger if exists no")
            if step == "break":
                journal.db.execute("create trigger no before insert on seconds begin select raise(abort, 'no'); end")
            if step == "raw":
                run.raw(frame(measured))
                measured += 1
            if step in ("derive", "event") and derived < measured:
                with contextlib.suppress(HalfpercentError):
                    run.derived([row(derived)], ["hold"], [event(derived)] if step == "event" else [], 1.75e9)
                derived += 1
            db = sqlite3.connect(path)
            last = db.execute("select max(second) from seconds").fetchone()[0]
            raw = db.execute("select max(first_second + seconds) from chunks").fetchone()[0]
            db.close()
            assert last is None or last < raw


# the chains


def test_an_untouched_run_is_whole(copy: Path) -> None:
    frames, events = whole(copy)
    assert frames.seq.tolist() == list(range(15))
    assert len(events) == 5
    assert count(copy, "chunks where run_id = 1") >= 3


TAMPERED = [("chunks", c) for c in TABLES["chunks"][0]] + [("events", c) for c in TABLES["events"][0]]


@pytest.mark.parametrize(("table", "column"), TAMPERED)
@pytest.mark.parametrize("how", ["changed", "null", "other type"])
def test_a_change_in_any_column_of_a_chunk_or_an_event_is_found(copy: Path, table: str, column: str, how: str) -> None:
    db = sqlite3.connect(copy)
    kind = db.execute(f"select typeof({column}) from {table} where run_id = 1").fetchone()[0]
    db.close()
    changed = {
        "integer": f"{column} + 1000",
        "real": f"{column} * (1.0 + 1e-15)",
        "text": f"{column} || ' '",
        "blob": f"cast(substr({column}, 1, 9) || x'00' || substr({column}, 11) as blob)",
    }[kind]
    to = {"changed": changed, "null": "null", "other type": f"cast('x' || {column} as blob)"}[how]
    which = {"chunks": "chunk", "events": "event"}[table]
    tamper(copy, f"update {table} set {column} = {to} where run_id = 1 and {which} = 1")
    assert is_found_changed(copy)


@given(chunk=st.integers(0, 2), at=st.integers(0, 10**6), flip=st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_any_changed_byte_of_raw_samples_is_found(
    original: Path, tmp_path_factory: pytest.TempPathFactory, chunk: int, at: int, flip: int
) -> None:
    path = Path(shutil.copy(original, tmp_path_factory.mktemp("byte") / "a.db"))
    db = sqlite3.connect(path)
    raw = bytearray(db.execute("select raw from chunks where run_id = 1 and chunk = ?", [chunk]).fetchone()[0])
    db.close()
    raw[at % len(raw)] ^= flip
    tamper(path, "update chunks set raw = ? where run_id = 1 and chunk = ?", bytes(raw), chunk)
    assert is_found_changed(path)


@pytest.mark.parametrize("column", HEADER)
def test_a_change_in_the_runs_header_breaks_both_chains(copy: Path, column: str) -> None:
    tamper(copy, f"update runs set {column} = {column} || '1' where run_id = 1")
    db = open_readonly(copy)
    for follow in (stored_frames, hash_chain.events):
        with pytest.raises(BadDatabase, match="does not fit its chain"):
            list(follow(db, 1))
    db.close()


def test_every_column_that_is_known_when_a_run_begins_is_in_its_header() -> None:
    filled_later = {
        "run_id", "state", "ended_utc", "verdict", "invalid_because", "loss_pct", "standard_uncertainty_pct",
        "expanded_uncertainty_pct", "coverage_factor_k", "conformance_probability", "limit_pct", "m1_g", "m2_g",
        "hold_s", "true_loss_pct", "result_json", "header_sha256",
    }  # fmt: skip
    assert set(HEADER) | filled_later == set(TABLES["runs"][0])


@pytest.mark.parametrize(
    "sql",
    [
        "delete from chunks where run_id = 1 and chunk = 0",
        "delete from chunks where run_id = 1 and chunk = 1",
        "delete from events where run_id = 1 and event = 0",
        "delete from events where run_id = 1 and event = 2",
        "update chunks set raw = (select raw from chunks where run_id = 1 and chunk = 0) where chunk = 1",
        "update chunks set raw = (select raw from chunks where run_id = 2 and chunk = 0) where run_id = 1",
        "update {t} set chunk = 99 where chunk = 0; update {t} set chunk = 0 where chunk = 1; "
        "update {t} set chunk = 1 where chunk = 99".replace("{t}", "chunks"),
        "update chunks set run_id = run_id + 10; update chunks set run_id = 13 - run_id",  # the runs change places
        "update runs set run_id = run_id + 10; update runs set run_id = 13 - run_id",
        "insert into chunks select 1, 9, boot, 99, seconds, samples, wall_ms, raw, sha256, link "
        "from chunks where run_id = 1 and chunk = 0",
        "insert into events select 1, 9, second, elapsed_s, wall_utc, kind, who, data_json, previous_sha256, sha256, "
        "link from events where run_id = 1 and event = 3",
    ],
)
def test_what_is_removed_exchanged_or_added_is_found(copy: Path, sql: str) -> None:
    db = sqlite3.connect(copy)
    before = list(db.iterdump())
    db.executescript(sql)
    assert list(db.iterdump()) != before
    db.close()
    assert is_found_changed(copy)


def test_runs_that_differ_in_their_header_alone_have_no_link_in_common(original: Path) -> None:
    db = open_readonly(original)
    assert len({r["header_sha256"] for r in db.table("runs").rows}) == 2
    shas = [r["sha256"] for t in ("chunks", "events") for r in db.table(t).rows]
    db.close()
    assert len(set(shas)) == len(shas)


def test_a_run_that_is_not_there_is_refused(original: Path) -> None:
    db = open_readonly(original)
    with pytest.raises(BadDatabase, match="run 7: there is none"):
        list(stored_frames(db, 7))
    db.close()


# one writer, and what survives


def test_a_second_writer_is_refused_while_the_first_is_at_it_and_served_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        begin(journal)
        with pytest.raises(BadDatabase, match="another halfpercent is writing to it: wait"):
            Journal(path)
        begin(journal)  # the first has not noticed
    with Journal(path) as journal:
        begin(journal)
    assert count(path, "runs") == 3
    assert not (tmp_path / "a.db.lock").exists()


def test_another_name_for_the_same_file_is_no_second_database(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("a.db")
    with Journal(tmp_path / "a.db"), pytest.raises(BadDatabase, match="another halfpercent"):
        Journal(tmp_path / "link.db")


def test_a_lock_that_a_dead_process_left_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "a.db.lock").touch()
    with Journal(tmp_path / "a.db") as journal:
        begin(journal)


def test_readers_are_served_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        run = begin(journal)
        write(run, range(5))
        assert whole(path)[0].seq.tolist() == list(range(5))
        write(run, range(5, 10))
        assert whole(path)[0].seq.tolist() == list(range(10))


DIES = """
import os, signal, sys
from pathlib import Path
from written_run import begin, write, frame
from edge.database.linked_rows import linked_chunk
from edge.database.stored_rows import store_chunk
from edge.database.journal import Journal
journal = Journal(Path(sys.argv[1]))
run = begin(journal, batch_s=5)
write(run, range(10))
run.raw(frame(10))
where = sys.argv[2]
if where == "before":
    os.kill(os.getpid(), signal.SIGKILL)
db = journal.db
db.conn.execute("begin")
from edge.records.command import OperatorWord
from edge.records.event import CommandTaken
from edge.records.frame import join
store_chunk(db, linked_chunk(run.run_id, join(run._frames), "boot", 1.75e9, run._ends))
if where == "cache":  # what does not fit is written out before the commit
    db.conn.execute("pragma cache_size = 1")
    for i in range(2000):
        db.table("chunks").insert({"run_id": 9, "chunk": i, "raw": os.urandom(3000)})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("where", ["before", "inside", "cache"])
def test_a_writer_killed_in_a_transaction_leaves_what_it_had_committed(tmp_path: Path, where: str) -> None:
    path = tmp_path / "a.db"
    command = [sys.executable, "-c", DIES, str(path), where]
    environment = os.environ | {"PYTHONPATH": str(HELPERS)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    for _ in range(2):  # as it lies there, and after the next writer has opened it
        assert whole(path)[0].seq.tolist() == list(range(10))
        assert count(path, "seconds where run_id = 1") == 10
        db = sqlite3.connect(path)
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        db.close()
        with Journal(path) as journal:
            run = begin(journal)
            write(run, range(5))
            assert run.run_id > 1


def test_a_full_disk_ends_in_one_line_and_what_was_committed_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        run = begin(journal)
        write(run, range(5))
        pages = journal.db.execute("pragma page_count").fetchone()[0]
        journal.db.execute(f"pragma max_page_count = {pages}")  # to SQLite this is a full disk
        for refused in (lambda: write(run, range(5, 5000)), lambda: begin(journal)):
            with pytest.raises(StorageFull, match=r"the disk is full.*make room") as caught:
                refused()
            assert len(str(caught.value).splitlines()) == 1
            assert str(path) in str(caught.value)
        stored = whole(path)[0].seq.tolist()
        assert stored == list(range(len(stored)))
        assert len(stored) >= 5
        assert count(path, "seconds") == len(stored)
        journal.db.execute("pragma max_page_count = 100000")
        run.save_result(NOT_JUDGED, 1.75e9)  # what was measured and could not be written was waiting
    kept = whole(path)[0].seq.tolist()
    assert kept == list(range(len(kept)))
    assert len(kept) > len(stored)
    assert (count(path, "seconds"), count(path, "runs")) == (len(kept), 1)


def test_a_journal_file_is_not_for_everyone_to_write(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.db"):
        mode = stat.S_IMODE((tmp_path / "a.db.lock").stat().st_mode)
        assert not mode & (stat.S_IWGRP | stat.S_IWOTH)
