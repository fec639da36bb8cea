"""Starts the virtual Pi for one program and brings back what it said.

One machine is one process without rights of its own: its root is a folder that it reads, or a disk that it boots
systemd from; the repository is mounted at ``/halfpercent``, and ``/out`` is a folder of the caller's. This module must
never build anything, and never change a disk that it is given.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import build
from .mended_kernel import TOO_SMALL

MEMORY = "2048M"
NOT_THERE = [f"systemd.mask={unit}" for unit in ("systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount")]
"""What this kernel cannot do and no test wants."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program on the virtual Pi left: exit status, what the console showed, and how long the machine was on."""

    status: int
    console: str
    took_s: float


def run(argv: list[str], out: Path, *, timeout_s: float = 900.0) -> Ran:
    """Boot, run ``argv`` with ``out`` as ``/out``, power off. Raises ``RuntimeError`` where the machine did not end."""
    return _on(hosted(), argv, out, timeout_s)


def boot(disk: Path, argv: list[str], out: Path, *, timeout_s: float = 600.0, write: bool = False) -> Ran:
    """Boot systemd from the ext4 image ``disk``, run ``argv`` when it is up, power off.

    What is written goes into a file in ``out``; with ``write`` into ``disk`` itself. Raises as :func:`run` does.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = out / "written.cow"
    written.unlink(missing_ok=True)
    device = f"ubd0={disk}" if write else f"ubd0={written},{disk}"
    try:
        ran = _on([device, "root=/dev/ubda", "rw", "VPI_BOOT=systemd", *NOT_THERE], argv, out, timeout_s)
    finally:
        written.unlink(missing_ok=True)
    return Ran(ran.status, (out / "said").read_text(errors="replace"), ran.took_s)


def hosted() -> list[str]:
    """Get the kernel's words for a root that is a folder of the host, and is only read."""
    return ["rootfstype=hostfs", f"rootflags={build.root()}", "ro"]


def start(rooted: Sequence[str], job: str, out: Path, console: Any, memory: str = MEMORY) -> subprocess.Popen[bytes]:
    """Start a machine that runs a shell's ``job``, with ``out`` as ``/out``; what it shows goes to ``console``.

    Its helper processes are in a process group that only it has. Raises ``RuntimeError`` where something is not built.
    """
    missing = build.missing()
    if missing:
        raise RuntimeError(f"the virtual Pi lacks {', '.join(m.name for m in missing)}: run make virtual-pi")
    out.mkdir(parents=True, exist_ok=True)
    (out / "job").write_text(f"{job}\n", encoding="utf-8")
    (out / "status").unlink(missing_ok=True)
    compiled = build.CACHE / "numba"
    compiled.mkdir(exist_ok=True)
    folders = {"VPI_REPO": build.REPO, "VPI_MODULE": build.module(), "VPI_OUT": out.resolve(), "VPI_NUMBA": compiled}
    for folder in (*folders.values(), build.CACHE):
        if any(c in str(folder) for c in " \t,"):
            raise RuntimeError(f"{folder}: a kernel's command line has no room for blanks and commas in a path")
    command = [
        *(str(build.kernel() / "linux"), f"mem={memory}", "quiet"),
        *(*rooted, "init=/sbin/vpi-init"),
        *("con=null", "con0=null,fd:1", "ssl=null"),
        *(f"{name}={folder}" for name, folder in folders.items()),
    ]
    # The machine's memory is a file in TMPDIR, which must be in memory itself.
    environment = {"PATH": os.environ["PATH"], "HOME": str(out), "TMPDIR": "/dev/shm"}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )


def _on(rooted: Sequence[str], argv: list[str], out: Path, timeout_s: float) -> Ran:
    began = time.monotonic()
    process = start(rooted, f"exec {shlex.join(argv)}", out, subprocess.PIPE)
    try:
        console, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as e:
        raise RuntimeError(f"the virtual Pi was still on after {timeout_s:g} s: {argv}") from e
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()
    text = console.decode(errors="replace")
    status = out / "status"
    if TOO_SMALL in text:
        raise RuntimeError("this processor has more registers than the virtual Pi's kernel knows: make virtual-pi")
    if not status.exists():
        raise RuntimeError(f"the virtual Pi ended without a status: {argv}\n{text}")
    return Ran(int(status.read_text()), text, time.monotonic() - began)
