"""Numbers as people read them: no power of ten, and u gives the places."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.records.formatting import significant, with_u


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (160.3, 2, "160"),
        (0.00016, 2, "0.00016"),
        (4.94, 2, "4.9"),
        (0.3, 2, "0.3"),
        (1.23e6, 2, "1200000"),
        (0, 2, "0"),
    ],
)
def test_a_number_has_no_power_of_ten(value: float, digits: int, said: str) -> None:
    assert significant(value, digits) == said


@given(st.floats(-1e9, 1e9), st.integers(1, 6))
def test_it_is_the_number_to_so_many_digits(value: float, digits: int) -> None:
    said = significant(value, digits, "+")
    assert said[0] in "+-"
    assert "e" not in said.lower()
    assert float(said) == float(f"{value:.{digits}g}")


@pytest.mark.parametrize(
    ("value", "u", "said"),
    [
        (-162.34, 1.53, "-162.3 ± 1.5"),
        (16.24, 1.5, "+16.2 ± 1.5"),
        (1234.0, 163.0, "+1234 ± 160"),
        (1.0, 0.0, "+1 ± 0"),
        (2.0, math.inf, "+2 ± inf"),
    ],
)
def test_a_value_ends_where_its_uncertainty_does(value: float, u: float, said: str) -> None:
    assert with_u(value, u) == said
