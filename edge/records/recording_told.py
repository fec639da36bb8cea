"""What a replay tells of a recording beside the result: the file, what it holds within the band, hour by hour.

Frozen parts of a result's record. This module must never compute.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a result."""


class RecordingTold(_Part, frozen=True, kw_only=True):
    """What a replay read from a file; ``read_as`` says in one line how the file is written ('' in earlier results)."""

    file: str
    rows: int
    interval_s: float
    quantity: str
    gate_g: float
    refused_by_gate: int
    not_numbers: int
    read_as: str = ""


class Observed(_Part, frozen=True, kw_only=True):
    """What a recording holds within the band, whatever the phases made of it."""

    band_c: tuple[float, float]
    first_to_last_in_band_s: float
    in_band_s: float
    from_s: float | UnsetType = UNSET
    to_s: float | UnsetType = UNSET
    start_mass_g: float | UnsetType = UNSET
    mass_at_first_g: float | UnsetType = UNSET
    mass_at_last_g: float | UnsetType = UNSET
    loss_pct_of_start_mass: float | UnsetType | None = UNSET
    loss_pct_of_mass_at_first: float | UnsetType | None = UNSET


class HourTold(_Part, frozen=True, kw_only=True):
    """The mass at a full hour of the hold, and the rate of loss in the half hour before."""

    hour: float
    elapsed_s: float
    mass_g: float
    mass_pct_of_start: float
    rate_pct_per_h: float | None
    u_rate_pct_per_h: float | None
