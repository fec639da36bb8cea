"""Ten days in small: two short runs through one station leave no handle and no object behind."""

from __future__ import annotations

from pathlib import Path

from ten_days import live


def test_memory_and_handles_are_flat_from_run_to_run(tmp_path: Path) -> None:
    marks = list(live(tmp_path, days=0.27, every_days=0.04, hold_s=600.0))
    first, last = next(m for m in marks if m.runs_ended == 1), marks[-1]
    assert last.runs_ended >= 2
    assert {m.open_files for m in marks} == {first.open_files}
    assert last.objects < 1.02 * first.objects
    assert last.database_mb > first.database_mb
