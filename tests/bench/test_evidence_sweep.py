"""The sweep over a package in small: nothing that was changed is missed."""

from __future__ import annotations

from pathlib import Path

from evidence_sweep import sweep
from sealed_run import SealedRun


def test_nothing_that_was_changed_is_missed(sealed: SealedRun, tmp_path: Path) -> None:
    places = range(0, len(sealed.raw), len(sealed.raw) // 200)
    for what, count in sweep(sealed, tmp_path, places, 3, 10).items():
        assert count.tried == count.found + count.no_effect > 0, (what, count.missed)
