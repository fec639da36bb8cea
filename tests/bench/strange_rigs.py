"""Strange rigs: does the stated interval hold the truth where the physics is not what the software assumes?

Each rig is drawn from a family of laws (``tests/helpers/strange_physics.py``, which shares no code with the simulated
rig), calibrated by the software's own procedure, has a blank run with an inert dummy and two tests: one whose true loss
lies between 0.4 and 0.6 %, one whose true loss is the limit. Each test is judged plain, with the second zero, with the
blank, with both, and plain with the room's air read. ``tests/bench/test_strange_rigs.py`` is the small form.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from bench_pieces import Pieces
from bench_report import Section, commit, table
from strange_night import REFUSED, Taken, certified, exercise, judge, night, with_pressure
from strange_physics import FAMILIES, StrangeRig, draw

from calibration.certificate import Certificate
from edge.errors import BlankDoesNotMatch
from edge.procedure.jumps import Jump, find_jumps
from edge.records.result import Result, Verdict
from edge.standards.standard import Standard, load_standard

SECTION = Section(
    "strange_rigs",
    "## Strange rigs",
    """
Does the interval hold where the physics is not what the software assumes? Each family changes one thing of the
plainest rig; its laws are those of `tests/helpers/strange_physics.py`, which shares no code with the simulated rig.
Samples of 60 to 280 g on a cell of 500 g, true loss 0.4 to 0.6 %, an oven at 120 °C, air whose pressure wanders.
Each rig is calibrated by the software's own procedure, has a blank run and two tests, each judged six ways: *air
read* has a barometer, in the calibration's nights too; *pumped* has it in the test, and a cell of which `calibrate
pressure` has seen what the air does to it. What hung on the cell in the days before is known, and since when it was
off. The second test loses just the limit: any PASS or FAIL there is wrong. *Inside*: the truth lies between w − U
and w + U + what a slope at M1 or M2 carries, in both tests. The truth is against the sample as it was opened, and
dry; of moisture and solvent also as it was weighed.
""",
    """
*none*: tests that were INVALID, and rigs that the calibration refused; why stands below the table. Error and U are in %
of the sample. *err/u* is the rms of error over standard uncertainty.

Where more than 99 % are inside, u is wider than that family needs, and the list says of what it is made. The air's
pressure on the cell's zero is what the class lets a cell do (OIML R 60-1, 5.6.2): only *weather* and *mixed* have
cells that do any of it, and `calibrate pressure` takes it out, or a barometer beside the nights. Drift between the
zeros is what a walk may do in between, and the creep that may not come back: assumed to ±50 %, where the zero's
walk hides what was seen of it. The air's density may change by ±2 %, and a sample whose density nobody declares has
up to four times the volume of these. A drift of two nights has two degrees of freedom.
""",
)
REFUSED_WAY = ""  # of a rig that was never judged
WAYS = ("plain", "air read", "pumped", "zero", "blank", "both")
NEVER_PUMPED = "calibrate pressure: the code still moves"
WIDE = 0.99
"""Where more are inside, it is said of what u is made."""
MOST_OF_IT = 0.6
"""Of the variance: as many components are named as make so much of it."""


@dataclass(frozen=True)
class Outcome:
    """What came of one test judged in one way; a rig that was refused or a test that was INVALID says why."""

    family: str
    seed: int
    way: str
    at_limit: bool
    verdict: str
    true_pct: float = math.nan
    weighed_pct: float = math.nan
    loss_pct: float = math.nan
    expanded_pct: float = math.nan
    u_pct: float = math.nan
    one_sided_pct: float = 0.0
    why: str = ""
    budget: tuple[tuple[str, float], ...] = ()

    @property
    def judged(self) -> bool:
        """Say whether there is a number."""
        return math.isfinite(self.loss_pct)

    def holds(self, true_pct: float) -> bool:
        """Say whether the interval holds a truth."""
        over = true_pct - self.loss_pct
        return -self.expanded_pct <= over <= self.expanded_pct + self.one_sided_pct


def _outcome(family: str, seed: int, way: str, at_limit: bool, taken: Taken, result: Result) -> Outcome:
    if result.loss_pct is None or result.U_pct is None or result.u_pct is None:
        return Outcome(family, seed, way, at_limit, str(result.verdict), why=str(result.invalid_because))
    return Outcome(
        family,
        seed,
        way,
        at_limit,
        str(result.verdict),
        taken.loss_pct,
        taken.weighed_pct,
        result.loss_pct,
        result.U_pct,
        result.u_pct,
        result.one_sided_pct,
        budget=tuple((str(line.name), line.contribution_pct) for line in result.budget),
    )


@contextmanager
def _jumps_remembered() -> Iterator[None]:
    """Find the jumps of the same rows once: five ways of judging a night ask for them ten times."""
    known: dict[tuple[bytes, bytes, float], tuple[Jump, ...]] = {}

    def found(t_s: np.ndarray, mass_g: np.ndarray, matters_g: float) -> tuple[Jump, ...]:
        rows = (t_s.tobytes(), mass_g.tobytes(), matters_g)
        if rows not in known:
            known[rows] = find_jumps(t_s, mass_g, matters_g)
        return known[rows]

    with patch("edge.verdict.plausible.find_jumps", found), patch("edge.verdict.unseen.find_jumps", found):
        yield


def _ways(
    taken: Taken, standard: Standard, certificates: tuple[Certificate, Certificate, Certificate | None], blank: Result
) -> dict[str, Result | None]:
    """Judge a test in each way, by the certificates without a barometer, with one, and pumped; None: no such way."""
    certificate, read, pumped = certificates
    of = partial(judge, taken, standard, certificate)
    out: dict[str, Result | None] = {
        "plain": of(with_zero=False),
        "air read": judge(taken, standard, read, with_zero=False, air_read=True),
        "pumped": None if pumped is None else judge(taken, standard, pumped, with_zero=False, air_read=True),
        "zero": of(),
    }
    subtract = blank if blank.loss_pct is not None else None
    for way, with_zero in (("blank", False), ("both", True)):
        try:
            out[way] = of(blank=subtract, with_zero=with_zero) if subtract is not None else None
        except BlankDoesNotMatch:
            out[way] = None
    return out


def one(family: str, seed: int, *, draws: int = 2) -> list[Outcome]:
    """Calibrate one rig, take its blank and its tests, and judge."""
    standard = load_standard("gbt-48093-1-2026")
    physics = draw(family, seed)
    rig = StrangeRig(physics)
    try:
        shown = exercise(rig)
        certificate = certified(shown)
        certificates = certificate, certified(shown, air_read=True), with_pressure(certificate, shown)
    except REFUSED as e:
        return [Outcome(family, seed, REFUSED_WAY, False, "REFUSED", why=str(e))]
    dummy_g, cm3_per_g = physics.sample_g * float(rig.rng.uniform(0.9, 1.1)), float(1.0 / rig.rng.uniform(1.5, 4.0))
    empty = night(rig, standard, certificate, lambda: rig.place(dummy_g, cm3_per_g=cm3_per_g), zero_after=False)
    blank = judge(empty, standard, certificate, is_blank=True)
    rig.place()
    out = []
    for at_limit, loss_pct in ((False, physics.loss_pct), (True, standard.limit_pct.value))[:draws]:
        taken = night(rig, standard, certificate, partial(rig.place_sample, loss_pct), zero_after=True)
        rig.place()
        with _jumps_remembered():
            judged = _ways(taken, standard, certificates, blank)
        for way, result in judged.items():
            if result is None:
                why = NEVER_PUMPED if way == "pumped" else f"blank: {blank.invalid_because}"
                out.append(Outcome(family, seed, way, at_limit, "INVALID", why=why))
            else:
                out.append(_outcome(family, seed, way, at_limit, taken, result))
    return out


def _attempt(task: tuple[str, int], *, draws: int) -> list[Outcome]:
    return one(*task, draws=draws)


def _share(part: int, whole: int) -> str:
    return f"{part / whole * 100.0:.0f} %" if whole else "-"


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(math.fsum(v * v for v in values) / len(values)) if values else math.nan


def _row(name: str, way: str, of: Sequence[Outcome], limit_pct: float, *, weighed: bool = False) -> tuple[object, ...]:
    """Get one row of the table: a family judged in one way."""

    def true(o: Outcome) -> float:
        return o.weighed_pct if weighed else o.true_pct

    here = [o for o in of if o.way in (way, REFUSED_WAY) and not o.at_limit]
    judged = [o for o in here if o.judged]
    limit = [o for o in of if o.way == way and o.at_limit and o.judged]
    errors = [o.loss_pct - true(o) for o in judged]
    false_pass = sum(o.verdict == Verdict.PASS and true(o) > limit_pct for o in judged)
    false_fail = sum(o.verdict == Verdict.FAIL and true(o) <= limit_pct for o in judged)
    return (
        name,
        way,
        len(judged),
        len(here) - len(judged),
        _share(sum(o.holds(true(o)) for o in [*judged, *limit]), len(judged) + len(limit)),
        f"{false_pass}, {false_fail}",
        _share(sum(o.verdict == Verdict.INCONCLUSIVE for o in judged), len(judged)),
        f"{np.median([o.expanded_pct for o in judged]):.4f}" if judged else "-",
        f"{_rms(errors):.4f}",
        f"{np.mean(errors):+.4f}" if errors else "-",
        f"{_rms([(o.loss_pct - true(o)) / o.u_pct for o in judged]):.2f}",
        "-" if weighed else _share(sum(o.verdict == Verdict.PASS for o in limit), len(limit)),
        "-" if weighed else _share(sum(o.verdict == Verdict.FAIL for o in limit), len(limit)),
    )


def made_of(judged: Sequence[Outcome]) -> str:
    """Say which components make most of the variances, each test's counting alike."""
    shares: Counter[str] = Counter()
    for o in judged:
        whole = math.fsum(pct * pct for _, pct in o.budget)
        for name, pct in o.budget:
            shares[name] += pct * pct / whole / len(judged) if whole > 0.0 else 0.0
    named, told = 0.0, list[str]()
    for name, share in shares.most_common():
        if named >= MOST_OF_IT:
            break
        named += share
        told.append(f"{name} ({share * 100.0:.0f} %)")
    return ", ".join(told)


def wide(outcomes: Sequence[Outcome]) -> list[str]:
    """Get a line for each family and way whose interval holds the truth more often than it need."""
    out = []
    for family in dict.fromkeys(o.family for o in outcomes):
        for way in WAYS:
            judged = [o for o in outcomes if (o.family, o.way) == (family, way) and o.judged]
            if judged and sum(o.holds(o.true_pct) for o in judged) > WIDE * len(judged):
                out.append(f"{family}, {way}: {made_of(judged)}")
    return out


HEAD = (
    "family", "judged", "tests", "none", "inside", "false PASS, FAIL", "INCONCLUSIVE", "median U", "rms error",
    "mean error", "err/u", "PASS at the limit", "FAIL at the limit",
)  # fmt: skip


def found(outcomes: Sequence[Outcome], limit_pct: float) -> str:
    """Get the table, why rigs were refused and tests INVALID, and of what u is made where it is wide."""
    rows = []
    families = list(dict.fromkeys(o.family for o in outcomes))
    for family in families:
        of = [o for o in outcomes if o.family == family]
        rows += [_row(family, way, of, limit_pct) for way in WAYS]
        if family in ("moisture", "solvent"):
            rows += [_row(f"{family}, as weighed", way, of, limit_pct, weighed=True) for way in ("plain", "zero")]
    refused = Counter(f"{o.family}: {o.verdict}: {o.why[:110]}" for o in outcomes if not o.judged)
    said = "\n".join(f"- {n} × {why}" for why, n in sorted(refused.items()))
    too_wide = "\n".join(f"- {line}" for line in wide(outcomes))
    return "\n\n".join(
        part for part in (table(HEAD, *rows), said, f"Above 99 %:\n\n{too_wide}" if too_wide else "") if part
    )


def told_outcomes(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Get outcomes as plain values, for a file."""
    return [dataclasses.asdict(o) for o in outcomes]


def read_outcomes(told: list[dict[str, Any]]) -> list[Outcome]:
    """Get outcomes from such values."""
    return [Outcome(**{**o, "budget": tuple((name, pct) for name, pct in o["budget"])}) for o in told]


def measured(
    tasks: Sequence[tuple[str, int]], *, draws: int, workers: int, resume: Path | None = None
) -> tuple[list[Outcome], float]:
    """Get the outcomes of all tasks, and what they took in s; those that ``resume`` holds are not measured anew.

    Raises ``ValueError`` where that file is of another commit.
    """
    began = time.monotonic()
    pieces = None if resume is None else Pieces(resume, commit())
    names = {task: f"{task[0]} {task[1]} {draws}" for task in tasks}
    known = (
        {}
        if pieces is None
        else {task: read_outcomes(pieces.found[n]) for task, n in names.items() if n in pieces.found}
    )
    to_do = [task for task in tasks if task not in known]
    with ProcessPoolExecutor(workers) as pool:
        for task, outcomes in zip(to_do, pool.map(partial(_attempt, draws=draws), to_do, chunksize=2), strict=True):
            known[task] = outcomes
            if pieces is not None:
                pieces.add(names[task], told_outcomes(outcomes))
    took_s = time.monotonic() - began if pieces is None else pieces.took_s
    return [o for task in tasks for o in known[task]], took_s


def main() -> None:
    """Draw, calibrate, measure and judge strange rigs, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=400, help="of each family")
    parser.add_argument("--families", default=",".join(f.replace(", ", ":") for f in FAMILIES))
    parser.add_argument("--seed", type=int, default=1, help="of the first rig")
    parser.add_argument("--draws", type=int, default=2, choices=(1, 2), help="1: without the test at the limit")
    parser.add_argument("--workers", type=int, default=2, choices=(1, 2))
    parser.add_argument("--resume", type=Path, metavar="FILE", help="append to it, and go on from what it holds")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    families = [name.replace(":", ", ") for name in args.families.split(",")]
    unknown = [name for name in families if name not in FAMILIES]
    if unknown:
        parser.error(f"no family {unknown[0]!r}: one of {', '.join(f.replace(', ', ':') for f in FAMILIES)}")
    tasks = [(family, seed) for family in families for seed in range(args.seed, args.seed + args.rigs)]
    try:
        outcomes, took_s = measured(tasks, draws=args.draws, workers=args.workers, resume=args.resume)
    except ValueError as e:
        parser.error(str(e))
    if args.verbose:
        for o in outcomes:
            print(o)
    limit_pct = load_standard("gbt-48093-1-2026").limit_pct.value
    SECTION.report(found(outcomes, limit_pct), took_s=took_s, write=args.write)


if __name__ == "__main__":
    if "OPENBLAS_NUM_THREADS" not in os.environ:  # threads of a small matrix would wait for the other worker
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    main()
