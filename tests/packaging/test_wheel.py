"""The wheel holds all that is read at run time, and judges where no source tree is: on a Pi, and on any computer.

A stranger checks a run on Windows or macOS: without fcntl, without a bus or its libraries, without Unix's sockets.
Here a Linux stands for them, of which that is taken away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest
from made_up_recordings import cold_test, write
from packaging.requirements import Requirement
from repository import ROOT
from sealed_run import SealedRun
from short_demo import SHORTER

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
assert sys.modules["edge"].__file__.startswith(sys.path[0]), sys.modules["edge"].__file__
for line in sys.stdin.read().splitlines():
    sys.argv = ["halfpercent", *line.split("\\t")]
    try:
        main()
    except SystemExit as e:
        assert not e.code, (line, e.code)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = folder / "build"
    build.mkdir()
    for part in ("pyproject.toml", "README.md", "LICENSE", "edge", "hw", "calibration"):
        (build / part).symlink_to(ROOT / part)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "-w", str(folder), str(build)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("halfpercent-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_module_and_every_file_that_is_read(unpacked: Path) -> None:
    for top in ("edge", "hw", "calibration"):
        sources = (p for p in (ROOT / top).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        assert [str(p) for p in sources if not (unpacked / p.relative_to(ROOT)).exists()] == []


def test_a_recording_is_judged_and_a_test_simulated_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        "import edge, json\n"
        f"assert edge.__file__.startswith({str(unpacked)!r}), edge.__file__\n"
        "from edge.simulate.night_file import load_night, shipped_nights\n"
        "assert all(load_night(night) for night in shipped_nights())\n"
        "from edge.cli.main import main\n"
        "main()\n"
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": sysconfig.get_path("purelib")}

    def say(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", code, *words, "--json"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    assert say("replay", str(ROOT / "docs" / "first-recording.csv"), "--declare", "u_mass_g=0.002")["verdict"] == "FAIL"
    (tmp_path / "short.toml").write_text(SHORTER, encoding="utf-8")
    assert say("demo", "--standard", "short.toml", "--scenario", "liquid", "--out", "demo")["verdict"] == "FAIL"


@pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
def test_the_chips_libraries_are_required_on_linux_only(unpacked: Path, system: str) -> None:
    (info,) = unpacked.glob("halfpercent-*.dist-info")
    needs = [Requirement(line) for line in PathDistribution(info).requires or ()]
    here = {"sys_platform": system, "extra": ""}
    names = {n.name.lower() for n in needs if n.marker is None or n.marker.evaluate(here)}
    chips = {"gpiozero", "smbus2", "adafruit-circuitpython-max31865", "adafruit-pureio"}
    assert names & chips == (chips if system == "linux" else set())
    assert {"numba", "numpy", "scipy", "sqlite-utils", "msgspec", "click"} <= names


def test_a_recording_is_replayed_and_a_run_reported_on_any_computer(unpacked: Path, tmp_path: Path) -> None:
    recording = write(tmp_path / "recording.csv", cold_test(60.0))
    db = tmp_path / "out/halfpercent.db"
    commands = (
        ["replay", str(recording), "--out", str(tmp_path / "out")],
        ["runs", "--db", str(db)],
        ["report", "last", "--db", str(db)],
    )
    run_elsewhere(unpacked, tmp_path, commands, "recording.csv")


def test_a_package_is_verified_on_any_computer(unpacked: Path, sealed: SealedRun, tmp_path: Path) -> None:
    file = tmp_path / "run.eln"
    file.write_bytes(sealed.raw)
    run_elsewhere(unpacked, tmp_path, (["verify", str(file), "--signers", str(sealed.signers_file)],), "VERIFIED")


def run_elsewhere(wheel: Path, folder: Path, commands: Sequence[list[str]], says: str) -> None:
    lines = "\n".join("\t".join(command) for command in commands)
    code = f"import sys; sys.path[0] = {str(wheel)!r}\n{ELSEWHERE}"
    done = subprocess.run(
        [sys.executable, "-c", code], input=lines, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
