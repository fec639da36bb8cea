"""What the doctor found: one check, what was seen, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``ok``, ``warn`` (it will work, but), ``fail`` (it will not) or ``absent`` (not there)."""

    check: str
    state: Literal["ok", "warn", "fail", "absent"]
    found: str
    do: str = ""

    def as_json(self) -> dict[str, Any]:
        """Get the finding as plain JSON."""
        return asdict(self)
