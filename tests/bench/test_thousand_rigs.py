"""Rigs drawn at random, in small: three are calibrated, have a blank and a test, and hold the truth in their U."""

from __future__ import annotations

from functools import cache

import pytest
from thousand_rigs import Outcome, found, found_with_zero, one

SEEDS = (1, 2, 3)
LIMIT_PCT = 0.5


@cache
def outcome(seed: int) -> Outcome:
    return one(seed, zero_after=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_is_where_the_verdict_says_with_and_without_the_second_zero(seed: int) -> None:
    o = outcome(seed)
    for verdict, loss_pct, expanded_pct in (
        (o.verdict, o.loss_pct, o.expanded_pct),
        (o.zero_verdict, o.zero_loss_pct, o.zero_expanded_pct),
    ):
        # 3 u: how often it is within 2 u needs a thousand rigs
        assert abs(loss_pct - o.true_pct) <= 1.5 * expanded_pct
        assert (verdict, o.true_pct <= LIMIT_PCT) not in (("PASS", False), ("FAIL", True))
    assert o.zero_expanded_pct < o.expanded_pct


def test_what_is_said_of_them_counts_each_once() -> None:
    outcomes = [outcome(seed) for seed in SEEDS]
    said = found(outcomes, LIMIT_PCT)
    assert "of 3 |" in said
    assert "| rigs" in said
    margins = next(line for line in said.splitlines() if line.startswith("| rigs "))
    assert sum(int(cell) for cell in margins.split("|")[2:-1]) == 3
    assert found_with_zero(outcomes, LIMIT_PCT).count("of 3") == 2
