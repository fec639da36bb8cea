"""A second zero across a reset between the masses: the chip's step is whole in it, the rig's drift in proportion."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.integrated import Integrated
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.phase import Phase
from edge.records.result import ConverterResetTold
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.uncertainty.zero_drift import Inert, ZeroSteps, drift_between
from edge.verdict.judge import judge_run
from edge.verdict.resets import UNSEEN_STEP, ResetStep, by_zero_alone
from hw.sim.rig import RigTruth

HOUR = 3600.0
LOAD_G = 200.0
NATIONAL = load_standard("gbt-48093-1-2026")
HX711 = calibrated(RigTruth(), "hx711", 1)
AT_H = {"tare": 0.5, "m1": 1.0, "m2": 9.0, "zero": 10.5}


def weighing(which: str, value: float, u: float) -> Weighing:
    taken = Integrated(value, u, 50.0, 100, 0, 600)
    at_s = AT_H[which] * HOUR
    return Weighing(WeighingKind(which), taken, at_s - 30.0, at_s + 30.0, 25.0, 25.0, math.nan)


def ended(lost_g: float, gained_g: float, zero_moved_g: float, reset_h: float = 5.0, chip: str = "hx711") -> EndedRun:
    """A run whose converter was reset, unseen for half an hour; what the indication and the zero moved by with it."""
    s = HX711.span.counts_per_g
    phases = Phases(live_parameters(NATIONAL, HX711, zero_after=True).plan, Phase.DONE)
    phases.entered_s[Phase.LOAD] = 0.6 * HOUR
    for w in (
        weighing("tare", 3e5, 0.0005 * s),
        weighing("m1", LOAD_G, 0.0005),
        weighing("m2", LOAD_G - lost_g + gained_g, 0.0005),
        weighing("zero", 3e5 + zero_moved_g * s, 0.0005 * s),
    ):
        phases.weighings[w.which] = w
    reset = ConverterResetTold(at_s=reset_h * HOUR, from_s=(reset_h - 0.5) * HOUR, cause="power_cut", chip=chip)
    definition = RunDefinition(
        Sample("S", density_g_cm3=(2.4, 2.6)), "Ada", RunKind.SIMULATED, NATIONAL, HX711,
        live_parameters(NATIONAL, HX711, zero_after=True),
    )  # fmt: skip
    return EndedRun(definition, phases, datetime.date(2026, 11, 26), stops=(), resets=(reset,))


def test_a_step_that_nobody_saw_is_the_second_zeros_and_the_night_is_decided() -> None:
    result = judge_run(ended(lost_g=0.7, gained_g=0.35, zero_moved_g=0.35))
    assert result.loss_pct == pytest.approx(0.35, abs=0.01)
    assert result.verdict == "PASS"
    assert result.zeros is not None
    (told,) = (h for h in result.happened if h.what == "converter_reset")
    assert "the second zero has it whole" in told.why


def test_without_a_second_zero_and_with_a_chip_whose_gain_steps_it_is_not() -> None:
    run = ended(lost_g=0.7, gained_g=0.35, zero_moved_g=0.35, chip="nau7802")
    result = judge_run(run)
    assert result.verdict == "INCONCLUSIVE"
    assert result.zeros is None
    assert any("that zero is not used" in w for w in result.warnings)
    del run.phases.weighings[WeighingKind.ZERO]
    assert judge_run(replace(run, resets=ended(0.7, 0.35, 0.35).resets)).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("reset_h", [0.8, 1.0, 9.0, 9.9])
def test_a_reset_beside_the_masses_makes_a_zero_useless(reset_h: float) -> None:
    result = judge_run(ended(lost_g=0.7, gained_g=0.0, zero_moved_g=0.35, reset_h=reset_h))
    assert result.zeros is None


def test_what_was_seen_under_the_load_is_taken_off_the_zero() -> None:
    run = ended(lost_g=0.7, gained_g=0.4, zero_moved_g=0.41)
    step = ResetStep(run.resets[0], 0.4, 0.002, seen=True)
    steps, of_zero = by_zero_alone(run, [step])
    assert steps == (step,)
    assert of_zero is not None
    assert of_zero.seen_g == 0.4
    assert of_zero.u_g == pytest.approx(math.hypot(0.002, 1e-4 * LOAD_G / math.sqrt(3.0)), rel=0.01)
    assert by_zero_alone(run, [replace(step, reset=msgspec.structs.replace(step.reset, chip="nau7802"))])[1] is None
    assert by_zero_alone(run, [])[1] is None


def walking(walk_g: float):  # type: ignore[no-untyped-def]  # a certificate
    stability = msgspec.structs.replace(HX711.stability, zero_walk_g=walk_g, zero_walk_dof=9.0, zero_drift_g=0.0)
    temperature = msgspec.structs.replace(HX711.temperature, u_cell_temp_c=0.0)
    return msgspec.structs.replace(HX711, stability=stability, temperature=temperature)


@given(
    walk_g=st.floats(1e-4, 0.1),
    creep_g=st.floats(0.0, 0.05),
    seen_u_g=st.floats(1e-4, 0.05),
    unseen_u_g=st.floats(0.0, 2.0),
    seen_g=st.floats(-2.0, 2.0),
    moved_g=st.floats(-0.01, 0.01),
)
def test_it_is_the_conditional_mean_of_a_joint_normal_law(
    walk_g: float, creep_g: float, seen_u_g: float, unseen_u_g: float, seen_g: float, moved_g: float
) -> None:
    """Against the covariance of eight independent causes, conditioned by matrices."""
    cert, u_code = walking(walk_g), 0.0005 * HX711.span.counts_per_g
    tare, zero = weighing("tare", 3e5, u_code), weighing("zero", 3e5, u_code)
    zero = replace(zero, value=replace(zero.value, mean=3e5 + (seen_g + moved_g) * HX711.span.counts_per_g))
    inert = Inert(0.0, creep_g, math.inf, "")
    steps = ZeroSteps(seen_g, seen_u_g, unseen_u_g)
    found = drift_between(cert, weighing("m1", 200.0, 0.0), weighing("m2", 199.0, 0.0), tare, zero, inert, steps)
    #              walk in, walk out, creep, its return, noise of both zeros, step seen, step unseen
    x = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    z = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    back = creep_g * 0.5 / math.sqrt(3.0)
    u = np.array(
        [walk_g * math.sqrt(8.0), walk_g * math.sqrt(2.0), creep_g, back, 0.0005, 0.0005, seen_u_g, unseen_u_g]
    )
    both = np.array([x, z]) @ np.diag(u**2) @ np.array([x, z]).T
    share = both[0, 1] / both[1, 1]
    assert found.share == pytest.approx(share, rel=1e-6)
    assert found.gained_g == pytest.approx(share * moved_g, abs=1e-9)
    left = math.sqrt(max(0.0, both[0, 0] - share * both[0, 1]))
    assert found.u_g >= left * (1.0 - 1e-6) - 1e-9
    assert found.surprising or found.u_g == pytest.approx(left, rel=1e-5, abs=1e-8)


def test_the_truth_is_inside_as_often_as_stated_on_steps_of_another_law() -> None:
    """Steps of two sizes and one sign, a zero that drifts straight: neither is what the estimate assumes."""
    rng, cert = np.random.default_rng(711), walking(0.004)
    inside, n, u_code = 0, 400, 0.0005 * HX711.span.counts_per_g
    steps = ZeroSteps(0.0, 0.0, UNSEEN_STEP * LOAD_G / math.sqrt(3.0))
    for _ in range(n):
        step_g, per_h = float(rng.choice([0.3, 1.6])), float(rng.normal(0.0, 0.001))
        moved = step_g + per_h * 10.0 + float(rng.normal(0.0, 0.0007))
        tare, zero = weighing("tare", 3e5, u_code), weighing("zero", 3e5 + moved * HX711.span.counts_per_g, u_code)
        found = drift_between(
            cert,
            weighing("m1", 200.0, 0.0),
            weighing("m2", 199.0, 0.0),
            tare,
            zero,
            Inert(0.0, 0.0, math.inf, ""),
            steps,
        )
        inside += abs(found.gained_g - step_g - per_h * 8.0) <= 2.3 * found.u_g
    assert inside / n > 0.95
