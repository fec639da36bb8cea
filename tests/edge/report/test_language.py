"""The glossary and the markup: every fixed string in both languages, and a name is never a tag."""

from __future__ import annotations

import re
import string
import tomllib
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT

from calibration.visible_text import visible
from edge.records.phase import Phase
from edge.records.result import HappenedKind, Verdict
from edge.report.language import Language, Words, glossary, sentences
from edge.report.markup import el, name, number, text
from edge.report.numbers import fixed, grouped, percent_of_one, power, signed, two_digits, u_alone

REPORT = sorted((ROOT / "edge" / "report").glob("*.py"))
TAGS = {"b", "var", "sub", "sup", "cite", "em"}


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("key", sorted(glossary()))
def test_every_string_is_in_both_languages_with_the_same_fields_and_whole_tags(key: str) -> None:
    entry = glossary()[key]
    assert set(entry) == {"en", "zh"}
    assert all(said.strip() for said in entry.values()) or key == "say_gap"
    assert fields(entry["en"]) == fields(entry["zh"])
    for said in entry.values():
        opened = re.findall(r"<(\w+)>", said)
        assert set(opened) <= TAGS
        assert sorted(opened) == sorted(re.findall(r"</(\w+)>", said))
        assert "style=" not in said


OTHER_WORDS = {
    "装置": "仪器", "告警": "报警", "操作者": "操作员", "操作人": "操作员", "烘箱": "干燥箱", "试样": "样品",
    "压强": "压力", "真空表": "真空计", "质量损失": "失重",
}  # fmt: skip
"""What a reviewer may say too, and the one word that is said here."""


def test_chinese_has_one_word_for_one_thing() -> None:
    said = [entry["zh"] for entry in glossary().values()] + [other for _, _, other in sentences()]
    for word, ours in OTHER_WORDS.items():
        assert [zh for zh in said if word in zh] == [], f"{word}: say {ours}"
    simulated = [entry["zh"] for key, entry in glossary().items() if "simulated" in key]
    assert all("仿真" in zh for zh in simulated)


def test_no_string_of_the_page_takes_the_place_of_one_of_the_report() -> None:
    printed, live = (
        set(tomllib.loads((ROOT / "edge" / "report" / name).read_text(encoding="utf-8")))
        for name in ("glossary.toml", "glossary_live.toml")
    )
    assert printed & live == set()


def asked_for() -> set[str]:
    """Get the keys that the code asks for as they stand, and the beginnings of those that it puts together."""
    found: set[str] = set()
    for path in REPORT:
        found |= set(re.findall(r'(?:words|html|w)\(\s*f?"(\w+)', path.read_text(encoding="utf-8")))
    return found


def test_no_key_has_one_wording_in_the_report_and_another_on_the_page() -> None:
    files = (ROOT / "edge" / "report" / name for name in ("glossary.toml", "glossary_live.toml"))
    printed, live = (set(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files)
    assert printed & live == set()


def test_every_string_that_is_asked_for_is_there() -> None:
    keys = set(glossary())
    missing = {k for k in asked_for() if k not in keys and not any(key.startswith(k) for key in keys)}
    assert not missing


@pytest.mark.parametrize(
    ("stem", "values"),
    [("verdict_", Verdict), ("phase_", Phase), ("short_", Phase), ("happened_", HappenedKind)],
)
def test_every_value_that_a_record_may_have_has_its_word(
    stem: str, values: type[Verdict | Phase | HappenedKind]
) -> None:
    for value in values:
        assert f"{stem}{value.value.replace(' ', '_')}" in glossary()


@given(st.text(max_size=60))
def test_text_is_never_markup_and_comes_back_whole(said: str) -> None:
    shown = text(said)
    assert "<" not in shown
    assert unescape(shown) == visible(said)
    attribute = el("p", title=said)
    assert attribute.count('"') == 2
    assert attribute.count("<") == 2


def test_a_name_keeps_its_direction_to_itself() -> None:
    assert name("<b>\u202eabc") == "<bdi>&lt;b&gt;\\u202eabc</bdi>"
    assert Words(Language.ENGLISH).html("curve_limit", limit="<i>") == "limit &lt;i&gt;\u00a0%"


def test_the_glossary_is_in_what_is_installed() -> None:
    assert '"edge.report" = ["*.toml", "*.css"]' in (Path(ROOT) / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (fixed(-0.0004, 3), "0.000"),
        (fixed(-1.25, 1), "−1.2"),
        (signed(2.9, 1), "+2.9"),
        (signed(-2.9, 1), "−2.9"),
        (" ".join(two_digits(0.49214, 0.0336)), "0.492 0.034"),
        (" ".join(two_digits(2.4114, 0.0996)), "2.41 0.10"),
        (u_alone(0.0000137), "1.4 × 10⁻⁵"),
        (u_alone(0.000866), "0.00087"),
        (u_alone(1.956), "2.0"),
        (u_alone(0.0), "0"),
        (power(5.53e6), "5.5 × 10⁶"),
        (percent_of_one(0.653), "65 %"),
        (percent_of_one(0.99999), "> 99.99 %"),
        (percent_of_one(0.0041), "0.41 %"),
        (grouped(318074), "318\u202f074"),
        (number(-0.001), "0"),
    ],
)
def test_numbers_are_written_as_the_rules_say(said: str, wanted: str) -> None:
    assert said == wanted
