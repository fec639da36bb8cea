"""What is stored of a run is what its chain says: computed by docs/evidence.md alone; whatever is changed is found."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_run import NOT_JUDGED, begin, event, write

from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.run_check import Covered, Head, check_run, run_head
from edge.errors import BadDatabase
from edge.records.event import Event, NoteWritten


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that are done, and one that was interrupted."""
    path = tmp_path_factory.mktemp("check") / "halfpercent.db"
    with Journal(path) as journal:
        for uid in ("u-1", "u-2"):
            run = begin(journal, run_uid=uid)
            write(run, range(12), {2: [event(2)], 9: [event(9)]})
            run.log_event(Event(12, 12.5, NoteWritten("a remark")), "Ada", 1.75e9 + 12)
            write(run, range(12, 15))
            run.save_result(NOT_JUDGED, 1.75e9 + 15)
        write(begin(journal, run_uid="u-3"), range(12), {3: [event(3)]})
    return path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "copy.db"))


def found(path: Path, run_id: int = 1, sealed: Head | None = None) -> list[str | None]:
    """What the quick check finds, and what the full one does."""
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        all_found = [check_run(db, run_id, full=full, sealed=sealed) for full in (False, True)]
    return [None if altered is None else str(altered) for altered in all_found]


def head(path: Path, run_id: int = 1) -> Head:
    with closing(open_readonly(path)) as db:
        return run_head(db, run_id)


# by docs/evidence.md alone


def value(v: Any) -> bytes:
    if v is None:
        return b"n"
    if isinstance(v, int):
        return b"i" + struct.pack(">q", v)
    if isinstance(v, float):
        return b"r" + struct.pack(">d", v)
    raw = v.encode() if isinstance(v, str) else v
    return (b"t" if isinstance(v, str) else b"b") + struct.pack(">Q", len(raw)) + raw


def sha(*values: Any) -> bytes:
    return hashlib.sha256(b"".join(map(value, values))).digest()


@pytest.mark.parametrize("run_id", [1, 2, 3])
def test_a_stranger_computes_the_same_head_with_the_standard_library(original: Path, run_id: int) -> None:
    with closing(sqlite3.connect(original)) as db:
        of_run = [run_id]
        header = db.execute(
            "select run_id, run_uid, sample_id, operator, kind, started_utc, standard_id, standard_toml, "
            "certificate_sha256, settings_json, software_version, t0_ns from runs where run_id = ?",
            of_run,
        ).fetchone()
        now = sha("run", *header)
        assert db.execute("select header_sha256 from runs where run_id = ?", of_run).fetchone() == (now,)
        rows = (
            db.execute(
                "select link, chunk, boot_id, first_second, seconds, samples, wall_ms, raw, 'chunk', sha256 "
                "from chunks join boots using (boot) where run_id = ?",
                of_run,
            ).fetchall()
            + db.execute(
                "select link, event, second, elapsed_s, wall_utc, kind, who, data_json, 'event', sha256 "
                "from events where run_id = ?",
                of_run,
            ).fetchall()
        )
        assert sorted(row[0] for row in rows) == list(range(1, len(rows) + 1))
        for *said, word, stored in sorted(rows):
            now = sha(word, now, *said)
            assert stored in (now, now.hex())
        ended = [json.loads(row[7]) for row in rows if row[5] == "ended"]
        text = db.execute("select result_json from runs where run_id = ?", of_run).fetchone()[0]
        seconds = db.execute(
            "select second, elapsed_s, phase, mass_g, sd_g, temp_c, cell_temp_c, pressure_pa, qualified, hold_s, "
            "loss_pct, drift_g_per_h, zero_code, samples_ok, samples_bad, samples_spike, bad_because "
            "from seconds where run_id = ? order by second",
            of_run,
        ).fetchall()
    if run_id < 3:
        assert ended == [{
            "result_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "seconds": len(seconds),
            "seconds_sha256": sha(*(v for row in seconds for v in row)).hex(),
        }]  # fmt: skip
    assert head(original, run_id).sha256 == now.hex()
    assert head(original, run_id).links == len(rows) + 1
    assert (Covered.RESULT in head(original, run_id).covers) == (run_id < 3)


