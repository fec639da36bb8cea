"""When air was let in again, before M2.

This module must never decide when that was.
"""

from __future__ import annotations

import msgspec


class VentTold(msgspec.Struct, frozen=True, kw_only=True):
    """When air was let in again. ``told``: the operator or a gauge said so; else it is the step that buoyancy makes."""

    at_s: float
    told: bool
