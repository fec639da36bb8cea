"""Two opinions on two hundred good and bad packages: do ``verify`` and the independent checker agree on each?

``make checker`` writes docs/evidence.md; ``tests/end_to_end/test_independent_checker.py`` is the small form.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import sealed_run
import short_demo
from bench_report import Section, table
from changed_packages import changed, said
from repository import ROOT

from edge.standards.standard import loads_standard

RUNS = (("solid", "nau7802"), ("liquid", "hx711"), ("borderline", "nau7802"), ("hybrid", "hx711"))
SECTION = Section(
    "checker-agrees",
    "## A second opinion on good and bad packages",
    """
Short sealed runs, each as exported, with its rows changed by SQL (alone, and with the chain made to fit), and with one
bit of a random byte of each file changed, sums and metadata made anew. Both are asked about each:
`halfpercent verify`, and `tests/helpers/independent_checker.py`, which shares no code with it.
""",
    page=ROOT / "docs" / "evidence.md",
)


def asked(scenario: str, bridge: str, bytes_each: int, folder: Path) -> Counter[tuple[bool, bool]]:
    """Ask both about packages of a run, and count what each called good."""
    path, standard = folder / "short.db", loads_standard(short_demo.SHORTER)
    demo = short_demo.Demo(path, short_demo.run(path, scenario, bridge, 1, standard))
    sealed = sealed_run.make(demo, folder)
    count = Counter[tuple[bool, bool]]()
    for raw in (sealed.raw, *changed(sealed, folder, bytes_each)):
        told = said(sealed, raw, folder)
        count[told.verify, told.checker] += 1
        if told.verify != told.checker:
            print(f"{scenario}: verify {told.verify}, checker {told.checker} {told.why}", file=sys.stderr)
    return count


def main() -> int:
    """Ask about all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=7, help="changed of each file of each run")
    parser.add_argument("--write", action="store_true", help="write the section of docs/evidence.md")
    args = parser.parse_args()
    began, rows, apart = time.monotonic(), [], 0
    for scenario, bridge in RUNS:
        with tempfile.TemporaryDirectory() as name:
            found = asked(scenario, bridge, args.bytes, Path(name))
        good, bad = found[True, True], found[False, False]
        apart += found.total() - good - bad
        rows.append((f"{scenario}, {bridge}", found.total(), good, bad, found.total() - good - bad))
    rows.append(("all", *(sum(int(row[i]) for row in rows) for i in range(1, 5))))
    shown = table(("run", "packages", "both say good", "both say bad", "they differ"), *rows)
    SECTION.report(shown, took_s=time.monotonic() - began, write=args.write)
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
