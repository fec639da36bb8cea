"""What is found of a package that somebody changed: each byte of it in turn, bytes of each file made to fit, and noise.

What is changed must be found or refused, or be without effect on anything that is stated: a byte of a database's page
that holds nothing. ``make evidence-sweep`` writes docs/evidence.md; ``tests/bench/test_evidence_sweep.py`` is the small
form.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sealed_run
import short_demo
from bench_report import Section, table
from repository import ROOT
from sealed_run import SealedRun, repacked

from edge.errors import BadEvidence
from edge.evidence.package import RUN, read_package
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_package
from edge.standards.standard import loads_standard

FITTED, NOISE = 1000, 3000
SECTION = Section(
    "evidence-sweep",
    "## What is found of a changed package",
    """
A short sealed run. *Each byte*: one bit of each byte of the package is flipped in turn. *A byte made to fit*: one bit
of a random byte of a file in it, with sums and metadata made anew, as somebody does who has the source. *Noise*:
stretches of the package cut, doubled or overwritten at random. Whatever is neither found nor refused must be without
effect: the answer is VERIFIED, and all that it states is what was sealed.
""",
    page=ROOT / "docs" / "evidence.md",
)


@dataclass
class Count:
    """How many were tried, found or refused in one line, and without effect; ``missed`` says where one was neither."""

    tried: int = 0
    found: int = 0
    no_effect: int = 0
    missed: str = ""

    def row(self, what: str) -> tuple[object, ...]:
        """Get it as a row of the table."""
        return what, self.tried, self.found, self.no_effect, self.tried - self.found - self.no_effect


def each_byte(sealed: SealedRun, places: Iterable[int], rng: random.Random) -> Count:
    """Flip a bit of each of these bytes of the package."""
    count = Count()
    for at in places:
        raw = bytearray(sealed.raw)
        raw[at] ^= 1 << rng.randrange(8)
        count.tried += 1
        try:
            read_package(bytes(raw), "x")
            count.missed = f"byte {at}"
        except BadEvidence:
            count.found += 1
    return count


def answered(sealed: SealedRun, packages: Iterable[tuple[str, bytes]], folder: Path) -> Count:
    """Verify packages that were changed."""
    count, file = Count(), folder / "x.eln"
    file.write_bytes(sealed.raw)
    states = verify_package(file, sealed.signers)
    for where, raw in packages:
        file.write_bytes(raw)
        count.tried += 1
        try:
            found = verify_package(file, sealed.signers)
        except BadEvidence as e:
            count.found += "\n" not in str(e)
            continue
        if found.answer is not Answer.VERIFIED:
            count.found += 1
        elif found == states:
            count.no_effect += 1
        else:
            count.missed = where
    return count


def fitted(sealed: SealedRun, files: Iterable[str], n: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Packages with one bit of a random byte of one of these files flipped, made to fit."""
    names = list(files)
    for _ in range(n):
        name = rng.choice(names)
        was = bytearray(sealed.package.files[name])
        at = rng.randrange(len(was))
        was[at] ^= 1 << rng.randrange(8)
        yield f"{name}, byte {at}", repacked(sealed, {name: bytes(was)})


def noisy(raw: bytes, n: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Packages of which a stretch is cut, doubled, moved or overwritten."""
    for _ in range(n):
        a, b = sorted(rng.randrange(len(raw)) for _ in range(2))
        b = min(b, a + rng.choice((1, 10, 1000, 100_000)))
        made = rng.choice(
            (raw[:a] + raw[b:], raw[:b] + raw[a:], raw[:a], raw[a:], raw[:a] + rng.randbytes(b - a) + raw[b:],
             raw[:a] + bytes(b - a) + raw[b:])
        )  # fmt: skip
        if made != raw:
            yield f"from byte {a}", made


def sweep(sealed: SealedRun, folder: Path, places: Iterable[int], n_fitted: int, n_noise: int) -> dict[str, Count]:
    """Do all of it."""
    rng = random.Random(15)
    others = [name for name in sealed.package.files if name != RUN]
    return {
        "each byte of the package": each_byte(sealed, places, rng),
        "a byte of the database, made to fit": answered(sealed, fitted(sealed, [RUN], n_fitted, rng), folder),
        "a byte of another file, made to fit": answered(sealed, fitted(sealed, others, n_fitted, rng), folder),
        "noise": answered(sealed, noisy(sealed.raw, n_noise, rng), folder),
    }


def main() -> None:
    """Change, verify, count, and say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fitted", type=int, default=FITTED)
    parser.add_argument("--noise", type=int, default=NOISE)
    parser.add_argument("--write", action="store_true", help="write the section of docs/evidence.md")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rig").mkdir()
        path = folder / "short.db"
        demo = short_demo.Demo(path, short_demo.run(path, "solid", "nau7802", 3, loads_standard(short_demo.SHORTER)))
        sealed = sealed_run.make(demo, folder / "rig")
        counts = sweep(sealed, folder, range(len(sealed.raw)), args.fitted, args.noise)
    missed = [f"{what}: {count.missed}" for what, count in counts.items() if count.missed]
    assert not missed, missed
    head = ("what was changed", "tried", "found or refused", "without effect", "missed")
    found = table(head, *(count.row(what) for what, count in counts.items()))
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
