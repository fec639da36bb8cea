"""Coverage: over a thousand rigs, is the truth inside the interval as often as the interval says?

Each rig is drawn at random (coefficients, creep, lag, noise, wander, loss curve, sample mass), calibrated by the
software's own procedure on its own readings (check weights, a night of warming and cooling empty and loaded), has a
blank run with an inert dummy, and then a test. Run with ``make coverage``; it prints a table and takes minutes.
With ``--zero-after`` the zero is taken again after M2, and the same runs are judged with and without it.
"""

from __future__ import annotations

import argparse
import datetime
import math
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from quickrig import REF_OHM, QuickRig

from calibration import certificate as cal
from calibration.errors import CalibrationError
from calibration.loadcell import SpanPoint
from edge.guided_calibration.certify import BEHIND_K, LEAST_PER_OVEN, ROOM_K
from edge.guided_calibration.fits import certificate_of, fit_all
from edge.guided_calibration.readings import Readings, readings, span_point
from edge.procedure.parameters import RunParameters, live_parameters
from edge.procedure.pipeline import OperatorCommand, Pipeline, new_pipeline
from edge.records.frame import Frames, join
from edge.records.phase import Phase
from edge.simulate.operator import SimulatedOperator
from edge.standards.standard import Standard, load_standard
from edge.verdict.judge import judge_run
from hw.sim.rig import CellTruth, Rig, RigTruth, Scenario, Volatile

RTD = cal.Rtd(ref_ohm=REF_OHM, r0_ohm=100.0, lead_ohm=0.0, wires=4, tolerance_class="A", u_temp_c=0.3)
TODAY = datetime.date(2026, 11, 23)
BLOCK_S = 60
HOUR = 3600
REST_S = 6 * HOUR  # unloaded before the blank and before the test alike: creep remembers what was on the cell


def draw(seed: int) -> tuple[RigTruth, float]:
    """Draw a rig and its converter's noise in codes."""
    rng = np.random.default_rng((seed, 31))

    def log(low: float, high: float) -> float:
        return float(math.exp(rng.uniform(math.log(low), math.log(high))))

    def sign() -> float:
        return float(rng.choice([-1.0, 1.0]))

    loss = float(rng.uniform(0.0, 1.0)) if rng.random() < 0.7 else log(0.05, 10.0)
    rate = log(0.3, 3.0)
    share = loss / 100.0 / (1.0 - math.exp(-rate * 6.3))
    scenario = Scenario(
        "drawn",
        "drawn at random",
        (Volatile(min(0.9, share), rate, float(rng.uniform(40.0, 90.0))),),
        zero_walk_g=log(0.001, 0.02),
        creep=log(1e-5, 3e-4),
    )
    cell = CellTruth(
        zero_ratio=float(rng.uniform(-5e-5, 5e-5)),
        zero_ratio_per_k=sign() * log(2e-9, 5e-8),
        span_per_k=sign() * log(1e-6, 5e-5),
        linearity_per_g=sign() * log(1e-9, 1e-7),
        lag_s=float(rng.uniform(600.0, 3000.0)),
        cell_per_oven=float(rng.uniform(0.08, 0.25)),
        creep_s=float(rng.uniform(300.0, 1500.0)),
        creep_tail_s=float(rng.uniform(4000.0, 15000.0)),
    )
    truth = RigTruth(
        scenario=scenario,
        cell=cell,
        sample_g=float(rng.uniform(50.0, 300.0)),
        sample_density_g_cm3=float(rng.uniform(1.5, 4.0)),
        ambient_c=float(rng.uniform(20.0, 28.0)),
        ambient_swing_c=float(rng.uniform(-2.0, 2.0)),
    )
    return truth, float(rng.uniform(10.0, 60.0))


def record(quick: QuickRig, seconds: int) -> Readings:
    return readings(quick.frames(seconds), RTD)


@dataclass(frozen=True)
class Exercise:
    """What a rig showed in the guided calibration's steps."""

    points: list[SpanPoint]
    empty: Readings
    loaded: Readings
    settling: Readings


def exercise(quick: QuickRig, rng: np.random.Generator) -> Exercise:
    """The guided calibration's steps: weights up and down, then a cycle of the oven empty and one loaded."""
    rig, points = quick.rig, []
    u_weight_g = 0.003
    nominal = [0.0, 50.0, 100.0, 200.0, 300.0]
    off_g = {m: (u_weight_g * float(rng.standard_normal()) if m else 0.0) for m in nominal}
    for rising, masses in ((True, nominal), (False, nominal[::-1])):
        for m in masses:
            rig.place_weight(m + off_g[m])
            quick.frames(BLOCK_S)
            points.append(span_point(record(quick, BLOCK_S), m, u_weight_g if m else 0.0, rising=rising))
    cycles = []
    for weight_g in (0.0, 200.0):
        quick.frames(REST_S)
        rig.place_weight(weight_g)
        settling = record(quick, 2 * HOUR)  # the creep of the new load
        parts = [quick.frames(HOUR)]
        rig.heat(True)
        parts.append(quick.frames(3 * HOUR))
        rig.heat(False)
        parts.append(quick.frames(4 * HOUR))
        cycles.append(readings(join(parts), RTD))
    rig.place_weight(0.0)
    return Exercise(points, cycles[0], cycles[1], settling)


