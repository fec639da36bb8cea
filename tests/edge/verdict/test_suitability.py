"""A test of the rig: what is known to leave is recovered within U, and U is small enough; it judges no cell."""

from __future__ import annotations

import datetime
import json
import math

import pytest

from calibration.integrated import Integrated
from edge.control.protocol import Request, Start, parse
from edge.errors import BadRequest
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.invalid import InvalidReason
from edge.records.result import Result, Verdict, as_json, from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.suitability import Control, SuitabilityTold
from edge.records.weighing import Weighing, WeighingKind
from edge.report.text import headline, text
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.verdict.judge import judge_run
from edge.verdict.suitability import FIT_DAYS
from hw.sim.rig import RigTruth

CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
NATIONAL = load_standard("gbt-48093-1-2026")
DAY = datetime.date(2026, 11, 26)


def judged(control: Control, lost_g: float, m1_g: float = 200.0) -> Result:
    parameters = live_parameters(NATIONAL, CERTIFICATE)
    definition = RunDefinition(
        Sample("water"), "Ada", RunKind.TEST, NATIONAL, CERTIFICATE, parameters, suitability=control
    )
    phases = Phases(parameters.plan, parameters.first)
    for which, mass_g, from_s in ((WeighingKind.M1, m1_g, 1800.0), (WeighingKind.M2, m1_g - lost_g, 30_000.0)):
        value = Integrated(mass_g, 0.001, 100.0, 600, 0, 600)
        phases.weighings[which] = Weighing(which, value, from_s, from_s + 600.0, 25.0, 25.0, math.nan)
    return judge_run(EndedRun(definition, phases, DAY))


def told(result: Result) -> SuitabilityTold:
    assert result.suitability
    return result.suitability


WATER = Control(kind="liquid", known_g=0.5, u_known_g=0.0005)


def test_a_loss_that_is_recovered_makes_the_rig_fit_with_a_date_and_judges_no_cell() -> None:
    result = judged(WATER, 0.51)
    said = told(result)
    assert said.fit
    assert said.fit_until == DAY + datetime.timedelta(days=FIT_DAYS)
    assert said.found_g == pytest.approx(0.51, rel=2e-3)
    assert said.e_n is not None
    assert said.e_n <= 1.0
    assert (result.verdict, result.invalid_reason, result.loss_pct) == (
        Verdict.INVALID, InvalidReason.TEST_OF_THE_RIG, None,
    )  # fmt: skip
    assert headline(result).startswith(
        "No verdict on a cell, a test of the rig (liquid): the rig is fit until 2026-12-26"
    )
    assert "PASS" not in text(result).replace("PASS at", "")
    assert result.deviations == ()
    assert result.visual_check is None


@pytest.mark.parametrize("lost_g", [0.3, 0.7])
def test_a_loss_that_is_not_recovered_is_a_rig_that_is_not_fit(lost_g: float) -> None:
    said = told(judged(WATER, lost_g))
    assert (said.fit, said.fit_until) == (False, None)
    assert "are found, and 0.5 ± 0.001 g left it" in said.why


def test_an_inert_dummy_that_seems_to_lose_is_a_rig_that_is_not_fit() -> None:
    inert = Control(kind="inert", known_g=0.0, u_known_g=0.0)
    assert told(judged(inert, 0.01)).fit
    assert not told(judged(inert, 0.4)).fit


def test_a_rig_whose_u_would_find_anything_fit_is_not() -> None:
    said = told(judged(Control(kind="liquid", known_g=0.05, u_known_g=0.0), 0.05, m1_g=20.0))
    assert not said.fit
    assert "is more than a third of the limit" in said.why


def test_a_run_that_cannot_be_judged_shows_no_rig_fit() -> None:
    said = told(judged(WATER, 199.9))
    assert not said.fit
    assert said.found_g is None
    assert "could not be judged" in said.why


def test_it_is_read_back_from_json() -> None:
    result = judged(WATER, 0.5)
    assert from_json(json.loads(json.dumps(as_json(result)))) == result


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"suitability": "liquid"}, "known_loss_g is what a liquid or a hydrate loses"),
        ({"known_loss_g": 0.5}, "known_loss_g is what a liquid or a hydrate loses"),
        ({"suitability": "inert", "known_loss_g": 0.5}, "known_loss_g is what a liquid or a hydrate loses"),
        ({"suitability": "inert", "kind": "blank"}, "suitability is a test of the rig: no blank"),
        ({"suitability": "inert", "known_loss_u_g": 0.1}, "known_loss_u_g belongs to known_loss_g"),
    ],
)
def test_what_does_not_belong_together_is_one_line(args: dict[str, object], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse(Request("start", {"sample": "water", "operator": "Ada"} | args, "ada"))  # type: ignore[arg-type]  # plain
    assert Start(sample="w", operator="A", suitability="liquid", known_loss_g=0.5).known_loss_g == 0.5
