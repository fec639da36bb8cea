"""The pipeline: where the fold's rows become seconds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fold import layout
from edge.procedure.pipeline import seconds_from_rows
from edge.records.second import Second

NAMES = layout.ROW.names or ()


def test_a_second_has_the_fields_of_a_row() -> None:
    assert sorted(Second._fields) == sorted(NAMES)


@given(order=st.permutations(NAMES), rows=st.integers(0, 3))
def test_a_second_is_filled_by_name_in_whatever_order_the_rows_fields_lie(order: list[str], rows: int) -> None:
    table = np.zeros(rows, np.dtype([(name, layout.ROW[name]) for name in order]))
    for place, name in enumerate(NAMES):
        table[name] = 100 * np.arange(rows) + place
    for i, second in enumerate(seconds_from_rows(table)):
        assert second._asdict() == {name: 100 * i + place for place, name in enumerate(NAMES)}
    assert len(seconds_from_rows(table)) == rows


@pytest.mark.parametrize("name", NAMES)
def test_a_row_without_a_field_is_no_second(name: str) -> None:
    table = np.zeros(1, np.dtype([(n, layout.ROW[n]) for n in NAMES if n != name]))
    with pytest.raises(ValueError, match="not in tuple"):
        seconds_from_rows(table)
