"""What happened in a run, and when.

This module must never act on an event.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that happened in a run, at a second of it. ``data`` is plain JSON."""

    seq: int
    t_s: float
    kind: str
    data: dict[str, Any]
