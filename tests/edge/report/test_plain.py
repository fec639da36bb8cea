"""The report as plain lines holds all that the document shows, in its order, and nothing that only paper needs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace as with_fields
from report_numbers import report_of, shown
from short_demo import Demo

from edge.cli.main import cli
from edge.report.contents import Report
from edge.report.html import report_html
from edge.report.language import Language
from edge.report.plain import report_plain
from edge.report.wrap import width_of

EVIL = "<script>alert(1)</script>\u202e" + "固" * 200


@pytest.fixture(scope="module")
def made(short_demo: Demo) -> Report:
    return report_of(short_demo.path)


def letters(text: str) -> Counter[str]:
    return Counter(re.sub(r"\s", "", text))


@pytest.mark.parametrize("language", list(Language))
def test_no_word_of_the_document_is_left_out(made: Report, language: Language) -> None:
    html = report_html(made, language)
    body = re.sub(r"(?s)<head>.*?</head>|<p class=\"head\">.*?</p>", "", html)
    body = re.sub(r"(?s)<svg.*?</svg>", lambda s: "".join(re.findall(r"<desc[^>]*>.*?</desc>", s[0])), body)
    left_out = letters(shown(body)) - letters(report_plain(made, language))
    assert left_out - Counter(":：" * 30) == Counter()


def test_it_reads_as_a_report_does(made: Report) -> None:
    lines = report_plain(made, Language.CHINESE).splitlines()
    assert lines[0] == "实验室：未说明"
    at = [lines.index(head) for head in ("结果与符合性声明", "称量", "不确定度评定", "仪器与校准")]
    assert at == sorted(at)
    assert lines[at[0] + 1].startswith("符合：失重率为 ")
    rows = [line for line in lines[at[1] : at[2]] if line.startswith(("  M1 ", "  M2 "))]
    columns = {width_of(row[: row.index(" g ")]) for row in rows}
    assert len(columns) == 1  # beneath each other
    assert "\n\n\n" not in "\n".join(lines)


def test_a_name_is_text_and_whole(made: Report) -> None:
    facts = with_fields(made.facts, operator=EVIL)
    text = report_plain(replace(made, facts=facts), Language.CHINESE)
    assert "操作员：<script>alert(1)</script>\\u202e" + "固" * 200 in text


def test_the_command_gives_it(short_demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    argv = ["report", "1", "--lang", "zh", "--db", str(short_demo.path), "-o", str(file)]
    assert CliRunner().invoke(cli, argv).exit_code == 0
    assert "符合：失重率为" in file.read_text(encoding="utf-8")
