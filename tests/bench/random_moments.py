"""Restarts, power cuts and brown-outs at random moments of tests: does any of them make a confident wrong verdict?

Each test runs through the real drivers, the chip models and the real service; what happens, when, for how long, the
sample's loss and whether a second zero was announced are drawn. ``make random-moments`` writes docs/reliability.md;
``tests/bench/test_random_moments.py`` is the small form.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from bench_report import RELIABILITY, Section, table
from nights import SHORT

from edge.qualify.acted_night import Acted, act_out
from edge.simulate.instrument import BRIDGES
from edge.simulate.night_file import Night, loads_night
from edge.standards.standard import loads_standard

SECTION = Section(
    "random-moments",
    "## What happens at a random moment",
    """
A restart of the service, a power cut or a brown-out at a random moment from M1 to M2 of a test, through drivers, chip
models and service. *Wrong*: a PASS with a true loss above the limit, or a FAIL below it.
""",
    page=RELIABILITY,
)
STANDARD = 'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = {hold_s}\n'
WHAT = ("restart", "power_cut", "brown_out")
PHASES_S = {"m1": 1200.0, "pump": 900.0, "ramp": 1500.0, "hold": 0.0, "cool": 3000.0, "m2": 1200.0}
"""About how long each phase lasts; the hold as the standard says."""
OFF_S = (3.0, 2000.0)


def drawn(seed: int, hold_s: float, bridge: str | None = None) -> Night:
    """Draw a night: one thing at one moment, a loss from 0.3 to 0.7 %, and the bridge unless it is stated."""
    rng = np.random.default_rng((seed, 2026))
    what = str(rng.choice(WHAT))
    phase = str(rng.choice(list(PHASES_S)))
    at_s = float(rng.uniform(0.0, PHASES_S[phase] or hold_s))
    off_s = float(np.exp(rng.uniform(*np.log(OFF_S))))
    drawn_bridge = str(rng.choice(BRIDGES))
    text = (
        f'title = "{what} at a random moment"\nseed = {seed}\nbridge = "{bridge or drawn_bridge}"\n'
        f"loss_pct = {rng.uniform(0.3, 0.7):.4f}\nzero_after = {str(bool(rng.integers(2))).lower()}\n"
        f'[[event]]\nat = "{phase}+{at_s:.0f}s"\nwhat = "{what}"\n'
    )
    return loads_night(text + ("" if what == "brown_out" else f"off_s = {off_s:.0f}\n"), name=what)


def act_drawn(seed: int, hold_s: float, bridge: str | None = None) -> Acted:
    """Draw a night and act it out."""
    return act_out(drawn(seed, hold_s, bridge), loads_standard(STANDARD.format(hold_s=hold_s)))


def found(done: list[Acted]) -> str:
    """What came of them, as a table with a row a kind."""
    rows = []
    for what in WHAT:
        of = [one for one in done if one.night == what]
        told = Counter(SHORT[one.verdict] if one.verdict else "none" for one in of)
        inside = [one.inside for one in of if one.inside is not None]
        rows.append(
            (
                what.replace("_", " "),
                len(of),
                " ".join(f"{count}{word}" for word, count in told.most_common()),
                f"{sum(inside)} of {len(inside)}",
                sum(one.wrong for one in of),
            )
        )
    return table(("what", "tests", "verdicts", "truth inside", "wrong"), *rows)


def main() -> None:
    """Act all of them out, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--hold-s", type=float, default=21_600.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no other after so long")
    parser.add_argument("--write", action="store_true", help="write the section of docs/reliability.md")
    args = parser.parse_args()
    began, done = time.monotonic(), []
    with ProcessPoolExecutor(args.workers) as pool:
        for first in range(1, args.nights + 1, args.workers):
            if time.monotonic() - began > 60.0 * args.minutes:
                break
            seeds = range(first, min(first + args.workers, args.nights + 1))
            for one in pool.map(partial(act_drawn, hold_s=args.hold_s), seeds):
                print(one.line(), flush=True)
                done.append(one)
    SECTION.report(found(done), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
