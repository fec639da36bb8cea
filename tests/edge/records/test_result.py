"""A result read back: what no judge wrote is refused, whatever stands where a number belongs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from short_demo import Demo

from edge.records.result import as_json, from_json

Place = tuple[dict[str, Any] | list[Any], str | int]
NO_NUMBERS = st.sampled_from(["NaN", "inf", "-Infinity", "1e999", "1", " 2 ", "0x1", math.nan, math.inf, 1e301, [], {}])


def places_of_floats(plain: Any) -> Iterator[Place]:
    """Get where in plain JSON the numbers with a decimal point stand."""
    parts = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in parts:
        if isinstance(value, float):
            yield plain, key
        yield from places_of_floats(value)


@given(which=st.integers(0, 10_000), instead=NO_NUMBERS)
def test_what_is_no_number_is_refused_wherever_one_belongs(short_demo: Demo, which: int, instead: object) -> None:
    plain = json.loads(json.dumps(short_demo.result))
    places = [(part, key) for part, key in places_of_floats(plain) if key != "value"]  # of what is declared: any text
    part, key = places[which % len(places)]
    part[key] = instead  # type: ignore[call-overload,index]  # a dict has names, a list numbers
    with pytest.raises(ValueError, match=r"no number of a result|Expected"):
        from_json(plain)


def test_a_result_is_read_back_as_it_was_written(short_demo: Demo) -> None:
    plain = json.loads(json.dumps(short_demo.result))
    assert as_json(from_json(plain)) == plain
