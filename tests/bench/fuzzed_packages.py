"""Thousands of packages from somebody who means harm, and random bytes of a six-hour one: what becomes of each.

Each is verified in this one warm process, whose memory and time are watched: it is answered or refused in lines that
any terminal may show, within 10 s of a processor and 190 MB on top of what the process has (a command has 110 MB when
it reads a package: 300 in all), and never called VERIFIED where it states another run or signer than was sealed.

What the rig's own key signs anew, in a package without its log, may say another time, nonce or version: no code says
these. Prints; writes no page. ``make fuzzed-packages`` (``ARGS="--resume FILE --minutes 10"`` does some, and goes on
from them); ``tests/bench/test_fuzzed_packages.py`` is the small form.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import tempfile
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sealed_run
import short_demo
from attacked import BIDI
from bench_pieces import Pieces
from bench_report import commit, table
from hostile_packages import KINDS
from sealed_run import SealedRun
from six_hours import six_hours

from edge.errors import BadEvidence
from edge.evidence.verification import Answer, Verification, verification_text
from edge.evidence.verify import verify_package
from edge.standards.standard import loads_standard

MOST_MORE_MB, MOST_S = 190.0, 10.0
EACH, BYTES, PIECE = 500, 10_000, 100
LONG = "a byte of a six-hour package"


@dataclass
class Fate:
    """What became of packages of one kind; ``broken`` is the first that was not as promised."""

    tried: int = 0
    refused: int = 0
    altered: int = 0
    no_seal: int = 0
    no_effect: int = 0
    worst_s: float = 0.0
    worst_mb: float = 0.0
    broken: str = ""

    def add(self, other: Fate) -> None:
        """Take what became of others of the kind."""
        for count in ("tried", "refused", "altered", "no_seal", "no_effect"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        self.worst_s = max(self.worst_s, other.worst_s)
        self.worst_mb = max(self.worst_mb, other.worst_mb)
        self.broken = self.broken or other.broken

    def row(self, what: str) -> tuple[object, ...]:
        """Get it as a row of the table."""
        return (
            what, self.tried, self.altered, self.refused, self.no_seal, self.no_effect,
            f"{self.worst_s:.2f}", f"{self.worst_mb:.0f}",
        )  # fmt: skip


HEAD = (
    "what was changed",
    "tried",
    "ALTERED",
    "refused",
    "no known seal",
    "without effect",
    "worst s",
    "worst MB more",
)


def memory_mb(name: str) -> float:
    """Get what this process has (``VmRSS``), or had at most since its peak was forgotten (``VmHWM``), in MB."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(f"{name}:"))
    return int(line.split()[1]) / 1000.0


