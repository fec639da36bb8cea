"""The step of a converter at a power-up, measured where it happened or assumed: never a loss that is not there."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_seconds import PLAN, row

from calibration.integrated import Integrated
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.jumps import net_of_jumps
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.phase import Phase
from edge.records.result import ConverterResetTold, StopTold
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.uncertainty.budget import loss_budget
from edge.uncertainty.components import ComponentName
from edge.uncertainty.span_check import SpanCheck
from edge.uncertainty.weighed import Corrections, Weighed
from edge.verdict.plausible import jumps_between
from edge.verdict.resets import UNSEEN_STEP, net_of_resets, reset_steps, zero_is_apart
from hw.sim.rig import RigTruth

CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
NATIONAL = load_standard("gbt-48093-1-2026")
LENGTH_S = 6000
DEFINITION = RunDefinition(
    Sample("S"), "Ada", RunKind.TEST, NATIONAL, CERTIFICATE, live_parameters(NATIONAL, CERTIFICATE)
)


def weighed(which: str, mass_g: float, from_s: float) -> Weighing:
    value = Integrated(mass_g, 0.001, 50.0, 100, 0, 100)
    return Weighing(WeighingKind(which), value, from_s, from_s + 100.0, 25.0, 25.0, math.nan)


def run(
    *,
    step_g: float = 0.4,
    at_s: int = 3000,
    gap_s: int = 60,
    noise_g: float = 0.005,
    loss_g: float = 1.0,
    seed: int = 1,
) -> tuple[EndedRun, Weighed]:
    """A sample of 200 g that loses ``loss_g`` by a curve that bends; at a reset the indication steps."""
    rng, phases = np.random.default_rng(seed), Phases(PLAN, Phase.DONE)
    true_g = [200.0 - loss_g * (1.0 - math.exp(-t / 3000.0)) for t in range(LENGTH_S)]
    for t in (*range(at_s - gap_s), *range(at_s, LENGTH_S)):
        stepped = step_g if t >= at_s else 0.0
        phases.step(row(t, mass_g=true_g[t] + stepped + float(rng.normal(0.0, 0.005))))
    before = weighed("m1", true_g[0], 0.0)
    after = weighed("m2", true_g[-1] + step_g, LENGTH_S - 100.0)
    reset = ConverterResetTold(at_s=float(at_s), from_s=float(at_s - gap_s - 1), cause="power_cut", chip="nau7802")
    ended = EndedRun(DEFINITION, phases, datetime.date(2026, 11, 26), stops=(), resets=(reset,))
    return ended, Weighed(before, after, before, certificate=CERTIFICATE)


@settings(max_examples=40, deadline=None)
@given(
    step_g=st.floats(-3.0, 3.0),
    at_s=st.integers(900, 5000),
    gap_s=st.integers(0, 500),
    loss_g=st.floats(0.0, 2.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_step_is_measured_within_what_is_said_of_it(
    step_g: float, at_s: int, gap_s: int, loss_g: float, seed: int
) -> None:
    (step,) = reset_steps(*run(step_g=step_g, at_s=at_s, gap_s=gap_s, loss_g=loss_g, seed=seed))
    assert step.seen
    assert abs(step.step_g - step_g) < 6.0 * step.u_g
    assert step.u_g < 0.1  # the whole limit is a gram


def test_a_loss_is_corrected_for_the_steps_that_were_seen() -> None:
    ended, of = run(step_g=0.4, loss_g=1.0)
    steps = reset_steps(ended, of)
    budget = loss_budget(of, Corrections(resets=net_of_resets(steps)), coverage=0.95)
    true_pct = (1.0 - math.exp(-(LENGTH_S - 1) / 3000.0)) / 200.0 * 100.0
    assert abs(budget.loss_pct - true_pct) < budget.expanded_pct
    assert loss_budget(of, coverage=0.95).loss_pct < true_pct - 0.15  # what the step hid
    assert jumps_between(ended, of, steps) == ()
    assert jumps_between(ended, of) != ()


@pytest.mark.parametrize("how", ["a long gap", "in the window of M1", "another load", "a gap of unknown length"])
def test_what_cannot_be_seen_is_one_percent_of_the_load(how: str) -> None:
    match how:
        case "a long gap":
            ended, of = run(at_s=3000, gap_s=1200)
        case "in the window of M1":
            ended, of = run(at_s=60, gap_s=10)
        case "another load":
            ended, of = run(step_g=-60.0)
        case _:
            ended, of = run()
            ended = replace(ended, stops=(StopTold(from_s=2940.0, length_s=None, at_least_s=60.0),))
    (step,) = reset_steps(ended, of)
    assert not step.seen
    assert (step.step_g, step.u_g) == (0.0, pytest.approx(UNSEEN_STEP * 200.0 / math.sqrt(3.0)))


@pytest.mark.parametrize(("step_g", "found_g"), [(-6.0, -6.0), (1.0, 0.0)])
def test_what_falls_off_while_nobody_looks_is_a_jump_and_a_step_within_what_is_assumed_is_none(
    step_g: float, found_g: float
) -> None:
    """A power cut of 20 minutes, and 6 g of 200 g less after it: that is no converter's, and no evaporation's."""
    ended, of = run(step_g=step_g, at_s=4000, gap_s=1200)
    steps = reset_steps(ended, of)
    assert [s.seen for s in steps] == [False]
    assert net_of_jumps(jumps_between(ended, of, steps))[0] == pytest.approx(found_g, abs=0.3)


def test_zero_and_check_weight_say_a_step_that_nobody_saw_in_grams_of_what_the_cell_feels() -> None:
    """Of 100 g of steel a cell feels 99.985 g: a cell that shows that has no other gain than before."""
    ended, of = run(step_g=0.4, at_s=3000, gap_s=1200)
    for which, at_s in (("tare", -500.0), ("m1", 0.0), ("m2", LENGTH_S - 100.0), ("zero", 8000.0), ("check", 9000.0)):
        ended.phases.weighings[WeighingKind(which)] = weighed(which, 0.0, at_s)
    check = SpanCheck(100.0, 99.985, 0.004, 0.4, 0.001, 99.985)
    (step,) = reset_steps(ended, of, check)
    assert (step.seen, step.by_weight) == (True, True)
    assert step.step_g == pytest.approx(0.4, abs=1e-9)
    assert step.u_g == pytest.approx(math.hypot(0.004 * 200.0 / 99.985, 0.001), rel=1e-3)
    (gained,) = reset_steps(ended, of, replace(check, indicated_g=99.985 * 1.002))
    assert gained.step_g == pytest.approx(0.4 + 0.002 * 200.0, rel=1e-3)
    late = ConverterResetTold(at_s=8500.0, from_s=8499.0, cause="found_reset", chip="nau7802")
    (again, *_) = reset_steps(replace(ended, resets=(*ended.resets, late)), of, check)
    assert not again.seen, "after M2 the converter was reset once more: the zero is another's"


@pytest.mark.parametrize(("gap_s", "origin"), [(60, "measured"), (1200, "assumed")])
def test_the_budget_says_whether_a_step_was_measured_or_is_assumed(gap_s: int, origin: str) -> None:
    ended, of = run(gap_s=gap_s)
    steps = reset_steps(ended, of)
    unseen = sum(not s.seen for s in steps)
    lines = loss_budget(of, Corrections(resets=net_of_resets(steps), unseen_resets=unseen), coverage=0.95).components
    assert [c.origin for c in lines if c.name is ComponentName.CONVERTER_RESET] == [origin]


def test_two_resets_are_two_steps_and_each_line_ends_at_the_other() -> None:
    ended, of = run(step_g=0.4, at_s=3000, gap_s=10)
    second = ConverterResetTold(at_s=3100.0, from_s=3099.0, cause="brown_out", chip="nau7802")
    steps = reset_steps(replace(ended, resets=(*ended.resets, second)), of)
    assert [round(s.step_g, 1) for s in steps] == [0.4, 0.0]
    assert all(s.seen for s in steps)


def test_a_reset_before_m1_or_after_m2_is_in_no_loss() -> None:
    ended, of = run()
    late = ConverterResetTold(at_s=9000.0, from_s=8999.0, cause="power_cut", chip="hx711")
    assert reset_steps(replace(ended, resets=(late,)), of) == ()


def test_a_second_zero_across_a_reset_is_not_used() -> None:
    ended, _ = run()
    assert not zero_is_apart(ended)
    for which, from_s in (("tare", 0.0), ("zero", 9000.0)):
        ended.phases.weighings[WeighingKind(which)] = weighed(which, 1000.0, from_s)
    assert zero_is_apart(ended)
    assert not zero_is_apart(replace(ended, resets=()))
