"""Coverage: over a thousand rigs, is the truth inside the interval as often as the interval says?

Each rig is drawn at random (coefficients, creep, lag, noise, wander, loss curve, sample mass), calibrated by the
software's own procedure on its own readings (check weights, a night of warming and cooling empty and loaded), has a
blank run with an inert dummy, and then a test. With ``--zero-after`` the zero is taken again after M2, and the same
runs are judged with and without it. ``make coverage`` takes minutes and writes docs/benchmarks.md;
``tests/bench/test_thousand_rigs.py`` is the small form.
"""

from __future__ import annotations

import argparse
import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
from bench_report import Section, table
from drawn_rig import REST_S, Operator, calibrate, draw, exercise, judge, measure, rms, without_zero
from fast_rig import QuickRig

from calibration import certificate as cal
from calibration.errors import CalibrationError
from edge.standards.standard import load_standard
from hw.sim.rig import Rig

SECTION = Section(
    "thousand_rigs",
    "## A thousand rigs",
    """
Is the truth inside the stated interval as often as it says? Rigs drawn at random (zero and span coefficients, bend,
lag, creep, wander, noise, loss curve, sample of 50 to 300 g, a room that moves by up to ±2 K). Each is calibrated by
the software's own procedure on its own readings (check weights up and down, a night of warming and cooling empty and
one loaded), rests, has a blank run with a dummy within 10 % of the sample, rests again, and is tested. Codes are
those of a NAU7802 at 10 SPS on the same physics as the demo's, without its registers.
""",
    """
Not in it: air that changes between the weighings, a stranger's creep law, temperature gradients in the cell, a rig
whose calibration is old.
""",
)
WITH_ZERO = Section(
    "second_zero",
    "### With a second zero",
    """
The same rigs, their zero taken again after M2; the same raw frames judged with and without it (a blank is subtracted
either way).
""",
    """
The simulated cell creeps back exactly as it crept; the budget takes that to be so to ±50 %.
""",
)


@dataclass(frozen=True)
class Outcome:
    """What came of one rig."""

    seed: int
    verdict: str
    true_pct: float
    loss_pct: float
    expanded_pct: float
    naive_pct: float
    regressed_pct: float
    why: str = ""
    zero_verdict: str = ""
    zero_loss_pct: float = math.nan
    zero_expanded_pct: float = math.nan


def naive(rows: np.ndarray, certificate: cal.Certificate, tared_s: float) -> tuple[float, float]:
    """End minus start: the mean code of the minute after the sample is on, and that of the last minute.

    And the same after a linear regression of the run's own codes on the load cell's temperature.
    """
    t = certificate.temperature
    code = rows["zero_code"] + t.zero_counts_per_k * (rows["cell_temp_c"] - t.t_ref_c)  # as the chip gave it
    on = np.flatnonzero((rows["t_s"] > tared_s + 5.0) & (rows["mass_g"] > 10.0))
    first, last, empty = slice(on[0] + 60, on[0] + 120), slice(len(rows) - 60, len(rows)), slice(0, on[0] - 60)

    def loss(values: np.ndarray) -> float:
        start, end, zero = (float(np.nanmean(values[part])) for part in (first, last, empty))
        return (start - end) / (start - zero) * 100.0

    loaded = slice(on[0] + 60, len(rows))
    slope = np.polyfit(rows["cell_temp_c"][loaded], code[loaded], 1)[0]
    return loss(code), loss(code - slope * (rows["cell_temp_c"] - t.t_ref_c))


def one(seed: int, *, zero_after: bool = False) -> Outcome:
    """Calibrate one rig, run its blank and its test, and judge."""
    standard = load_standard("gbt-48093-1-2026")
    truth, noise_code = draw(seed)
    rng = np.random.default_rng((seed, 32))
    quick = QuickRig(Rig(truth, seed), noise_code, seed)
    try:
        certificate = calibrate(exercise(quick, rng), truth.cell.capacity_g)
    except (CalibrationError, ValueError) as e:
        return Outcome(seed, "REFUSED", math.nan, math.nan, math.nan, math.nan, math.nan, str(e))
    dummy = truth.sample_g * float(rng.uniform(0.9, 1.1))
    quick.frames(REST_S)
    empty = measure(quick, standard, certificate, Operator(quick.rig, dummy))
    blank = judge(empty.pipeline, standard, certificate, blank_run=True)
    quick.rig.place_weight(0.0)
    quick.frames(REST_S)
    operator = Operator(quick.rig)
    subtract = blank if blank["loss_pct"] is not None else None
    measured = measure(quick, standard, certificate, operator, zero_after=zero_after)
    rows = measured.rows[measured.rows["t_s"] <= measured.m2_s]
    with_zero = judge(measured.pipeline, standard, certificate, subtract=subtract)
    pipeline = without_zero(measured) if zero_after else measured.pipeline
    result = judge(pipeline, standard, certificate, subtract=subtract) if zero_after else with_zero
    true_pct = operator.true_loss_pct
    if result["loss_pct"] is None or true_pct is None:
        return Outcome(seed, "INVALID", true_pct or math.nan, *[math.nan] * 4, why=str(result["invalid_because"]))
    by_hand, regressed = naive(rows, certificate, next(w["to_s"] for w in result["weighings"] if w["which"] == "tare"))
    return Outcome(
        seed,
        result["verdict"],
        true_pct,
        result["loss_pct"],
        result["U_pct"],
        by_hand,
        regressed,
        zero_verdict=with_zero["verdict"] if zero_after else "",
        zero_loss_pct=with_zero["loss_pct"] if zero_after else math.nan,
        zero_expanded_pct=with_zero["U_pct"] if zero_after else math.nan,
    )


