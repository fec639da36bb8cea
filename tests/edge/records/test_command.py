"""What a run can be told: one word of text on disk, and back."""

from __future__ import annotations

import pytest

from edge.records.command import Command, ConverterWasReset, GapLength, OperatorWord, as_text, from_text


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (OperatorWord.TARE, "tare"),
        (OperatorWord.LOAD, "load"),
        (OperatorWord.ZERO, "zero"),
        (OperatorWord.CHECK, "check"),
        (OperatorWord.ABORT, "abort"),
        (GapLength(None), "gap unknown"),
        (GapLength(12.0), "gap 12"),
        (ConverterWasReset(), "converter reset"),
        (GapLength(0.0), "gap 0"),
    ],
)
def test_a_command_is_stored_as_one_word_and_comes_back(command: Command, text: str) -> None:
    assert as_text(command) == text
    assert from_text(text) == command


@pytest.mark.parametrize("text", ["nonsense", "", "Tare", "gap", "gap soon"])
def test_what_is_no_command_is_no_command(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_text(text)
