"""Every deviation from the method is in JSON and text; the visual check is in the first sentence; who asks is said."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from report_numbers import report_of, shown
from short_demo import Demo

from calibration.integrated import Integrated
from edge.procedure.carrying import Stay
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.parameters import live_parameters
from edge.procedure.phases import Phases
from edge.records.balance import BalanceMass, BalanceTold
from edge.records.deviation import CONTRADICTIONS, DeviationKind, VisualCheckFound
from edge.records.invalid import InvalidReason
from edge.records.result import HappenedKind, HappenedTold, Result, Verdict, WithoutDeclared, as_json, from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import HandOver, SeenBefore, Specimen
from edge.records.specimen_file import loads_specimen
from edge.records.suitability import RigShown
from edge.records.weighing import Weighing, WeighingKind
from edge.report.html import report_html
from edge.report.language import Language
from edge.report.text import headline, text
from edge.simulate.instrument import calibrated
from edge.standards.standard import Standard, load_standard, loads_standard
from edge.verdict.whole_method import by_whole_method
from hw.sim.rig import RigTruth

CERTIFICATE = calibrated(RigTruth(), "nau7802", 1)
GROUP = load_standard("tcsae-434-2025")
"""It asks for all that the national one does, and for a temperature and a balance besides."""
AS_ASKED = loads_specimen("""
maker = "Example Cells"
model = "SSB-200"
serial = "0042"
m0_g = 200.0
state_of_charge_pct = 0.0
activation = "3 cycles at C/10"
hand_overs = [
    { at = 2026-11-25T09:00:00Z, given_by = "Example Cells", taken_by = "Bo" },
    { at = 2026-11-26T09:00:00Z, given_by = "Bo", taken_by = "Ada" },
]
seals = [{ number = "S-1", found = "intact" }]

[opening]
opened_at = 2026-11-26T10:00:00Z
by = "Ada"
area_mm2 = 100.0
surroundings = { kind = "dry_room", temp_c = 27.0, dew_point_c = -59.8 }

