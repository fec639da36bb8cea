"""Several blanks of a rig: a run subtracts their mean, stores each, and costs no night where one is of no use."""

from __future__ import annotations

import datetime
import math

import pytest
from msgspec.structs import replace as with_fields
from scripted_seconds import jitter, row

from calibration.integrated import Integrated
from edge.errors import BlankDoesNotMatch
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.phase import Phase
from edge.records.result import Result, from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.simulate.instrument import calibrated
from edge.standards.standard import loads_standard
from edge.verdict.judge import judge_night, judge_run
from hw.sim.rig import RigTruth

SIMULATED = calibrated(RigTruth(), "nau7802", 1)
CERTIFICATE = with_fields(SIMULATED, stability=with_fields(SIMULATED.stability, creep_pct_fs=0.5))
"""It says next to nothing of creep, so that a blank counts."""
STANDARD = loads_standard('id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n')
M1_S, M2_S = 1800.0, 30_000.0


def ended(m2_g: float, *, run_id: int, blanks: tuple[Result, ...] = (), is_blank: bool = False) -> EndedRun:
    """A run whose rig weighed 200 g and then ``m2_g``."""
    parameters = live_parameters(STANDARD, CERTIFICATE)
    definition = RunDefinition(
        Sample("S-1"),
        "Ada",
        RunKind.BLANK if is_blank else RunKind.TEST,
        STANDARD,
        CERTIFICATE,
        parameters,
        blank=blanks[0] if blanks else None,
        more_blanks=blanks[1:],
        is_blank=is_blank,
    )
    phases = Phases(parameters.plan, parameters.first)
    for which, from_s, mean_g in ((WeighingKind.M1, M1_S, 200.0), (WeighingKind.M2, M2_S, m2_g)):
        value = Integrated(mean_g, 0.001, 100.0, 600, 0, 600)
        phases.weighings[which] = Weighing(which, value, from_s, from_s + 600.0, 25.0, 25.0, math.nan)
        for s in range(int(from_s) - 600, int(from_s) + 601):
            phases.masses.add(row(s, mass_g=mean_g + jitter(s, 0.002)))
    phases.entered_s |= {Phase.M1: M1_S - 600.0, Phase.COOL: M2_S - 600.0, Phase.M2: M2_S - 500.0}
    phases.phase = Phase.DONE
    return EndedRun(definition, phases, datetime.date(2026, 11, 26), run_id=run_id)


def blank(m2_g: float, run_id: int) -> Result:
    return judge_run(ended(m2_g, run_id=run_id, is_blank=True))


LESS, MORE = blank(200.02, 3), blank(200.06, 5)


def test_the_mean_of_two_blanks_is_subtracted_and_told() -> None:
    """Both gained, by 0.02 and 0.06 g. Of 200 g that is 0.01 and 0.03 %."""
    one, two, both = (judge_run(ended(199.5, run_id=7, blanks=b)) for b in ((LESS,), (MORE,), (LESS, MORE)))
    assert one.blank
    assert two.blank
    assert both.blank
    assert both.blank.loss_g == pytest.approx((one.blank.loss_g + two.blank.loss_g) / 2.0)
    assert both.blank.name == "run 3 (S-1), run 5 (S-1)"
    apart = [r.loss_pct - (200.0 - 199.5) / 2.0 for r in (one, both, two) if r.loss_pct is not None]
    assert apart == pytest.approx([0.01, 0.02, 0.03], rel=0.1)


def test_each_blank_is_stored_and_one_alone_as_ever() -> None:
    several, alone = (ended(199.5, run_id=7, blanks=b).definition for b in ((LESS, MORE), (LESS,)))
    assert set(alone.blank_settings()) == {"blank"}
    stored = several.blank_settings()
    assert from_json(stored["blank"]) == LESS
    assert isinstance(stored["more_blanks"], list)
    assert [from_json(more) for more in stored["more_blanks"]] == [MORE]


def test_a_blank_that_does_not_match_is_refused_and_costs_no_night() -> None:
    other = ended(199.5, run_id=7, blanks=(LESS, LESS))
    with pytest.raises(BlankDoesNotMatch, match="named twice"):
        judge_run(other)
    result = judge_night(other)
    assert result.loss_pct is not None
    assert not result.blank
    assert any("nothing was subtracted" in line for line in result.warnings)
