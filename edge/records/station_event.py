"""What happens to the station itself, between and beside its runs: one dataclass an event, for its own log.

This module must never hold what belongs to a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .event import EventKind, Happening


@dataclass(frozen=True, slots=True)
class StationStarted(Happening):
    """The station measures, on these devices."""

    devices: dict[str, dict[str, str | int | float]]

    kind: ClassVar[EventKind] = EventKind.STARTED


@dataclass(frozen=True, slots=True)
class StationStopped(Happening):
    """The station ended."""

    why: str

    kind: ClassVar[EventKind] = EventKind.STOPPED


@dataclass(frozen=True, slots=True)
class BackupTold(Happening):
    """A run was copied to the second place, or could not be."""

    why: str

    kind: ClassVar[EventKind] = EventKind.BACKUP


@dataclass(frozen=True, slots=True)
class SealTold(Happening):
    """A run was sealed, or could not be."""

    run_id: int
    why: str

    kind: ClassVar[EventKind] = EventKind.SEAL


@dataclass(frozen=True, slots=True)
class MaintenanceDeclared(Happening):
    """Somebody declared beforehand that the rig will not measure for a time, by the wall clock (ISO)."""

    from_utc: str
    until_utc: str
    why: str

    kind: ClassVar[EventKind] = EventKind.MAINTENANCE
