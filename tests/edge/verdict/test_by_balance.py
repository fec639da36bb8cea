"""A verdict on the laboratory's balance: its certificate is the budget, the rig is support, a contradiction is told."""

from __future__ import annotations

import datetime
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from balance_at_a_terminal import CERTIFICATE as BALANCE
from scripted_seconds import jitter, row

from calibration.balance_certificate import balance_hash, loads_balance, u_in_use_g
from calibration.integrated import Integrated
from edge.procedure.carrying import Stay
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.balance import BalanceMass
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.result import Result, Verdict, as_json, from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.weighing import Weighing, WeighingKind
from edge.report.text import headline, text
from edge.simulate.instrument import calibrated
from edge.standards.standard import loads_standard
from edge.uncertainty.components import UNSTATED_DRIFT
from edge.verdict.judge import judge_run
from hw.sim.rig import RigTruth

CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
STANDARD = loads_standard('id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n')
B1 = loads_balance(BALANCE)
M1_S, M2_S = 1800.0, 30_000.0


def mass(which: WeighingKind, mass_g: float, weighed_s: float, **more: Any) -> BalanceMass:
    said = {"balance": "B1", "how": "typed", "who": "Ada", "said_s": weighed_s}
    return BalanceMass(which=which, mass_g=mass_g, weighed_s=weighed_s, **(said | more))


def ended(
    m1_g: float | None = 200.0, m2_g: float | None = 199.6, *, rig_m2_g: float | None = 199.6, **more: Any
) -> EndedRun:
    """A run whose rig weighed 200 g and ``rig_m2_g``, and whose balance said these masses (None: it did not)."""
    parameters = live_parameters(STANDARD, CERTIFICATE)
    definition = RunDefinition(
        Sample("S-1"), "Ada", RunKind.TEST, STANDARD, CERTIFICATE, parameters, laboratory_balance=B1
    )
    phases = Phases(parameters.plan, parameters.first)
    rig = [(WeighingKind.M1, M1_S, 200.0)] + ([] if rig_m2_g is None else [(WeighingKind.M2, M2_S, rig_m2_g)])
    for which, from_s, mean_g in rig:
        value = Integrated(mean_g, 0.001, 100.0, 600, 0, 600)
        phases.weighings[which] = Weighing(which, value, from_s, from_s + 600.0, 25.0, 25.0, math.nan)
        for s in range(int(from_s) - 600, int(from_s) + 601):
            phases.masses.add(row(s, mass_g=mean_g + jitter(s, 0.002)))
    phases.entered_s |= {Phase.M1: M1_S - 600.0, Phase.COOL: M2_S - 600.0, Phase.M2: M2_S - 500.0}
    phases.phase = Phase.DONE
    said = []
    if m1_g is not None:
        said.append(mass(WeighingKind.M1, m1_g, M1_S - 700.0))
    if m2_g is not None:
        said.append(mass(WeighingKind.M2, m2_g, M2_S + 900.0))
    run = EndedRun(definition, phases, datetime.date(2026, 11, 26), on_balance=tuple(said))
    return replace(run, **more)


def budget(result: Result) -> dict[str, float]:
    return {line.name: line.u for line in result.budget}


def test_the_verdict_rests_on_the_balance_s_masses_and_on_its_certificate_alone() -> None:
    result = judge_run(ended(200.0, 199.6))
    assert result.verdict is Verdict.PASS
    assert result.loss_pct == pytest.approx(0.2, abs=1e-9)
    assert (result.m1_g, result.m2_g, result.reference_g) == (200.0, 199.6, 200.0)
    names = set(budget(result))
    assert {"M1 on the balance", "rounding of the balance", "place on the balance"} < names
    assert not names & {"noise of M1", "zero drift", "creep", "span", "cell temperature", "volume of the holder"}
    assert result.U_pct is not None
    assert result.U_pct < 0.1 * judge_run(ended(None, None)).U_pct  # type: ignore[operator]  # it has one
    assert result.U_pct < 100.0 * UNSTATED_DRIFT
    parts = [u for name, u in budget(result).items() if "balance" in name]
    whole = math.hypot(u_in_use_g(B1, 200.0), u_in_use_g(B1, 199.6))
    assert math.sqrt(sum(u * u for u in parts)) == pytest.approx(whole, rel=1e-3)
    assert result.balance.certificate_sha256 == balance_hash(B1)  # type: ignore[union-attr]  # it has one


