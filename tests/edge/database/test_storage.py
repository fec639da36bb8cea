"""Looking after the database: what is damaged is put aside and never lost, room is known, a finished run is copied."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_frames import measured
from repository import ROOT
from written_run import NOT_JUDGED, begin, event, row, write

from edge.database import backup, hash_chain
from edge.database.backup import backup_run, is_second_place
from edge.database.correcting import Correction, correct
from edge.database.journal import Journal
from edge.database.maintenance import PutAside, disk_space, quarantine_if_unusable
from edge.database.reading import open_readonly
from edge.database.stored_frames import stored_frames
from edge.database.writer_lock import drop, take
from edge.database.writing import open_for_writing
from edge.errors import BadDatabase, BadInput, HalfpercentError, StorageFull

WALL_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z
ASIDE = ".damaged-20260101T000000Z"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs and one that still runs; some thousand pages."""
    path = tmp_path_factory.mktemp("written") / "halfpercent.db"
    frames = measured(600, 80)
    with Journal(path) as journal:
        for uid in ("u-1", "sample / 2 ü"):
            run = begin(journal, run_uid=uid)
            for second in range(600):
                run.raw(frames.cut(second, second + 1))
                run.derived([row(second)], ["hold"], [event(second)] if second % 100 == 7 else [], 1.75e9 + second)
            run.save_result(NOT_JUDGED, 1.75e9 + 600)
        run = begin(journal, run_uid="u-3")
        write(run, range(10))
    return path


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path / "halfpercent.db"))


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


# what is damaged


def test_a_sound_database_is_left_as_it_is(copy: Path) -> None:
    before = copy.read_bytes()
    assert quarantine_if_unusable(copy, WALL_S) is None
    assert copy.read_bytes() == before
    assert names(copy.parent) - {"halfpercent.db-wal", "halfpercent.db-shm"} == {"halfpercent.db"}


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_in_the_header(path: Path) -> None:
    os.truncate(path, 60)


