"""RFC 8785: its own examples of order and of escapes, and what must hold for all that can be written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadEvidence
from edge.seal import canonical_json as cj

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-cj.MOST_INTEGER, cj.MOST_INTEGER) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_keys_are_in_the_order_of_rfc_8785_section_3_2_3() -> None:
    """The RFC's example, whose order is that of UTF-16: the emoji comes before U+FB33."""
    names = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    found = list(json.loads(cj.to_bytes(names)).values())
    assert found == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_text_is_escaped_as_in_rfc_8785_section_3_2_4() -> None:
    """The RFC's example: its string and its literals; its fractions are not written at all."""
    data = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}
    written = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert cj.to_bytes(data) == written.encode()


@given(plain)
def test_what_is_written_is_read_again_and_is_json(data: cj.PlainText) -> None:
    try:
        raw = cj.to_bytes(data)
    except UnicodeEncodeError:  # half a surrogate pair
        return
    assert json.loads(raw) == data
    assert cj.from_bytes(raw, "here") == data


@pytest.mark.parametrize("data", [1.5, float("nan"), 2**53, {"a": [0.0]}, "\ud800"])
def test_what_no_two_languages_write_alike_is_refused(data: cj.PlainText) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it is
        cj.to_bytes(data)


@pytest.mark.parametrize(
    "raw", [b"", b"{}\n", b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"[1.0]", b"\xff", b"[" * 100_000, b'"\\u0041"', b"1e400"]
)
def test_another_form_of_the_same_is_refused(raw: bytes) -> None:
    with pytest.raises(BadEvidence, match="here"):
        cj.from_bytes(raw, "here")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_fraction_as_text_reads_back_to_the_same_number(value: float) -> None:
    text = cj.without_fractions({"x": value})
    assert isinstance(text, dict)
    assert float(str(text["x"])) == value
