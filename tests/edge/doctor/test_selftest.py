"""The self-test measures a machine into one file, leaves nothing else behind, and names nobody."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from edge.cli.main import cli
from edge.doctor import selftest
from edge.doctor.selftest import SelfTest, measure


def test_it_writes_one_file_with_numbers_and_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "FOLDED_S", 3600)
    home, disk, out = tmp_path / "home-of-ada", tmp_path / "disk", tmp_path / "pi.json"
    home.mkdir()
    disk.mkdir()
    monkeypatch.setenv("HOME", str(home))
    words = ["selftest", "--on-pi", "--minutes", "0.01", "-o", str(out), "--db", str(disk / "halfpercent.db")]
    done = CliRunner().invoke(cli, [*words, "--config", str(home / "none.toml")])
    assert done.exit_code == 0, done.output
    text = out.read_text(encoding="utf-8")
    found = msgspec.json.decode(text, type=SelfTest)
    assert found.commit.n == selftest.COMMITS
    assert 0.0 < found.commit.median_s <= found.commit.worst_of_100_s <= found.commit.longest_s
    assert found.wakes_late_idle.n > 10
    assert found.wakes_late_busy.longest_s >= 0.0
    assert {"python", "clock", "disk"} <= {check.check for check in found.checks}
    assert "home-of-ada" not in text
    assert list(disk.iterdir()) == []
    assert CliRunner().invoke(cli, words).exit_code == 1  # never over a file


def test_without_being_told_it_measures_nothing() -> None:
    assert CliRunner().invoke(cli, ["selftest"]).exit_code == 2


def test_the_folds_bits_are_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "FOLDED_S", 600)
    assert selftest._folded()[2] == selftest._folded()[2]
    assert callable(measure)
    assert json.loads(msgspec.json.encode(selftest._spread([3.0, 1.0, 2.0])))["median_s"] == 2.0
