"""How numbers are written for people and for JSON, one way for all rooms.

This module must never round a time up that was not had, nor give a number for what is not known.
"""

from __future__ import annotations

import math
from decimal import Decimal


def hours(seconds: float) -> str:
    """Write seconds as hours with two decimals, rounded down: a clock never shows time it has not had."""
    return f"{math.floor(seconds / 36.0 + 1e-9) / 100.0:.2f}"


def known(value: float) -> float | None:
    """Get a number as JSON and SQLite hold it: None where it is not finite."""
    return value if math.isfinite(value) else None


def significant(value: float, digits: int, sign: str = "") -> str:
    """Write a number with at most so many significant digits, never with a power of ten; ``sign`` "+" shows both."""
    if not math.isfinite(value):
        return f"{value:{sign}}"
    return f"{Decimal(f'{value:.{digits}g}'):{sign}f}"


def with_u(value: float, u: float) -> str:
    """Write a value with its sign ± u: u with two significant digits, the value to the same place."""
    if not (math.isfinite(value) and math.isfinite(u) and u > 0.0):
        return f"{significant(value, 3, '+')} ± {significant(u, 2)}"
    shown = Decimal(f"{u:.1e}")
    exponent = shown.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return f"{value:+.{places}f} ± {shown:f}"
