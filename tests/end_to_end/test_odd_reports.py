"""A run of one second, without hold or M2, of a sample whose name is an attack: each report says what is missing.

The command refuses such names at a start, so the run is stored by other means, as a database of somebody else may be.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from report_numbers import shown
from written_run import NOT_JUDGED, begin, frame, row

from calibration.visible_text import visible
from edge.cli.main import cli
from edge.database.journal import Journal

NAMES = ("固态电池样品" * 33 + "固态", "<script>alert(1)</script>", "A\u202egnp.B")
WHY = "aborted by the operator in phase tare"
MISSING = {
    "en": ("INVALID", "aborted by the operator", "0.0000 h", "not stated", "not recorded"),
    "zh": ("无效", "操作员在阶段“空架零点”中止", "0.0000 h", "未说明", "未记录", "没有任何称量"),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "halfpercent.db"
    with Journal(path) as journal:
        for i, name in enumerate(NAMES):
            run = begin(journal, run_uid=f"u-{i}", sample_id=name, operator=name)
            run.raw(frame(0))
            run.derived([row(0)], ["tare"], [], 1.75e9)
            result = msgspec.structs.replace(NOT_JUDGED, sample_id=name, invalid_because=WHY)
            run.save_result(result, 1.75e9 + 1.0)
    return path


def report(stored: Path, run: int, *more: str) -> bytes:
    done = CliRunner().invoke(cli, ["report", str(run), "--db", str(stored), *more])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("run", [1, 2, 3])
def test_text_and_html_say_what_is_missing_and_the_name_is_whole(stored: Path, run: int, language: str) -> None:
    name = visible(NAMES[run - 1])
    text = report(stored, run, "--lang", language).decode()
    html = report(stored, run, "--lang", language, "--format", "html").decode()
    assert "<script" not in html
    assert "\u202e" not in text + html
    for said in (text, shown(html)):
        assert said.count(name) >= 2  # the sample's and the operator's
        for word in MISSING[language]:
            assert word in said.replace("\u00a0", " "), word
        assert not re.search(r"\bnan\b|\binf\b", said)


def test_a_text_names_each_mass_that_was_not_weighed(stored: Path) -> None:
    text = report(stored, 1).decode()
    assert "m1: not weighed" in text
    assert "m2: not weighed" in text


@pytest.mark.parametrize("run", [1, 2, 3])
def test_json_has_the_name_as_it_is_stored_and_no_number_that_looks_like_a_result(stored: Path, run: int) -> None:
    told = json.loads(report(stored, run, "--format", "json"))
    assert told["sample_id"] == NAMES[run - 1]
    assert told["verdict"] == "INVALID"
    assert told["invalid_because"] == WHY
    assert {told[key] for key in ("loss_pct", "u_pct", "U_pct", "k", "m1_g", "m2_g")} == {None}


def test_a_pdf_has_the_whole_name_too(stored: Path, tmp_path: Path) -> None:
    pytest.importorskip("weasyprint", reason="the extra pdf is not installed", exc_type=ImportError)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) reads a PDF's text: it is not here")
    file = tmp_path / "report.pdf"
    report(stored, 1, "--lang", "zh", "--format", "pdf", "-o", str(file))
    said = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, check=True, text=True).stdout
    assert NAMES[0] in re.sub(r"\s", "", unescape(said))
    assert MISSING["zh"][0] in said


def test_the_list_has_each_name_in_one_line(stored: Path) -> None:
    done = CliRunner().invoke(cli, ["runs", "--db", str(stored)])
    lines = done.stdout.splitlines()
    assert len([line for line in lines if "INVALID" in line]) == len(NAMES)
    for name in NAMES:
        assert any(visible(name) in line for line in lines)