def forget_peak() -> None:
    """Let the peak begin anew (proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def fits_a_terminal(line: str) -> bool:
    """Say whether it is one line that a terminal may be given."""
    return not any(unicodedata.category(c) in ("Cc", "Cs") or c in BIDI for c in line)


class Judge:
    """Verifies packages of one run, and counts."""

    def __init__(self, sealed: SealedRun, folder: Path) -> None:
        self._sealed, self._file = sealed, folder / "x.eln"
        self._file.write_bytes(sealed.raw)
        self._states = verify_package(self._file, sealed.signers)
        assert self._states.answer is Answer.VERIFIED

    def see(self, fate: Fate, make: Callable[[], bytes], where: str) -> None:
        """Verify one, where it is another than the good one; ``where`` says how to make it again."""
        raw = make()
        if raw == self._sealed.raw:
            return
        self._file.write_bytes(raw)
        del raw  # it is no part of what verifying takes
        fate.tried += 1
        forget_peak()
        rest_mb = memory_mb("VmRSS")
        began, found, lines = time.process_time(), None, list[str]()
        try:
            found = verify_package(self._file, self._sealed.signers)
            lines = verification_text(found)
        except BadEvidence as e:
            lines = [str(e)]
            fate.refused += 1
        except Exception as e:
            fate.broken = fate.broken or f"{where}: {type(e).__name__}: {e}"[:300]
        took_s, mb = time.process_time() - began, memory_mb("VmHWM") - rest_mb
        fate.worst_s, fate.worst_mb = max(fate.worst_s, took_s), max(fate.worst_mb, mb)
        wrong = ""
        if found is not None:
            wrong = self._count(fate, found)
        if bad := [line for line in lines if not fits_a_terminal(line)]:
            wrong = f"says {bad[0]!r}"
        if took_s > MOST_S or mb > MOST_MORE_MB:
            wrong = f"took {took_s:.1f} s and {mb:.0f} MB more"
        if wrong and not fate.broken:
            fate.broken = f"{where}: {wrong}"[:300]

    def _count(self, fate: Fate, found: Verification) -> str:
        """Count an answer. Get what is wrong with it, '' where nothing is."""
        if found.answer is Answer.ALTERED:
            fate.altered += 1
        elif found.answer is not Answer.VERIFIED:
            fate.no_seal += 1
        elif (found.run, found.signer) == (self._states.run, self._states.signer):
            fate.no_effect += 1
        else:
            return f"VERIFIED, and states {found.run}"
        return ""


def fuzzed(judge: Judge, sealed: SealedRun, kind: str, numbers: range) -> Fate:
    """Verify packages of one kind, drawn by these numbers."""
    fate = Fate()
    for n in numbers:
        judge.see(fate, partial(KINDS[kind], sealed, random.Random(f"{kind} {n}")), f"{kind} {n}")
    return fate


def bytes_changed(judge: Judge, sealed: SealedRun, numbers: range) -> Fate:
    """Change one random byte of a package for each number, and verify it."""
    fate = Fate()
    for n in numbers:
        judge.see(fate, partial(_byte_changed, sealed, random.Random(f"byte {n}")), f"byte {n}")
    return fate


def _byte_changed(sealed: SealedRun, rng: random.Random) -> bytes:
    raw = bytearray(sealed.raw)
    raw[rng.randrange(len(raw))] ^= rng.randrange(1, 256)
    return bytes(raw)


Work = Callable[[range], Fate]


def done(works: dict[str, tuple[Work, int]], pieces: Pieces | None, until_s: float) -> tuple[dict[str, Fate], bool]:
    """Do all work in pieces, as far as time allows, by its name and how many. Get it, and whether all is done."""
    fates = {name: Fate() for name in works}
    for name, (work, n) in works.items():
        for first in range(0, n, PIECE):
            numbers = range(first, min(first + PIECE, n))
            task = f"{name} {numbers}"
            if pieces is not None and task in pieces.found:
                fates[name].add(Fate(**pieces.found[task]))
                continue
            if time.monotonic() > until_s:
                return fates, False
            fate = work(numbers)
            fates[name].add(fate)
            print(task, fate, flush=True)
            if pieces is not None:
                pieces.add(task, dataclasses.asdict(fate))
    return fates, True


def short_run(folder: Path) -> SealedRun:
    """Measure and seal a short run, from which packages are drawn."""
    (folder / "short").mkdir()
    path = folder / "short.db"
    demo = short_demo.Demo(path, short_demo.run(path, "solid", "nau7802", 3, loads_standard(short_demo.SHORTER)))
    return sealed_run.make(demo, folder / "short")


def main() -> None:
    """Draw, verify, count, and say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=EACH, help="packages of each kind")
    parser.add_argument("--bytes", type=int, default=BYTES, help="random bytes of a six-hour package")
    parser.add_argument("--long", type=Path, metavar="DB", help="a six-hour run, already measured")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no other piece after so long")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="append to it, and go on from what it holds")
    args = parser.parse_args()
    began = time.monotonic()
    pieces = None if args.resume is None else Pieces(args.resume, commit())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "long").mkdir()
        with ProcessPoolExecutor(1) as pool:  # what measuring takes is no part of what verifying takes
            short = pool.submit(short_run, folder).result()
            long = pool.submit(six_hours, folder / "long", measured=args.long).result() if args.bytes else None
        judge = Judge(short, folder)
        works: dict[str, tuple[Work, int]] = {kind: (partial(fuzzed, judge, short, kind), args.each) for kind in KINDS}
        if long is not None:
            works[LONG] = (partial(bytes_changed, Judge(long, folder / "long"), long), args.bytes)
        fates, whole = done(works, pieces, began + 60.0 * args.minutes)
    broken = [f"{name}: {fate.broken}" for name, fate in fates.items() if fate.broken]
    assert not broken, broken
    print(table(HEAD, *(fate.row(name) for name, fate in fates.items())))
    print("all of them" if whole else "not all of them: go on with --resume")


if __name__ == "__main__":
    main()
