"""What is stored, for whoever asks: runs and their results, read-only, without compiler or chips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge.errors import BadDatabase, BadInput

from .connection import open_readonly, translated_errors

COLUMNS = {
    "run_id": "run_id",
    "sample_id": "sample_id",
    "kind": "kind",
    "state": "state",
    "verdict": "verdict",
    "loss_pct": "loss_pct",
    "standard_uncertainty_pct": "u_pct",
    "expanded_uncertainty_pct": "U_pct",
    "limit_pct": "limit_pct",
    "invalid_because": "invalid_because",
    "standard_id": "standard_id",
    "started_utc": "started_utc",
    "ended_utc": "ended_utc",
}
"""Columns of ``runs`` that are listed, and what each is called in JSON."""


def list_runs(path: Path) -> list[dict[str, Any]]:
    """Get all runs of a database, oldest first. Raises ``BadDatabase``."""
    db = open_readonly(path)
    try:
        with translated_errors(path):
            rows = list(db.table("runs").rows_where(select=", ".join(COLUMNS), order_by="run_id"))
    finally:
        db.close()
    return [{COLUMNS[name]: value for name, value in row.items()} for row in rows]


def result_of_run(path: Path, run: str) -> dict[str, Any]:
    """Get the stored result of a run, by its number or ``last``. Raises ``BadInput``, ``BadDatabase``."""
    if run != "last" and not (run.isascii() and run.isdigit() and len(run) < 18):
        raise BadInput(f"run {run[:40]!r}: give a run's number, or last; halfpercent runs lists them")
    db = open_readonly(path)
    try:
        with translated_errors(path):
            found = list(
                db.table("runs").rows_where(order_by="run_id desc", limit=1)
                if run == "last"
                else db.table("runs").rows_where("run_id = ?", [int(run)])
            )
    finally:
        db.close()
    if not found:
        raise BadInput(f"{path}: no run {run}: halfpercent runs lists them")
    if found[0]["result_json"] is None:
        raise BadInput(f"{path}: run {found[0]['run_id']} has not ended: it has no result yet")
    try:
        result = json.loads(found[0]["result_json"])
    except (TypeError, ValueError):
        result = None
    if not isinstance(result, dict):
        raise BadDatabase(f"{path}: the result of run {found[0]['run_id']} is damaged: take it from a copy")
    return result | {"run_id": found[0]["run_id"]}
