"""Corrections of declared facts, written as links after a run's end, by the one writer.

This module must never change a row that is stored, and never correct a run that is not as its chain says.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from calibration.toml_file import one_line
from edge.errors import BadValue, DamagedDatabase, NoSuchRun, TooMuch
from edge.records.correction import MOST_CORRECTIONS, corrected_value, declared_value
from edge.records.event import Event
from edge.records.run_end import FactCorrected

from .connection import parsed_rows, translated_errors
from .corrections import stored_corrections
from .hash_chain import chain_ends, stored_header
from .journal import Journal
from .linked_rows import linked_event
from .queries import has_result, run_number
from .reading import open_readonly
from .run_check import check_run
from .stored_json import decoded


@dataclass(frozen=True, slots=True)
class Correction:
    """A fact of a run that is to be corrected: its name, its value, and why. ``run_uid`` says which run is meant."""

    run_id: int
    run_uid: str
    field: str
    value: str
    reason: str


def run_to_correct(path: Path, run: str) -> tuple[int, str]:
    """Get a run's number and its unique name, by its number or ``last``. Raises ``NoSuchRun``, ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path):
        run_id = run_number(db, path, run)
        return run_id, str(stored_header(db, run_id)["run_uid"])


def correct(journal: Journal, asked: Correction, who: str, wall_s: float) -> FactCorrected:
    """Write a correction into the chain of a run that has ended; both values stay.

    Raises ``BadValue`` for what is no declared fact or enters the result, ``NoSuchRun`` where the run is another or has
    not ended, ``TooMuch`` where it was corrected too often, ``DamagedDatabase`` where it is altered.
    """
    value = corrected_value(asked.field, asked.value)
    db, path = journal.db, journal.path
    with translated_errors(path):
        told = FactCorrected(asked.field, _was(db, path, asked), value, one_line(asked.reason))
        if told.was == told.now:
            raise BadValue("value", value, "is what is written already")
        if altered := check_run(db, asked.run_id, full=False):
            raise DamagedDatabase(f"{path}: run {asked.run_id} is ALTERED: {altered}: it is not corrected")
        journal.require_own_file()
        with db.atomic():
            second, elapsed_s = db.execute(
                "select second, elapsed_s from events where run_id = ? order by event desc limit 1", [asked.run_id]
            ).fetchone()  # what is written after a run's end has its time
            moment = Event(int(second), float(elapsed_s), told)
            row = linked_event(asked.run_id, moment, who, wall_s, chain_ends(db, asked.run_id))
            db.table("events").insert(row)
    return told


def _was(db: Database, path: Path, asked: Correction) -> str | None:
    """Get what a run says of a fact until now. Raises as :func:`correct`."""
    rows = list(db.query("select run_uid, state from runs where run_id = ?", [asked.run_id]))
    if not rows or rows[0]["run_uid"] != asked.run_uid:
        raise NoSuchRun(f"{path}: run {asked.run_id} is not there, or is another: halfpercent runs lists them")
    if not has_result(db, asked.run_id):
        raise NoSuchRun(f"{path}: run {asked.run_id} has no result yet: what is declared is corrected after its end")
    before = stored_corrections(db, asked.run_id)
    if len(before) >= MOST_CORRECTIONS:
        raise TooMuch(f"run {asked.run_id} was corrected {len(before)} times: no more is written down")
    newest = [c.now for c in before if c.field == asked.field]
    if newest:
        return newest[-1]
    header = stored_header(db, asked.run_id)
    with parsed_rows(f"{path}: the header of run {asked.run_id}"):
        return declared_value(
            asked.field,
            decoded(header["settings_json"]),
            sample_id=header["sample_id"],
            operator=header["operator"],
        )
