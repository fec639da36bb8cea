"""A commit that fails with EIO, EROFS, ENOSPC or EDQUOT costs no second and no note, and is the alarm at once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from failing_disk import SYNCS, WRITES, Told, compiled, measured
from repository import HELPERS, ROOT


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = compiled(tmp_path_factory.mktemp("library"))
    if found is None:
        pytest.skip("there is no C compiler")
    return found


def nothing_was_lost(told: Told) -> None:
    assert told.seconds == list(range(len(told.seconds)))
    assert len(told.seconds) >= 60
    assert told.notes == ["while it fails"]
    assert told.alarms == ["storage"]
    assert told.error_after is None


@pytest.mark.parametrize("name", ["EIO", "EROFS", "ENOSPC", "EDQUOT"])
@pytest.mark.parametrize("what", [WRITES, SYNCS, WRITES | SYNCS], ids=["writes", "syncs", "both"])
def test_a_disk_that_gives_this_error_is_an_alarm_and_loses_nothing(
    tmp_path: Path, library: Path, name: str, what: int
) -> None:
    told = measured(tmp_path, library, what, getattr(errno, name))
    nothing_was_lost(told)
    assert told.alarmed_while
    assert told.error_while, "the words of the alarm"
    assert told.relay_closed, "a disk is no reason to cool a sample"


FULL = """
mount -t tmpfs -o size=150m tmpfs "$1" || exit 99
exec "$2" "$3" "$1"
"""
PROGRAM = """
import sys
from pathlib import Path
from simulated_service import rigged
from edge.database.stored_frames import stored_frames
folder = Path(sys.argv[1])
with rigged(folder, looks=2) as it:
    it.ask("start", sample="S-1", operator="Ada")
    it.run_s(20.0)
    with (folder / "filler").open("wb", buffering=0) as file:  # else its last bytes fail as it is closed
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    it.run_s(60.0)
    assert [str(a.alarm) for a in it.service.station.alarms.standing] == ["storage"]
    (folder / "filler").unlink()
    it.run_s(20.0)
    it.service.station.live.journal.commit(it.simulated.clock.wall_s())
    seconds = [int(s) for frames in stored_frames(it.journal.db, 1) for s in frames.seq]
    assert seconds == list(range(len(seconds))) and len(seconds) >= 100, seconds
print("whole")
"""


def test_a_file_system_that_is_really_full_is_the_same(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    at = tmp_path / "small"
    at.mkdir()
    words = ["unshare", "--mount", "sh", "-c", FULL, "sh", str(at), sys.executable, str(program)]
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{HELPERS}"}
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=env)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("this user may not mount")
    assert done.stdout == "whole\n", done.stderr
