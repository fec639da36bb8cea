"""What was corrected of runs after their end, and which results were amended, as their chains hold it.

Read-only. This module must never say which of two values is right.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlite_utils import Database

from edge.records.correction import MOST_CORRECTIONS
from edge.records.event import EventKind
from edge.records.result import CorrectionTold
from edge.records.run_end import AmendedTold, FactCorrected, ResultAmended

from .connection import parsed_rows
from .stored_json import decoded

MOST_RUNS = 1000
"""Of a page."""
MOST_AMENDED = 20
"""Times that one run's result is amended."""


def stored_corrections(db: Database, run_id: int) -> list[CorrectionTold]:
    """Get what was corrected of a run, oldest first. Raises ``DamagedDatabase``."""
    return list(stored_corrections_by_run(db, run_id).get(run_id, []))


def stored_corrections_by_run(db: Database, run_id: int | None = None) -> Mapping[int, list[CorrectionTold]]:
    """Get what was corrected of each run, or of one, oldest first. Raises ``DamagedDatabase``."""
    sql = (
        "select run_id, wall_utc, who, data_json from events where kind = ? and (? is null or run_id = ?) "
        "order by run_id, event limit ?"
    )
    most = MOST_CORRECTIONS * (MOST_RUNS if run_id is None else 1)
    out: dict[int, list[CorrectionTold]] = {}
    for of_run, at_utc, who, text in db.execute(sql, [str(EventKind.CORRECTED), run_id, run_id, most]).fetchall():
        with parsed_rows(f"run {of_run}: a correction of it"):
            told = msgspec.convert(decoded(text), FactCorrected)
            out.setdefault(int(of_run), []).append(
                CorrectionTold(
                    field=told.field, was=told.was, now=told.now, reason=told.reason, who=str(who), at_utc=str(at_utc)
                )
            )
    return out


def stored_amendments(db: Database, run_id: int) -> list[AmendedTold]:
    """Get what a run's result was before it was amended, oldest first. Raises ``DamagedDatabase``."""
    sql = "select wall_utc, who, data_json from events where run_id = ? and kind = ? order by event limit ?"
    out = []
    for at_utc, who, text in db.execute(sql, [run_id, str(EventKind.AMENDED), MOST_AMENDED]).fetchall():
        with parsed_rows(f"run {run_id}: an amendment of it"):
            told = msgspec.convert(decoded(text), ResultAmended)
            was = decoded(told.was_json)
            names = {name: was.get(name) for name in ("verdict", "loss_pct", "U_pct", "invalid_because")}
            rest = {"was_sha256": told.was_sha256, "why": told.why, "who": str(who), "at_utc": str(at_utc)}
            out.append(msgspec.convert(names | rest, AmendedTold))
    return out
