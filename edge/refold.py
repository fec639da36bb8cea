"""Folding a stored run again: the same frames and the same words give the same seconds, bit for bit.

Resume and verification start here. This module only reads; it must never write to the run that it checks.
"""

from __future__ import annotations

import json

import numpy as np
from sqlite_utils import Database

from . import fold
from .course import Course, Word
from .errors import BadDatabase
from .journal import chunks_of, events_of
from .terms import Terms
from .words import Event


def words_of(db: Database, run_id: int) -> list[Word]:
    """Get what the operator said in a run, and the second from which on each word held. Raises ``BadDatabase``."""
    said = (row for row in events_of(db, run_id) if row["kind"] in ("operator", "refused"))
    return [Word(row["second"], json.loads(row["data_json"])["word"]) for row in said]


def refold(db: Database, run_id: int) -> tuple[Course, fold.Record, list[str], list[Event]]:
    """Fold a run's raw frames again, with what the operator said.

    Returns the course at its end, the rows, each row's phase, and the events. Raises ``BadDatabase`` where the
    chain is broken or there is no such run.
    """
    found = list(db.table("runs").rows_where("run_id = ?", [run_id]))
    if not found:
        raise BadDatabase(f"run {run_id}: there is none: halfpercent runs lists them")
    terms = Terms.from_settings(json.loads(found[0]["settings_json"]))
    course = Course(terms.plan, fold.new_params(**terms.fold), terms.first, found[0]["t0_ns"])
    for word in words_of(db, run_id):
        course.say(word)
    tables, names, events = [], [], []
    for frames in chunks_of(db, run_id):
        table, phase_names, happened = course.feed(frames)
        tables.append(table)
        names += phase_names
        events += happened
    ending = "the recording ends" if found[0]["kind"] == "replay" else "the run was stopped"
    table, phase_names, happened = course.finish(ending)
    tables.append(table)
    return course, np.concatenate(tables), names + phase_names, events + happened
