"""SIGKILL in small: one kill, a new boot, and the test ends with the bits of one that nobody killed."""

from __future__ import annotations

from pathlib import Path

from thousand_kills import found, one

SEED = 6
"""A test that loses no second and has a boot of its own in each life."""


def test_one_kill_loses_no_commit_damages_nothing_and_changes_no_bit(tmp_path: Path) -> None:
    done = one(SEED, mean_s=0.4, most=1, parent=tmp_path)
    assert done.killed.kills == 1
    assert done.killed.lost_commits == done.killed.broken == 0
    assert done.lossless
    assert done.same_bits
    assert done.same_verdict
    assert done.as_promised
    row = next(line for line in found([done]).splitlines() if "1 of 1" in line)
    assert [cell.strip() for cell in row.split("|")[1:8]] == ["none", "yes", "1", "1", "0", "0", "0"]