def test_what_nobody_touched_is_as_its_chain_says(original: Path) -> None:
    assert [found(original, run_id) for run_id in (1, 2, 3)] == [[None, None]] * 3


# an end that is cut off


def cut(path: Path, *lines: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for line in lines:
            db.execute(line)


NOTHING = "state = 'running', ended_utc = null, verdict = null, invalid_because = null, limit_pct = null, hold_s = null"


def test_a_run_whose_end_is_cut_off_is_found_by_a_head_that_was_kept(copy: Path) -> None:
    kept = head(copy)
    cut(copy, "delete from events where run_id = 1 and kind = 'ended'")
    assert found(copy) == ["events, run 1: its end is missing: it is done, and no link says so"] * 2
    cut(copy, f"update runs set {NOTHING}, result_json = null where run_id = 1")
    assert found(copy) == [None, None], "as a power cut leaves it"
    missing = f"events, run 1: its end is missing: {kept.links - 1} links of {kept.links} are there"
    assert found(copy, sealed=kept) == [missing] * 2


def test_seconds_whose_frames_are_not_there_show_a_cut_end(copy: Path) -> None:
    cut(
        copy,
        "delete from events where run_id = 3",
        "delete from chunks where run_id = 3 and link >= (select max(link) from chunks where run_id = 3)",
    )
    assert found(copy, 3)[1] == "seconds, run 3: its end is missing: 9 seconds are there, 4 of frames"


def test_a_head_of_before_is_still_there_and_that_of_another_history_is_not(copy: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "other.db") as journal:
        run = begin(journal)
        write(run, range(12), {2: [event(2)], 9: [event(9)]})
        early = run_head(journal.db, 1)
        assert check_run(journal.db, 1, full=True, sealed=early) is None
        write(run, range(12, 15))
        run.save_result(NOT_JUDGED, 1.75e9 + 15)
    assert found(tmp_path / "other.db", sealed=early) == [None, None]
    late = head(tmp_path / "other.db")
    assert found(tmp_path / "other.db", sealed=replace(late, links=1, sha256=late.first_sha256)) == [None, None]
    another = [f"events, run 1, link {late.links - 1}: is another than was sealed"] * 2
    assert found(copy, sealed=late) == another


# whatever is changed


KEYS = {
    "runs": ("run_id",),
    "chunks": ("run_id", "chunk"),
    "events": ("run_id", "event"),
    "seconds": ("run_id", "second"),
    "boots": ("boot",),
    "certificates": ("sha256",),
}
OTHERS = (None, 0, 1, -1, 1.0, "", "x", b"x", "done", "PASS", 2**40)


def all_of(path: Path, run_id: int, *, seconds: bool = True) -> list[Any]:
    """What is stored of a run, each value with its type: all that is stated of it."""
    sql = {
        "runs": "select * from runs where run_id = ?",
        "chunks": "select chunks.*, boot_id from chunks left join boots using (boot) where run_id = ? order by chunk",
        "events": "select * from events where run_id = ? order by event",
        "certificates": "select c.* from certificates as c join runs on sha256 = certificate_sha256 where run_id = ?",
    }
    if seconds:
        sql["seconds"] = "select * from seconds where run_id = ? order by second"
    with closing(sqlite3.connect(path)) as db:
        return [[(type(v), v) for row in db.execute(s, [run_id]) for v in row] for s in sql.values()]


def flipped(value: Any, at: int, bit: int) -> Any:
    """A value with one bit of it another, of the same type where SQLite takes it."""
    if isinstance(value, int):
        return value ^ (1 << (at % 40))
    if isinstance(value, float):
        raw = bytearray(struct.pack(">d", value))
        raw[at % 8] ^= 1 << bit
        return struct.unpack(">d", raw)[0]
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    if raw:
        raw[at % len(raw)] ^= 1 << (bit if isinstance(value, bytes) else bit % 7)
    return raw.decode("latin-1") if isinstance(value, str) else bytes(raw)


def alter(db: sqlite3.Connection, data: st.DataObject) -> str:
    """Change one thing in one table, and say what."""
    table = data.draw(st.sampled_from(list(KEYS)))
    columns = [row[1] for row in db.execute(f"pragma table_info({table})")]
    rows = [dict(zip(columns, row, strict=True)) for row in db.execute(f"select * from {table}").fetchall()]
    row, other = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(rows))
    where = " and ".join(f"{name} is :{name}_" for name in KEYS[table])
    how = data.draw(st.sampled_from(["flip", "flip", "flip", "other", "delete", "double", "exchange"]))
    column = data.draw(st.sampled_from(KEYS[table] if how == "double" else columns))
    put = {this["n"]: this for this in ({"n": 0, "row": row, "value": None}, {"n": 1, "row": other, "value": None})}
    if how == "delete":
        db.execute(f"delete from {table} where {where}", {f"{k}_": v for k, v in row.items()})
        return f"{table}: a row deleted"
    if how == "double":
        doubled = row | {column: data.draw(st.sampled_from([1, 2, 3, 4, 15, 40, "x"]))}
        db.execute(f"insert into {table} values ({', '.join('?' * len(columns))})", list(doubled.values()))
        return f"{table}: a row doubled under another {column}"
    if how == "exchange":
        put[0]["value"], put[1]["value"] = other[column], row[column]
    elif how == "flip" and row[column] is not None:
        put = {0: {"row": row, "value": flipped(row[column], data.draw(st.integers(0, 10**5)), data.draw(BITS))}}
    else:
        put = {0: {"row": row, "value": data.draw(st.sampled_from(OTHERS))}}
    for change in put.values():
        keys = {f"{name}_": value for name, value in change["row"].items()}
        db.execute(f"update {table} set {column} = :put where {where}", keys | {"put": change["value"]})
    return f"{table}.{column}, {how}: {row[column]!r:.60}"


