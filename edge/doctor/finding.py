"""What the doctor found: one check, what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``ok``, ``warn`` (it will work, but), ``fail`` (it will not) or ``absent`` (not there)."""

    check: str
    state: Literal["ok", "warn", "fail", "absent"]
    found: str
    do: str = ""
