"""Folding a stored run again: the same frames and the same words give the same seconds, bit for bit.

Resume and verification start here. This module only reads; it must never write to the run that it checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlite_utils import Database

from edge.database.journal import boots_and_chunks_of, events_of
from edge.errors import BadDatabase
from edge.fold import layout
from edge.procedure.parameters import RunParameters
from edge.procedure.pipeline import OperatorCommand, Pipeline, new_pipeline
from edge.records.event import Event
from edge.records.frame import Frames, join

SAID = "said"
"""The kind of event that holds a word: the operator's, or the instrument's own."""
RESUMED = "resumed"
"""The kind of event that says which time counts as 0 s on the boot clock of a machine that has started again."""
TOGETHER = 720  # chunks folded at once: an hour of five seconds each


@dataclass(frozen=True, slots=True)
class RefoldedRun:
    """A stored run, folded up to its newest frame and not ended.

    ``boot_id`` and ``t0_ns`` are those of its newest frames, ``last`` is that frame's second (-1: there is none).
    """

    course: Pipeline
    rows: layout.Record
    names: list[str]
    events: list[Event]
    boot_id: str
    t0_ns: int
    last: int


def words_of(db: Database, run_id: int) -> list[OperatorCommand]:
    """Get what was said in a run, and the second from which on each word held. Raises ``BadDatabase``."""
    events = list(events_of(db, run_id))
    # Before words were written down as they were said, what became of them was all that was stored.
    kinds = (SAID,) if any(e["kind"] == SAID for e in events) else ("operator", "refused")
    return [
        OperatorCommand(row["second"], json.loads(row["data_json"])["word"]) for row in events if row["kind"] in kinds
    ]


def fold_again(db: Database, run_id: int) -> RefoldedRun:
    """Fold a run's raw frames again, with what was said, up to its newest frame.

    Raises ``BadDatabase`` where the chain is broken or there is no such run.
    """
    found = list(db.table("runs").rows_where("run_id = ?", [run_id]))
    if not found:
        raise BadDatabase(f"run {run_id}: there is none: halfpercent runs lists them")
    terms = RunParameters.from_settings(json.loads(found[0]["settings_json"]))
    course = new_pipeline(terms, found[0]["t0_ns"])
    for word in words_of(db, run_id):
        course.say(word)
    zeros = {
        data["boot_id"]: data["t0_ns"]
        for row in events_of(db, run_id)
        if row["kind"] == RESUMED
        for data in [json.loads(row["data_json"])]
    }
    tables, names, events = [np.empty(0, layout.ROW)], [], []
    boot_id, last = "", -1
    for boot_id, frames in _together(boots_and_chunks_of(db, run_id)):
        course.t0_ns = zeros.get(boot_id, found[0]["t0_ns"])
        table, phase_names, happened = course.feed(frames)
        tables.append(table)
        names += phase_names
        events += happened
        last = int(frames.seq[-1])
    return RefoldedRun(course, np.concatenate(tables), names, events, boot_id, course.t0_ns, last)


def refold(db: Database, run_id: int) -> tuple[Pipeline, layout.Record, list[str], list[Event]]:
    """Fold a run again and end it where its frames end.

    Returns the course at its end, the rows, each row's phase, and the events. Raises as :func:`fold_again`.
    """
    again = fold_again(db, run_id)
    kind = db.execute("select kind from runs where run_id = ?", [run_id]).fetchone()[0]
    table, names, happened = again.course.finish("the recording ends" if kind == "replay" else "the run was stopped")
    return again.course, np.concatenate([again.rows, table]), again.names + names, again.events + happened


def _together(chunks: Iterator[tuple[str, Frames]]) -> Iterator[tuple[str, Frames]]:
    """Join small chunks of one boot: folding has a price a batch."""
    boot, waiting = "", list[Frames]()
    for boot_id, frames in chunks:
        if waiting and (boot_id != boot or len(waiting) >= TOGETHER):
            yield boot, join(waiting)
            waiting = []
        boot = boot_id
        waiting.append(frames)
    if waiting:
        yield boot, join(waiting)