BITS = st.integers(0, 7)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_changed_in_any_row_is_found_by_the_full_check(
    original: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = Path(shutil.copy(original, tmp_path_factory.mktemp("altered") / "a.db"))
    what = ""
    with closing(sqlite3.connect(path)) as db, contextlib.suppress(sqlite3.IntegrityError), db:
        what = alter(db, data)
    for run_id in (1, 2, 3):
        same = all_of(path, run_id) == all_of(original, run_id)
        done = run_id < 3  # the seconds of a run are hashed at its end
        covered = same or all_of(path, run_id, seconds=done) == all_of(original, run_id, seconds=done)
        try:
            quick, full = found(path, run_id)
        except BadDatabase:
            quick = full = "refused"
        assert not (same and full), f"{what}: nothing of run {run_id} was changed, and {full}"
        assert covered or full, f"{what}: not found in run {run_id}"
        assert full or not quick, f"{what}: the full check finds what the quick one does: {quick}"


@given(at=st.integers(0, 10**7), bit=BITS)
@settings(max_examples=60, deadline=None)
def test_a_bit_flipped_anywhere_in_the_file_is_found_or_changes_nothing(
    original: Path, tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("bit") / "a.db"
    raw = bytearray(original.read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    path.write_bytes(raw)
    for run_id in (1, 2, 3):
        try:
            altered = found(path, run_id)[1]
        except (BadDatabase, sqlite3.DatabaseError):
            continue  # it cannot be read: nothing is shown
        done = run_id < 3
        assert altered or all_of(path, run_id, seconds=done) == all_of(original, run_id, seconds=done)
