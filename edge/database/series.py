"""The runs of a series, by its name in their settings, each with the result that was stored.

Read-only. This module must never leave out a run because its result does not please.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import NoSuchRun
from edge.records.result import Result, from_json, require_whole
from edge.records.specimen import same_name

from .connection import translated_errors
from .reading import open_readonly
from .stored_json import decoded

MOST_RUNS = 2000
"""The newest ones: more were measured by no rig in ten years of nights."""


@dataclass(frozen=True, slots=True)
class RunOfSeries:
    """A run of a series; ``result`` is None where it has none yet, or none that can be read."""

    run_id: int
    sample_id: str
    started_utc: str
    standard_toml: str
    result: Result | None


def runs_of_series(path: Path, name: str) -> tuple[RunOfSeries, ...]:
    """Get the runs of a series, oldest first. Raises ``NoSuchRun`` where there is none, ``BadDatabase``."""
    db = open_readonly(path)
    try:
        with translated_errors(path):
            rows = db.execute(
                "select run_id, sample_id, started_utc, standard_toml, settings_json, result_json from runs "
                "where settings_json like ? order by run_id desc limit ?",
                ['%"series"%', MOST_RUNS],
            ).fetchall()
    finally:
        db.close()
    found = []
    for run_id, sample_id, started, standard, settings, result in reversed(rows):
        if same_name(_series(settings), name):
            found.append(RunOfSeries(int(run_id), str(sample_id), str(started), str(standard), _result(result, run_id)))
    if not found:
        raise NoSuchRun(f"{path}: no run of a series {name[:60]!r}: start names it (series)")
    return tuple(found)


def _series(settings: object) -> str:
    try:
        name = decoded(str(settings)).get("series", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return name if isinstance(name, str) else ""


def _result(text: object, run_id: int) -> Result | None:
    try:
        return require_whole(from_json(decoded(str(text)) | {"run_id": run_id}))
    except (ValueError, TypeError, RecursionError, msgspec.ValidationError):
        return None
