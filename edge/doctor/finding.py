"""What the doctor found: one check, what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ROOM_BYTES = 200_000_000
"""A test wants so much room on the disk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``ok``, ``warn`` (it will work, but), ``fail`` (it will not) or ``absent`` (not there)."""

    check: str
    state: Literal["ok", "warn", "fail", "absent"]
    found: str
    do: str = ""
