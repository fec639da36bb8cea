"""What may stand in a line: arguments become a record, or one line says what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from control_station import Station, said
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from edge.control.protocol import (
    COMMAND_NAMES,
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    Abort,
    Ack,
    Note,
    OperatorStep,
    Order,
    Request,
    Start,
    Status,
    Weigh,
    parse,
)
from edge.control.server import IDLE_S, MAX_CLIENTS, PER_POLL
from edge.errors import BadInput

# the arguments

FULL = {
    "sample": "S-1", "operator": "Ada", "standard": "my.toml", "certificate": "c.toml", "kind": "sample", "blank": 3,
    "claim": "semi-solid", "composition": "LFP", "density": "2.4", "zero_after": True, "check_weight_g": 100.0,
    "check_before": True, "note": "first",
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "args", "order"),
    [
        ("start", {"sample": "S", "operator": "A"}, Start(sample="S", operator="A")),
        ("start", FULL, Start(**FULL)),  # type: ignore[arg-type]  # a plain dict
        ("start", {"sample": "S", "operator": "A", "kind": "blank"}, Start(sample="S", operator="A", kind="blank")),
        *[
            (word, {}, OperatorStep(word=word))
            for word in ("tare", "load", "vent", "carry out", "carry back", "zero", "check")
        ],
        ("weigh", {"which": "m1", "mass_g": 196.354}, Weigh(which="m1", mass_g=196.354)),
        ("note", {"text": "door open"}, Note(text="door open")),
        ("ack", {}, Ack()),
        ("ack", {"alarm": "gauge"}, Ack(alarm="gauge")),
        ("abort", {}, Abort()),
        ("abort", {"reason": "power"}, Abort(reason="power")),
        ("status", {}, Status()),
    ],
)
def test_arguments_become_a_record(command: str, args: dict[str, Any], order: Order) -> None:
    assert parse(Request(command, args, "me")) == order


@pytest.mark.parametrize(
    ("command", "args", "says"),
    [
        ("dance", {}, "dance is no command: use start, weigh, note"),
        ("start", {}, "start: sample is missing"),
        ("start", {"sample": "S"}, "start: operator is missing"),
        ("start", {"sample": "", "operator": "A"}, "start: sample"),
        ("start", {"sample": "a\nb", "operator": "A"}, "start: sample"),
        ("start", {"sample": "a" * 201, "operator": "A"}, "start: sample"),
        ("start", {"sample": 1, "operator": "A"}, "start: sample = 1: give one line of text"),
        ("start", {"sample": "S", "operator": "A", "blank": 0}, "start: blank = 0: give a run's number"),
        ("start", {"sample": "S", "operator": "A", "kind": "blank", "blank": 1}, "a blank run subtracts no other"),
        ("start", {"sample": "S", "operator": "A", "more_blanks": "3"}, "more_blanks are beside a blank"),
        ("start", {"sample": "S", "operator": "A", "blank": 1, "more_blanks": "3,4"}, "start: more_blanks"),
        ("start", {"sample": "S", "operator": "A", "kind": "dummy"}, "start: kind = 'dummy'"),
        ("start", {"sample": "S", "operator": "A", "check_weight_g": -1}, "start: check_weight_g = -1: give a mass"),
        ("start", {"sample": "S", "operator": "A", "check_before": True}, "give check_weight_g or weight too"),
        ("start", {"sample": "S", "operator": "A", "zero_after": "yes"}, "start: zero_after = 'yes': give true"),
        ("start", {"sample": "S", "operator": "A", "operater": "B"}, "operater is unknown: did you mean operator?"),
        ("tare", {"now": True}, "tare: now is unknown"),
        ("note", {}, "note: text is missing"),
        ("note", {"text": "a" * 2001}, "note: text"),
        ("ack", {"alarm": ["gauge"]}, "ack: alarm"),
        ("status", {"verbose": 1}, "status: verbose is unknown"),
    ],
)
def test_wrong_arguments_are_refused_by_name(command: str, args: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(Request(command, args, "me"))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(COMMAND_NAMES) | st.text(max_size=20),
    st.dictionaries(st.sampled_from(sorted(FULL)) | st.text(max_size=9), anything, max_size=5),
)
def test_any_arguments_are_a_record_or_one_line(command: str, args: dict[str, Any]) -> None:
    try:
        parse(Request(command, args, "me"))
        said_so = "taken"
    except BadInput as e:
        said_so = str(e)
    assert said_so.isprintable()
    assert 0 < len(said_so) <= 400


# what docs/control.md promises

DOC = (ROOT / "docs" / "control.md").read_text(encoding="utf-8")


def test_the_examples_of_the_document_are_accepted(station: Station) -> None:
    examples = DOC.split("```json\n", 1)[1].split("```", 1)[0]
    found = said(station, examples.encode())
    assert [a["result"]["order"] for a in found] == ["Start", "Note", "Status"]


def test_the_document_names_every_command_argument_and_bound() -> None:
    for name in COMMAND_NAMES:
        assert f"`halfpercent {name}" in DOC, name
    for record in (Start, Weigh, Note, Ack, Abort):
        assert all(f"`{field}`" in DOC for field in record.__struct_fields__), record
    for bound in (
        f"{MAX_LINE_BYTES} bytes",
        f"{MAX_CLIENTS} clients",
        f"{IDLE_S:.0f} s without",
        f"version {PROTOCOL_VERSION}",
    ):
        assert bound in DOC
    assert PER_POLL == 8
    assert "eight commands between" in DOC
    error = DOC.split('"error": "', 1)[1].split('"}', 1)[0]
    with pytest.raises(BadInput) as refused:
        parse(Request("start", {"sample": "S-1"}, "me"))
    assert str(refused.value) == error
