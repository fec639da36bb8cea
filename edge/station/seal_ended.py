"""Seals a run that has ended, beside the measurement, and says what came of it.

Whatever fails here is a line in the log: a run that cannot be sealed was measured all the same. This module must never
raise, and never write into the database but through the station's writer.
"""

from __future__ import annotations

import logging

from edge.records.station_event import SealTold
from edge.seal.sealing import seal_run

from .retrying_writer import RetryingWriter

_log = logging.getLogger("halfpercent")


def seal_ended(writer: RetryingWriter, run_id: int, wall_s: float) -> None:
    """Seal a run whose result is written, by the wall time ``wall_s``, and have the station's log say so."""
    try:
        seal = seal_run(writer.journal.path, run_id, wall_s)
    except Exception as e:  # whatever it is: the measurement goes on
        _log.warning("run %d is not sealed: %s", run_id, e)
        writer.told.append(SealTold(run_id, f"not sealed: {e}"))
        return
    if seal is None:
        _log.warning("run %d is not sealed: the rig has no key (halfpercent key new)", run_id)
        return
    size = "the log's head is not signed" if seal.checkpoint is None else f"leaf {seal.checkpoint.size} of the log"
    writer.told.append(SealTold(run_id, f"sealed by {seal.manifest.sealed_by.fingerprint}, {size}"))
