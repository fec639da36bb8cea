"""Which specimens earlier runs had, from the settings that were stored and hashed with them.

Read-only. This module must never say of two specimens that they are the same.
"""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path

import msgspec

from edge.records.specimen import Specimen, same_name

from .connection import translated_errors
from .reading import open_readonly
from .stored_json import decoded

MOST_RUNS = 2000
"""The newest ones: more were measured by no rig in ten years of nights."""


def runs_with_serial(path: Path, serial: str) -> dict[int, tuple[str, Specimen]]:
    """Get the sample's name and the specimen of earlier runs with this serial, by the run's number.

    Raises ``BadDatabase``. What is no record of a specimen is left out.
    """
    db = open_readonly(path)
    try:
        with translated_errors(path):
            rows = db.execute(
                "select run_id, sample_id, settings_json from runs where settings_json like ? "
                "order by run_id desc limit ?",
                ['%"specimen"%', MOST_RUNS],
            ).fetchall()
    finally:
        db.close()
    found = {}
    for run_id, sample_id, text in rows:
        try:
            specimen = Specimen.from_settings(decoded(text)["specimen"])
        except (KeyError, TypeError, ValueError, RecursionError, msgspec.ValidationError):
            continue
        if same_name(specimen.serial, serial):
            found[int(run_id)] = (str(sample_id), specimen)
    return found


def masses_of_run(path: Path, run_id: int) -> tuple[float | None, float | None]:
    """Get M1 and M2 of an earlier run in g, each None where it has none. Raises ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path):
        row = db.execute("select m1_g, m2_g from runs where run_id = ?", [run_id]).fetchone() or (None, None)
    m1_g, m2_g = (g if isinstance(g, float) and math.isfinite(g) and g > 0.0 else None for g in row)
    return m1_g, m2_g
