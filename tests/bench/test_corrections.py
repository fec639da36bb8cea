"""What corrections are worth, in small: one rig in all variants, and each correction that matters makes it better."""

from __future__ import annotations

import math

import pytest
from corrections import Judged, found, one


@pytest.fixture(scope="module")
def judged() -> dict[str, Judged]:
    return {o.variant: o for o in one(1)}


def test_every_variant_is_judged(judged: dict[str, Judged]) -> None:
    assert list(judged) == [
        "all on",
        "second zero off",
        "blank off",
        "second zero and blank off",
        "zero temperature off",
        "zero temperature off, second zero off",
        "span temperature off",
        "span temperature off, second zero off",
        "oven's lag, no blank",
        "the same, lag off",
        "M2 under vacuum, buoyancy corrected",
        "the same, buoyancy off",
    ]
    assert all(math.isfinite(o.error_pct) and o.expanded_pct > 0.0 for o in judged.values())


def test_the_corrections_that_matter_bring_the_loss_nearer_to_the_truth(judged: dict[str, Judged]) -> None:
    assert abs(judged["all on"].error_pct) <= judged["all on"].expanded_pct
    corrected, off = judged["M2 under vacuum, buoyancy corrected"], judged["the same, buoyancy off"]
    assert abs(corrected.error_pct) <= corrected.expanded_pct
    assert abs(off.error_pct) > 2.0 * abs(corrected.error_pct), "the weather in U hides it, but the error is there"
    assert judged["all on"].expanded_pct < judged["second zero off"].expanded_pct


def test_the_table_has_a_row_a_variant(judged: dict[str, Judged]) -> None:
    assert len(found(list(judged.values())).splitlines()) == 2 + len(judged)
