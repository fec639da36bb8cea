"""What can run out under a station is said before it hurts: the log under a reader, room, names, descriptors."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from written_run import begin, write

import edge.station.storage_watch as watch
from edge.database.journal import Journal
from edge.station.storage_watch import StorageWatch, readers_of

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("begin")
db.execute("select count(*) from runs").fetchall()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    Journal(tmp_path / "a.db").close()
    journal = Journal(tmp_path / "a.db")
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "a.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert held.stdout is not None
    held.stdout.readline()
    journal.close()
    yield held
    held.kill()
    held.communicate()


def test_a_log_that_a_reader_holds_is_said_with_its_name_and_is_cut_once_it_lets_go(
    tmp_path: Path, reader: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOG_BYTES", 100_000)
    monkeypatch.setattr(watch, "CHECKPOINT_BYTES", 50_000)
    path = tmp_path / "a.db"
    with Journal(path) as journal:
        run = begin(journal, batch_s=1)
        write(run, range(40))
        look = StorageWatch(path, journal.checkpoint)
        look.look(0.0, lambda: 1)
        assert look.concern.startswith("a.db-wal has grown to ")
        assert f"for a program (process {reader.pid}, python" in look.concern
        reader.communicate("")
        look.look(5.0, lambda: 1)
        assert look.concern, "it looks every ten seconds"
        look.look(11.0, lambda: 1)
        assert look.concern == ""
        assert path.with_name("a.db-wal").stat().st_size == 0
        assert readers_of(path.with_name("a.db-shm")) == []


def test_room_and_names_that_run_out_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)

    def concern(**changed: int) -> str:
        told = os.statvfs_result([changed.get(name, getattr(real, name)) for name in FIELDS])
        monkeypatch.setattr(os, "statvfs", lambda _: told)
        look = StorageWatch(tmp_path / "a.db", lambda: None)
        look.look(0.0, lambda: 1)
        return look.concern

    assert concern(f_bavail=10**9, f_favail=10**6) == ""
    assert "MB are free beside a.db: make room" in concern(f_bavail=100, f_favail=10**6)
    assert "5 more files can be made beside a.db" in concern(f_bavail=10**9, f_favail=5)
    assert concern(f_bavail=10**9, f_files=0, f_favail=0) == "", "a file system that does not count them"


FIELDS = (
    *(
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_flag",
        "f_namemax",
    ),
)


def test_descriptors_that_run_out_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (len(list(Path("/proc/self/fd").iterdir())), 4096))
    look = StorageWatch(tmp_path / "a.db", lambda: None)
    look.look(0.0, lambda: 1)
    assert "files are open: restart halfpercent after the run" in look.concern


def test_who_holds_a_lock_is_found_among_processes_only(tmp_path: Path) -> None:
    Journal(tmp_path / "a.db").close()
    db = sqlite3.connect(tmp_path / "a.db")
    db.execute("pragma journal_mode = wal")
    db.execute("begin")
    db.execute("select * from runs").fetchall()
    assert readers_of(tmp_path / "a.db-shm") == [], "this process is no other"
    db.close()
    assert readers_of(tmp_path / "none") == []