def overwritten(path: Path, at: int, what: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(what)


DAMAGES = {
    "truncated to half": truncated,
    "truncated to 60 bytes": cut_in_the_header,
    "the first bytes are gone": lambda path: overwritten(path, 0, bytes(40)),
    "the first page is noise": lambda path: overwritten(path, 0, b"\xa5" * 4096),
    "pages in the middle are zeros": lambda path: overwritten(path, 40 * 4096, bytes(8 * 4096)),
    "pages in the middle are noise": lambda path: overwritten(path, 40 * 4096 + 512, b"\xa5" * 8 * 4096),
    "no database at all": lambda path: path.write_text("t_s,counts\n0,1\n" * 1000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_put_aside_and_a_new_one_can_be_opened(copy: Path, damage: str) -> None:
    DAMAGES[damage](copy)
    before = copy.read_bytes()
    found = quarantine_if_unusable(copy, WALL_S)
    assert found == PutAside(copy.with_name(copy.name + ASIDE), "its pages are damaged")
    aside = found.path
    assert aside.read_bytes() == before, "to the last byte"
    assert not copy.exists()
    with Journal(copy) as journal:
        run = begin(journal)
        write(run, range(5))
    assert quarantine_if_unusable(copy, WALL_S) is None
    assert aside.read_bytes() == before


def test_a_name_in_the_schema_that_is_no_text_is_damage_as_any(copy: Path) -> None:
    data = copy.read_bytes()
    assert data.count(b'CREATE TABLE "events"') == 1
    spoilt = data.replace(b'CREATE TABLE "events"', b'CREATE TA\xdfLE "events"')  # SQLite quotes it in its words
    copy.write_bytes(spoilt)
    found = quarantine_if_unusable(copy, WALL_S)
    assert found is not None
    assert found.path.name.startswith(copy.name)
    assert not copy.exists()


def test_what_still_waits_in_the_log_goes_with_a_damaged_file_and_not_to_the_new_one(copy: Path) -> None:
    wal, shm = (copy.with_name(copy.name + end) for end in ("-wal", "-shm"))
    writer = sqlite3.connect(copy)
    writer.execute("pragma journal_mode = wal")
    writer.execute("insert into boots (boot_id) values ('late')")
    writer.commit()
    kept = wal.read_bytes()
    assert kept
    lost = copy.parent / "lost"  # the power fails: files stay, their owner does not
    lost.mkdir()
    for file in (copy, wal, shm):
        shutil.copy(file, lost)
    writer.close()
    path = lost / copy.name
    truncated(path)
    found = quarantine_if_unusable(path, WALL_S)
    assert found is not None
    aside = found.path
    assert aside.with_name(aside.name + "-wal").read_bytes() == kept
    assert names(lost) >= {aside.name, aside.name + "-wal"}
    assert not {path.name, wal.name, shm.name} & names(lost)
    open_for_writing(path).close()
    db = open_readonly(path)
    assert db.table("boots").count == 0
    db.close()


def test_what_only_the_log_holds_is_no_damage_and_stays(copy: Path) -> None:
    writer = sqlite3.connect(copy)
    writer.execute("pragma journal_mode = wal")
    writer.execute("insert into boots (boot_id) values ('late')")
    writer.commit()
    lost = copy.parent / "lost"
    lost.mkdir()
    for end in ("", "-wal"):
        shutil.copy(copy.with_name(copy.name + end), lost)
    writer.close()
    assert quarantine_if_unusable(lost / copy.name, WALL_S) is None
    db = open_for_writing(lost / copy.name)
    assert "late" in {r["boot_id"] for r in db.table("boots").rows}
    db.close()


def test_the_third_damaged_file_of_a_second_has_a_name_of_its_own(copy: Path, written: Path) -> None:
    found = []
    for n in range(3):
        shutil.copy(written, copy)
        overwritten(copy, 0, bytes([n]) * 100)
        found.append(quarantine_if_unusable(copy, WALL_S))
    assert [p.path.name for p in found if p] == [copy.name + ASIDE + end for end in ("", "-2", "-3")]
    assert [p.path.read_bytes()[0] for p in found if p] == [0, 1, 2]


@given(at=st.floats(0, 1), length=st.integers(1, 5000), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_whatever_bytes_are_changed_nothing_is_lost_and_nothing_but_one_line_is_raised(
    written: Path, tmp_path_factory: pytest.TempPathFactory, at: float, length: int, seed: int
) -> None:
    path = Path(shutil.copy(written, tmp_path_factory.mktemp("any") / "a.db"))
    overwritten(path, int(at * path.stat().st_size), np.random.default_rng(seed).bytes(length))
    before = path.read_bytes()
    aside = None
    with contextlib.suppress(HalfpercentError):
        aside = quarantine_if_unusable(path, WALL_S)
    assert (path if aside is None else aside.path).read_bytes() == before
    if aside is not None:
        Journal(path).close()


@pytest.mark.parametrize("content", [None, b""])
def test_a_file_that_is_missing_or_empty_is_no_damage(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.db"
    if content is not None:
        path.write_bytes(content)
    assert quarantine_if_unusable(path, WALL_S) is None
    assert names(tmp_path) == ({"a.db"} if content is not None else set())
    open_for_writing(path).close()


def has_trigger(db: sqlite3.Connection) -> None:
    db.execute("create trigger t after update on runs begin update runs set verdict = 'PASS'; end")


NOT_OURS: dict[str, tuple[Callable[[sqlite3.Connection], object], str]] = {
    "another program's": (lambda db: db.execute("pragma application_id = 7"), "another program"),
    "a newer schema": (lambda db: db.execute("pragma user_version = 99"), "schema version 99, this halfpercent knows"),
    "no version": (lambda db: db.execute("pragma user_version = 0"), "no schema version"),
    "a trigger": (has_trigger, "it has the trigger t"),
    "a view": (lambda db: db.execute('create view "mine\u202e" as select 1'), r"it has the view mine\u202e"),
    "an index": (lambda db: db.execute("create index i on events (kind)"), "it has the index i"),
    "a table": (lambda db: db.execute("create table t (x)"), "it has the table t"),
    "a table less": (lambda db: db.execute("drop table boots"), "the table boots is missing"),
    "a view for a table": (
        lambda db: db.executescript("alter table boots rename to b; create view boots as select * from b"),
        "what it calls boots is a view",
    ),
    "a column more": (lambda db: db.execute("alter table runs add column x"), "what it calls runs is another table"),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_not_exactly_ours_is_refused_by_name_and_put_aside_for_the_station(copy: Path, name: str) -> None:
    change, says = NOT_OURS[name]
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as db:
        change(db)
    before = copy.read_bytes()
    with pytest.raises(BadDatabase) as refused:
        open_for_writing(copy)
    assert says in str(refused.value)
    assert copy.read_bytes() == before
    aside = quarantine_if_unusable(copy, WALL_S)
    assert aside is not None
    assert says in aside.why
    assert aside.path.name == f"{copy.name}.not-ours-20260101T000000Z"
    assert aside.path.read_bytes() == before
    Journal(copy).close()


def test_what_analyze_leaves_is_no_stranger_and_a_view_of_ours_is_made_what_it_is_now(copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("analyze")
        db.execute("drop view what_happened_when")
        db.execute("create view what_happened_when as select 1 as changed")
    assert quarantine_if_unusable(copy, WALL_S) is None
    open_for_writing(copy).close()
    with contextlib.closing(sqlite3.connect(copy)) as db:
        assert "run_id" in [c[0] for c in db.execute("select * from what_happened_when limit 1").description]


def test_a_database_that_is_being_written_is_not_put_aside(copy: Path) -> None:
    truncated(copy)
    held = take(copy.resolve())
    try:
        with pytest.raises(BadDatabase, match="another halfpercent is writing to it"):
            quarantine_if_unusable(copy, WALL_S)
    finally:
        drop(copy.resolve(), held)
    assert names(copy.parent) == {"halfpercent.db"}


def test_a_check_that_takes_too_long_ends_and_blames_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    class Looked(sqlite3.Connection):
        def set_progress_handler(self, handler, n):
            super().set_progress_handler(handler, 1)  # or this file is checked before it is asked

    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Looked))
    assert quarantine_if_unusable(copy, WALL_S, limit_s=0.0) is None
    assert copy.exists()


# room


def test_room_grows_with_hours_and_rate_and_says_what_is_free(tmp_path: Path) -> None:
    small, long_, fast = (disk_space(tmp_path / "a.db", *of) for of in ((1, 10), (10, 10), (1, 320)))
    assert small.needed_bytes < long_.needed_bytes
    assert small.needed_bytes < fast.needed_bytes
    disk = os.statvfs(tmp_path)
    assert 0 < small.free_bytes <= disk.f_blocks * disk.f_frsize
    assert disk_space(tmp_path / "a.db", 1e9, 320).enough is False
    with pytest.raises(BadDatabase, match="make the folder"):
        disk_space(tmp_path / "none" / "a.db", 1, 10)


def test_a_run_takes_no_more_than_the_room_that_was_asked_for(written: Path) -> None:
    size, hours = written.stat().st_size, 2 * 600 / 3600
    for_it = disk_space(written, hours, 80).needed_bytes - disk_space(written, 0, 80).needed_bytes
    assert size < for_it < 5 * size


# a second place


def test_a_backup_is_a_database_of_its_own_with_the_whole_run(copy: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    before = copy.read_bytes()
    kept = backup_run(copy, 2, stick)
    assert kept == stick / "halfpercent-run-2-sample-2-.db"
    assert names(stick) == {kept.name}
    assert copy.read_bytes() == before
    there, here = open_readonly(copy), open_readonly(kept)
    assert [r["run_id"] for r in here.table("runs").rows] == [2]
    for table in ("runs", "chunks", "seconds", "events"):
        rows = list(there.table(table).rows_where("run_id = 2", order_by="2"))
        assert rows == list(here.table(table).rows_where(order_by="2")), table
        assert rows
    assert list(here.table("certificates").rows) == list(there.table("certificates").rows)
    assert sum(len(f) for f in stored_frames(here, 2)) == 600
    assert list(hash_chain.events(here, 2)) == list(hash_chain.events(there, 2))
    assert here.execute("pragma journal_mode").fetchone()[0] == "delete", "it can be read where nothing can be written"
    there.close()
    here.close()


def test_a_backup_that_is_there_already_is_left(copy: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    kept = backup_run(copy, 1, stick)
    stamp = kept.stat()
    assert backup_run(copy, 1, stick) == kept
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)


def test_a_copy_is_replaced_by_one_that_has_a_correction_too(copy: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    kept = backup_run(copy, 1, stick)
    with Journal(copy) as journal:
        correct(journal, Correction(1, "u-1", "operator", "Ada", "misread"), "ada", 1.8e9)
    assert backup_run(copy, 1, stick) == kept
    assert names(stick) == {kept.name}
    with contextlib.closing(open_readonly(kept)) as here, contextlib.closing(open_readonly(copy)) as there:
        events = list(hash_chain.events(here, 1))
        assert (events[-1]["kind"], events) == ("corrected", list(hash_chain.events(there, 1)))
    with sqlite3.connect(copy) as db:  # and a database that lost it again is another's
        db.execute("delete from events where kind = 'corrected'")
    with pytest.raises(BadDatabase, match="move it away"):
        backup_run(copy, 1, stick)


def test_a_file_of_that_name_which_is_not_the_run_is_refused_and_left(copy: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    kept = backup_run(copy, 1, stick)
    for change in ("update seconds set mass_g = 2 where second = 9", "update runs set verdict = 'PASS'"):
        db = sqlite3.connect(kept)
        with db:
            db.execute(change)
        db.close()
        before = kept.read_bytes()
        with pytest.raises(BadDatabase, match="move it away"):
            backup_run(copy, 1, stick)
        assert kept.read_bytes() == before
    kept.write_bytes(b"")
    with pytest.raises(BadDatabase, match="move it away"):
        backup_run(copy, 1, stick)


def test_a_copy_that_reads_back_otherwise_gets_no_name(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    written = backup.copy_run

    def on_a_bad_stick(path: Path, run_id: int, part: Path, tables: Sequence[str]) -> None:
        written(path, run_id, part, tables)
        raw = part.read_bytes()
        at = raw.index(b"in band")
        overwritten(part, at, b"out band")

    monkeypatch.setattr(backup, "copy_run", on_a_bad_stick)
    with pytest.raises(BadDatabase, match="does not hold run 1 as it is"):
        backup_run(copy, 1, stick)
    assert names(stick) == set()


def test_what_is_not_finished_or_not_there_is_not_backed_up(copy: Path, tmp_path: Path) -> None:
    for run_id, why in ((3, "has not ended"), (9, "is not there")):
        with pytest.raises(BadInput, match=why):
            backup_run(copy, run_id, tmp_path)
    assert not [name for name in names(tmp_path) if "run" in name]


def test_a_run_whose_chain_is_broken_is_not_backed_up(copy: Path, tmp_path: Path) -> None:
    db = sqlite3.connect(copy)
    with db:
        db.execute("update chunks set samples = samples + 1 where run_id = 1 and chunk = 7")
    db.close()
    with pytest.raises(BadDatabase, match="run 1, chunk 7"):
        backup_run(copy, 1, tmp_path)


def test_a_backup_is_made_while_the_database_is_written(copy: Path, tmp_path: Path) -> None:
    with Journal(copy) as journal:
        run = begin(journal)
        write(run, range(7))
        kept = backup_run(copy, 1, tmp_path)
        write(run, range(7, 10))
    db = open_readonly(kept)
    assert len(list(hash_chain.chunks(db, 1))) > 100
    db.close()


def test_a_stick_that_is_not_there_is_one_line(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(BadDatabase, match="plug the stick in") as caught:
        backup_run(copy, 1, tmp_path / "stick")
    assert len(str(caught.value).splitlines()) == 1


def test_the_same_disk_is_no_second_place(copy: Path, tmp_path: Path) -> None:
    assert not is_second_place(copy, tmp_path)
    assert not is_second_place(copy, tmp_path / "stick that is not plugged in")


AS_NOBODY = """
import os, sys, urllib.parse  # what is loaded late cannot be, by nobody
from pathlib import Path
from edge.database.backup import backup_run
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(backup_run(Path(sys.argv[1]), 1, Path(sys.argv[2])))
except Exception as e:
    print(type(e).__name__, e)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become someone who may not write")
def test_a_folder_that_cannot_be_written_is_one_line(copy: Path) -> None:
    folder = Path("/tmp") / f"halfpercent-read-only-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        shutil.copy(copy, folder / "a.db")
        stick = folder / "stick"
        stick.mkdir(mode=0o555)
        command = [sys.executable, "-c", AS_NOBODY, str(folder / "a.db"), str(stick)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout.startswith(f"BadDatabase {stick}: cannot be written: check its rights"), done.stderr
        assert names(stick) == set()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "small", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_stick_is_one_line_and_nothing_stays_on_it(copy: Path, small_disk: Path) -> None:
    assert is_second_place(copy, small_disk)
    assert not disk_space(small_disk / "a.db", 1.0, 10.0).enough
    (small_disk / "letter.txt").write_bytes(bytes(100_000))
    with pytest.raises(StorageFull) as caught:
        backup_run(copy, 1, small_disk)
    assert len(str(caught.value).splitlines()) == 1
    assert str(small_disk) in str(caught.value)
    assert names(small_disk) == {"letter.txt"}
    (small_disk / "letter.txt").unlink()
