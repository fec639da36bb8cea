"""Files from everywhere, written at random: each gives the right numbers, or one line, and never a wrong number."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from written_tables import CLOCKS, PER_UNIT, Style, write_table

from edge.errors import BadInput
from edge.replay.reading import AS_IT_STANDS, How, read_file

ROWS = [(Decimal(10 * i), Decimal("12.3456") - Decimal(i) / 1000, Decimal("25.5") + Decimal(i) / 4) for i in range(40)]
"""Forty rows whose decimals leave no doubt how they are written."""


def numbers(path: Path, how: How = AS_IT_STANDS) -> list[tuple[float, ...]]:
    """Read a file into (elapsed time, mass, temperature) in s, g and °C."""
    table = read_file(path, {}, use_counts=False, temp_is_declared=False, how=how).columns.table
    first_s = table["t_s"][0]
    rows = zip(table["t_s"], table["mass_g"], table["temp_c"], strict=True)
    return [(t_s - first_s, grams, temp) for t_s, grams, temp in rows]


def are_the_same(read: list[tuple[float, ...]], right: list[tuple[float, ...]]) -> bool:
    return len(read) == len(right) and all(
        row == pytest.approx(other, rel=1e-9, abs=1e-6) for row, other in zip(read, right, strict=True)
    )


STYLES = {
    "ours": Style(),
    "UTF-8 with BOM": Style(encoding="utf-8-sig"),
    "UTF-16 with BOM": Style(encoding="utf-16", separator="\t"),
    "UTF-16 LE": Style(encoding="utf-16-le", separator="\t"),
    "UTF-16 BE": Style(encoding="utf-16-be"),
    "Windows-1252": Style(encoding="cp1252"),
    "GB 18030": Style(encoding="gb18030", names=("时间", "质量", "温度")),
    "GB 18030, degree": Style(encoding="gb18030", names=("时间", "质量", "温度"), heading="{}({})", temp="℃"),
    "semicolon": Style(separator=";"),
    "tab": Style(separator="\t"),
    "bar": Style(separator="|"),
    "decimal comma": Style(separator=";", mark=","),
    "decimal comma, quoted": Style(separator=",", mark=","),
    "decimal comma, tab": Style(separator="\t", mark=","),
    "German thousands": Style(separator=";", mark=",", thousands=".", mass="mg"),
    "English thousands": Style(separator=",", thousands=",", mass="mg"),
    "spaces": Style(separator=";", mark=",", thousands="\u00a0", mass="mg"),
    "Swiss": Style(separator=";", thousands="'", mass="mg"),
    "preamble": Style(preamble=("Balance XPR", "Operator: x", "", "Run,7")),
    "footer": Style(footer=("", "Result", "Loss")),
    "units row": Style(units_row=True),
    "slash": Style(heading="{}/{}", separator=";"),
    "brackets": Style(heading="{} [{}]"),
    "underscore": Style(heading="{}_{}", names=("t", "m", "T"), temp="C"),
    "min": Style(time="min"),
    "h": Style(time="h"),
    "ms": Style(time="ms"),
    "kg": Style(mass="kg"),
    "µg": Style(mass="µg"),
    "K": Style(temp="K"),
    "°F": Style(temp="°F"),
    "units in cells": Style(unit_in_cells=True, separator=";"),
    "a separator behind each row": Style(behind_row=True, separator=";"),
    "a comment between": Style(between="# paused"),
    "the header again": Style(between="header", separator="\t"),
    "Shift-JIS": Style(encoding="cp932", names=("時間", "質量", "温度"), temp="℃"),
    "CRLF": Style(line_end="\r\n", extra=True, reverse=True),
    **{f"time {clock}": Style(time=clock, separator=";") for clock in CLOCKS},
}


@pytest.mark.parametrize("name", STYLES)
def test_each_way_of_writing_gives_the_right_numbers(tmp_path: Path, name: str) -> None:
    style = STYLES[name]
    rows = ROWS if style.mass != "mg" else [(t, mass * 1000 + Decimal("0.5"), temp) for t, mass, temp in ROWS]
    content, right = write_table(style, rows)
    path = tmp_path / "r.csv"
    path.write_bytes(content)
    assert are_the_same(numbers(path), right)


def decimals(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.integers(0, 4).flatmap(lambda places: st.decimals(low, high, places=places))


NAMES = st.tuples(
    st.sampled_from(["Time", "t", "Zeit", "elapsed", "时间", "時間"]),
    st.sampled_from(["Weight", "m", "TG", "Masse", "质量", "質量", "Sample Weight"]),
    st.sampled_from(["Temp.", "T", "Temperature", "Ts", "温度", "Sample Temp."]),
)
STYLE = st.builds(
    Style,
    encoding=st.sampled_from(
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "gb18030", "cp932"]
    ),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    mark=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", "", "", ",", ".", " ", "\u00a0", "\u202f", "'"]),
    time=st.sampled_from(["s", "min", "h", "ms", *CLOCKS]),
    mass=st.sampled_from(["g", "mg", "µg", "kg"]),
    temp=st.sampled_from(["°C", "C", "K", "°F"]),
    heading=st.sampled_from(["{} ({})", "{} [{}]", "{}/{}", "{} / {}", "{}_{}", "{}, {}"]),
    names=NAMES,
    units_row=st.booleans(),
    preamble=st.sampled_from([(), ("Report", ""), ("Sample;x", "Mass;5"), ("Date: 2026-03-14", "Time;Weight")]),
    footer=st.sampled_from([(), ("",), ("End of data",), ("", "Results", "Loss: 0.3 %")]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    extra=st.booleans(),
    reverse=st.booleans(),
    unit_in_cells=st.sampled_from([False, False, True]),
    behind_row=st.sampled_from([False, False, True]),
    between=st.sampled_from(["", "", "", "# paused", "#;,", "header", "Pause", "Time;Temp.;Weight"]),
).filter(lambda style: style.mark != style.thousands)
TABLE = st.tuples(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    decimals("0.001", "200000"),
    decimals("-50", "700"),
    st.integers(0, 4),
).map(
    lambda drawn: [
        (Decimal(sum(drawn[0][: i + 1])), drawn[1] + round(Decimal(i) / 7, drawn[3]), drawn[2] + i)
        for i in range(len(drawn[0]))
    ]
)


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("variants") / "any.csv"


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(style=STYLE, rows=TABLE)
@example(style=Style(separator=";"), rows=[(Decimal(1), Decimal("1.500"), Decimal(20))])
@example(
    style=Style(encoding="gb18030", thousands="\u00a0", temp="C", reverse=True, unit_in_cells=True),
    rows=[(Decimal(1), Decimal(1), Decimal(0)), (Decimal(1000), Decimal(1), Decimal(1))],
)
def test_whatever_is_written_is_read_right_or_refused(
    anywhere: Path, style: Style, rows: list[tuple[Decimal, Decimal, Decimal]]
) -> None:
    try:
        content, right = write_table(style, rows)
    except UnicodeEncodeError:  # Chinese in Windows-1252
        style = replace(style, encoding="utf-8")
        content, right = write_table(style, rows)
    anywhere.write_bytes(content)
    refused = ""
    try:
        read = numbers(anywhere)
    except BadInput as e:
        read, refused = right, str(e)
    event("refused" if refused else "read")
    assert not refused or (refused.startswith(str(anywhere)) and len(refused.splitlines()) == 1)
    assert are_the_same(read, right), (content.decode(style.encoding), read, right)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    style=STYLE.filter(lambda s: s.thousands == "" and s.time in ("s", "min", "h", "iso utc", "iso zone", "local")),
    steps=st.lists(st.integers(1, 500), min_size=2, max_size=8),
)
def test_what_leaves_no_doubt_is_read(anywhere: Path, style: Style, steps: list[int]) -> None:
    """Four decimals of a mass decide the mark, and a temperature with one."""
    rows = [
        (Decimal(sum(steps[: i + 1])), Decimal("1.2345") + Decimal(i) / 10_000, Decimal("301.5") + i)
        for i in range(len(steps))
    ]
    safe = replace(style, encoding="utf-8", between="header" if style.between == "header" else "")
    content, right = write_table(safe, rows)
    anywhere.write_bytes(content)
    assert are_the_same(numbers(anywhere), right)


def test_every_unit_of_the_helper_is_tried() -> None:
    assert {style.time for style in STYLES.values()} >= {*CLOCKS, "s", "min", "h", "ms"}
    assert {style.mass for style in STYLES.values()} >= {"g", "mg", "µg", "kg"} <= set(PER_UNIT)
