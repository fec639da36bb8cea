"""What a run came to, as its chain says it: the newest link that says so, and what it states of the result's bytes.

Read-only. This module must never say what a result means.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec
from sqlite_utils import Database

from edge.records.event import EventKind
from edge.records.run_end import RunEnded

from .connection import parsed_rows
from .preimage import sha256_of
from .stored_json import decoded
from .two_chains import StoredRow

RESULT_COLUMNS = {
    "verdict": "verdict",
    "invalid_because": "invalid_because",
    "loss_pct": "loss_pct",
    "standard_uncertainty_pct": "u_pct",
    "expanded_uncertainty_pct": "U_pct",
    "coverage_factor_k": "k",
    "conformance_probability": "pc",
    "limit_pct": "limit_pct",
    "m1_g": "m1_g",
    "m2_g": "m2_g",
    "hold_s": "hold_s",
    "true_loss_pct": "true_loss_pct",
}
"""Columns of ``runs`` and the field of the result that fills each."""

OUTCOME = ("state", "ended_utc", *RESULT_COLUMNS, "result_json")
"""Columns of ``runs`` that are filled when a run ends; a migration hashed them in this order."""


def outcome_sha256(run: StoredRow) -> str:
    """Get the SHA-256 (hex) of a run's outcome, as a migration to schema 3 states it."""
    return sha256_of("outcome", *(run[column] for column in OUTCOME)).hex()


class Ended(NamedTuple):
    """The link that says that a run has its result."""

    link: int
    told: RunEnded


def sha256_of_text(text: str) -> str:
    """Get the SHA-256 (hex) of a text's bytes in UTF-8: of a result's JSON as it is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def newest_ended(db: Database, run_id: int) -> Ended | None:
    """Get the newest link of a run that says that it has its result. Raises ``DamagedDatabase``."""
    sql = "select link, data_json from events where run_id = ? and kind = ? order by event desc limit 1"
    found = db.execute(sql, [run_id, str(EventKind.ENDED)]).fetchone()
    if found is None:
        return None
    with parsed_rows(f"run {run_id}: its end"):
        return Ended(int(found[0]), msgspec.convert(decoded(found[1]), RunEnded))