def test_what_was_typed_is_a_declaration_and_the_rig_s_verdict_stands_beside_it() -> None:
    result = judge_run(ended())
    assert result.on_declared == ("masses typed by Ada",)
    assert headline(result).startswith("PASS on masses typed by Ada: loss 0.2000 %")
    assert "; without what is declared: PASS, ± " in headline(result)
    rig = judge_run(ended(None, None))
    assert result.without_declared.U_pct == rig.U_pct  # type: ignore[union-attr]  # it has one
    read = tuple(replace_mass(m, how="read", raw_hex="00") for m in ended().on_balance)
    assert judge_run(ended(on_balance=read)).on_declared == ()
    half = judge_run(ended(on_balance=(read[0], ended().on_balance[1])))
    assert half.on_declared == ("a mass typed by Ada",)


def replace_mass(m: BalanceMass, **more: Any) -> BalanceMass:
    return BalanceMass(**({f: getattr(m, f) for f in m.__struct_fields__} | more))


def test_rig_and_balance_are_compared_and_where_they_agree_that_is_said() -> None:
    result = judge_run(ended())
    compared = result.balance.compared  # type: ignore[union-attr]  # it has one
    rig = judge_run(ended(None, None))
    assert compared is not None
    assert (compared.loss_pct, compared.U_pct, compared.agree) == (rig.loss_pct, rig.U_pct, True)
    assert compared.e_n <= 1.0
    assert "they agree (ISO/IEC 17025, 7.7.1)" in text(result)


def test_the_score_is_that_of_iso_13528() -> None:
    result = judge_run(ended(200.0, 199.55))
    compared = result.balance.compared  # type: ignore[union-attr]  # it has one
    assert compared is not None
    assert result.loss_pct is not None
    assert result.U_pct is not None
    apart = abs(result.loss_pct - compared.loss_pct) - compared.moved_pct
    assert compared.e_n == pytest.approx(max(0.0, apart) / math.sqrt(result.U_pct**2 + compared.U_pct**2))


def test_a_contradiction_is_invalid_or_a_warning_as_the_settings_say() -> None:
    run = ended(200.0, 199.3)
    result = judge_run(run)
    assert (result.verdict, result.invalid_reason) == (Verdict.INVALID, InvalidReason.BALANCE_CONTRADICTS)
    assert (result.loss_pct, result.U_pct, result.budget) == (None, None, ())
    assert "one of them is wrong: check both with a weight" in headline(result)
    assert len(headline(result).splitlines()) == 1
    warned = judge_run(replace(run, definition=replace(run.definition, contradiction="warning")))
    assert warned.verdict is Verdict.PASS
    assert any("one of them is wrong" in w for w in warned.warnings)
    assert "they contradict each other" in text(warned)


def test_one_mass_alone_decides_nothing_and_is_told() -> None:
    for run in (ended(200.0, None), ended(None, 199.6)):
        result, rig = judge_run(run), judge_run(ended(None, None))
        assert (result.loss_pct, result.U_pct, result.verdict) == (rig.loss_pct, rig.U_pct, rig.verdict)
        assert any("alone: the verdict takes both or none" in w for w in result.warnings)
        assert "Balance B1 (XS 420" in text(result)


def test_a_blank_measures_the_rig_whatever_a_balance_says() -> None:
    run = ended(200.0, 199.9)
    result = judge_run(replace(run, definition=replace(run.definition, is_blank=True)))
    assert "noise of M1" in budget(result)
    assert any("a blank measures the rig" in w for w in result.warnings)


def test_without_the_rig_s_own_m2_there_is_nothing_to_compare_and_that_is_said() -> None:
    run = ended(rig_m2_g=None)
    run.phases.carrying.for_m2.append(Stay(M2_S - 200.0))
    result = judge_run(run)
    assert result.verdict is Verdict.PASS
    assert result.balance.compared is None  # type: ignore[union-attr]  # it has one
    assert any("gives no loss to compare with the balance's" in w for w in result.warnings)
    assert result.balance.in_air_s == pytest.approx(1100.0)  # type: ignore[union-attr]  # as above
    assert [d.kind for d in result.deviations if d.kind == "carried_in_air"] == ["carried_in_air"]
    assert "18 min before M2" in text(result)


