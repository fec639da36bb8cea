"""Disturbed reads of an HX711 in small: whatever happens to chip, wires and process, not one number is false."""

from __future__ import annotations

import pytest
from two_million_reads import ALLOWED_SIGMAS, share


@pytest.mark.parametrize("spi", [False, True], ids=["two GPIO lines", "SPI"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_two_thousand_disturbed_reads_none_is_a_false_number(seed: int, spi: bool) -> None:
    found = share(seed, spi, reads=2000)
    assert found.statuses.total() == 2000
    assert found.happened.total() >= 3
    assert found.statuses["OK"] > 1000
    assert found.false == 0
    assert found.worst_sigma <= ALLOWED_SIGMAS
