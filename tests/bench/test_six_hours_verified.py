"""A long run's package in small: its size, and what a command's memory and time are asked by."""

from __future__ import annotations

from pathlib import Path

from sealed_run import SealedRun
from six_hours_verified import MOST_MB, peak_mb, raw_bytes, size_says, took


def test_a_package_is_little_more_than_its_raw_chunks(sealed: SealedRun) -> None:
    assert 0 < raw_bytes(sealed) < len(sealed.raw)
    assert f"{len(sealed.raw) / 1e6:.2f} MB" in size_says(sealed)


def test_verify_as_a_command_answers_within_its_memory(sealed: SealedRun, tmp_path: Path) -> None:
    (tmp_path / "run.eln").write_bytes(sealed.raw)
    mb, said = peak_mb("halfpercent", ("verify", str(tmp_path / "run.eln"), "--signers", str(sealed.signers_file)))
    assert said.startswith("VERIFIED: ")
    assert 20.0 < mb <= MOST_MB
    once = took("halfpercent", ("--version",))
    assert once.cpu_s > 0.0
    assert once.wall_s > 0.0
