"""What an attack did to a command: run in a process of its own, under bounds, and judged as the promise says.

The promise (docs/security.md): one line on standard error that says what is wrong, exit status 0, 1 or 2, no traceback,
no control character on the terminal, at most 200 MB and 5 s, nothing stored lost or changed. A child is forked from a
process that has imported what it needs, so a thousand of them take minutes.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench_report import Section, table
from repository import ROOT

SECURITY = ROOT / "docs" / "security.md"
MOST_S = 5.0
MOST_MB = 200.0
KILL_S = 30.0
"""What is still not done then is killed: it hangs."""


def warm_up() -> None:
    """Import and compile here what a command that judges would, so that each of a thousand need not."""
    from edge.station import service

    service.warm_up()
    importlib.import_module("scipy.special")


@dataclass(frozen=True)
class Ended:
    """How an attacked command ended: ``status`` None where it was killed; time in s, peak of resident memory in MB.

    The time is that on the clock, without that in which other programs had the processors.
    """

    status: int | None
    out: str
    err: str
    took_s: float
    peak_mb: float
    most_s: float = MOST_S
    most_mb: float = MOST_MB

    @property
    def traceback(self) -> bool:
        """Say whether a traceback was shown, or a signal ended it."""
        return "Traceback (most recent call last)" in self.err or (self.status is not None and self.status < 0)

    @property
    def hung(self) -> bool:
        """Say whether it took longer than was promised."""
        return self.status is None or self.took_s > self.most_s

    @property
    def too_large(self) -> bool:
        """Say whether it took more memory than was promised."""
        return self.peak_mb > self.most_mb

    @property
    def unprintable(self) -> str:
        """Get the first character that no terminal should be given, '' where there is none."""
        bad = (c for c in self.out + self.err if unicodedata.category(c) in ("Cc", "Cs") and c != "\n")
        return next(bad, "") or next((c for c in self.out + self.err if c in BIDI), "")

    @property
    def one_line(self) -> bool:
        """Say whether a command that failed said so in one line, and one that did its job ended with 0."""
        if self.status == 0 or (self.status == 1 and self.out.startswith("{") and not self.err):  # --json says it there
            return True
        return self.status in (1, 2) and self.err.startswith("halfpercent: ") and self.err.count("\n") == 1


BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass
class Tally:
    """What became of one kind of attack."""

    what: str
    tried: int = 0
    tracebacks: int = 0
    hangs: int = 0
    too_large: int = 0
    not_one_line: int = 0
    unprintable: int = 0
    lost: int = 0
    worst_s: float = 0.0
    worst_mb: float = 0.0
    first: str = ""
    """The first that was not as promised: how to make it again, and what came of it."""

    def add(self, ended: Ended, again: str, *, lost: bool = False, failed: bool | None = None) -> None:
        """Count one. ``again`` says how to make it again, ``lost`` that something stored was lost or changed.

        ``failed`` says whether it did what it should, where that is not to say in one line what is wrong.
        """
        broken = {
            "tracebacks": ended.traceback,
            "hangs": ended.hung,
            "too_large": ended.too_large,
            "not_one_line": not ended.one_line if failed is None else failed,
            "unprintable": bool(ended.unprintable),
            "lost": lost,
        }
        self.tried += 1
        for name, wrong in broken.items():
            setattr(self, name, getattr(self, name) + wrong)
        self.worst_s = max(self.worst_s, ended.took_s)
        self.worst_mb = max(self.worst_mb, ended.peak_mb)
        if any(broken.values()) and not self.first:
            wrong = ", ".join(name for name, is_so in broken.items() if is_so)
            self.first = f"{again}: {wrong}: status {ended.status}, {(ended.err or ended.out)[-1500:]}"

    def join(self, other: Tally) -> None:
        """Count what another counted too."""
        for name in ("tried", "tracebacks", "hangs", "too_large", "not_one_line", "unprintable", "lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.worst_s, self.worst_mb = max(self.worst_s, other.worst_s), max(self.worst_mb, other.worst_mb)
        self.first = self.first or other.first

    @property
    def kept(self) -> bool:
        """Say whether all was as promised."""
        return not (
            self.tracebacks or self.hangs or self.too_large or self.not_one_line or self.unprintable or self.lost
        )


COLUMNS = ("attack", "tried", "tracebacks", "over 5 s", "over 200 MB", "not one line", "control characters", "lost",
           "worst s", "worst MB")  # fmt: skip


def as_table(tallies: Sequence[Tally]) -> str:
    """Get the tallies as the table that docs/security.md shows."""
    rows = [
        (t.what, t.tried, t.tracebacks, t.hangs, t.too_large, t.not_one_line, t.unprintable, t.lost,
         f"{t.worst_s:.2f}", f"{t.worst_mb:.0f}")
        for t in tallies
    ]  # fmt: skip
    return table(COLUMNS, *rows)


@dataclass(frozen=True)
class Surface:
    """One attack surface: a module ``tests/bench/attack_NAME.py`` has one as ``SURFACE``.

    ``attack`` is given the scale (1.0: as many as the issue asks for; less in ``make test``) and a seed, and gives a
    tally for each kind of attack. ``remarks`` stand below its table.
    """

    name: str
    title: str
    about: str
    attack: Callable[[float, int], list[Tally]]
    remarks: str = ""
    packages: Sequence[str] = field(default=("sqlite-utils",))

    def section(self) -> Section:
        """Get its own section of docs/security.md."""
        return Section(
            f"attack-{self.name}", f"### {self.title}", self.about, self.remarks, page=SECURITY, packages=self.packages
        )


def forked(
    act: Callable[[], object],
    *,
    cpu_s: int = 20,
    data_mb: int = 600,
    kill_s: float = KILL_S,
    most_s: float = MOST_S,
    most_mb: float = MOST_MB,
) -> Ended:
    """Do something in a child of this process, and see how it ends. ``act`` may raise ``SystemExit``.

    ``kill_s`` is on the clock, without the time for which others had the processors; ``most_s`` and ``most_mb`` are
    what was promised.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as mapped:
        sys.stdout.flush()
        sys.stderr.flush()
        # What is free here stays this process's until it is given back, and would be counted for the child.
        ctypes.CDLL(None).malloc_trim(0)
        begun_s = time.monotonic()
        child = os.fork()
        if child == 0:
            _in_child(act, (out.fileno(), err.fileno(), mapped.fileno()), cpu_s, data_mb)
        status, peak_mb, waited_s = _wait(child, begun_s, kill_s)
        mapped.seek(0)
        # Pages of programs that a child has from this process are its own only once it touches them.
        peak_mb += max(0, _of_this_process("RssFile:") - int(mapped.read() or 0)) / 1024.0
        took_s = time.monotonic() - begun_s - waited_s
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read(4_000_000).decode(errors="replace"))
    return Ended(status, *texts, took_s, peak_mb, most_s, most_mb)


