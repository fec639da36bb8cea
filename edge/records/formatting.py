"""How numbers are written for people, one way for all rooms.

This module must never round a time up that was not had.
"""

from __future__ import annotations

import math


def hours(seconds: float) -> str:
    """Write seconds as hours with two decimals, rounded down: a clock never shows time it has not had."""
    return f"{math.floor(seconds / 36.0 + 1e-9) / 100.0:.2f}"
