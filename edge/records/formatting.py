"""How numbers are written for people and for JSON, one way for all rooms.

This module must never round a time up that was not had, nor give a number for what is not known.
"""

from __future__ import annotations

import math


def hours(seconds: float) -> str:
    """Write seconds as hours with two decimals, rounded down: a clock never shows time it has not had."""
    return f"{math.floor(seconds / 36.0 + 1e-9) / 100.0:.2f}"


def known(value: float) -> float | None:
    """Get a number as JSON and SQLite hold it: None where it is not finite."""
    return value if math.isfinite(value) else None
