"""A thousand SIGKILLs at random moments through recorded tests: what is lost, damaged, or other than without them.

Half of the tests lose no second between two lives and must end with the bits of a test that nobody killed; in the other
half up to 20 s are lost before each resume, with and without a new boot, and must be listed. See
tests/helpers/sigkill.py. ``make kills`` writes docs/reliability.md; ``tests/bench/test_thousand_kills.py`` is the small
form.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from bench_report import RELIABILITY, Section, table
from recorded_run import measure, record
from sigkill import Killed, compare, kill_through

SECTION = Section(
    "thousand_kills",
    "## SIGKILL, a thousand times",
    """
A recorded test (a fast rig, the real fold, 11 500 seconds, a hold of 900 s) is measured again by a process that is
killed at random moments, begun or resumed by the same code as the station's. After each kill the database is checked
and what the process had said to be committed is looked for; at the end its seconds and its result are compared with
those of a test that nobody killed.
""",
    """
In the tests that lost nothing, every second and the result are the same bits. Where seconds were lost before a resume
they are listed, and do not count as hold: so the hold ends later, its seconds are others, and the verdict is the
same. `tests/end_to_end/test_power_cut.py` runs the like in `make test`, and stops a run in each phase.
""",
    page=RELIABILITY,
)


@dataclass(frozen=True)
class OneTest:
    """A test that was killed through, and the verdict of the same test that was not."""

    lossless: bool
    new_boots: bool
    killed: Killed
    whole_verdict: str

    @property
    def gaps(self) -> int:
        """How many stops of more than no time are listed."""
        return sum(1 for gap_s in self.killed.gaps if gap_s is None or gap_s > 0.0)

    @property
    def same_bits(self) -> bool:
        """Whether seconds and result are those of the test that was not killed."""
        return self.killed.same_seconds and self.killed.same_result

    @property
    def same_verdict(self) -> bool:
        """Whether the verdict is that of the test that was not killed."""
        return self.killed.verdict == self.whole_verdict

    @property
    def as_promised(self) -> bool:
        """Whether nothing is lost or damaged, the verdict is the same, and the bits where no second was lost."""
        lost = self.killed.lost_commits or self.killed.broken
        return not lost and self.same_verdict and (self.same_bits or not self.lossless)


def one(seed: int, mean_s: float, most: int | None = None, parent: Path | None = None) -> OneTest:
    """Kill one test through, at most so often."""
    rng = random.Random(seed)
    lossless, boots = seed % 2 == 0, seed % 4 >= 2
    with tempfile.TemporaryDirectory(dir=parent or Path.cwd()) as name:
        folder = Path(name)
        recorded = record(seed)
        whole = measure(folder / "whole.db", recorded)
        lost_s = (0, 0) if lossless else (0, 20)
        killed = kill_through(folder / "h.db", recorded, rng, mean_s=mean_s, lost_s=lost_s, boots=boots, most=most)
        return OneTest(lossless, boots, compare(folder / "h.db", folder / "whole.db", killed), whole["verdict"])


def found(done: list[OneTest]) -> str:
    """What the kills gave, as a table with a row a kind of test."""
    rows = []
    for lossless, new_boots in ((True, False), (True, True), (False, False), (False, True)):
        of = [one for one in done if (one.lossless, one.new_boots) == (lossless, new_boots)]
        rows.append(
            (
                "none" if lossless else "up to 20",
                "yes" if new_boots else "no",
                len(of),
                sum(one.killed.kills for one in of),
                sum(one.killed.lost_commits for one in of),
                sum(one.killed.broken for one in of),
                sum(one.gaps for one in of),
                f"{sum(one.same_bits for one in of)} of {len(of)}" if lossless else "not to be expected",
                f"{sum(one.same_verdict for one in of)} of {len(of)}",
            )
        )
    heading = ("seconds lost before a resume", "new boot each time", "tests", "kills", "commits lost", "damaged",
               "gaps listed", "bits as uninterrupted", "verdict as uninterrupted")  # fmt: skip
    return f"{sum(one.killed.kills for one in done)} kills.\n\n{table(heading, *rows)}"


def main() -> None:
    """Kill, compare, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--mean", type=float, default=0.8, help="seconds of a life, on average")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the section of docs/reliability.md")
    args = parser.parse_args()
    began, seed, done = time.monotonic(), args.first, []
    while sum(one.killed.kills for one in done) < args.kills:
        with ProcessPoolExecutor(args.workers) as pool:
            done += pool.map(one, range(seed, seed + args.workers), repeat(args.mean))
        seed += args.workers
        print(f"{sum(one.killed.kills for one in done)} kills in {len(done)} tests", flush=True)
    if not all(one.as_promised for one in done):
        raise SystemExit(f"not as promised, so not written:\n\n{found(done)}")
    SECTION.report(found(done), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