def _wait(child: int, begun_s: float, kill_s: float) -> tuple[int | None, float, float]:
    """Wait for a child. Get its status, the peak of its memory in MB, and how long it waited for a processor, in s."""
    killed = False
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if (
            not killed
            and time.monotonic() - begun_s > kill_s
            and time.monotonic() - begun_s - _waited_s(child) > kill_s
        ):
            os.kill(child, signal.SIGKILL)
            killed = True
        time.sleep(0.002)
    waited_s = _waited_s(child)
    _, status, usage = os.wait4(child, 0)
    return (None if killed else os.waitstatus_to_exitcode(status)), usage.ru_maxrss / 1024.0, waited_s


def _waited_s(child: int) -> float:
    """Get for how long a process was ready to run while others ran (proc(5), ``schedstat``)."""
    try:
        return int(Path(f"/proc/{child}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _in_child(act: Callable[[], object], files: tuple[int, int, int], cpu_s: int, data_mb: int) -> None:
    status, (out, err, mapped) = 70, files
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
        resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + (data_mb << 20),) * 2)
        act()
        status = 0
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(mapped, str(_of_this_process("RssFile:")).encode())
        os._exit(status)


def _data_bytes() -> int:
    return _of_this_process("VmData:") << 10


def _of_this_process(what: str) -> int:
    """Get a figure of /proc/self/status, in kB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])


def command(*args: str) -> Callable[[], None]:
    """Get what runs ``halfpercent`` with these arguments, as its entry point does, for :func:`forked`."""

    def act() -> None:
        from edge.cli.main import main

        sys.argv = ["halfpercent", *args]
        main()

    return act
