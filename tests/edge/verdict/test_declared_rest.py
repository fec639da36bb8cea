"""A rest of the holder that is only declared narrows U: the result says so, and what it would be without."""

from __future__ import annotations

import datetime
import math

import msgspec
from msgspec import UNSET

from calibration.integrated import Integrated
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import RunParameters, live_parameters
from edge.procedure.phases import Phases
from edge.records.earlier_load import EarlierLoad, RestKnown
from edge.records.phase import Phase
from edge.records.result import Result, Verdict
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import load_standard
from edge.verdict.judge import judge_run
from hw.sim.rig import RigTruth

NATIONAL = load_standard("gbt-48093-1-2026")
QUIET = calibrated(RigTruth(), "nau7802", 1)
CREEPS = msgspec.structs.replace(
    QUIET,
    stability=msgspec.structs.replace(
        QUIET.stability, creep_gained_pct=0.02, u_creep_gained_pct=0.007, creep_whole_pct=0.03, zero_drift_g=0.001
    ),
)


def judged(rest: RestKnown | None, *, lost_g: float = 0.7, rested_h: float = 30.0) -> Result:
    parameters = live_parameters(NATIONAL, CREEPS)
    phases = Phases(parameters.plan, Phase.DONE)
    phases.entered_s[Phase.LOAD] = 360.0
    for which, value, at_h in (("tare", 3e5, 0.1), ("m1", 200.0, 0.6), ("m2", 200.0 - lost_g, 9.0)):
        kind = WeighingKind(which)
        taken = Integrated(value, 5e-4, 50.0, 600, 0, 600)
        phases.weighings[kind] = Weighing(kind, taken, at_h * 3600.0, at_h * 3600.0 + 60.0, 25.0, 25.0, math.nan)
    hung = EarlierLoad(of="run 7", mass_g=300.0, hung_s=36_000.0, rested_s=rested_h * 3600.0, rest=rest or "assumed")
    definition = RunDefinition(
        Sample("S"),
        "Ada",
        RunKind.SIMULATED,
        NATIONAL,
        CREEPS,
        RunParameters(parameters.plan, {}, Phase.TARE, ()),
        earlier_loads=() if rest is None else (hung,),
    )
    return judge_run(EndedRun(definition, phases, datetime.date(2026, 11, 27)))


def test_a_declared_rest_that_narrows_u_is_in_the_first_sentence_with_the_verdict_without_it() -> None:
    result = judged("declared")
    assert "a declared rest of the holder" in result.on_declared
    assert result.without_declared is not UNSET
    assert result.U_pct is not None
    assert result.without_declared.U_pct > 1.05 * result.U_pct
    assert result.verdict is result.without_declared.verdict is Verdict.PASS
    assert result.loss_pct is not None
    assert result.without_declared.loss_pct < result.loss_pct, "what may have come back is corrected for by half"


def test_one_that_a_run_has_seen_is_on_nothing_declared() -> None:
    for result in (judged("measured"), judged(None)):
        assert result.on_declared == ()
        assert result.without_declared is UNSET


def test_an_assumed_one_is_said_with_what_would_say_better() -> None:
    result = judged("assumed", rested_h=1.0 / 6.0)
    assert any("run 7 was taken off is not known" in w and "10 min before this run" in w for w in result.warnings)
    assert not any("taken off" in w for w in judged("measured").warnings)
