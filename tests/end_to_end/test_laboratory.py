"""A whole test as a laboratory does it, and as an auditor reads it.

The real service on a simulated rig, with the specimen's record, M1 and M2 on a balance whose model speaks its protocol
over a pseudo-terminal, and the verdict on that balance with the rig's curve beside it.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.util
import json
import math
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from balance_at_a_terminal import at_a_terminal, certificate_file
from click.testing import CliRunner
from click.testing import Result as Outcome
from simulated_service import CONFIG, as_if_real, order, rigged

from calibration.certificate import to_toml
from edge.cli.main import cli
from edge.control.protocol import Request
from edge.database.attachments import attachments_folder, kept
from edge.database.backup import backup_attachments, backup_run
from edge.database.curve import stored_curve
from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.run_check import check_run
from edge.errors import BadSpecimen, HalfpercentError, StationBusy
from edge.evidence.package import make_package
from edge.evidence.recompute import recompute
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_package, verify_run
from edge.instrument.config import loads_config
from edge.procedure.definition import EndedRun
from edge.records.command import OperatorWord
from edge.records.deviation import DeviationKind
from edge.records.invalid import InvalidReason
from edge.records.phase import Phase
from edge.records.result import Result, Verdict
from edge.records.specimen import HandOver, Seal, Specimen
from edge.records.suitability import Control
from edge.replay.run_csv_judge import judge_run_csv
from edge.replay.run_csv_reader import read_run_csv
from edge.replay.run_csv_writer import run_as_csv
from edge.report.text import headline, text
from edge.run.refold import fold_again
from edge.seal.key import make_key, seal_folder
from edge.seal.sealing import begin_log, seal_run
from edge.seal.second_place import copy_seals
from edge.seal.signers import Signers
from edge.simulate.instrument import Simulated, build
from edge.simulate.operator import SimulatedOperator
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import Service
from edge.station.start import seen_before
from edge.verdict.judge import judge_run
from hw.sim.balance import SimulatedBalance

pytestmark = pytest.mark.skipif(importlib.util.find_spec("serial") is None, reason="pyserial is not installed")
STANDARD = (
    'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 60\n'
    'cold_temp_tolerance_c = 40.0\nvisual_check = "required"\nmass_before_opening = "required"\n'
)
AIR_ON_STEEL = 1.0 - 1.2e-3 / 8.0
AIR_ON_SAMPLE = 1.0 - 1.184e-3 / 2.5


SPECIMEN, DISPLAY = b"\xff\xd8 the cell as it came", b"\xff\xd8 the balance's display"
SPECIMEN_SHA, DISPLAY_SHA = (hashlib.sha256(photo).hexdigest() for photo in (SPECIMEN, DISPLAY))


class Technician(SimulatedOperator):
    """Someone who weighs on the laboratory's balance before the rig, and carries the sample to it after."""

    def __init__(self, simulated: Simulated, balance: SimulatedBalance, service: Service) -> None:
        super().__init__(simulated.rig)
        self._balance = balance
        self._service = service
        self._weighed: set[Phase] = set()
        self.photo = service.station.writer.journal.path.with_name("display.jpg")
        self.photo.write_bytes(DISPLAY)

    def words(self, phase: Phase, t_s: float) -> list[OperatorWord]:
        """Weigh where the phase lets it, and do all else as anybody."""
        if phase is Phase.LOAD and phase not in self._weighed:
            self._weigh(phase, "m1")
        if phase is Phase.CARRY_M2 and phase not in self._weighed:
            self._rig.place_sample(on=False)
            self._weigh(phase, "m2")
        return super().words(phase, t_s)

    def _weigh(self, phase: Phase, which: str) -> None:
        self._weighed.add(phase)
        if which == "m2":  # Ada went home, and Bo has it now
            self._service.handle(Request("hand-over", {"given_by": "Ada", "taken_by": "Bo", "condition": "dry"}, "bo"))
        self._balance.mass_g = self._rig.sample_mass_g * AIR_ON_SAMPLE / AIR_ON_STEEL
        photo = {"photograph": str(self.photo), "photograph_sha256": DISPLAY_SHA} if which == "m1" else {}
        self._service.handle(Request("weigh", {"which": which} | photo, "Bo"))


