"""What a person at a terminal is told: the domain's own line, with names of values as options of the command."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT
from short_demo import Demo

from calibration.errors import BadFit
from edge.cli.exit_status import error_line
from edge.cli.main import cli
from edge.errors import (
    BadDatabase,
    BadRecording,
    BadValue,
    CalibrationRefused,
    NoCalibration,
    NoCertificate,
    NotPlausible,
    Refused,
    SocketTrouble,
)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotPlausible("density", "2500", "nothing weighs that"), "--density 2500: nothing weighs that"),
        (BadValue("density_u", "", "give the density too"), "--density-u: give the density too"),
        (BadValue("sample_mass", 0, "give grams"), "--sample-mass 0: give grams"),
        (BadValue("phase of the moon", "full", "wait"), "phase of the moon full: wait"),
        (BadDatabase("x.db: is damaged: restore it, or name another"), "restore it, or name another (--db)"),
        (BadDatabase("x.db: another program is writing to it: wait"), "another program is writing to it: wait"),
        (BadDatabase("x.db: choose another with --db"), "x.db: choose another with --db"),
        (SocketTrouble("x: is not a socket: remove it, or name another"), "remove it, or name another (--socket)"),
        (NoCalibration("no calibration called cell: name another database"), "name another database (--db)"),
        (NoCertificate("no certificate: name the load cell's"), "name the load cell's (--certificate)"),
        (CalibrationRefused("begun 40 days ago: begin again: x"), "begin again: x (--restart)"),
        (BadFit("100 g does not lie there, or begin again"), "or begin again (--restart)"),
        (BadRecording("x: map it", "columns t_ms=H", "declare temp_c=25"), "(--columns t_ms=H or --declare temp_c=25)"),
        (BadRecording("x: is empty"), "x: is empty"),
        (FileExistsError(17, "File exists", "x"), "x: is there already: name another"),
        (
            PermissionError(13, "Permission denied", "x"),
            "x: Permission denied: check the path, its rights and the room on the disk",
        ),
        (Refused("note: not now: wait for the tare"), "note: not now: wait for the tare"),
    ],
)
def test_the_command_adds_its_options(error: Exception, line: str) -> None:
    assert error_line(error, cli).endswith(line)


# What a command line looks like inside a module: an option, not a dash in a drawing or a text.
FLAG = re.compile(r"""(?<![\w-])--[a-z][a-z-]+""")
NOT_YET = {"report"}
RUNS_COMMANDS = {ROOT / "edge" / "web" / "stored_pages.py"}
"""The page has a report made by the command itself, in a process of its own."""


@pytest.mark.parametrize(
    "path",
    sorted(
        p
        for p in set((ROOT / "edge").rglob("*.py")) - RUNS_COMMANDS
        if p.relative_to(ROOT / "edge").parts[0] not in {"cli", *NOT_YET}
    ),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_no_module_but_a_command_names_an_option(path: Path) -> None:
    assert not FLAG.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "closed", "status"),
    [
        ("report 1 --db {db}", ">&-", 0),
        ("init {db}.toml", "<&-", 1),
        ("export 1 -o {db}.csv --db {db}", "<&- >&- 2>&-", 0),
    ],
)
def test_a_command_that_is_started_without_standard_streams_does_its_job_or_says_so(
    words: str, closed: str, status: int, short_demo: Demo, tmp_path: Path
) -> None:
    db = tmp_path / "x.db"
    shutil.copy(short_demo.path, db)
    before = db.read_bytes()
    line = f"{shlex.quote(sys.executable)} -m edge {words.format(db=db)} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert ("halfpercent: nobody answered" in done.stderr) == (status == 1)
    assert db.read_bytes() == before
