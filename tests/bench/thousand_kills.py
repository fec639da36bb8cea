"""A thousand SIGKILLs at random moments through recorded tests: ``make kills`` prints a line a test and the sums.

Half of the tests lose no second between two lives and must end with the bits of a test that nobody killed; in the other
half up to 20 s are lost before each resume, with and without a new boot, and must be listed. See
tests/helpers/sigkill.py.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from recorded_run import measure, record
from sigkill import Killed, compare, kill_through


def one(seed: int, mean_s: float) -> tuple[int, bool, bool, Killed, str]:
    """Kill one test through. Returns its seed, whether seconds were lost and boots changed, and what came of it."""
    rng = random.Random(seed)
    lossless, boots = seed % 2 == 0, seed % 4 >= 2
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        recorded = record(seed)
        whole = measure(folder / "whole.db", recorded)
        lost_s = (0, 0) if lossless else (0, 20)
        killed = kill_through(folder / "h.db", recorded, rng, mean_s=mean_s, lost_s=lost_s, boots=boots)
        return seed, lossless, boots, compare(folder / "h.db", folder / "whole.db", killed), whole["verdict"]


def main() -> None:
    """Kill, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--mean", type=float, default=0.8, help="seconds of a life, on average")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    began, kills, seed = time.monotonic(), 0, args.first
    sums = dict.fromkeys(("lost", "damaged", "same", "lossless", "verdict", "tests", "gaps"), 0)
    print("| test | seconds lost | new boots | kills | commits lost | damaged | gaps listed | same bits | verdict |")
    print("|---|---|---|---|---|---|---|---|---|")
    while kills < args.kills:
        with ProcessPoolExecutor(args.workers) as pool:
            done = list(pool.map(one, range(seed, seed + args.workers), [args.mean] * args.workers))
        seed += args.workers
        for number, lossless, boots, killed, whole in done:
            kills += killed.kills
            gaps = sum(1 for g in killed.gaps if g is None or g > 0.0)
            same = killed.same_seconds and killed.same_result
            sums["tests"] += 1
            sums["lost"] += killed.lost_commits
            sums["damaged"] += killed.broken
            sums["gaps"] += gaps
            sums["lossless"] += lossless
            sums["same"] += lossless and same
            sums["verdict"] += killed.verdict == whole
            print(
                f"| {number} | {'none' if lossless else 'up to 20'} | {'yes' if boots else 'no'} | {killed.kills} | "
                f"{killed.lost_commits} | {killed.broken} | {gaps} | {'yes' if same else 'no'} | {killed.verdict} |",
                flush=True,
            )
    print(
        f"{kills} kills in {sums['tests']} tests, {time.monotonic() - began:.0f} s: commits lost {sums['lost']}, "
        f"databases damaged {sums['damaged']}; same bits in {sums['same']} of {sums['lossless']} that lost nothing; "
        f"same verdict in {sums['verdict']} of {sums['tests']}; {sums['gaps']} gaps listed"
    )


if __name__ == "__main__":
    main()