@dataclass(frozen=True, slots=True)
class Evening:
    """What a laboratory has in the evening."""

    result: Result
    ended: EndedRun
    database: Path
    shown: str


def specimen_file(folder: Path, m0_g: float) -> Path:
    now = datetime.datetime.now(datetime.UTC)
    path = folder / "specimen.toml"
    opened, check = now - datetime.timedelta(minutes=5), now - datetime.timedelta(minutes=4)
    handed = datetime.datetime(2020, 1, 1, 9, 0, tzinfo=datetime.UTC)  # the station's simulated clock is in the past
    (folder / "cell.jpg").write_bytes(SPECIMEN)
    path.write_text(
        f'maker = "Example Cells"\nmodel = "SSB-200"\nserial = "0042"\nm0_g = {m0_g}\n'
        f'hand_overs = [{{ at = {handed:%Y-%m-%dT%H:%M:%SZ}, given_by = "Example Cells", taken_by = "Ada" }}]\n'
        'seals = [{ number = "S-1", found = "intact", where = "box" }]\n'
        f'photographs = [{{ sha256 = "{SPECIMEN_SHA}", shows = "the cell as it came", file = "cell.jpg" }}]\n'
        f'[opening]\nopened_at = {opened:%Y-%m-%dT%H:%M:%SZ}\nby = "Ada"\narea_mm2 = 400.0\n'
        f'[visual_check]\nliquid_seen = false\nby = "Ada"\nat = {check:%Y-%m-%dT%H:%M:%SZ}\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    folder = tmp_path_factory.mktemp("laboratory")
    simulated, balance = build("solid", "nau7802", 5, looks=1), SimulatedBalance("mt-sics")
    (folder / "stick").mkdir()
    (folder / "certificate.toml").write_text(to_toml(as_if_real(simulated.certificate)), encoding="utf-8")
    (folder / "standard.toml").write_text(STANDARD, encoding="utf-8")
    with at_a_terminal(balance) as (_, port), Journal(folder / "h.db") as journal:
        text_ = CONFIG.format(standard=folder / "standard.toml", certificate=folder / "certificate.toml")
        text_ += f'[balance]\ncertificate = "{certificate_file(folder)}"\nport = "{port}"\n'
        config, clock = loads_config(text_), simulated.clock
        service = Service(config, simulated.instrument, RetryingWriter(journal, clock, 300, folder / "stick"), clock)
        operator = Technician(simulated, balance, service)
        kept: list[EndedRun] = []
        judge = service.station._judge
        service.station._judge = lambda ended: (kept.append(ended), judge(ended))[1]
        with service:
            asked = order(specimen=str(specimen_file(folder, simulated.rig.sample_mass_g + 0.2)))
            result = service.run(asked, until_done=True, words=operator.words)
    assert result is not None
    return Evening(result, kept[-1], folder / "h.db", text(result))


def test_the_verdict_is_the_balance_s_and_the_rig_agrees(tested: Evening) -> None:
    result = tested.result
    assert result.verdict is Verdict.PASS
    assert headline(result).startswith("PASS: loss ")
    told = result.balance
    assert told
    assert [(m.which, m.how, m.who) for m in told.masses] == [("m1", "read", "Bo"), ("m2", "read", "Bo")]
    assert told.compared is not None
    assert told.compared.agree
    assert result.U_pct is not None
    assert result.U_pct < told.compared.U_pct / 3.0
    assert not [h for h in result.happened if h.what == "jump"], "an announced way is no lifted sample"
    for line in ("no liquid was seen when it was opened, by Ada", "Balance B1 (XS 420", "they agree (ISO/IEC 17025"):
        assert line in tested.shown


def test_the_stored_run_folds_again_to_the_same_course_with_the_masses_of_the_balance(tested: Evening) -> None:
    with Journal(tested.database) as journal:
        again = fold_again(journal.db, 1)
        kinds = [row["kind"] for row in journal.db.query("select kind from events where run_id = 1")]
    assert again.pipeline.phases.entered_s == tested.ended.phases.entered_s
    assert again.pipeline.phases.weighings == tested.ended.phases.weighings
    assert kinds.count("balance") == 2
    assert kinds.count("hand_over") == 1
    assert [(h.given_by, h.taken_by) for h in tested.result.handed_over or ()] == [("Ada", "Bo")]
    assert "by Ada to Bo, condition dry" in tested.shown


def test_its_curve_shows_no_loss_of_a_sample_that_is_off_the_rig(tested: Evening) -> None:
    curve = stored_curve(tested.database, 1)
    assert any(span.phase == "carried for m2" for span in curve.phases)
    assert max(c.high_pct for c in curve.columns if c.high_pct is not None) < 1.0


def test_its_csv_has_the_masses_of_the_balance_and_is_judged_alike_by_a_stranger(
    tested: Evening, tmp_path: Path
) -> None:
    file = tmp_path / "run.csv"
    file.write_text("".join(run_as_csv(tested.database, "last")), encoding="utf-8")
    again = judge_run_csv(read_run_csv(file), file).result
    for name in ("verdict", "loss_pct", "U_pct", "balance", "on_declared", "deviations", "m1_g", "m2_g"):
        assert getattr(again, name) == getattr(tested.result, name)


def test_the_rig_is_shown_fit_by_what_the_balance_knows_to_have_left(tested: Evening) -> None:
    m1, m2 = (mass.mass_g for mass in tested.ended.on_balance)
    for known_g, fit in ((m1 - m2, True), (m1 - m2 + 0.5, False)):
        control = Control(kind="liquid", known_g=known_g, u_known_g=0.002)
        definition = replace(tested.ended.definition, suitability=control, specimen=None)
        said = judge_run(replace(tested.ended, definition=definition, on_balance=())).suitability
        assert said
        assert (said.fit, said.fit_until is not None) == (fit, fit)


def test_photographs_go_into_package_and_backup_and_are_held_against_the_record(
    tested: Evening, tmp_path: Path
) -> None:
    path, stick, lab = tmp_path / "rig/h.db", tmp_path / "stick", tmp_path / "lab"
    shutil.copytree(attachments_folder(tested.database), attachments_folder(path))
    shutil.copy(tested.database, path)
    stick.mkdir()
    assert kept(path, (SPECIMEN_SHA, DISPLAY_SHA), 1000) == {SPECIMEN_SHA: SPECIMEN, DISPLAY_SHA: DISPLAY}
    begin_log(make_key(seal_folder(path)))
    seal_run(path, 1, 1.75e9)
    eln = tmp_path / "run.eln"
    eln.write_bytes(make_package(path, "1").to_bytes())
    checked = " ".join(verify_package(eln, Signers()).checked)
    assert f"attachments/{SPECIMEN_SHA}.jpg: is the file that was recorded when the run began" in checked
    assert f"attachments/{DISPLAY_SHA}: is the photograph of the display that was recorded with a mass" in checked
    with closing(sqlite3.connect(path)) as plain:
        said = [json.loads(data).get("why") for (data,) in plain.execute("select data_json from station_events")]
    assert "attachments of run 1 are backed up: 2" in said
    # A backup that is restored elsewhere verifies, and exports the same bytes.
    for _ in range(2):  # the second time nothing is to be done
        copy = backup_run(path, 1, stick)
        assert backup_attachments(path, 1, copy) == 2
        copy_seals(path, 1, stick)
    shutil.rmtree(path.parent)
    shutil.move(stick, lab)
    assert make_package(lab / copy.name, "1").to_bytes() == eln.read_bytes()
    assert verify_run(lab / copy.name, "1").answer is Answer.VERIFIED


def says(path: Path, *words: str) -> Outcome:
    return CliRunner().invoke(cli, [*words, "--db", str(path)])


def test_a_mass_that_arrives_after_the_fact_amends_the_result_and_both_stay(tested: Evening, tmp_path: Path) -> None:
    path = Path(shutil.copy(tested.database, tmp_path / "h.db"))
    m2_g = round(tested.ended.on_balance[1].mass_g - 0.02, 3)
    with closing(sqlite3.connect(path)) as plain:
        (was,) = plain.execute("select result_json from runs").fetchone()
    done = says(path, "weigh", "m2", str(m2_g), "--run", "last", "--who", "Cy")
    assert done.exit_code == 0, done.exception
    assert done.output == "Run 1 is judged again with it: PASS. Both results stay: halfpercent report 1\n"
    told = json.loads(says(path, "report", "1", "--json").output)
    (amends,) = told["amends"]
    assert told["altered"] is None
    assert (amends["verdict"], amends["loss_pct"]) == ("PASS", tested.result.loss_pct)
    assert amends["was_sha256"] == hashlib.sha256(was.encode()).hexdigest()
    assert told["m2_g"] == m2_g
    assert told["loss_pct"] > tested.result.loss_pct  # type: ignore[operator]  # it has one
    assert [m["counts"] for m in told["balance"]["masses"]] == [True, False, True]
    assert told["balance"]["masses"][2]["after_end_s"] >= 0.0
    assert {"kind": "mass_after_end", "asked": "record"}.items() <= told["deviations"][-1].items()
    shown = says(path, "report", "1").output
    assert "Amended: this result replaces PASS, loss " in shown
    assert "M2 of balance B1 came after the run's end" in shown
    assert "; amended after the run's end" in next(line for line in shown.splitlines() if line.startswith("PASS"))
    for language, word in (("en", "Amended"), ("zh", "修订")):
        out = tmp_path / f"{language}.html"
        assert says(path, "report", "1", "--format", "html", "--lang", language, "-o", str(out)).exit_code == 0
        assert f"<b>{word}</b>" in out.read_text(encoding="utf-8")
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        assert check_run(db, 1, full=True) is None
        assert recompute(db, 1).differs is None
        kinds = [row["kind"] for row in db.query("select kind, data_json from events order by event desc limit 3")]
        (kept,) = db.execute(
            "select json_extract(data_json, '$.was_json') from events where kind = 'amended'"
        ).fetchone()
    assert (kinds, kept) == (["amended", "balance", "ended"], was)


def test_the_station_takes_it_beside_its_looks_and_not_while_it_measures_another_run(
    tested: Evening, tmp_path: Path
) -> None:
    shutil.copy(tested.database, tmp_path / "halfpercent.db")
    mass = {"which": "m2", "mass_g": round(tested.ended.on_balance[1].mass_g, 3), "run": 1, "who": "Cy"}
    with rigged(tmp_path) as it:
        answer = it.ask("weigh", **mass)
        assert (answer["run_id"], answer["verdict"], len(answer["amends"])) == (1, "PASS", 64)
        later = it.service._desk.weigh_later(Request("weigh", mass, "ada"))
        while (told := later.answer()) is None:  # type: ignore[union-attr]  # it comes later
            time.sleep(0.01)
        assert told["amends"] != answer["amends"]
        assert len(it.events("amended")) == 2
        it.service.start(order(), "ada")
        with pytest.raises(StationBusy, match="is being measured"):
            it.ask("weigh", **mass)
        assert len(it.events("amended")) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("m1", "200.0"), "it was no longer before the vacuum"),
        (("m2", "250.0"), "look at the display"),
        (("m2", "500.0"), "weighs up to 420 g"),
        (("m2", "199.0", "--balance", "B2"), "goes by balance B1, not B2"),
        (("m2",), "the station reads the balance, and none runs"),
    ],
)
def test_a_late_mass_that_cannot_be_of_the_run_is_one_line_and_nothing_is_written(
    tested: Evening, words: tuple[str, ...], why: str
) -> None:
    before = tested.database.read_bytes()
    done = says(tested.database, "weigh", *words, "--run", "1")
    assert isinstance(done.exception, HalfpercentError)
    assert why in str(done.exception)
    assert "\n" not in str(done.exception)
    assert tested.database.read_bytes() == before


