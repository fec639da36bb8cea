"""What is written into a run's chain at its end and after it: that it ended, what was corrected, and amended.

The keys of their data are on disk and hashed: frozen. This module must never act on an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from .event import EventKind, Happening


@dataclass(frozen=True, slots=True)
class RunEnded(Happening):
    """The run has its result: the SHA-256 of its JSON as it is stored, of the run's seconds, and how many these are.

    docs/evidence.md has the bytes. It is the last link of a run but for corrections and what came late.
    """

    result_sha256: str
    seconds: int
    seconds_sha256: str

    kind: ClassVar[EventKind] = EventKind.ENDED


@dataclass(frozen=True, slots=True)
class RunDamaged(Happening):
    """The run was ended for what is stored of it cannot be gone on with."""

    why: str

    kind: ClassVar[EventKind] = EventKind.DAMAGED


@dataclass(frozen=True, slots=True)
class FactCorrected(Happening):
    """A declared fact that enters no number was corrected after the run's end: both values stay (None: not stated)."""

    field: str
    was: str | None
    now: str
    reason: str

    kind: ClassVar[EventKind] = EventKind.CORRECTED


@dataclass(frozen=True, slots=True)
class ResultAmended(Happening):
    """A mass came after the run's end, and the run was judged again: the new result's hash, and the old one whole.

    ``was_json`` is the JSON of the result that stood until then, byte for byte, and ``was_sha256`` its hash.
    """

    result_sha256: str
    was_sha256: str
    was_json: str
    why: str

    kind: ClassVar[EventKind] = EventKind.AMENDED


@dataclass(frozen=True, slots=True)
class ChainJoined(Happening):
    """A migration to schema 3 found so many chunks and events of a run, and these hashes at the ends of its two chains.

    ``outcome_sha256`` is of what was in ``runs`` as its outcome then, which until then was in no chain.
    """

    from_schema: int
    chunks: int
    chunks_sha256: str | None
    events: int
    events_sha256: str | None
    outcome_sha256: str

    kind: ClassVar[EventKind] = EventKind.JOINED


class AmendedTold(msgspec.Struct, frozen=True, kw_only=True):
    """A result that a later one of the same run amends: what it said, its SHA-256, and why it does not stand.

    ``who`` brought what it was amended for, at ``at_utc``. It stays whole in the run's chain.
    """

    verdict: str
    loss_pct: float | None
    U_pct: float | None
    invalid_because: str | None
    was_sha256: str
    why: str
    who: str
    at_utc: str
