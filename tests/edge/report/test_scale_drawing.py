"""The result on a line of loss: wherever the estimate lies, no word lies over another or leaves the drawing."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields
from report_numbers import report_of
from short_demo import Demo

from edge.records.result import Verdict
from edge.report.contents import Page, Report
from edge.report.language import Language, Words
from edge.report.scale_drawing import HEIGHT, WIDTH, scale_drawing

Box = tuple[float, float, float, float]
NARROW, WIDE = 0.5, 1.0
"""An average glyph's width, Latin and Chinese, as a part of its size: what overlaps by less is not seen."""


@pytest.fixture(scope="module")
def made(short_demo: Demo) -> Report:
    return report_of(short_demo.path)


def drawn(made: Report, loss_pct: float, U_pct: float, language: Language) -> list[tuple[str, Box]]:
    """Get each word of the drawing with the box that it takes, about."""
    fields = {"loss_pct": loss_pct, "U_pct": U_pct, "u_pct": U_pct / 2.0, "k": 2.0}
    result = with_fields(made.result, verdict=Verdict.INCONCLUSIVE, **fields)
    svg = scale_drawing(Page(replace(made, result=result), Words(language)))
    out = []
    for text in ElementTree.fromstring(svg).iter():
        if text.tag.rpartition("}")[2] != "text":
            continue
        said = "".join(text.itertext())
        size = float(text.get("font-size") or 11.0)
        wide = sum(WIDE if unicodedata.east_asian_width(c) in "WF" else NARROW for c in said) * size
        x, y = float(text.get("x", "0")), float(text.get("y", "0"))
        left = x - {"start": 0.0, "middle": wide / 2.0, "end": wide}[text.get("text-anchor") or "start"]
        out.append((said, (left, y - 0.7 * size, left + wide, y)))
    return out


def over(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("language", list(Language))
@given(in_U=st.floats(-12.0, 12.0), U_pct=st.floats(0.0004, 0.2))
@example(in_U=0.1, U_pct=0.0052)  # the limit's word lay over the estimate's number
@example(in_U=-0.05, U_pct=0.0052)
@example(in_U=0.0, U_pct=0.01)
def test_no_word_lies_over_another_or_leaves_the_drawing(
    made: Report, language: Language, in_U: float, U_pct: float
) -> None:
    words = drawn(made, made.result.limit_pct + in_U * U_pct, U_pct, language)
    assert any(said.endswith(" %") for said, _ in words)
    assert [(a, b) for (a, at), (b, there) in combinations(words, 2) if over(at, there)] == []
    outside = [said for said, at in words if at[0] < -2.0 or at[2] > WIDTH + 2.0 or at[1] < 0.0 or at[3] > HEIGHT]
    assert outside == []


ANY = st.floats(-1e300, 1e300)


@given(limit_pct=ANY, loss_pct=ANY, U_pct=st.floats(0.0, 1e300), verdict=st.sampled_from(Verdict))
@example(limit_pct=0.0, loss_pct=0.0, U_pct=0.0, verdict=Verdict.PASS)
@example(limit_pct=0.5, loss_pct=0.5, U_pct=5e-324, verdict=Verdict.INCONCLUSIVE)
def test_whatever_numbers_a_foreign_file_has_they_are_drawn(
    made: Report, limit_pct: float, loss_pct: float, U_pct: float, verdict: Verdict
) -> None:
    fields = {"loss_pct": loss_pct, "U_pct": U_pct, "u_pct": U_pct / 2.0, "k": 2.0, "limit_pct": limit_pct}
    result = with_fields(made.result, verdict=verdict, **fields)
    ElementTree.fromstring(scale_drawing(Page(replace(made, result=result), Words(Language.ENGLISH))))
