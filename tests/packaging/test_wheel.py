"""The wheel holds all that is read at run time, and judges a recording where no source tree is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from repository import ROOT


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


def test_a_recording_is_judged_and_a_night_is_known_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        "import edge, json\n"
        f"assert edge.__file__.startswith({str(unpacked)!r}), edge.__file__\n"
        "from edge.simulate.night_file import load_night, shipped_nights\n"
        "assert all(load_night(night) for night in shipped_nights())\n"
        "from edge.cli.main import main\n"
        "main()\n"
    )
    recording = str(ROOT / "docs" / "first-recording.csv")
    words = ["replay", recording, "--declare", "u_mass_g=0.002", "--json"]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": sysconfig.get_path("purelib")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "FAIL"
