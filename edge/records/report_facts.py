"""What a report says of a run beside its result: who, where, when, with what, and what each phase held.

All of it is stored with the run and is read, never computed anew but for sums over its seconds. None is what nobody
recorded. This module must never fill in what is missing.
"""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

from .curve import PressureKnown
from .phase import Phase


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what is told."""


class LaboratoryTold(_Part, frozen=True, kw_only=True):
    """Whose rig it was, as its settings said when the run began."""

    name: str
    address: str | None = None
    place: str | None = None


class PhaseTold(_Part, frozen=True, kw_only=True):
    """A phase: its times since the start in s and by the wall clock, what was seen in it, and why it ended ('').

    ``samples`` are all that came, ``not_ok`` those without a number, ``spikes`` those set aside as glitches.
    """

    phase: Phase
    from_s: float
    to_s: float
    began_utc: str
    why: str
    oven_low_c: float | None = None
    oven_high_c: float | None = None
    cell_most_c: float | None = None
    pressure: PressureKnown = PressureKnown.NOT_STATED
    low_pa: float | None = None
    high_pa: float | None = None
    samples: int = 0
    not_ok: int = 0
    spikes: int = 0


class StatusTold(_Part, frozen=True, kw_only=True):
    """Samples without a number, by why: in how many seconds there were some, and when first, in s."""

    because: str
    samples: int
    seconds: int
    first_s: float


class StandardTold(_Part, frozen=True, kw_only=True):
    """Of the standard's file: edition and dates as far as it states them, and the rule that decides.

    ``guard_factor`` is the guard band in units of U (0: simple acceptance).
    """

    edition: str | None = None
    published: str | None = None
    effective: str | None = None
    coverage_probability: float = 0.9545
    guard_factor: float = 1.0


class WeightTold(_Part, frozen=True, kw_only=True):
    """A weight that the load cell was calibrated with, in g, and where its uncertainty is from."""

    mass_g: float
    u_mass_g: float
    stated: str


class CertificateTold(_Part, frozen=True, kw_only=True):
    """Of the load cell's certificate: whose, of when, of which cell and chip, and what it was calibrated with."""

    name: str
    sha256: str
    made_by: str
    made_at: datetime.date
    capacity_g: float
    serial: str
    chip: str
    gain: int
    counts_per_g: float
    u_counts_per_g: float
    valid_until: datetime.date | None = None
    u_temp_c: float | None = None
    tolerance_class: str | None = None
    wires: int | None = None
    weights: tuple[WeightTold, ...] = ()


class DeviceTold(_Part, frozen=True, kw_only=True):
    """A device as it was set when the run began: its role, and its settings by name as text."""

    role: str
    settings: dict[str, str]


ClockKnown = Literal["set", "not set", "not known"]


class RunFacts(_Part, frozen=True, kw_only=True):
    """What is stored of a run beside its result. Times are UTC in ISO 8601, lengths in s.

    ``samples`` of all phases are ``ok`` and those of ``statuses``; ``last_event_sha256`` ends the chain of events.
    """

    run_id: int
    run_uid: str
    operator: str
    started_utc: str
    ended_utc: str | None = None
    laboratory: LaboratoryTold | None = None
    standard: StandardTold = StandardTold()
    certificate: CertificateTold | None = None
    devices: tuple[DeviceTold, ...] = ()
    software: str = ""
    versions: dict[str, str] = {}
    series: str | None = None
    clock: ClockKnown = "not known"
    pressure: PressureKnown = PressureKnown.NOT_STATED
    seconds: int = 0
    samples: int = 0
    samples_ok: int = 0
    spikes: int = 0
    statuses: tuple[StatusTold, ...] = ()
    phases: tuple[PhaseTold, ...] = ()
    converter_resets: int = 0
    last_event_sha256: str | None = None
