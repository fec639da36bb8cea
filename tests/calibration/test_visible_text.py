"""Text of others as it is shown: nothing that cannot be seen gets through, and what people write stays as it is."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calibration.visible_text import NotAName, name_from, visible, visible_json, visible_lines

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)
NASTY = st.text(
    alphabet="\x00\x07\x1b[]m\n\r\t\x7f\x9b\u200b\u200d\u200e\u202e\u2028\u2066\ufeff\ufe0fa界👩🔬\u0301\u3164"
)
DRIVES = {"Cc", "Cs", "Zl", "Zp", "Co", "Cn"}
GOOD = [
    "LC-1", "固态电池\u3000样品 3", "Zoë", "👩\u200d🔬 and 👩🏽\u200d🔬", "❤️", "👨\u200d👩\u200d👧", "می\u200cخواهم",
    "葛\U000e0100城", "Ångström µg ½ …", "क\u094d\u200dष", "a\u00a0b", "名前" * 100,
]  # fmt: skip


@given(st.one_of(ANY, NASTY))
@example("\u200d" * 3)
@example("👩\u200d")
@example("\xb8\u200c\ufe00")
@example("a" + "\u0301" * 100)
def test_what_is_shown_drives_no_terminal_and_is_one_line(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in DRIVES]
    assert not [c for c in shown if unicodedata.category(c) == "Cf" and c not in "\u200c\u200d"]
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@given(st.one_of(ANY, NASTY))
@example("\xb8\u200c\ufe00")
def test_json_means_the_same_and_shows_all(text: str) -> None:
    told = visible_json(json.dumps({"x": text}, ensure_ascii=False))
    assert json.loads(told) == json.loads(json.dumps({"x": text}))
    assert visible(told) == told


def test_lines_of_ours_stay_lines_and_all_else_is_shown() -> None:
    assert visible_lines("a\nb\x1b[2J\r\nc") == "a\nb\\x1b[2J\\r\nc"
    assert visible("\u202egpj.exe\u2028\U000e0001") == "\\u202egpj.exe\\u2028\\U000e0001"


@pytest.mark.parametrize("text", GOOD)
def test_what_people_write_is_shown_as_it_is_and_may_be_a_name(text: str) -> None:
    assert visible(text) == text
    assert name_from(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\u202eb", r"U\+202E \(RIGHT-TO-LEFT OVERRIDE\)"),
        ("\u200b", r"U\+200B \(ZERO WIDTH SPACE\)"),
        ("\u3000", r"U\+3000 \(IDEOGRAPHIC SPACE\) and nothing that can be seen"),
        ("\u0301\u0302", "nothing that can be seen"),
        ("\u3164", r"U\+3164 \(HANGUL FILLER\)"),
        ("a\u200db", r"U\+200D \(ZERO WIDTH JOINER\)"),
        ("a\x1b[2J", r"U\+001B \(a control character\)"),
        ("\udcff", r"U\+DCFF"),
        ("", "nothing"),
        ("a" * 201, "201 characters"),
    ],
)
def test_what_cannot_be_seen_is_no_name_and_the_refusal_says_which_character(text: str, says: str) -> None:
    with pytest.raises(NotAName, match=says):
        name_from(text)


@given(st.one_of(ANY, NASTY))
def test_a_name_is_shown_as_it_is_stored(text: str) -> None:
    refusal = ""
    try:
        name = name_from(text)
    except NotAName as e:
        name, refusal = "", str(e)
    assert visible(refusal) == refusal
    assert bool(name) is not bool(refusal)
    assert name == visible(name) or any(unicodedata.category(c) == "Mn" for c in name)
    assert not name or name_from(name) == name


def test_two_ways_to_write_a_name_are_one_name() -> None:
    assert name_from("Zoe\u0308") == name_from("Zo\u00eb")