def test_an_old_result_that_was_changed_in_the_chain_is_found(tested: Evening, tmp_path: Path) -> None:
    path = Path(shutil.copy(tested.database, tmp_path / "h.db"))
    assert says(path, "weigh", "m2", f"{tested.ended.on_balance[1].mass_g:.3f}", "--run", "1").exit_code == 0
    with closing(sqlite3.connect(path)) as plain:
        sql = "update events set data_json = json_set(data_json, '$.was_json', '{}') where kind = 'amended'"
        assert plain.execute(sql).rowcount == 1
        plain.commit()
    assert "ALTERED: events, run 1, event " in str(says(path, "report", "1").exception)


def as_if(tested: Evening, **more: object) -> Result:
    """What the same run says where its specimen's record was another."""
    specimen = tested.ended.definition.specimen
    assert specimen is not None
    changed = msgspec.structs.replace(specimen, **more)
    return judge_run(replace(tested.ended, definition=replace(tested.ended.definition, specimen=changed)))


def named(result: Result, kind: DeviationKind) -> None:
    """Ask that an auditor finds it: no verdict, no number, its name in the first sentence, the line in the report."""
    assert (result.verdict, result.invalid_reason) == (Verdict.INVALID, InvalidReason.SPECIMEN_CONTRADICTED)
    assert result.loss_pct is None
    assert kind.replace("_", " ") in headline(result)
    assert f"  {kind.replace('_', ' ')}: " in text(result)


