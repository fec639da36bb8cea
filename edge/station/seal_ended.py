"""Seals a run that has ended, beside the measurement, copies the seal to the second place, and says what came of it.

Whatever fails here is a line in the log: a run that cannot be sealed was measured all the same. This module must never
raise, and never write into the database but through the station's writer.
"""

from __future__ import annotations

import logging
from pathlib import Path

from edge.records.station_event import BackupTold, SealTold
from edge.seal.sealing import seal_run
from edge.seal.second_place import copy_seals

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
    if writer.backup is not None:
        _copy_beside(writer, run_id, writer.backup)


def _copy_beside(writer: RetryingWriter, run_id: int, folder: Path) -> None:
    try:
        copied = copy_seals(writer.journal.path, run_id, folder)
    except Exception as e:  # as above
        _log.error("backup of the seal of run %d: %s", run_id, e)
        writer.told.append(BackupTold(f"the seal of run {run_id} was not backed up: {e}"))
    else:
        writer.told.append(BackupTold(f"the seal of run {run_id} is backed up: {copied}"))
