"""The report as PDF/A-3b: its structure by another library, its text, its attachment, and what it lacks in one line."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pdf_checks import on_letter, wrong_in_pdf
from report_numbers import missing_numbers, report_of, shown
from short_demo import Demo

from edge.cli.main import cli
from edge.errors import BadInput
from edge.report import pdf as pdf_module
from edge.report.html import report_html
from edge.report.language import Language
from edge.report.pdf import Attached, report_pdf

PACKAGE = Attached("run-1.eln", b"PK\x05\x06" + b"\0" * 18, "evidence package")
MADE = datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC)


def _there() -> str:
    try:
        import pikepdf  # noqa: F401  # whether it can be had
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as e:
        return f"{type(e).__name__}: {e}"
    return ""


needs_pango = pytest.mark.skipif(bool(_there()), reason=f"a PDF cannot be made or looked into here: {_there()[:80]}")


@pytest.fixture(scope="module")
def file(short_demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One PDF for all: fonts are what takes the time."""
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    path.write_bytes(report_pdf(report_html(report_of(short_demo.path), Language.ENGLISH), [PACKAGE], made=MADE))
    return path


@needs_pango
def test_it_is_pdf_a_3b_with_its_colours_named_and_its_fonts_inside(file: Path) -> None:
    import pikepdf

    with pikepdf.open(file) as pdf:
        intents = list(pdf.Root.OutputIntents)
        assert [str(i.S) for i in intents] == ["/GTS_PDFA1"]
        assert len(bytes(intents[0].DestOutputProfile.read_bytes())) > 100
        with pdf.open_metadata() as xmp:
            assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "B")
            assert "loss of mass" in xmp["dc:title"]
        assert "/JavaScript" not in str(pdf.Root.keys())
        assert "/Encrypt" not in pdf.trailer
        fonts = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"]
        assert fonts
        assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(f.keys()) for f in fonts)


@needs_pango
def test_the_evidence_goes_with_it_and_says_how_it_belongs(file: Path) -> None:
    import pikepdf

    with pikepdf.open(file) as pdf:
        attached, *again = list(pdf.Root.AF)  # its maker names one file twice
        assert {str(a.UF) for a in again} <= {"run-1.eln"}
        assert str(attached.AFRelationship) == "/Source"
        assert str(attached.UF) == "run-1.eln"
        assert bytes(attached.EF.F.read_bytes()) == PACKAGE.content
        assert list(pdf.attachments) == ["run-1.eln"]


@needs_pango
def test_each_page_has_its_number_and_how_many_there_are(file: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    pages = _text(file).split("\f")[:-1]
    assert len(pages) >= 4
    for i, page in enumerate(pages, 1):
        assert f"Page {i} of {len(pages)}" in page
        assert "demo-S-1-3" in page
    assert "End of report demo-S-1-3" in pages[-1]


@needs_pango
def test_every_number_of_its_text_is_the_results_own(file: Path, short_demo: Demo) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    written = _text(file)
    assert missing_numbers(short_demo.path, written) == []
    html = re.sub(r"<desc.*?</desc>", "", report_html(report_of(short_demo.path), Language.ENGLISH))
    decimals = set(re.findall(r"\d+\.\d{3,}", shown(html)))
    assert decimals <= set(re.findall(r"\d+\.\d{3,}", written))


def _text(file: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
    return done.stdout.decode()


@needs_pango
def test_a_chinese_one_on_letter_has_its_verdict_as_text_and_no_empty_page(short_demo: Demo) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    html = on_letter(report_html(report_of(short_demo.path), Language.CHINESE))
    pdf = report_pdf(html)
    assert list(wrong_in_pdf(pdf, html)) == []
    other = html.replace('<p class="say"><b>', '<p class="say"><b>未', 1)
    assert [line[:34] for line in wrong_in_pdf(pdf, other)] == ["its text does not have its verdict"]


def test_without_its_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(BadInput, match=r"pip install 'halfpercent\[pdf\]'"):
        report_pdf("<p>x</p>")


@needs_pango
@pytest.mark.parametrize(
    ("html", "said"),
    [("<p>固态</p>", "sudo apt install fonts-noto-cjk"), ("<p>x</p>", "sudo apt install fonts-noto-core")],
)
def test_without_a_font_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, html: str, said: str) -> None:
    def none_there(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess([], 0, b"", b"")

    monkeypatch.setattr(pdf_module.subprocess, "run", none_there)
    monkeypatch.setattr(pdf_module.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(BadInput, match=said):
        report_pdf(html)


@needs_pango
def test_nothing_is_fetched_for_it(file: Path) -> None:
    assert file.stat().st_size < 3_000_000
    pdf = report_pdf('<p>a<img src="http://192.0.2.1/x.png" alt="b"></p>')
    assert pdf.startswith(b"%PDF-")


@needs_pango
def test_the_command_attaches_the_runs_package_and_the_report_names_it(short_demo: Demo, tmp_path: Path) -> None:
    import pikepdf

    out = tmp_path / "report.pdf"
    words = ["report", "1", "--db", str(short_demo.path), "--format", "pdf", "-o", str(out)]
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, done.stdout.startswith("Written: ")) == (0, True)
    with pikepdf.open(out) as pdf:
        (attached,) = [pdf.attachments[name].get_file().read_bytes() for name in pdf.attachments]
    assert attached.startswith(b"PK")
    if shutil.which("pdftotext"):
        assert "halfpercent verify run-1.eln" in _text(out)
