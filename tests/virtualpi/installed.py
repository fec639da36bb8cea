"""A disk with the instrument on it, as ``sudo make install`` puts it there, on a virtual Pi without a network.

It is made once for a state of the sources, and the one before is deleted. This module must never change a disk that
is complete.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
from pathlib import Path

from . import build, machine

PARTS = ("edge", "hw", "calibration", "systemd", "pyproject.toml", "README.md")
INSTALL = """set -e
rm -rf /opt/halfpercent
mkdir -p /run/wheels && mount -r -t hostfs -o {wheels} none /run/wheels
WHEELS=/run/wheels LOCK=/run/wheels/run.lock sh /halfpercent/systemd/install.sh install
umount /run/wheels
"""


@functools.cache
def disk() -> Path:
    """Get the disk, made where it is missing; the same one until this process ends, though sources change.

    Raises ``RuntimeError`` where the installation fails.
    """
    folder = build.CACHE / f"installed-{_key()}"
    if not folder.is_dir():
        _make(folder)
    return folder / "root.ext4"


def said() -> str:
    """Get what the installation printed."""
    return (disk().parent / "said").read_text(encoding="utf-8")


def _key() -> str:
    sha = hashlib.sha256(f"{build.disk().name} {build.wheels().name} {INSTALL}".encode())
    files = [f for part in PARTS for f in [build.REPO / part, *sorted((build.REPO / part).rglob("*"))]]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            sha.update(f"{path.relative_to(build.REPO)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()[:12]


def _make(folder: Path) -> None:
    for old in [*build.CACHE.glob("installed-*"), *build.CACHE.glob("half-installed-*")]:
        shutil.rmtree(old)
    half = folder.with_name(f"half-{folder.name}")
    half.mkdir()
    image = half / "root.ext4"
    subprocess.run(["cp", "--sparse=always", build.disk() / "root.ext4", image], check=True)
    job = ["sh", "-c", INSTALL.format(wheels=build.wheels())]
    ran = machine.boot(image, job, half, timeout_s=900.0, write=True)
    if ran.status != 0:
        raise RuntimeError(f"the installation failed: {ran.console}")
    print(f"installed on the virtual Pi in {ran.took_s:.0f} s")
    half.rename(folder)
