"""``correct``: a declared fact put right after a run's end, in the chain; what enters the result never is."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from repository import STORED
from short_demo import Demo
from simulated_service import rigged
from written_run import NOT_JUDGED, begin, write

from edge.cli.main import cli
from edge.database.correcting import Correction
from edge.database.correcting import correct as write_correction
from edge.database.journal import Journal
from edge.database.reading import open_readonly
from edge.database.run_check import check_run, run_head
from edge.errors import BadDatabase, BadValue, DamagedDatabase, NoSuchRun, TooMuch
from edge.records.correction import CORRECTABLE, MOST_CORRECTIONS, require_correctable
from edge.records.specimen import Opening, Specimen
from edge.seal.key import make_key, seal_folder
from edge.seal.sealing import find_seal, seal_run

SPECIMEN = Specimen.from_settings(
    {"maker": "A", "model": "M", "serial": "1", "opening": {"opened_at": "2026-01-01T00:00:00Z", "by": "Bo"}}
).as_settings()


@pytest.fixture
def path(short_demo: Demo, tmp_path: Path) -> Path:
    return Path(shutil.copy(short_demo.path, tmp_path / "a.db"))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def shown(path: Path, *more: str) -> Any:
    done = run("report", "last", "--json", "--db", str(path), *more)
    assert done.exit_code == 0, done.exception
    return json.loads(done.output)


def test_both_values_stay_and_the_report_names_the_old_one(path: Path) -> None:
    with closing(open_readonly(path)) as db:
        before = run_head(db, 1)
    at = ("--db", str(path))
    done = run("correct", "last", "sample", "S-2", "--reason", "the label was read wrongly", "--who", "Ada", *at)
    assert done.output == "Run 1: sample was S-1, is S-2. Both stay in the record: halfpercent report 1\n"
    told = json.loads(
        run("correct", "1", "customer", "Example Cells", "--reason", "was left out", "--json", *at).output
    )
    assert (told["run_id"], told["was"], told["now"]) == (1, None, "Example Cells")
    assert "sample was S-2, is S-3" in run("correct", "1", "sample", "S-3", "--reason", "again", *at).output
    result = shown(path)
    assert (result["altered"], result["sample_id"]) == (None, "S-3")
    assert [(c["field"], c["was"], c["now"]) for c in result["corrections"]] == [
        ("sample", "S-1", "S-2"), ("customer", None, "Example Cells"), ("sample", "S-2", "S-3"),
    ]  # fmt: skip
    assert result["corrections"][0]["who"].startswith("Ada (")
    text = run("report", "1", *at).output
    assert "Sample S-3 (simulated)" in text
    assert "Corrected: sample was 'S-1', is 'S-2': the label was read wrongly (Ada (" in text
    assert "Corrected: customer was not stated, is 'Example Cells': was left out (" in text
    listed = run("runs", *at).output
    assert " S-3" in listed
    assert "ALTERED" not in listed
    with closing(sqlite3.connect(path)) as plain:
        stored = plain.execute("select sample_id, result_json from runs").fetchone()
        corrected = plain.execute("select what, was, now_is from what_was_corrected").fetchall()
    assert (stored[0], json.loads(stored[1])["sample_id"]) == ("S-1", "S-1"), "what was stored stays"
    assert corrected[0] == ("sample", "S-1", "S-2")
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        assert check_run(db, 1, full=True, sealed=before) is None, "what was sealed is still there"
        assert run_head(db, 1).links == before.links + 3


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("standard", "judge its raw samples anew"),
        ("certificate", "judge its raw samples anew"),
        ("specimen.m0_g", "test again, or write a note"),
        ("specimen.visual_check.liquid_seen", "test again, or write a note"),
        ("density", "test again, or write a note"),
        ("blank", "test again, or write a note"),
        ("claim", "answered in the result"),
        ("verdict", "test again, or write a note"),
        ("colour", "is nothing that can be corrected: sample, operator, customer"),
    ],
)
def test_what_enters_the_result_is_refused_with_what_to_do(path: Path, field: str, says: str) -> None:
    before = path.read_bytes()
    done = run("correct", "1", field, "x", "--reason", "because", "--db", str(path))
    assert isinstance(done.exception, BadValue)
    assert says in str(done.exception)
    assert path.read_bytes() == before


def test_no_field_of_the_specimen_that_is_a_number_or_a_list_can_be_corrected() -> None:
    plain = {f"specimen.{name}" for name in Specimen.__struct_fields__}
    plain |= {f"specimen.opening.{name}" for name in Opening.__struct_fields__}
    for name in plain - set(CORRECTABLE):
        with pytest.raises(BadValue):
            require_correctable(name)


def test_a_run_without_a_result_another_run_and_an_altered_one_are_not_corrected(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.db") as journal:
        live = begin(journal, settings={"specimen": SPECIMEN})
        asked = Correction(1, "u-1", "specimen.opening.by", "Cy", "misheard")
        with pytest.raises(NoSuchRun, match="has no result yet"):
            write_correction(journal, asked, "Ada", 1.75e9)
        write(live, range(5))
        live.save_result(NOT_JUDGED, 1.75e9)
        assert write_correction(journal, asked, "Ada", 1.75e9).was == "Bo"
        with pytest.raises(BadValue, match="is what is written already"):
            write_correction(journal, asked, "Ada", 1.75e9)
        with pytest.raises(NoSuchRun, match="is another"):
            write_correction(journal, Correction(1, "u-2", "sample", "S", "x"), "Ada", 1.75e9)
        with pytest.raises(BadValue, match="the run has no such record"):
            write_correction(journal, Correction(1, "u-1", "specimen.visual_check.by", "S", "x"), "Ada", 1.75e9)
        for i in range(MOST_CORRECTIONS - 1):
            write_correction(journal, Correction(1, "u-1", "series", f"{i}", "x"), "Ada", 1.75e9)
        with pytest.raises(TooMuch):
            write_correction(journal, Correction(1, "u-1", "series", "one more", "x"), "Ada", 1.75e9)
        assert check_run(journal.db, 1, full=True) is None
        journal.db.execute("update runs set verdict = 'PASS'")
        with pytest.raises((DamagedDatabase, TooMuch)):
            write_correction(journal, Correction(1, "u-1", "sample", "S", "x"), "Ada", 1.75e9)


def test_a_run_of_before_schema_3_is_corrected_in_the_chain_that_joined_it(tmp_path: Path) -> None:
    path = Path(shutil.copy(STORED / "schema-2.sqlite", tmp_path / "a.db"))
    assert run("correct", "1", "operator", "Bo", "--reason", "shift change", "--db", str(path)).exit_code == 0
    with closing(open_readonly(path)) as db:
        assert check_run(db, 1, full=True) is None
        assert run_head(db, 1).links == 3


def test_where_a_station_writes_it_is_asked_and_its_own_run_is_not_corrected(tmp_path: Path) -> None:
    path = tmp_path / "halfpercent.db"
    with Journal(path) as journal:
        before = begin(journal)
        write(before, range(5))
        before.save_result(NOT_JUDGED, 1.75e9)
    with rigged(tmp_path) as it:
        it.run_s(5.0)
        told = it.ask("correct", run=1, uid="u-1", field="sample", value="S-2", reason="misread", operator="Ada")
        assert told == {"field": "sample", "was": "S 1", "now": "S-2", "reason": "misread"}
        live = it.ask("start", sample="S-1", operator="Ada")["run_id"]
        uid = it.journal.db.execute("select run_uid from runs where run_id = ?", [live]).fetchone()[0]
        it.run_s(5.0)
        with pytest.raises(NoSuchRun, match="has no result yet"):
            it.ask("correct", run=live, uid=uid, field="sample", value="S-2", reason="misread")
        with pytest.raises(BadDatabase, match="another halfpercent is writing"):
            Journal(path)
        assert [check_run(it.journal.db, run_id, full=True) for run_id in (1, live)] == [None, None]


def test_a_correction_is_sealed_and_what_was_sealed_before_it_still_holds(
    path: Path,
) -> None:
    make_key(seal_folder(path), "rig")
    first = seal_run(path, 1, 1.75e9)
    assert run("correct", "1", "sample", "S-2", "--reason", "misread", "--db", str(path)).exit_code == 0
    with closing(open_readonly(path, cpu_s=60.0)) as db:
        seal = find_seal(path, db, 1)
        assert first is not None
        assert seal is not None
        assert seal.head_sha256 == run_head(db, 1).sha256 != first.head_sha256
        assert check_run(db, 1, full=True, sealed=first.manifest.chain.head(1, "u")) is None
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("delete from events where kind = 'corrected'")
    assert "its end is missing: " in shown(path)["altered"], "the seal beside the database has a later head"