[visual_check]
liquid_seen = false
by = "Ada"
at = 2026-11-26T10:10:00Z
turned_over = true
photograph_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
""")
M1_FROM_S = 1800.0


def weighing(which: WeighingKind, mean_g: float, u_g: float) -> Weighing:
    value = Integrated(mean_g, u_g, math.inf, 600, 0, 600)
    return Weighing(which, value, M1_FROM_S, M1_FROM_S + 600.0, 25.0, 25.0, math.nan)


def ended(specimen: Specimen | None, standard: Standard = GROUP, u_g: float = 0.005) -> EndedRun:
    parameters = live_parameters(standard, CERTIFICATE)
    definition = RunDefinition(
        Sample("S-1", opened_ago_s=1800.0), "Ada", RunKind.TEST, standard, CERTIFICATE, parameters, specimen=specimen
    )
    phases = Phases(parameters.plan, parameters.first)
    for which, mean_g in ((WeighingKind.M1, 196.0), (WeighingKind.M2, 195.9)):
        phases.weighings[which] = weighing(which, mean_g, u_g)
    return EndedRun(definition, phases, datetime.date(2026, 11, 26))


def by_mass(run: EndedRun, verdict: Verdict = Verdict.PASS) -> Result:
    numbers = {"loss_pct": 0.05, "u_pct": 0.01, "U_pct": 0.02, "k": 2.0, "pc": 0.999, "blind_spot": "It is blind."}
    return msgspec.structs.replace(
        run.not_judged("x"), verdict=verdict, invalid_because=None, invalid_reason=None, m1_g=196.0, **numbers
    )


def judged(run: EndedRun, verdict: Verdict = Verdict.PASS) -> Result:
    return by_whole_method(run, by_mass(run, verdict))


def kinds(result: Result) -> list[DeviationKind]:
    return [d.kind for d in result.deviations]


def of(**changes: object) -> Callable[[], Result]:
    """A run whose specimen is as asked but for this: a field, or fields of the tables in it."""

    def make() -> Result:
        plain = AS_ASKED.as_settings()
        for name, value in changes.items():
            table, _, key = name.rpartition("__")
            where = plain
            for step in filter(None, table.split("__")):
                where = where[step]  # type: ignore[assignment,index]  # a table of the record
            if value is None:
                del where[key]  # type: ignore[attr-defined]  # as above
            else:
                where[key] = value  # type: ignore[index]  # as above
        return judged(ended(Specimen.from_settings(plain)))

    return make


def late() -> Result:
    run = ended(AS_ASKED)
    definition = replace(run.definition, sample=replace(run.definition.sample, opened_ago_s=1801.0))
    return judged(replace(run, definition=definition))


def losing_at_m1() -> Result:
    run = ended(AS_ASKED)
    slope = HappenedTold(from_s=M1_FROM_S, to_s=M1_FROM_S + 600.0, what=HappenedKind.SLOPE, why="it still loses")
    return by_whole_method(run, msgspec.structs.replace(by_mass(run), happened=(slope,)))


def judged_hot() -> Result:
    run = ended(AS_ASKED)
    parameters = run.definition.parameters
    hot = replace(parameters, plan=replace(parameters.plan, weigh="hot"))
    return judged(replace(run, definition=replace(run.definition, parameters=hot)))


def serial_again() -> Result:
    run = ended(msgspec.structs.replace(AS_ASKED, differs_because="the maker uses a serial twice"))
    seen = SeenBefore(run_id=3, sample_id="S-0", maker="Example Cells", model="SSB-200", m0_g=190.0, agrees=False)
    return judged(replace(run, definition=replace(run.definition, seen_before=(seen,))))


def lapsed() -> Result:
    run = ended(AS_ASKED)
    day = datetime.date(2026, 10, 1)
    shown = RigShown(run_id=7, kind="liquid", fit=True, fit_until=day, why="found", lapsed=f"it held until {day}")
    return judged(replace(run, definition=replace(run.definition, rig_shown=(shown,))))


def another_day(m1_g: float, m2_g: float | None, because: str | None = None) -> Result:
    """M1 is 196 g; the serial was tested before, and weighed so much then."""
    run = ended(msgspec.structs.replace(AS_ASKED, differs_because=because))
    seen = SeenBefore(
        run_id=3, sample_id="S-0", maker="Example Cells", model="SSB-200", m0_g=200.0, agrees=True, m1_g=m1_g, m2_g=m2_g
    )
    return judged(replace(run, definition=replace(run.definition, seen_before=(seen,))))


def on_balance(m1_g: float, m2_g: float, *, late_s: float | None = None) -> Result:
    """A run whose masses are the laboratory's balance's; the sample was half an hour off the rig before M2."""
    run = ended(AS_ASKED)
    run.phases.carrying.for_m2.append(Stay(20_000.0))
    masses = tuple(
        BalanceMass(
            which=which, mass_g=g, balance="B1", how="typed", who="Ada", weighed_s=at_s, u_g=0.001, after_end_s=after_s
        )
        for which, g, at_s, after_s in (
            (WeighingKind.M1, m1_g, 1700.0, None),
            (WeighingKind.M2, m2_g, 21_800.0, late_s),
        )
    )
    told = BalanceTold(
        name="B1",
        model="XS",
        serial="1",
        calibrated_on="2026-03-01",
        certificate_sha256="0" * 64,
        masses=masses,
        in_air_s=1800.0,
    )
    return by_whole_method(run, msgspec.structs.replace(by_mass(run), balance=told))


WAYS: dict[DeviationKind, Callable[[], Result]] = {
    DeviationKind.NO_SPECIMEN_RECORD: lambda: judged(ended(None)),
    DeviationKind.NO_VISUAL_CHECK: of(visual_check=None),
    DeviationKind.VISUAL_CHECK_LATE: of(visual_check__at="2026-11-26T10:10:01Z"),
    DeviationKind.VISUAL_CHECK_UNTIMED: of(visual_check__at=None),
    DeviationKind.NOT_TURNED_OVER: of(visual_check__turned_over=False),
    DeviationKind.NO_PHOTOGRAPH: of(visual_check__photograph_sha256=None),
    DeviationKind.NOT_OPENED: of(opening=None),
    DeviationKind.OPENING_SMALL: of(opening__area_mm2=99.0),
    DeviationKind.OPENING_NOT_MEASURED: of(opening__area_mm2=None),
    DeviationKind.OPEN_BENCH: of(opening__surroundings__kind="open_bench"),
    DeviationKind.SURROUNDINGS_UNKNOWN: of(opening__surroundings=None),
    DeviationKind.WET_ROOM: of(opening__surroundings__dew_point_c=-59.7),
    DeviationKind.DEW_POINT_UNKNOWN: of(opening__surroundings__dew_point_c=None),
    DeviationKind.ROOM_TEMPERATURE: of(opening__surroundings__temp_c=27.1),
    DeviationKind.NOT_ACTIVATED: of(activation=None),
    DeviationKind.STATE_OF_CHARGE_UNKNOWN: of(state_of_charge_pct=None),
    DeviationKind.NO_M0: of(m0_g=None),
    DeviationKind.M1_EARLY: losing_at_m1,
    DeviationKind.M1_LATE: late,
    DeviationKind.WEIGHING_COARSE: lambda: judged(ended(AS_ASKED, u_g=0.0101)),
    DeviationKind.JUDGED_HOT: judged_hot,
    DeviationKind.CARRIED_IN_AIR: lambda: on_balance(196.1, 195.9),
    DeviationKind.MASS_AFTER_END: lambda: on_balance(196.1, 195.9, late_s=3600.0),
    DeviationKind.FITNESS_LAPSED: lapsed,
    DeviationKind.M0_BELOW_M1: of(m0_g=195.0),
    DeviationKind.SERIAL_CONTRADICTS: serial_again,
    DeviationKind.SEAL_BROKEN: of(seals=[{"number": "S-1", "found": "broken", "where": "box"}]),
    DeviationKind.HANDS_BROKEN: of(
        hand_overs=[
            {"at": "2026-11-25T09:00:00Z", "given_by": "Example Cells", "taken_by": "Bo"},
            {"at": "2026-11-26T09:00:00Z", "given_by": "Cy", "taken_by": "Ada"},
        ]
    ),
    DeviationKind.CELL_CHANGED: lambda: on_balance(196.9, 195.9),
    DeviationKind.OTHER_DAY: lambda: another_day(198.0, 197.0),
}


def test_a_specimen_as_asked_has_no_deviation_and_its_pass_says_who_saw_no_liquid() -> None:
    result = judged(ended(AS_ASKED))
    assert kinds(result) == []
    assert (result.verdict, result.visual_check) == (Verdict.PASS, VisualCheckFound.NO_LIQUID_SEEN)
    assert result.criterion == "Criterion met, and no liquid was seen when it was opened, by Ada. It is blind."
    assert "Deviations from the method: none recorded." in text(result)


def test_each_kind_of_deviation_has_a_way_to_come_about() -> None:
    assert set(WAYS) == set(DeviationKind)


@pytest.mark.parametrize("kind", DeviationKind)
def test_each_deviation_comes_alone_and_is_in_json_and_text(kind: DeviationKind) -> None:
    result = WAYS[kind]()
    with_it = {
        DeviationKind.NO_SPECIMEN_RECORD: {DeviationKind.NO_VISUAL_CHECK},
        DeviationKind.CELL_CHANGED: {DeviationKind.CARRIED_IN_AIR},
        DeviationKind.MASS_AFTER_END: {DeviationKind.CARRIED_IN_AIR},
    }
    assert set(kinds(result)) == {kind, *with_it.get(kind, ())}
    plain = json.loads(json.dumps(as_json(result)))
    assert str(kind) in [d["kind"] for d in plain["deviations"]]
    assert from_json(plain) == result
    why = next(d.why for d in result.deviations if d.kind is kind)
    line = next(line for line in text(result).splitlines() if line.startswith(f"  {kind.replace('_', ' ')}: "))
    assert why in line
    assert len(why.splitlines()) == 1
    assert ("the specimen's record is contradicted" in headline(result)) == (kind in CONTRADICTIONS)
    assert ("; amended after the run's end" in headline(result)) == (kind is DeviationKind.MASS_AFTER_END)
    assert ("; the rig is not shown fit any more" in headline(result)) == (kind is DeviationKind.FITNESS_LAPSED)


def test_each_of_them_is_a_line_of_the_html_report_with_who_asks(short_demo: Demo) -> None:
    made = report_of(short_demo.path)
    found = [next(d for d in WAYS[kind]().deviations if d.kind is kind) for kind in DeviationKind]
    assert len(found) >= 12
    made = replace(made, result=msgspec.structs.replace(made.result, deviations=tuple(found)))
    said = " ".join(shown(report_html(made, Language.ENGLISH)).split())
    for told in found:
        _, _, after = said.partition(" ".join(told.why.split()))
        assert after, told.why
        assert WHO_ASKS[told.asked] in after[:120], told.why


WHO_ASKS = {
    "verified": "the standard asks",
    "unverified": "the standard’s file asks, not checked against its text",
    "assumed": "assumed, not from the standard",
    "record": "the record itself",
}
EXPLAINED = {
    DeviationKind.SEAL_BROKEN: of(
        seals=[{"number": "S-1", "found": "broken", "because": "customs, protocol 17"}],
    ),
    DeviationKind.HANDS_BROKEN: of(
        hand_overs=[
            {"at": "2026-11-25T09:00:00Z", "given_by": "Example Cells", "taken_by": "Bo"},
            {"at": "2026-11-26T09:00:00Z", "given_by": "Cy", "taken_by": "Ada", "because": "Bo is ill"},
        ]
    ),
    DeviationKind.SERIAL_CONTRADICTS: serial_again,
    DeviationKind.OTHER_DAY: lambda: another_day(198.0, 197.0, "it was dried for a week in between"),
}


@pytest.mark.parametrize(
    ("m1_g", "m2_g", "named"),
    [(196.2, 195.0, False), (196.5, 195.9, False), (196.0, None, False), (195.3, 195.0, True), (199.0, 197.0, True)],
)
def test_a_second_cell_that_was_slipped_in_between_days_is_named_by_what_the_first_weighed(
    m1_g: float, m2_g: float | None, named: bool
) -> None:
    result = another_day(m1_g, m2_g)
    assert (DeviationKind.OTHER_DAY in kinds(result)) == named
    assert (result.verdict is Verdict.INVALID) == named
    assert f"serial seen before in run 3, Example Cells SSB-200, M0 200 g, M1 {m1_g:g} g" in text(result)
    if named:
        assert "(other day)" in headline(result)
        assert "in run 3 serial 0042 weighed" in text(result)


@pytest.mark.parametrize("kind", sorted(CONTRADICTIONS))
def test_a_contradiction_of_who_the_specimen_is_that_nobody_explained_is_invalid_and_has_no_number(
    kind: DeviationKind,
) -> None:
    if kind in EXPLAINED:
        explained = EXPLAINED[kind]()
        assert explained.verdict is Verdict.PASS
        assert f"contradicted ({kind.replace('_', ' ')})" in headline(explained)
        assert "said of it: " in explained.deviations[0].why
    if kind is DeviationKind.SERIAL_CONTRADICTS:  # a start is refused until somebody explains it
        return
    result = WAYS[kind]()
    assert (result.verdict, result.invalid_reason) == (Verdict.INVALID, InvalidReason.SPECIMEN_CONTRADICTED)
    assert (result.loss_pct, result.U_pct, result.pc, result.budget, result.criterion) == (None, None, None, (), None)
    assert headline(result).startswith("INVALID: it is not known that the specimen is what was weighed: ")
    assert "0.05" not in headline(result)


@pytest.mark.parametrize(
    ("given_by", "because", "broken"), [("Ada", None, False), ("Cy", None, True), ("Cy", "ill", True)]
)
def test_a_hand_over_in_the_test_goes_on_from_the_record_s(given_by: str, because: str | None, broken: bool) -> None:
    at = datetime.datetime(2026, 11, 26, 18, 0, tzinfo=datetime.UTC)
    told = HandOver(at=at, given_by=given_by, taken_by="Dee", condition="dry", because=because)
    result = judged(replace(ended(AS_ASKED), hand_overs=(told,)))
    assert (DeviationKind.HANDS_BROKEN in kinds(result)) == broken
    assert (result.verdict is Verdict.INVALID) == (broken and because is None)
    assert f"handed over 2026-11-26 18:00+00:00 by {given_by} to Dee, condition dry" in text(result)


def test_a_liquid_that_was_seen_is_told_of_what_lay_there_whoever_it_was() -> None:
    plain = AS_ASKED.as_settings()
    plain["seals"] = [{"number": "S-1", "found": "broken"}]
    plain["visual_check"]["liquid_seen"] = True  # type: ignore[index]  # a table of the record
    result = judged(ended(Specimen.from_settings(plain)))
    assert result.verdict is Verdict.FAIL
    assert "seal broken" in headline(result)


def test_who_asks_is_said_and_is_the_file_s_word() -> None:
    result = judged(ended(None))
    assert result.deviations[1].asked == "unverified"
    source = '", verified = false }\nvisual_check_within_s'
    checked = GROUP.text.replace(source, '", verified = true }\nvisual_check_within_s')
    assert checked != GROUP.text
    result = judged(ended(None, loads_standard(checked)))
    assert result.deviations[1].asked == "verified"
    assert "(the standard asks)" in text(result)
    assert result.standard_checked is not None
    assert result.standard_checked.verified == 1
    assert "values checked against the official text: 1;" in text(result)
    assert "values checked against the official text: none;" in text(judged(ended(None)))


def test_without_a_visual_check_the_first_sentence_says_so() -> None:
    passed, failed = judged(ended(None)), judged(ended(None), Verdict.FAIL)
    assert headline(passed).startswith("PASS: mass criterion met; visual check not recorded; loss 0.050 %")
    assert headline(failed).startswith("FAIL: visual check not recorded; loss 0.050 %")
    assert passed.criterion is not None
    assert passed.criterion.startswith("Mass criterion met; visual check not recorded. ")
    assert "Criterion met." not in text(passed)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL])
def test_a_liquid_that_was_seen_is_not_solid_state_whatever_the_mass_does(verdict: Verdict) -> None:
    check = msgspec.structs.replace(AS_ASKED.visual_check, liquid_seen=True)  # type: ignore[type-var]  # it has one
    run = ended(msgspec.structs.replace(AS_ASKED, visual_check=check))
    declared = WithoutDeclared(verdict=Verdict.PASS, loss_pct=0.05, U_pct=0.03)
    result = by_whole_method(run, msgspec.structs.replace(by_mass(run, verdict), without_declared=declared))
    assert (result.verdict, result.mass_verdict, result.visual_check) == (
        Verdict.FAIL, verdict, VisualCheckFound.LIQUID_SEEN,
    )  # fmt: skip
    said = f"FAIL: not solid-state, a liquid was seen when it was opened (by Ada); by its mass alone {verdict}; "
    assert headline(result).startswith(said)
    assert "PASS" not in headline(result).replace(said, "")
    assert "It is blind." not in text(result)


def test_a_liquid_that_was_seen_in_a_run_that_cannot_be_judged_is_said_and_gives_no_number() -> None:
    check = msgspec.structs.replace(AS_ASKED.visual_check, liquid_seen=True)  # type: ignore[type-var]  # it has one
    run = ended(msgspec.structs.replace(AS_ASKED, visual_check=check))
    result = by_whole_method(run, run.not_judged("the oven stayed cold"))
    assert result.verdict is Verdict.INVALID
    said = "INVALID: not solid-state, a liquid was seen when it was opened (by Ada); the oven stayed cold"
    assert headline(result) == said


def test_a_class_that_it_is_sold_as_is_answered_from_the_file_and_never_passed_off_as_one() -> None:
    result = of(claimed_class="quasi-solid")()
    said = (
        'Sold as of the class "quasi-solid": "Quasi-solid" is not a class: this standard knows hybrid solid-liquid and'
    )
    assert said in text(result)
    known = of(claimed_class="all solid state")()
    assert known.claimed_class is not None
    assert known.claimed_class.answer == '"all-solid-state" is a class of T/CSAE 434-2025.'


def test_sub_classes_are_answered_as_declared_and_what_is_none_is_said_to_be_none() -> None:
    national = load_standard("gbt-48093-1-2026")
    run = ended(msgspec.structs.replace(AS_ASKED, subclasses=("Sulfide", "power", "gel")), national)
    shown = text(judged(run)).splitlines()
    said = 'By declaration, not by this test: "Sulfide" is a sub-class by electrolyte of GB/T 48093.1-2026.'
    assert said in shown
    assert 'By declaration, not by this test: "power" is a sub-class by use of GB/T 48093.1-2026.' in shown
    assert any(line.startswith('"gel" is no sub-class of GB/T 48093.1-2026; it has: by electrolyte') for line in shown)
    run = ended(msgspec.structs.replace(AS_ASKED, subclasses=("gel",)))
    assert '"gel" is no sub-class of T/CSAE 434-2025; its file lists none.' in text(judged(run))


def test_a_blank_and_a_standard_that_asks_nothing_have_no_deviations() -> None:
    own = loads_standard('id = "t"\ntitle = "t"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 21600\n')
    plain = judged(ended(None, own))
    blank = ended(None)
    blank = replace(blank, definition=replace(blank.definition, is_blank=True))
    for result in (plain, judged(blank)):
        assert (kinds(result), result.visual_check) == ([], None)
        assert "isual check" not in text(result)
