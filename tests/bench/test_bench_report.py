"""Each bench has its section on its page, in its own words, with the commit, the day and the machine of its figures."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from attacked import SECURITY
from bench_report import BENCHMARKS, RELIABILITY, Measured, Section, commit, measured_here, table
from repository import TESTS

NO_SECTION = ("attack", "crate_validator", "foreign_balances", "fuzzed_packages", "reports")
"""What only calls others, each with a section of its own; and what says yes or no, or makes what is to be looked at: no
page gives a figure of theirs."""
IN_BENCH = sorted(path.stem for path in (TESTS / "bench").glob("*.py") if not path.name.startswith("test_"))
BENCHES = [*(bench for bench in IN_BENCH if bench not in NO_SECTION), "virtualpi.moments"]
MEASURED = re.compile(
    r"^Measured on commit [0-9a-f]{7}, \d{4}-\d\d-\d\d, .*\b\d+-core .*; `.+`(: \d+ s)?\.$", re.MULTILINE
)


def sections(bench: str) -> list[Section]:
    return [one for one in vars(importlib.import_module(bench)).values() if isinstance(one, Section)]


@pytest.mark.parametrize("bench", BENCHES)
def test_a_bench_s_section_stands_on_its_page_in_its_words(bench: str) -> None:
    assert sections(bench)
    for section in sections(bench):
        page = section.page.read_text(encoding="utf-8")
        assert page.count(section.begin) == page.count(section.end) == 1
        text = section.on(page)
        for words in (section.title, section.about.strip(), section.remarks.strip()):
            assert words in text, f"{section.name}: run the bench, or put its words on the page as they are in its code"
        assert len(MEASURED.findall(text)) == 1
        assert "|--" in text


def test_a_page_has_no_section_that_no_bench_writes() -> None:
    known = {section.begin for bench in BENCHES for section in sections(bench)}
    for page in (BENCHMARKS, RELIABILITY, SECURITY):
        there = re.findall(r"^<!-- [\w-]+: written by its bench -->\n", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(there) <= known


HERE = Measured("0123abc", "2026-01-02", "2-core riscv64", "make it", 61.4)


def test_a_section_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    section = Section("it", "## It", "\nWhat it is.\n", "\nWhat is to say of it.\n")
    page = section.put("# Page\n\nBy hand.\n", section.text("| old |", HERE))
    page += "\n## By hand too\n"
    again = section.put(page, section.text("| new |", HERE))
    assert again == page.replace("| old |", "| new |")
    assert section.on(again) == section.text("| new |", HERE)
    assert section.on("# Page\n") == ""


def test_what_is_measured_is_named_in_one_line() -> None:
    section = Section("it", "## It", "What it is.")
    line = "Measured on commit 0123abc, 2026-01-02, 2-core riscv64; `make it`: 61 s."
    assert section.text("found", HERE) == (
        f"<!-- it: written by its bench -->\n\n## It\n\nWhat it is.\n\n{line}\n\nfound\n\n<!-- end of it -->\n"
    )
    assert MEASURED.match(line)


def test_a_report_is_printed_and_written_only_where_it_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n", encoding="utf-8")
    section = Section("it", "## It", "What it is.", page=page)
    section.report("found", took_s=1.0, write=False)
    assert "found" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == "# Page\n"
    section.report("found", took_s=1.0, write=True)
    assert section.on(page.read_text(encoding="utf-8")).count("found") == 1


def test_this_machine_is_described_without_a_path_of_its_own() -> None:
    line = measured_here(("numba",), 1.0).line()
    assert re.fullmatch(r"[0-9a-f]{7,}( with changes)?|unknown", commit())
    assert re.search(r"\d+-core \w+.*Python 3\.\d+\.\d+, numba \d", line)
    assert str(TESTS.parent) not in line


def test_a_table_s_figures_are_set_right() -> None:
    assert table(("", "g"), ("mass", 1.5), ("loss of it", "0.25 %")) == (
        "|            |      g |\n|------------|-------:|\n| mass       |    1.5 |\n| loss of it | 0.25 % |"
    )


def test_the_command_tells_neither_that_it_wrote_nor_in_which_file_its_pieces_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "sys.argv",
        [
            "b.py",
            "--rigs",
            "4",
            "--resume",
            "/home/ada/pieces",
            "--write",
            "--keep",
            "/home/ada/k",
            "--state",
            "/home/ada/s",
            "--seed",
            "2",
        ],
    )
    assert measured_here((), None).command == "python b.py --rigs 4 --seed 2"
