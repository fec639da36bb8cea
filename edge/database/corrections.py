"""What was corrected of runs after their end, as their chains hold it.

Read-only. This module must never say which of two values is right.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlite_utils import Database

from edge.records.correction import MOST_CORRECTIONS
from edge.records.event import EventKind
from edge.records.result import CorrectionTold
from edge.records.run_end import FactCorrected

from .connection import parsed_rows
from .stored_json import decoded

MOST_RUNS = 1000
"""Of a page."""


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
