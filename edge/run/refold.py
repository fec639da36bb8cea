"""Folding a stored run again: the same frames and the same commands give the same seconds, bit for bit.

Resume and verification start here. This module only reads; it must never write to the run that it checks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.database.connection import Database
from edge.database.queries import rig_changed, stored_commands, stored_run, zeros_of_clocks
from edge.database.stored_frames import frames_by_boot
from edge.procedure.parameters import RunParameters
from edge.procedure.pipeline import NOTHING, Folded, OperatorCommand, Pipeline
from edge.records.invalid import Invalid, InvalidReason
from edge.records.run import RunKind

from .live_run import end_invalid


@dataclass(frozen=True, slots=True)
class RefoldedRun:
    """A stored run, folded up to its newest frame.

    ``boot_id`` and ``t0_ns`` are those of its newest frames, ``last`` is that frame's second (-1: there is none).
    """

    pipeline: Pipeline
    folded: Folded
    boot_id: str
    t0_ns: int
    last: int


def fold_again(db: Database, run_id: int) -> RefoldedRun:
    """Fold a run's raw frames again, with what was commanded, up to its newest frame, and do not end it.

    Raises ``BadDatabase`` where the chain is broken or there is no such run.
    """
    run = stored_run(db, run_id)
    pipeline = Pipeline(RunParameters.from_settings(run.settings), run.t0_ns)
    for seq, command in stored_commands(db, run_id):
        pipeline.command(OperatorCommand(seq, command))
    zeros = zeros_of_clocks(db, run_id)
    folded, boot_id, last = NOTHING, "", -1
    for boot_id, frames in frames_by_boot(db, run_id):
        pipeline.restart_clock(zeros.get(boot_id, run.t0_ns))
        folded = folded.then(pipeline.feed(frames))
        last = int(frames.seq[-1])
    return RefoldedRun(pipeline, folded, boot_id, pipeline.t0_ns, last)


def refold(db: Database, run_id: int, ends: str | None = None) -> RefoldedRun:
    """Fold a run again and end it where its frames end (``ends``: why). Raises as :func:`fold_again`."""
    again = fold_again(db, run_id)
    if why := rig_changed(db, run_id):
        end_invalid(again.pipeline, Invalid(InvalidReason.RIG_CHANGED, why))
    usual = "the recording ends" if stored_run(db, run_id).kind is RunKind.REPLAY else "the run was stopped"
    return replace(again, folded=again.folded.then(again.pipeline.finish(ends or usual)))