def test_what_fell_off_on_the_rig_is_no_evaporation_whatever_weighs_the_rest() -> None:
    run = ended(200.0, 197.0, rig_m2_g=197.0)
    masses = run.phases.masses
    for s in range(int(M1_S) + 601, int(M2_S) - 600, 10):
        masses.add(row(s, mass_g=200.0 if s < 10_000 else 197.0))
    by_time = sorted(zip(masses._t_s, masses._mass_g, strict=True))
    run.phases.masses.__init__()  # type: ignore[misc]  # rows come in order of time
    for s, g in by_time:
        masses.add(row(int(s), mass_g=g))
    result = judge_run(run)
    assert (result.verdict, result.invalid_reason) == (Verdict.INVALID, InvalidReason.JUMPED)


def test_a_mass_that_was_said_again_counts_and_the_earlier_one_stays_in_the_record() -> None:
    first = ended().on_balance
    again = mass(WeighingKind.M2, 199.58, M2_S + 900.0, said_s=M2_S + 2000.0)
    result = judge_run(ended(on_balance=(*first, again)))
    assert result.m2_g == 199.58
    assert [m.counts for m in result.balance.masses] == [True, False, True]  # type: ignore[union-attr]  # it has one
    assert "(said again later: it does not count)" in text(result)
    assert "told 18 min later" in text(result)


def test_what_left_since_the_balance_s_m1_is_in_its_loss_and_is_not_carried_back_again() -> None:
    def drying(m1_s: float) -> float:
        run = ended()
        run.phases.masses.__init__()  # type: ignore[misc]  # rows of its own
        for s in range(int(M1_S) - 600, int(M1_S) + 601):
            run.phases.masses.add(row(s, mass_g=200.0 - (s - M1_S) * 2e-5 + jitter(s, 0.0005)))
        said = (mass(WeighingKind.M1, 200.0, m1_s), run.on_balance[1])
        definition = replace(run.definition, sample=Sample("S-1", opened_ago_s=0.0), contradiction="warning")
        return judge_run(replace(run, on_balance=said, definition=definition)).one_sided_pct

    at_the_opening, at_the_rig = drying(0.0), drying(M1_S + 300.0)
    assert at_the_opening == 0.0
    assert at_the_rig == pytest.approx(2100.0 * 2e-5 / 200.0 * 100.0, rel=0.3)


def test_a_result_on_a_balance_is_read_back_from_its_json() -> None:
    for run in (ended(), ended(200.0, 199.3), ended(200.0, None)):
        result = judge_run(run)
        assert from_json(json.loads(json.dumps(as_json(result)))) == result


def test_a_rig_that_never_rested_after_a_whole_hold_takes_no_verdict_from_the_balance() -> None:
    run = ended(rig_m2_g=None)
    run.phases.hold_s = run.phases.plan.hold_s
    run.phases.invalid = run.phases.plan.never_stable("M2")
    result = judge_run(run)
    assert (result.verdict, result.invalid_because) == (Verdict.PASS, None)
    assert result.loss_pct == pytest.approx(0.2, abs=1e-9)
    assert any("M2 was never stable" in w for w in result.warnings)
    run.phases.hold_s -= 1.0
    assert judge_run(run).invalid_reason is InvalidReason.NEVER_STABLE, "a hold that is not whole is no test"
    run.phases.hold_s += 1.0
    run.phases.invalid = Invalid(InvalidReason.ABORTED, "aborted by the operator in phase m2")
    assert judge_run(run).verdict is Verdict.INVALID


def test_the_times_in_air_are_told_from_the_balance_to_the_pump_and_from_the_rig_to_the_balance() -> None:
    run = ended()
    run.phases.entered_s[Phase.PUMP] = M1_S + 600.0
    told = judge_run(run).balance
    assert told
    assert (told.to_pump_s, told.in_air_s) == (1300.0, 300.0)
    assert "in air for 22 min from M1 on the balance until the pump began" in text(judge_run(run))


def test_a_mass_that_came_after_the_end_is_said_in_the_first_sentence_and_is_a_deviation() -> None:
    run = ended()
    late = mass(WeighingKind.M2, 199.6, M2_S + 900.0, after_end_s=7200.0)
    result = judge_run(replace(run, on_balance=(run.on_balance[0], late)))
    assert "; amended after the run's end" in headline(result)
    assert [d.why for d in result.deviations if d.kind == "mass_after_end"] == [
        "M2 came 2.0 h after the run's end, by Ada"
    ]
