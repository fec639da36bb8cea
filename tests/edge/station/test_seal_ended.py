"""Sealing beside the measurement: what came of it is a line, and nothing that fails in it reaches who measures."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sealed_run import SealedRun, copied, tamper

from edge.records.station_event import SealTold
from edge.station.retrying_writer import RetryingWriter
from edge.station.seal_ended import seal_ended


def told(database: Path) -> list[Any]:
    writer = SimpleNamespace(journal=SimpleNamespace(path=database), told=[])
    seal_ended(cast(RetryingWriter, writer), 1, 1.9e9)
    return writer.told


def test_a_run_that_has_ended_is_sealed_once_and_the_stations_log_says_so(sealed: SealedRun, tmp_path: Path) -> None:
    database = copied(sealed, tmp_path)
    (line,) = told(database)
    assert isinstance(line, SealTold)
    assert line.why.startswith("sealed by SHA256:")
    assert line.why.endswith("leaf 1 of the log")  # it was sealed before, and is not sealed again


def test_without_a_key_it_is_a_line_in_the_log_and_nothing_else(
    sealed: SealedRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "halfpercent.db"
    database.write_bytes(sealed.database.read_bytes())
    with caplog.at_level(logging.WARNING):
        assert told(database) == []
    assert "no key" in caplog.text


@pytest.mark.parametrize("how", ["the run is altered", "the key is damaged", "the log was cut", "there is no database"])
def test_whatever_fails_is_a_line_and_raises_nothing(sealed: SealedRun, tmp_path: Path, how: str) -> None:
    database = copied(sealed, tmp_path)
    if how == "the run is altered":
        tamper(database, "update runs set verdict = 'FAIL'")
    elif how == "the key is damaged":
        (tmp_path / "seal/rig_ed25519.pub").write_text("nonsense")
    elif how == "the log was cut":
        (tmp_path / "seal/log").write_text("")
        for file in (tmp_path / "seal/runs").iterdir():
            file.unlink()
    else:
        database.unlink()
    (line,) = told(database)
    assert line.why.startswith("not sealed: ")
