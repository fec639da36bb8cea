"""What kinds of runs there are, and where one is between its begin and its end.

The words are on disk and hashed: frozen. This module must never hold what was measured.
"""

from __future__ import annotations

from enum import StrEnum


class RunKind(StrEnum):
    """What a run is: a test of a sample, a blank (inert dummy), a simulated test, or a replayed recording."""

    TEST = "test"
    BLANK = "blank"
    SIMULATED = "simulated"
    REPLAY = "replay"


class RunState(StrEnum):
    """Whether a run is being measured, has its result, or was ended for what is stored of it cannot be gone on with."""

    RUNNING = "running"
    DONE = "done"
    DAMAGED = "damaged"