def test_an_auditor_finds_a_broken_seal_and_broken_hands(tested: Evening) -> None:
    named(as_if(tested, seals=(Seal(number="S-1", found="broken"),)), DeviationKind.SEAL_BROKEN)
    at = datetime.datetime(2026, 11, 20, 9, 0, tzinfo=datetime.UTC)
    hands = (
        HandOver(at=at, given_by="Example Cells", taken_by="Cy"),
        HandOver(at=at + datetime.timedelta(days=1), given_by="Dee", taken_by="Ada"),
    )
    named(as_if(tested, hand_overs=hands), DeviationKind.HANDS_BROKEN)


def test_an_auditor_finds_a_second_cell_that_was_slipped_in_between_the_weighings(tested: Evening) -> None:
    m0 = tested.ended.definition.specimen.m0_g  # type: ignore[union-attr]  # it has one
    assert m0 is not None
    named(as_if(tested, m0_g=m0 - 3.0), DeviationKind.M0_BELOW_M1)
    masses = tuple(msgspec.structs.replace(m, mass_g=m.mass_g - 3.0) for m in tested.ended.on_balance)
    other = judge_run(replace(tested.ended, on_balance=masses))
    named(other, DeviationKind.CELL_CHANGED)
    only_m2 = (tested.ended.on_balance[0], masses[1])
    assert judge_run(replace(tested.ended, on_balance=only_m2)).verdict is Verdict.INVALID