def calibrate(shown: Exercise, capacity_g: float, *, from_oven: bool = False) -> cal.Certificate:
    """Make a certificate of what a rig showed. ``from_oven``: as if the cell had no thermometer of its own."""
    found = fit_all(
        shown.points,
        shown.empty,
        shown.loaded,
        settling=shown.settling,
        weight_g=200.0,
        capacity_g=capacity_g,
        t_ref_c=25.0,
        from_oven=from_oven,
    )
    lag, u_cell_c = None, 0.03
    if found.lag is not None:
        lag = (found.lag.lag_s, 0.0, 1.0)
        u_cell_c = math.hypot(ROOM_K / LEAST_PER_OVEN / math.sqrt(3.0), BEHIND_K * found.lag.u_lag_s / found.lag.lag_s)
    return certificate_of(
        found,
        name="drawn",
        made_by="coverage",
        made_at=TODAY,
        cell=cal.Cell(capacity_g=capacity_g, serial="drawn"),
        bridge=cal.BridgeChip(chip="nau7802", gain=128),
        rtd=RTD,
        u_cell_temp_c=u_cell_c,
        lag=lag,
    )


class Operator(SimulatedOperator):
    """As in the demo, but may put an inert dummy on, and leave the pump on until M2 is taken."""

    def __init__(self, rig: Rig, dummy_g: float = 0.0, *, vents: bool = True, check_weight_g: float = 0.0) -> None:
        super().__init__(rig, check_weight_g)
        self._dummy_g = dummy_g
        self._vents = vents

    def place(self) -> None:
        if self._dummy_g:
            self._rig.place_weight(self._dummy_g)
        else:
            self._rig.place_sample()

    def words(self, phase: Phase, t_s: float) -> list[str]:
        said = super().words(phase, t_s)
        if not self._vents:
            self._rig.pump(phase not in (Phase.TARE, Phase.LOAD, Phase.M1, Phase.ZERO))
        return said


@dataclass(frozen=True)
class Measured:
    """A test as it was measured: enough to fold it again by other terms."""

    terms: RunParameters
    frames: Frames
    words: tuple[OperatorCommand, ...]
    course: Pipeline
    rows: np.ndarray

    @property
    def m2_s(self) -> float:
        """When M2 was taken (the end of the record where it never was)."""
        m2 = self.course.phases.weighings.get("m2")
        return m2.to_s if m2 is not None else float(self.rows["t_s"][-1])

    def again(self, terms: RunParameters) -> Pipeline:
        """Fold the same frames with the same words by other terms."""
        course = new_pipeline(terms, int(self.frames.t_ns[0]))
        for word in self.words:
            course.say(word)
        course.feed(self.frames)
        course.finish("the simulation was stopped")
        return course


def measure(
    quick: QuickRig, standard: Standard, certificate: cal.Certificate, operator: Operator, **how: Any
) -> Measured:
    """Take one whole test in blocks of a minute. ``how`` is for :func:`edge.procedure.parameters.live_parameters`."""
    terms = live_parameters(standard, certificate, stability_g=4.0 * certificate.stability.zero_walk_g, **how)
    frames = quick.frames(BLOCK_S)
    course = new_pipeline(terms, int(frames.t_ns[0]))
    tables, taken, words, second = [], [], [], 0
    while course.phases.phase is not Phase.DONE and second < 40 * HOUR:
        tables.append(course.feed(frames)[0])
        taken.append(frames)
        second += BLOCK_S
        for said in operator.words(course.phases.phase, float(second)):
            words.append(OperatorCommand(int(frames.seq[-1]) + 1, said))
            course.say(words[-1])
        frames = quick.frames(BLOCK_S)
    tables.append(course.finish("the simulation was stopped")[0])
    operator.words(Phase.DONE, float(second))
    return Measured(terms, join(taken), tuple(words), course, np.concatenate(tables))


def judge(course: Pipeline, standard: Standard, certificate: cal.Certificate, **how: Any) -> dict[str, Any]:
    """Judge a test. ``how`` is for :func:`edge.verdict.judge.judge_run`."""
    said = {"sample_id": "drawn", "kind": "simulated", "declared": (), "on": TODAY}
    return judge_run(course.phases, standard, certificate, **said, **how)


def without_zero(measured: Measured) -> Pipeline:
    """Fold a test again as if it had ended with M2."""
    plan = replace(measured.terms.plan, zero_after=False, check_weight_g=0.0)
    return measured.again(replace(measured.terms, plan=plan))


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


def rms(values: list[float]) -> float:
    return math.sqrt(math.fsum(v * v for v in values) / len(values)) if values else math.nan


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
