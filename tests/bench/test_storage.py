"""What storing costs, in small: few bytes a sample, few written, raw chunks near their entropy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from storage import (
    BYTES_A_SAMPLE,
    CHIPS,
    LESS_WRITTEN,
    MORE_THAN_ENTROPY,
    STEPS_US,
    bits_at,
    by_a_row_a_sample,
    by_the_journal,
    entropy_bits,
    file_system,
    hold,
)

from edge.database.codec import decode, encode


@pytest.mark.parametrize("chip", CHIPS)
def test_ten_minutes_are_stored_near_their_entropy_in_few_bytes(tmp_path: Path, chip: str) -> None:
    frames = hold(chip, seconds=600)
    ours = by_the_journal(tmp_path / "journal.db", frames)
    assert ours.samples == len(frames.code)
    assert ours.raw * 8 <= MORE_THAN_ENTROPY * entropy_bits(frames.code) * ours.samples
    before = by_the_journal(tmp_path / "before.db", frames.cut(0, 120))  # it too has the empty tables and a certificate
    assert ours.size - before.size <= BYTES_A_SAMPLE * (ours.samples - before.samples)


def test_a_row_a_sample_writes_many_times_more(tmp_path: Path) -> None:
    if file_system(tmp_path) in ("tmpfs", "ramfs") or not os.access("/proc/self/io", os.R_OK):
        pytest.skip("needs a folder on a disk and /proc/self/io, where the kernel counts what is written")
    frames = hold("NAU7802", seconds=120)
    ours = by_the_journal(tmp_path / "journal.db", frames)
    theirs = by_a_row_a_sample(tmp_path / "rows.db", frames, rows=500)
    assert ours.written > 0
    assert theirs.written >= LESS_WRITTEN * ours.written


@pytest.mark.parametrize("chip", CHIPS)
def test_a_finer_time_costs_more_and_comes_back(chip: str) -> None:
    bits = [bits_at(chip, step_us, seconds=60) for step_us in STEPS_US]
    assert bits[0] > 1.5 * bits[-1]
    frames = hold(chip, step_us=1, seconds=10)
    assert (decode(encode(frames)).sample_us == frames.sample_us).all()