def test_an_auditor_finds_a_second_cell_that_was_slipped_in_between_days_by_the_first_one_s_masses(
    tested: Evening,
) -> None:
    specimen, masses = tested.ended.definition.specimen, tested.ended.on_balance
    (seen,) = seen_before(specimen, tested.database)
    assert (seen.agrees, seen.m1_g, seen.m2_g) == (True, masses[0].mass_g, masses[1].mass_g)
    for first_g, same in ((0.0, True), (3.0, False)):
        was = msgspec.structs.replace(seen, m1_g=masses[0].mass_g + first_g, m2_g=masses[1].mass_g + first_g)
        result = judge_run(replace(tested.ended, definition=replace(tested.ended.definition, seen_before=(was,))))
        if same:
            assert result.verdict is Verdict.PASS
        else:
            named(result, DeviationKind.OTHER_DAY)


def test_an_auditor_finds_a_serial_that_was_on_another_cell(tested: Evening) -> None:
    specimen = tested.ended.definition.specimen
    assert specimen is not None
    assert specimen.m0_g is not None
    other = msgspec.structs.replace(specimen, m0_g=specimen.m0_g + 5.0)
    with pytest.raises(BadSpecimen, match="serial 0042: run 1 had it on Example Cells SSB-200"):
        seen_before(other, tested.database)
    explained: Specimen = msgspec.structs.replace(other, differs_because="the maker uses a serial twice")
    seen = seen_before(explained, tested.database)
    definition = replace(tested.ended.definition, specimen=explained, seen_before=seen)
    result = judge_run(replace(tested.ended, definition=definition))
    assert result.verdict is Verdict.PASS
    assert "serial contradicts" in headline(result)
    assert math.isfinite(result.loss_pct or math.nan)
