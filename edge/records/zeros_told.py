"""What the second zero and the check weight said after M2, as a result tells it.

This module must never compute.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class ZerosTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the second zero said: how the zero moved, and what of it lies between M1 and M2."""

    moved_g: float
    expected_u_g: float
    gained_between_m1_and_m2_g: float
    u_g: float
    weight: float


class CheckWeightTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the check weight said of the span; ``weight`` is what its record says of its certificate.

    ``before_g`` is what it showed before M1, where it was put on there, and ``since_before_pct`` by how much the span
    changed from then until after M2.
    """

    stated_g: float
    indicated_g: float
    u_g: float
    span_changed_pct: float
    before_g: float | UnsetType = UNSET
    since_before_pct: float | UnsetType = UNSET
    u_since_before_pct: float | UnsetType = UNSET
    weight: str | UnsetType = UNSET
    weight_sha256: str | UnsetType = UNSET
