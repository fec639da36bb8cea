"""The newest tare that earlier runs took by a certificate, from their chained events.

Read-only. What cannot be read or does not follow its chain is no tare, and no reason to refuse a run. This module must
never say whether a tare is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from edge.errors import BadDatabase
from edge.records.event import EventKind
from edge.records.run import RunKind
from edge.records.weighing import WeighingKind

from . import hash_chain
from .connection import Database, SqliteError, translated_errors
from .reading import open_readonly
from .stored_json import decoded

MOST_RUNS = 20
"""So many of the newest runs are looked through: one that ended before M1 has no tare that a sample has borne out."""


def last_tare(path: Path, certificate_sha256: str, kinds: Sequence[RunKind]) -> tuple[int, float] | None:
    """Get the newest run of these kinds by this certificate that came to M1, and its tare's code (None: there is none).

    A tare counts only where a sample was weighed on it: one that was taken with the sample on never gets so far.
    """
    if not path.exists():
        return None
    marks = ", ".join("?" for _ in kinds)
    sql = f"select run_id from runs where certificate_sha256 = ? and kind in ({marks}) order by run_id desc limit ?"
    try:
        with closing(open_readonly(path)) as db, translated_errors(path):
            for (run_id,) in db.execute(sql, [certificate_sha256, *map(str, kinds), MOST_RUNS]).fetchall():
                if (code := _tare(db, int(run_id))) is not None:
                    return int(run_id), code
    except (BadDatabase, SqliteError, OSError, ValueError):
        return None
    return None


def _tare(db: Database, run_id: int) -> float | None:
    """Get a run's tare in codes (None: it has none, or was never loaded)."""
    found: dict[str, float] = {}
    try:
        for event in hash_chain.events(db, run_id):
            if event["kind"] == EventKind.WEIGHING:
                told = decoded(event["data_json"])
                found[str(told["which"])] = float(told["value"])
    except (BadDatabase, KeyError, TypeError, ValueError, RecursionError):
        return None
    code = found.get(WeighingKind.TARE)
    return code if code is not None and math.isfinite(code) and WeighingKind.M1 in found else None
