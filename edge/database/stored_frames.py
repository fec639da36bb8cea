"""A run's raw frames, read back from its chunks.

Each chunk is decoded once it is found to follow from the one before it. This module must never mend a frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.records.frame import Frames, join

from . import codec, hash_chain
from .connection import Database

SECONDS_TOGETHER = 3600
"""Read at once, however long a chunk is."""


def stored_frames(db: Database, run_id: int) -> Iterator[Frames]:
    """Get a run's raw frames, chunk by chunk. Raises ``BadDatabase`` where the chain is broken."""
    for row in hash_chain.chunks(db, run_id):
        yield codec.decode(row["raw"])


def frames_by_boot(db: Database, run_id: int) -> Iterator[tuple[str, Frames]]:
    """Get a run's raw frames in larger pieces, each with the boot whose clock it goes by. Raises ``BadDatabase``."""
    boot, waiting = "", list[Frames]()
    for row in hash_chain.chunks(db, run_id):
        if waiting and (row["boot_id"] != boot or sum(map(len, waiting)) >= SECONDS_TOGETHER):
            yield boot, join(waiting)
            waiting = []
        boot = row["boot_id"]
        waiting.append(codec.decode(row["raw"]))
    if waiting:
        yield boot, join(waiting)
