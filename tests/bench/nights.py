"""Every shipped night, with several seeds, on both bridges: which verdicts come of it, and is any confidently wrong?

``make nights`` writes docs/nights.md; ``tests/bench/test_nights.py`` is the small form.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import product

from bench_report import Section, table
from repository import ROOT

from edge.qualify.acted_night import Acted, act
from edge.records.result import Verdict
from edge.simulate.instrument import BRIDGES
from edge.simulate.night_file import shipped_nights

SECTION = Section(
    "nights",
    "## What came of the shipped nights",
    """
Each night with each seed on each bridge, through the real drivers and the real service. P, F, ? and X are PASS, FAIL,
INCONCLUSIVE and INVALID. *Inside*: of the runs that were judged, those whose interval holds the truth, what slopes and
a rise in the hold carry towards more loss included. *Wrong*: a PASS
with a true loss above the limit, or a FAIL below it. *Not as promised*: wrong, or the truth outside the interval with
a verdict that the night's file does not accept.
""",
    page=ROOT / "docs" / "nights.md",
)
SHORT = {Verdict.PASS: "P", Verdict.FAIL: "F", Verdict.INCONCLUSIVE: "?", Verdict.INVALID: "X"}


def found(done: list[Acted]) -> str:
    """What came of them, as a table with a row a night."""
    rows = []
    for name in dict.fromkeys(one.night for one in done):
        of = [one for one in done if one.night == name]
        told = Counter(SHORT[one.verdict] if one.verdict else "none" for one in of)
        inside = [one.inside for one in of if one.inside is not None]
        decided = sum(one.verdict in (Verdict.PASS, Verdict.FAIL) and not one.wrong for one in of)
        rows.append(
            (
                name,
                "".join(SHORT[Verdict(word)] for word in of[0].accepted),
                " ".join(f"{count}{word}" for word, count in told.most_common()),
                f"{sum(inside)} of {len(inside)}",
                f"{decided} of {len(of)}",
                sum(one.wrong for one in of),
                sum(not one.as_promised for one in of),
            )
        )
    heading = ("night", "accepted", "verdicts", "inside", "decided rightly", "wrong", "not as promised")
    return table(heading, *rows)


def main() -> None:
    """Act all of them out, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--night", action="append", help="only this one [all]")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the section of docs/nights.md")
    args = parser.parse_args()
    began, done = time.monotonic(), []
    names = args.night or shipped_nights()
    what = list(product(names, range(1, args.seeds + 1), BRIDGES))
    with ProcessPoolExecutor(args.workers) as pool:
        for one in pool.map(act, *zip(*what, strict=True)):
            print(one.line(), flush=True)
            done.append(one)
    SECTION.report(found(done), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
