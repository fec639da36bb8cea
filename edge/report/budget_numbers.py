"""A component of the budget as numbers: what it makes in the loss, and its share of the variance.

This module must never write a component that is there as if it were none.
"""

from __future__ import annotations

import math

from edge.records.result import BudgetLine

from .contents import Page
from .decimals import decimals
from .numbers import fixed

SMALLEST = 0.0001
"""Of 10⁻³ %: a smaller component stands as less than that."""


def share_of(page: Page, c: BudgetLine) -> float:
    """Get a component's share of the sum of squares, in %."""
    total = math.fsum(line.contribution_pct**2 for line in page.result.budget)
    return 100.0 * c.contribution_pct**2 / total if total > 0.0 else 0.0


def thousandths(value_pct: float) -> str:
    """Write what a component makes in the loss, in 10⁻³ %, with two significant digits."""
    value = value_pct * 1e3
    if value < SMALLEST:
        return f"< {SMALLEST:g}" if value > 0.0 else "0"
    return fixed(value, min(4, decimals(value)))


def shared(share: float) -> str:
    """Write a share in % with one decimal."""
    return fixed(share, 1) if share >= 0.05 else "< 0.1" if share > 0.0 else "0"
