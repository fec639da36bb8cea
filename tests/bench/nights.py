"""Every shipped night, with several seeds, on both bridges: which verdicts come of it, and is any confidently wrong?

``make nights`` writes docs/nights.md; ``tests/bench/test_nights.py`` is the small form.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec
from bench_report import Section, table
from repository import ROOT

from edge.errors import HalfpercentError
from edge.records.result import Result, Verdict
from edge.records.sample import Sample
from edge.simulate.demo import DemoOrder, run_night
from edge.simulate.instrument import BRIDGES
from edge.simulate.night_file import Night, load_night, shipped_nights
from edge.standards.standard import Standard, load_standard

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


@dataclass(frozen=True)
class Acted:
    """One night that was acted out. ``verdict`` is None where no run came to its end, and ``why`` says it."""

    night: str
    accepted: tuple[str, ...]
    seed: int
    bridge: str
    verdict: Verdict | None
    loss_pct: float | None = None
    U_pct: float | None = None
    true_loss_pct: float | None = None
    limit_pct: float = 0.5
    why: str = ""
    one_sided_pct: float = 0.0
    took_s: float = 0.0

    @property
    def inside(self) -> bool | None:
        """Whether the interval, with what is carried towards more loss, holds the truth; None where there is none."""
        if self.loss_pct is None or self.U_pct is None or self.true_loss_pct is None:
            return None
        return -self.U_pct <= self.true_loss_pct - self.loss_pct <= self.U_pct + self.one_sided_pct

    @property
    def wrong(self) -> bool:
        """Whether the verdict is confident, and the wrong one."""
        if self.true_loss_pct is None:
            return False
        lost_too_much = self.true_loss_pct > self.limit_pct
        return self.verdict is (Verdict.PASS if lost_too_much else Verdict.FAIL)

    @property
    def as_promised(self) -> bool:
        """Whether the verdict is not wrong, and is accepted or of an interval that holds the truth."""
        return not self.wrong and bool(self.inside or (self.verdict is not None and self.verdict in self.accepted))

    def line(self) -> str:
        """Say it in one line."""
        more = f" (+ {self.one_sided_pct:.3f})" if self.one_sided_pct else ""
        judged = "" if self.loss_pct is None else f"{self.loss_pct:.3f} ± {self.U_pct:.3f}{more}, "
        true = "unknown" if self.true_loss_pct is None else f"{self.true_loss_pct:.3f}"
        end = f"{judged}true {true} {self.why}".rstrip()
        said = "ok " if self.as_promised else "BAD"
        which = f"{said} {self.night} {self.bridge} {self.seed}"
        return f"{which}: {self.verdict or 'no result'} {end} ({self.took_s:.0f} s)"


def act(name: str, seed: int, bridge: str, standard: Standard | None = None) -> Acted:
    """Act a shipped night out with another seed and bridge, by the national standard or another."""
    night = load_night(name)
    head = msgspec.structs.replace(night.head, seed=seed, bridge=bridge)
    return act_out(Night(name, head, night.events), standard or load_standard("gbt-48093-1-2026"))


def act_out(night: Night, standard: Standard) -> Acted:
    """Act a night out through the drivers, the chip models and the real service."""
    began = time.monotonic()
    name, head, seed, bridge = night.name, night.head, night.head.seed, night.head.bridge
    order = DemoOrder(standard, Sample(name), seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = run_night(night, order, Path(folder) / "h.db", None, lambda _line: None)
        except HalfpercentError as e:
            return Acted(name, head.accepted, seed, bridge, None, why=str(e), took_s=time.monotonic() - began)
    return acted(night, result, time.monotonic() - began)


def acted(night: Night, result: Result, took_s: float) -> Acted:
    """Say what came of a night that came to its end."""
    true = result.true_loss_pct
    return Acted(
        night.name,
        night.head.accepted,
        night.head.seed,
        night.head.bridge,
        result.verdict,
        result.loss_pct,
        result.U_pct,
        true if isinstance(true, float) else None,
        result.limit_pct,
        result.invalid_because or "",
        result.one_sided_pct,
        took_s,
    )


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