def share(part: int, whole: int) -> str:
    """So many of so many, in percent."""
    return f"{part / max(1, whole) * 100.0:.1f} %"


def verdicts(of: list[str]) -> str:
    """How many PASS, FAIL and INCONCLUSIVE there are."""
    return ", ".join(str(of.count(verdict)) for verdict in ("PASS", "FAIL", "INCONCLUSIVE"))


def wrong(of: list[Outcome], limit_pct: float) -> str:
    """How many PASS are above the limit, and how many FAIL below it."""
    passes = sum(o.verdict == "PASS" and o.true_pct > limit_pct for o in of)
    return f"{passes}, {sum(o.verdict == 'FAIL' and o.true_pct <= limit_pct for o in of)}"


def found(outcomes: list[Outcome], limit_pct: float) -> str:
    """What a thousand rigs gave, as tables."""
    judged = [o for o in outcomes if math.isfinite(o.loss_pct)]
    inside = sum(abs(o.loss_pct - o.true_pct) <= o.expanded_pct for o in judged)
    summary = table(
        ("", f"{len(outcomes)} rigs"),
        ("the 95 % interval holds the true loss", f"{inside} of {len(judged)}"),
        ("false PASS, false FAIL", wrong(judged, limit_pct)),
        ("PASS, FAIL, INCONCLUSIVE", verdicts([o.verdict for o in judged])),
        ("refused or INVALID", len(outcomes) - len(judged)),
        ("median U", f"{np.median([o.expanded_pct for o in judged]):.4f} %"),
    )
    rows = []
    for name, errors in (
        ("ours", [o.loss_pct - o.true_pct for o in judged]),
        ("end minus start, of raw codes", [o.naive_pct - o.true_pct for o in judged]),
        ("the same after linear regression on the temperature", [o.regressed_pct - o.true_pct for o in judged]),
    ):
        both = zip(errors, judged, strict=True)
        sides = sum((error + o.true_pct <= limit_pct) != (o.true_pct <= limit_pct) for error, o in both)
        rows.append((name, f"{rms(errors):.4f} %", share(sides, len(judged))))
    estimates = table(("estimate", "rms error", "on the wrong side of the limit"), *rows)
    edges = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, math.inf]
    bands = [
        [o for o in judged if low <= abs(o.true_pct - limit_pct) / o.expanded_pct < high]
        for low, high in pairwise(edges)
    ]
    margins = table(
        ("margin to the limit in U", "0 to 0.25", "to 0.5", "to 1", "to 2", "to 4", "more"),
        ("rigs", *map(len, bands)),
        ("INCONCLUSIVE", *(share(sum(o.verdict == "INCONCLUSIVE" for o in band), len(band)) for band in bands)),
    )
    return "\n\n".join((summary, estimates, margins))


def found_with_zero(outcomes: list[Outcome], limit_pct: float) -> str:
    """What the second zero gave, beside the same runs without it."""
    both = [o for o in outcomes if math.isfinite(o.loss_pct) and math.isfinite(o.zero_loss_pct)]
    with_zero = [
        replace(o, verdict=o.zero_verdict, loss_pct=o.zero_loss_pct, expanded_pct=o.zero_expanded_pct) for o in both
    ]
    columns = [
        (
            f"{sum(abs(o.loss_pct - o.true_pct) <= o.expanded_pct for o in of)} of {len(of)}",
            wrong(of, limit_pct),
            verdicts([o.verdict for o in of]),
            f"{rms([o.loss_pct - o.true_pct for o in of]):.4f} %",
            f"{np.median([o.expanded_pct for o in of]):.4f} %",
        )
        for of in (both, with_zero)
    ]
    names = ("the 95 % interval holds the true loss", "false PASS, false FAIL", "PASS, FAIL, INCONCLUSIVE",
             "rms error", "median U")  # fmt: skip
    return table(("", "without", "with the second zero"), *zip(names, *columns, strict=True))


def main() -> None:
    """Draw, calibrate, measure and judge rigs, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--zero-after", action="store_true", help="take the zero again after M2")
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    with ProcessPoolExecutor(args.workers) as pool:
        seeds = range(args.first, args.first + args.rigs)
        outcomes = list(pool.map(partial(one, zero_after=args.zero_after), seeds, chunksize=4))
    if args.verbose:
        for o in outcomes:
            print(o)
    section, say = (WITH_ZERO, found_with_zero) if args.zero_after else (SECTION, found)
    limit_pct = load_standard("gbt-48093-1-2026").limit_pct.value
    section.report(say(outcomes, limit_pct), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
