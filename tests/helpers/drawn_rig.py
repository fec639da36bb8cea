"""A rig drawn at random, calibrated on its own readings by the software's own procedure, and measured."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from fast_rig import REF_OHM, QuickRig

from calibration import certificate as cal
from calibration.loadcell import SpanPoint
from calibration.vacuum_gauge import VacuumGauge
from edge.guided_calibration.certify import BEHIND_K, LEAST_PER_OVEN, ROOM_K
from edge.guided_calibration.fits import CellTemperature, Night, Subject, fit_all, make_certificate
from edge.guided_calibration.readings import Readings, readings, span_point
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import RunParameters, live_parameters
from edge.procedure.pipeline import Folded, OperatorCommand, Pipeline
from edge.records.command import OperatorWord
from edge.records.frame import Frames, join
from edge.records.phase import Phase
from edge.records.result import as_json, from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import WeighingKind
from edge.simulate.operator import SimulatedOperator
from edge.standards.standard import Standard
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
            of, before = record(quick, BLOCK_S), [p.code for p in points]
            points.append(span_point(of, m, u_weight_g if m else 0.0, rising=rising, before=before))
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
        Night(shown.empty, shown.loaded, shown.settling, weight_g=200.0),
        capacity_g=capacity_g,
        t_ref_c=25.0,
        from_oven=from_oven,
    )
    known = CellTemperature(u_c=0.03)
    if found.lag is not None:
        u_c = math.hypot(ROOM_K / LEAST_PER_OVEN / math.sqrt(3.0), BEHIND_K * found.lag.u_lag_s / found.lag.lag_s)
        known = CellTemperature(u_c, found.lag.lag_s)
    subject = Subject(
        name="drawn",
        made_by="coverage",
        made_at=TODAY,
        cell=cal.Cell(capacity_g=capacity_g, serial="drawn"),
        bridge=cal.BridgeChip(chip="nau7802", gain=128),
        rtd=RTD,
    )
    return make_certificate(found, subject, known)


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

    def words(self, phase: Phase, t_s: float) -> list[OperatorWord]:
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
    pipeline: Pipeline
    rows: np.ndarray

    @property
    def m2_s(self) -> float:
        """When M2 was taken (the end of the record where it never was)."""
        m2 = self.pipeline.phases.weighings.get(WeighingKind.M2)
        return m2.to_s if m2 is not None else float(self.rows["t_s"][-1])

    def again(self, terms: RunParameters) -> Pipeline:
        """Fold the same frames with the same words by other terms."""
        pipeline = Pipeline(terms, int(self.frames.t_ns[0]))
        for word in self.words:
            pipeline.command(word)
        pipeline.feed(self.frames)
        pipeline.finish("the simulation was stopped")
        return pipeline


def measure(
    quick: QuickRig, standard: Standard, certificate: cal.Certificate, operator: Operator, **how: Any
) -> Measured:
    """Take one whole test in blocks of a minute. ``how`` is for :func:`edge.procedure.parameters.live_parameters`."""
    terms = live_parameters(standard, certificate, stability_g=4.0 * certificate.stability.zero_walk_g, **how)
    frames = quick.frames(BLOCK_S)
    pipeline = Pipeline(terms, int(frames.t_ns[0]))
    folded: list[Folded] = []
    taken, words, second = [], [], 0
    while pipeline.phases.phase is not Phase.DONE and second < 40 * HOUR:
        folded.append(pipeline.feed(frames))
        taken.append(frames)
        second += BLOCK_S
        for said in operator.words(pipeline.phases.phase, float(second)):
            words.append(OperatorCommand(int(frames.seq[-1]) + 1, said))
            pipeline.command(words[-1])
        frames = quick.frames(BLOCK_S)
    folded.append(pipeline.finish("the simulation was stopped"))
    operator.words(Phase.DONE, float(second))
    return Measured(terms, join(taken), tuple(words), pipeline, np.concatenate([f.rows for f in folded]))


def judge(
    pipeline: Pipeline,
    standard: Standard,
    certificate: cal.Certificate,
    *,
    blank_run: bool = False,
    subtract: dict[str, Any] | None = None,
    density: tuple[float, float] | None = None,
    vacuum: VacuumGauge | None = None,
) -> dict[str, Any]:
    """Judge a test. ``subtract`` is the result of a blank run."""
    definition = RunDefinition(
        Sample("drawn", density_g_cm3=density),
        operator="",
        kind=RunKind.SIMULATED,
        standard=standard,
        certificate=certificate,
        parameters=RunParameters(pipeline.phases.plan, {}, Phase.TARE, (), vacuum),
        blank=None if subtract is None else from_json(subtract),
        is_blank=blank_run,
    )
    return as_json(judge_run(EndedRun(definition, pipeline.phases, TODAY)))


def without_zero(measured: Measured) -> Pipeline:
    """Fold a test again as if it had ended with M2."""
    plan = replace(measured.terms.plan, zero_after=False, check_weight_g=0.0)
    return measured.again(replace(measured.terms, plan=plan))


def rms(values: list[float]) -> float:
    return math.sqrt(math.fsum(v * v for v in values) / len(values)) if values else math.nan
