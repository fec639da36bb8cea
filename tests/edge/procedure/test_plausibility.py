"""What is asked of a tare and of a sample before the night: each refusal names its cause, and a right one goes on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_seconds import PLAN, feed, jitter, row, to_m1

from edge.errors import BadInput
from edge.procedure.parameters import live_parameters, with_declared_mass
from edge.procedure.phases import Phases
from edge.procedure.plan import Plan
from edge.procedure.plausibility import why_not_tare, why_not_the_sample
from edge.records.command import OperatorWord
from edge.records.event import LoadRefused, TareRefused
from edge.records.phase import Phase
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from hw.sim.rig import RigTruth

CELL = replace(PLAN, tare_g=60.0, tare_within_g=40.0, least_g=1.0, capacity_g=500.0)
CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
NATIONAL = load_standard("gbt-48093-1-2026")


def loaded(plan: Plan, mass_g: float, n_ok: int = 10) -> tuple[Phases, str]:
    """Say load with ``mass_g`` on the holder; get the phases, and why they did not go on."""
    phases = Phases(plan, Phase.LOAD)
    feed(phases, [row(0, mass_g=0.0)])
    phases.command(OperatorWord.LOAD, 1, 1.0)
    events = feed(phases, (row(s, mass_g=mass_g + jitter(s, 0.01), n_ok=n_ok) for s in range(1, 80)))
    refused = [e.what for e in events if isinstance(e.what, LoadRefused)]
    return phases, refused[0].why if refused else ""


@pytest.mark.parametrize(
    ("mass_g", "declared_g", "named"),
    [
        (0.2, 0.0, "put it on"),
        (0.0, 0.0, "the bridge is dead"),
        (-196.0, 0.0, "A+, A-"),
        (812.0, 0.0, "another cell's certificate"),
        (98.0, 196.0, "another cell's certificate"),
        (196.0, 0.2, "kilograms for grams"),
    ],
)
def test_what_cannot_be_the_sample_is_refused_with_its_cause(mass_g: float, declared_g: float, named: str) -> None:
    phases, why = loaded(replace(CELL, declared_g=declared_g), mass_g)
    assert named in why
    assert why.endswith("say load again")
    assert phases.phase is Phase.LOAD


def test_a_cell_that_says_nothing_is_no_load() -> None:
    phases, why = loaded(CELL, 196.0, n_ok=0)
    assert "no good reading" in why
    assert phases.phase is Phase.LOAD


def test_a_word_that_was_refused_may_be_said_again_with_the_sample_on() -> None:
    phases, why = loaded(CELL, 0.0)
    assert why
    phases.command(OperatorWord.LOAD, 100, 100.0)
    feed(phases, (row(s, mass_g=196.0) for s in range(100, 120)))
    assert phases.phase is Phase.M1


def test_a_sample_that_is_still_being_put_down_as_the_word_is_said_is_on() -> None:
    phases = Phases(CELL, Phase.LOAD)
    feed(phases, [row(0, mass_g=0.0)])
    phases.command(OperatorWord.LOAD, 1, 1.0)
    feed(phases, (row(s, mass_g=0.0 if s < 5 else 196.0) for s in range(1, 20)))
    assert phases.phase is Phase.M1


@given(mass_g=st.floats(1.0, 500.0), off=st.floats(-0.049, 0.049))
def test_no_sample_within_the_cell_and_near_what_was_declared_is_refused(mass_g: float, off: float) -> None:
    assert why_not_the_sample(mass_g, CELL) == ""
    assert (
        why_not_the_sample(mass_g * (1.0 + off), replace(CELL, declared_g=mass_g, capacity_g=600.0, least_g=0.1)) == ""
    )


@given(st.floats())
def test_what_is_refused_is_said_in_one_line_whatever_the_cell_shows(mass_g: float) -> None:
    why = why_not_the_sample(mass_g, replace(CELL, declared_g=196.0))
    assert why.isprintable() or why == ""
    assert (why == "") == (math.isfinite(mass_g) and abs(mass_g - 196.0) <= 0.05 * 196.0 + 0.005 * 500.0)


@pytest.mark.parametrize(("on_cell_g", "taken"), [(60.0, True), (99.0, True), (256.0, False), (-140.0, False)])
def test_a_tare_is_near_the_empty_holder_of_the_certificate(on_cell_g: float, taken: bool) -> None:
    phases = Phases(CELL, Phase.TARE)
    feed(phases, [row(0)])
    phases.command(OperatorWord.TARE, 0, 0.0)
    events = feed(phases, (row(s, mass_g=on_cell_g + jitter(s, 0.001)) for s in range(1, 70)))
    refused = [e.what for e in events if isinstance(e.what, TareRefused)]
    assert (phases.phase is Phase.LOAD) is taken
    assert taken or "take the sample off" in refused[0].why


def test_where_the_certificate_knows_no_empty_holder_half_the_scale_must_be_free() -> None:
    plan = replace(CELL, tare_g=math.nan, tare_within_g=250.0)
    assert why_not_tare(200.0, plan) == ""
    assert "tare_counts" in why_not_tare(300.0, plan)


def test_a_run_from_before_this_rule_is_asked_nothing() -> None:
    phases = Phases(PLAN, Phase.TARE)
    to_m1(phases)
    assert phases.phase is Phase.M1
    assert why_not_tare(1e9, PLAN) == ""


@pytest.mark.parametrize("mass_g", [0.196, 0.0, -3.0, 501.0, math.nan, math.inf])
def test_a_declared_mass_that_the_cell_cannot_weigh_is_refused_at_the_start(mass_g: float) -> None:
    with pytest.raises(BadInput, match="give grams"):
        with_declared_mass(live_parameters(NATIONAL, CERTIFICATE), mass_g)
