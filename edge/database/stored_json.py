"""JSON as it is stored, in one form; and JSON that somebody stored, decoded within bounds of length, depth and number.

What is nested or repeated without end costs memory and stack far beyond its bytes. This module must never guess what a
text was meant to be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import msgspec

MOST_CHARS = 1 << 20
"""The longest result that was ever written has some 60 kB."""
MOST_DEPTH = 20
MOST_VALUES = 100_000


def canonical(data: object) -> str:
    """Write plain data as JSON in the one form that is stored and hashed: sorted keys, no spaces, no NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def decoded(text: str) -> dict[str, Any]:
    """Get the JSON object that a text holds. Raises ``ValueError`` where it is none, or beyond what we ever wrote."""
    if len(text) > MOST_CHARS:
        raise ValueError(f"it has {len(text)} characters")
    plain = msgspec.json.decode(text, type=dict[str, Any])
    level: list[Any] = [plain]
    values = 0
    for _ in range(MOST_DEPTH):
        values += len(level)
        if values > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES} values")
        require_finite(level)
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return plain
    raise ValueError(f"it is nested more than {MOST_DEPTH} deep")


def require_finite(values: Iterable[object]) -> None:
    """Raise ``ValueError`` where one of them is a number that JSON has not."""
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise ValueError("it holds a number that is none")


def _within(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
