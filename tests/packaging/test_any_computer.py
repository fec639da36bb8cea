"""What reads and judges works on any computer: without fcntl, without a bus or its libraries, without Unix's sockets.

A stranger checks a run on Windows or macOS. Here a Linux stands for them, of which that is taken away.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from made_up_recordings import cold_test, write
from repository import ROOT
from sealed_run import SealedRun

ELSEWHERE = """
import os, socket, subprocess, sys, types
missing = {"fcntl", "pwd", "grp", "termios", "resource", "gpiozero", "lgpio", "smbus2", "spidev", "board", "busio",
    "digitalio", "microcontroller", "adafruit_blinka", "adafruit_max31865", "adafruit_bus_device", "Adafruit_PureIO",
    "adafruit_mprls", "serial"}
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in missing:
            raise ImportError(f"there is no {name} on this computer")
for name in missing:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for name in ("O_NONBLOCK", "O_NOCTTY", "O_DIRECTORY", "O_PATH", "O_NOFOLLOW", "geteuid"):
    delattr(os, name)
del socket.AF_UNIX
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=lambda *_: None)
from edge.cli.main import main
for line in sys.stdin.read().splitlines():
    sys.argv = ["halfpercent", *line.split("\\t")]
    try:
        main()
    except SystemExit as e:
        assert not e.code, (line, e.code)
"""


def test_a_recording_is_replayed_and_a_run_reported_on_any_computer(tmp_path: Path) -> None:
    recording = write(tmp_path / "recording.csv", cold_test(60.0))
    db = tmp_path / "out/halfpercent.db"
    commands = (
        ["replay", str(recording), "--out", str(tmp_path / "out")],
        ["runs", "--db", str(db)],
        ["report", "last", "--db", str(db)],
    )
    _run_elsewhere(commands, "recording.csv")


def test_a_package_is_verified_on_any_computer(sealed: SealedRun, tmp_path: Path) -> None:
    file = tmp_path / "run.eln"
    file.write_bytes(sealed.raw)
    _run_elsewhere((["verify", str(file), "--signers", str(sealed.signers_file)],), "VERIFIED")


def _run_elsewhere(commands: Sequence[list[str]], says: str) -> None:
    lines = "\n".join("\t".join(command) for command in commands)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=lines, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
