"""Coverage: over a thousand rigs, is the truth inside the interval as often as the interval says?

Each rig is drawn at random (coefficients, creep, lag, noise, wander, loss curve, sample mass), calibrated by the
software's own procedure on its own readings (check weights, a night of warming and cooling empty and loaded), has a
blank run with an inert dummy, and then a test. Run with ``make coverage``; it prints a table and takes minutes.
With ``--zero-after`` the zero is taken again after M2, and the same runs are judged with and without it.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from drawn_rig import REST_S, Operator, calibrate, draw, exercise, judge, measure, rms, without_zero
from fast_rig import QuickRig

from calibration import certificate as cal
from calibration.errors import CalibrationError
from edge.standards.standard import load_standard
from hw.sim.rig import Rig


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
    blank = judge(empty.course, standard, certificate, blank_run=True)
    quick.rig.place_weight(0.0)
    quick.frames(REST_S)
    operator = Operator(quick.rig)
    subtract = blank if blank["loss_pct"] is not None else None
    measured = measure(quick, standard, certificate, operator, zero_after=zero_after)
    rows = measured.rows[measured.rows["t_s"] <= measured.m2_s]
    with_zero = judge(measured.course, standard, certificate, subtract=subtract)
    course = without_zero(measured) if zero_after else measured.course
    result = judge(course, standard, certificate, subtract=subtract) if zero_after else with_zero
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
        zero_loss_pct=with_zero["loss_pct"] if zero_after else math.nan,
        zero_expanded_pct=with_zero["U_pct"] if zero_after else math.nan,
    )


def report(outcomes: list[Outcome], limit_pct: float, seconds: float) -> None:
    judged = [o for o in outcomes if math.isfinite(o.loss_pct)]
    n = len(judged)
    inside = sum(abs(o.loss_pct - o.true_pct) <= o.expanded_pct for o in judged)
    false_pass = sum(o.verdict == "PASS" and o.true_pct > limit_pct for o in judged)
    false_fail = sum(o.verdict == "FAIL" and o.true_pct <= limit_pct for o in judged)
    print(f"{len(outcomes)} rigs in {seconds:.0f} s: {dict(Counter(o.verdict for o in outcomes))}")
    print(f"95 % interval holds the true loss: {inside} of {n} = {inside / n * 100:.1f} %")
    shares = f"({false_pass / n * 100:.2f} %), false FAIL {false_fail} ({false_fail / n * 100:.2f} %)"
    print(f"false PASS {false_pass} {shares}")
    print(f"U: median {np.median([o.expanded_pct for o in judged]):.4f} %")
    for name, values in (
        ("ours", [o.loss_pct - o.true_pct for o in judged]),
        ("end minus start", [o.naive_pct - o.true_pct for o in judged]),
        ("linear regression", [o.regressed_pct - o.true_pct for o in judged]),
    ):
        wrong = sum(
            (v + o.true_pct <= limit_pct) != (o.true_pct <= limit_pct) for v, o in zip(values, judged, strict=True)
        )
        print(f"  {name:18} rms error {rms(values):.4f} %; on the wrong side of the limit {wrong / n * 100:.1f} %")
    zeroed = [o for o in judged if math.isfinite(o.zero_loss_pct)]
    if zeroed:
        inside = sum(abs(o.zero_loss_pct - o.true_pct) <= o.zero_expanded_pct for o in zeroed)
        print(f"with the second zero: the interval holds the true loss in {inside} of {len(zeroed)}")
        print(f"  rms error {rms([o.zero_loss_pct - o.true_pct for o in zeroed]):.4f} %", end="; ")
        print(f"U: median {np.median([o.zero_expanded_pct for o in zeroed]):.4f} %")
    print("margin to the limit in U   rigs  INCONCLUSIVE")
    edges = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, math.inf]
    for low, high in pairwise(edges):
        there = [o for o in judged if low <= abs(o.true_pct - limit_pct) / o.expanded_pct < high]
        open_ = sum(o.verdict == "INCONCLUSIVE" for o in there)
        print(f"  {low:5.2f} to {high:5.2f}          {len(there):5}  {open_ / max(1, len(there)) * 100:5.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--zero-after", action="store_true", help="take the zero again after M2")
    args = parser.parse_args()
    begin = time.monotonic()
    with ProcessPoolExecutor(args.workers) as pool:
        seeds = range(args.first, args.first + args.rigs)
        outcomes = list(pool.map(partial(one, zero_after=args.zero_after), seeds, chunksize=4))
    if args.verbose:
        for o in outcomes:
            print(o)
    report(outcomes, load_standard("gbt-48093-1-2026").limit_pct.value, time.monotonic() - begin)


if __name__ == "__main__":
    main()
