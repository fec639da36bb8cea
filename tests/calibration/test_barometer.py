"""The barometer's compensation: the data sheet's own example, and its integer version, written apart."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.barometer import (
    PLACE_PA,
    plausible_pa,
    pressure_pa,
    temperature_c,
    trimming_from_bytes,
)
from hw.sim.barometer import EXAMPLE_TRIMMING, integer_pa

EXAMPLE = struct.pack("<HhhHhhhhhhhh", 27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
"""BST-BMP280-DS001, 3.12: the trimming values of its worked example."""


def test_the_data_sheets_worked_example_is_reproduced() -> None:
    trimming = trimming_from_bytes(EXAMPLE)
    assert trimming is not None
    assert temperature_c(519888, trimming) == pytest.approx(25.08, abs=0.005)
    assert pressure_pa(415148, 519888, trimming) == pytest.approx(100653.27, abs=0.01)
    assert EXAMPLE_TRIMMING == EXAMPLE


@given(st.integers(250_000, 700_000), st.integers(400_000, 620_000))
def test_it_agrees_with_the_data_sheets_integers(pressure_code: int, temp_code: int) -> None:
    trimming = trimming_from_bytes(EXAMPLE)
    assert trimming is not None
    assert pressure_pa(pressure_code, temp_code, trimming) == pytest.approx(
        integer_pa(pressure_code, temp_code, EXAMPLE), abs=2.0
    )


@given(st.integers(0, (1 << 20) - 1), st.integers(0, (1 << 20) - 1), st.binary(min_size=0, max_size=30))
def test_whatever_is_stored_is_a_places_pressure_or_none(pressure_code: int, temp_code: int, raw: bytes) -> None:
    pa = plausible_pa(pressure_code, temp_code, raw)
    assert math.isnan(pa) or PLACE_PA[0] <= pa <= PLACE_PA[1]


@pytest.mark.parametrize("raw", [bytes(24), b"\xff" * 24, EXAMPLE[:23], b""])
def test_coefficients_that_no_chip_has_are_none(raw: bytes) -> None:
    assert trimming_from_bytes(raw) is None
    assert math.isnan(plausible_pa(415148, 519888, raw))


def test_a_code_of_zero_is_no_places_pressure() -> None:
    assert math.isnan(plausible_pa(0, 0, EXAMPLE))
    assert math.isnan(plausible_pa(0, 519888, EXAMPLE))
