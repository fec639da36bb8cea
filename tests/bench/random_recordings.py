"""Random recordings by balances that nobody here built: is a verdict wrong, and is the truth in the interval?

``make random-recordings`` writes docs/benchmarks.md; ``tests/bench/test_random_recordings.py`` is the small form.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench_report import Section, table
from random_recordings_drawn import KINDS, recording

from edge.errors import BadInput
from edge.records.result import Verdict
from edge.records.sample import Sample
from edge.replay.judge import Declared, ReplayOrder, replay
from edge.replay.recording import read
from edge.standards.standard import load_standard

SECTION = Section(
    "random_recordings",
    "## Random recordings",
    """
Recordings by balances that the software does not know: 5 mg to 300 g, a row every half second to every minute, any
display, white noise and noise with a memory; in most of them one thing goes wrong, at any time
(`tests/helpers/random_recordings_drawn.py`). What the balance is known to do is declared in four of five, and nothing
in the fifth.
*Wrong*: a PASS with a true loss above the limit, or a FAIL below it. *Inside*: of those with a loss, the truth lies
between w − U and w + U + what is carried towards more loss.
""",
)


@dataclass(frozen=True)
class Judged:
    """What came of one recording. ``why`` says why there is no loss."""

    kind: str
    seed: int
    verdict: Verdict | None
    inside: bool | None
    wrong: bool
    why: str = ""


def judged(seed: int, kind: str) -> Judged:
    """Draw a recording, write it to a file and judge it as ``replay`` does."""
    drawn = recording(kind, seed)
    standard = load_standard("gbt-48093-1-2026")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.csv"
        path.write_text(drawn.csv, encoding="utf-8")
        try:
            found = read(path, columns={}, use_counts=False, temp_declared_c=None)
            order = ReplayOrder(
                standard, None, "cold", Sample("r"), 1.8e9, declared=Declared(u_mass_g=drawn.u_mass_g), is_blank=False
            )
            r = replay(found, order)
        except BadInput as e:
            return Judged(kind, seed, None, None, wrong=False, why=str(e))
    limit = standard.limit_pct.value
    wrong = r.verdict is (Verdict.PASS if drawn.loss_pct > limit else Verdict.FAIL)
    if r.loss_pct is None or r.U_pct is None:
        return Judged(kind, seed, r.verdict, None, wrong, r.invalid_because or "")
    inside = -r.U_pct <= drawn.loss_pct - r.loss_pct <= r.U_pct + r.one_sided_pct
    return Judged(kind, seed, r.verdict, inside, wrong)


def found(done: Sequence[Judged]) -> str:
    """Get what came of them, as a table with a row a kind."""
    rows = []
    for kind in dict.fromkeys(one.kind for one in done):
        of = [one for one in done if one.kind == kind]
        told = Counter("refused" if one.verdict is None else str(one.verdict) for one in of)
        inside = [one.inside for one in of if one.inside is not None]
        said = ", ".join(f"{count} {word}" for word, count in told.most_common())
        rows.append((kind, len(of), said, f"{sum(inside)} of {len(inside)}", sum(one.wrong for one in of)))
    return table(("what went wrong", "recordings", "verdicts", "truth inside", "wrong"), *rows)


def main() -> None:
    """Judge them all, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the first")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began, done = time.monotonic(), list[Judged]()
    seeds = range(args.seed, args.seed + args.recordings)
    with ProcessPoolExecutor(args.workers) as pool:
        for kind in KINDS:
            for one in pool.map(partial(judged, kind=kind), seeds):
                if one.wrong or one.inside is False:
                    print(one, flush=True)
                done.append(one)
    SECTION.report(found(done), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
