"""A bench's own section of a page in docs/: what it is about, where and when it was measured, and what was found.

A section lies between two markers and is replaced as a whole; the rest of the page is written by hand.
"""

from __future__ import annotations

import datetime
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from repository import ROOT

BENCHMARKS = ROOT / "docs" / "benchmarks.md"
FLEET = ROOT / "docs" / "fleet.md"
RELIABILITY = ROOT / "docs" / "reliability.md"
KEEPS = ("--resume", "--keep", "--state")
UNTOLD = ("--write", *KEEPS)
"""Whether a bench writes, and in which file it keeps its pieces, is no part of what it measured."""


@dataclass(frozen=True)
class Measured:
    """Where, when and how something was measured, as one line."""

    commit: str
    date: str
    machine: str
    command: str
    took_s: float | None = None

    def line(self) -> str:
        """Say it in one line."""
        took = "" if self.took_s is None else f": {self.took_s:.0f} s"
        return f"Measured on commit {self.commit}, {self.date}, {self.machine}; `{self.command}`{took}."


@dataclass(frozen=True)
class Section:
    """One bench's section: its heading and the words that do not depend on what was measured."""

    name: str
    title: str
    about: str
    remarks: str = ""
    page: Path = BENCHMARKS
    packages: Sequence[str] = field(default=("numba",))
    """Installed packages whose versions matter to the figures."""

    @property
    def begin(self) -> str:
        """The marker before it."""
        return f"<!-- {self.name}: written by its bench -->\n"

    @property
    def end(self) -> str:
        """The marker behind it."""
        return f"<!-- end of {self.name} -->\n"

    def text(self, found: str, measured: Measured) -> str:
        """The section with its markers."""
        parts = (self.title, self.about.strip(), measured.line(), found.strip(), self.remarks.strip())
        return self.begin + "\n" + "\n\n".join(part for part in parts if part) + "\n\n" + self.end

    def on(self, page: str) -> str:
        """What stands on a page between this section's markers, and the markers. Empty where there are none."""
        found = re.search(re.escape(self.begin) + ".*?" + re.escape(self.end), page, re.DOTALL)
        return found[0] if found else ""

    def put(self, page: str, text: str) -> str:
        """The page with this section's text in its place, or at its end."""
        old = self.on(page)
        return page.replace(old, text) if old else page.rstrip("\n") + "\n\n" + text

    def report(self, found: str, *, took_s: float, write: bool) -> None:
        """Print the section, and write it into its page where that is wanted."""
        text = self.text(found, measured_here(self.packages, took_s))
        print(text)
        if write:
            self.page.write_text(self.put(self.page.read_text(encoding="utf-8"), text), encoding="utf-8")


def measured_here(packages: Sequence[str], took_s: float | None) -> Measured:
    """Say what is measured now: this commit, this day, this machine, this command."""
    words = [w for before, w in pairwise(sys.argv) if w not in UNTOLD and before not in KEEPS]
    program = Path(sys.argv[0]).resolve()
    name = program.relative_to(ROOT) if program.is_relative_to(ROOT) else Path(program.name)
    return Measured(
        commit(), f"{datetime.date.today()}", machine(packages), shlex.join(["python", str(name), *words]), took_s
    )


def commit() -> str:
    """This commit, and whether what is measured differs from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "calibration", "edge", "hw", "tests")
        return git("rev-parse", "--short=7", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine(packages: Sequence[str]) -> str:
    """The machine and what runs on it, without its name."""
    info = _read("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    name = _read("/sys/firmware/devicetree/base/model").strip("\0\n") or (model[1].strip() if model else "")
    kind = f"{os.cpu_count()}-core {platform.machine()}" + (" VM" if "hypervisor" in info else "")
    load = f"load {os.getloadavg()[0]:.1f} as it ended"
    versions = [f"Python {platform.python_version()}", *(f"{package} {version(package)}" for package in packages)]
    return f"{kind} ({', '.join(filter(None, (name, load)))}), {', '.join(versions)}"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def table(*rows: Sequence[object]) -> str:
    """A table in Markdown; the first row is its heading, the first column is left-aligned and the others right."""
    width = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]

    def line(row: Sequence[object]) -> str:
        cells = [f"{row[i]!s:{'<' if i == 0 else '>'}{width[i]}}" for i in range(len(row))]
        return f"| {' | '.join(cells)} |"

    rule = [("-" * (w + 2)) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(width)]
    return "\n".join([line(rows[0]), f"|{'|'.join(rule)}|", *map(line, rows[1:])])
