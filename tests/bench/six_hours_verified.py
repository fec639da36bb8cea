"""What a stranger waits for: ``verify`` and ``export`` of a six-hour run at 80 SPS, and how large its package is.

Whole commands, their start included, take turns with a Python that only imports numba. What may fail here are the
answer, the memory and the package's size; times are said and never asserted. ``make six-hours-verified`` writes
docs/evidence.md; ``tests/bench/test_six_hours_verified.py`` is the small form.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench_report import Section, table
from repository import ROOT
from sealed_run import SealedRun
from six_hours import six_hours

MOST_MB, MOST_OF_RAW, MOST_BESIDE_BYTES = 300.0, 1.15, 1_000_000
"""The goals: memory of each command, and the package against the raw chunks."""
ROUNDS = 7
SECTION = Section(
    "six-hours-verified",
    "## A run of six hours",
    """
A simulated test at 80 samples a second, six hours of hold, sealed: whole commands, their start included, that take
turns with a Python which only imports numba. Medians; memory is the peak of a command's own process (`VmHWM`). The
goals: `verify` and `export` at most 3 s and 300 MB each, on an idle machine (a wall time far from its processor time
says that this one was not), the package at most 1.15 times the raw chunks plus 1 MB. The bench fails where the answer
is not VERIFIED, or memory or size are more.
""",
    page=ROOT / "docs" / "evidence.md",
    packages=("numba", "numpy", "scipy"),
)
_PEAK = (
    "import atexit, sys\n"
    "atexit.register(lambda: sys.stderr.write(open('/proc/self/status').read()))\n"
    "sys.argv = ['halfpercent', *sys.argv[1:]]\n"
)
_START = {"halfpercent": "from edge.cli.main import main; main()", "numba": "import numba"}


@dataclass(frozen=True, slots=True)
class Took:
    """What a command took: by the wall and of a processor, in s."""

    wall_s: float
    cpu_s: float


def took(program: str, words: Sequence[str] = ()) -> Took:
    """Run a program to its end. Raises ``CalledProcessError`` where that is not 0."""
    before, began = os.times(), time.monotonic()
    argv = [sys.executable, "-c", _START[program], *words]
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)
    after, wall_s = os.times(), time.monotonic() - began
    of_children = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(wall_s, of_children)


def peak_mb(program: str, words: Sequence[str] = ()) -> tuple[float, str]:
    """Run it once more, and get the peak of its memory in MB and what it printed."""
    argv = [sys.executable, "-c", _PEAK + _START[program], *words]
    done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1000.0, done.stdout


def raw_bytes(sealed: SealedRun) -> int:
    """Get how long the raw chunks of the run are, all together."""
    with closing(sqlite3.connect(sealed.database)) as db:
        return int(db.execute("select sum(length(raw)) from chunks").fetchone()[0])


def size_says(sealed: SealedRun) -> str:
    """Say how large the package is, and hold the goal."""
    raw, size = raw_bytes(sealed), len(sealed.raw)
    assert size <= MOST_OF_RAW * raw + MOST_BESIDE_BYTES, (size, raw)
    return (
        f"The package has {size / 1e6:.2f} MB, the raw chunks in it {raw / 1e6:.2f} MB: {size / raw:.3f} times these, "
        f"or these and {(size - raw) / 1e6:.2f} MB."
    )


def measured(sealed: SealedRun, folder: Path, rounds: int) -> list[tuple[object, ...]]:
    """Let the commands take turns. Get the table's rows, and hold the goals."""
    package = folder / "run.eln"
    package.write_bytes(sealed.raw)
    export = ("export", "last", "--db", str(sealed.database), "-o")
    verify = ("verify", str(package), "--signers", str(sealed.signers_file))
    of: dict[str, list[Took]] = {"verify": [], "export": [], "numba": []}
    for n in range(rounds):
        of["verify"].append(took("halfpercent", verify))
        of["export"].append(took("halfpercent", (*export, str(folder / f"{n}.eln"))))
        of["numba"].append(took("numba"))
        assert (folder / f"{n}.eln").read_bytes() == sealed.raw, "the same run makes the same bytes"
    mb, said = peak_mb("halfpercent", verify)
    peaks = {"verify": mb, "export": peak_mb("halfpercent", (*export, str(folder / "peak.eln")))[0]}
    peaks["numba"] = peak_mb("numba")[0]
    assert said.startswith("VERIFIED: "), said
    assert max(peaks.values()) <= MOST_MB, peaks
    numba_s = statistics.median(t.cpu_s for t in of["numba"])
    rows: list[tuple[object, ...]] = []
    for name, label in (("verify", "`halfpercent verify`"), ("export", "`halfpercent export`"), ("numba", "numba")):
        cpu_s = statistics.median(t.cpu_s for t in of[name])
        walls = [t.wall_s for t in of[name]]
        rows.append(
            (label, f"{cpu_s:.2f} s", f"{cpu_s / numba_s:.1f}", f"{statistics.median(walls):.2f} s",
             f"{min(walls):.2f} s", f"{peaks[name]:.0f} MB")
        )  # fmt: skip
    return rows


HEAD = ("command", "processor", "times numba's", "wall", "least wall", "memory")


def main() -> None:
    """Measure the run, then the commands, and say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--hold-s", type=float, default=21_600.0)
    parser.add_argument("--write", action="store_true", help="write the section of docs/evidence.md")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed = six_hours(folder, args.hold_s)
        found = table(HEAD, *measured(sealed, folder, args.rounds)) + "\n\n" + size_says(sealed)
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
