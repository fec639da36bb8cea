"""Sealing beside the measurement: what came of it is a line, and nothing that fails in it reaches who measures."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sealed_run import SealedRun, copied, tamper

from edge.database.backup import backup_run
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_run
from edge.records.station_event import BackupTold, SealTold
from edge.seal.key import make_key
from edge.seal.rig_log import RigLog
from edge.station.retrying_writer import RetryingWriter
from edge.station.seal_ended import seal_ended


def told(database: Path, backup: Path | None = None) -> list[Any]:
    writer = SimpleNamespace(journal=SimpleNamespace(path=database), told=[], backup=backup)
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


def test_a_copied_run_is_verified_by_what_lies_beside_it_and_no_private_key_does(
    sealed: SealedRun, tmp_path: Path
) -> None:
    (tmp_path / "rig").mkdir()
    stick = tmp_path / "stick"
    stick.mkdir()
    database = copied(sealed, tmp_path / "rig")
    copy = backup_run(database, 1, stick)
    _, line = told(database, stick)
    assert isinstance(line, BackupTold)
    assert line.why == f"the seal of run 1 is backed up: {stick / 'seal'}"
    beside = {str(p.relative_to(stick)): p.read_bytes() for p in stick.rglob("seal/**/*") if p.is_file()}
    private = "seal/rig_ed25519"
    ours = {
        str(p.relative_to(database.parent)): p.read_bytes() for p in (tmp_path / "rig/seal").rglob("*") if p.is_file()
    }
    assert private in ours
    assert beside == {name: data for name, data in ours.items() if name != private}
    verified = verify_run(copy, "1")
    assert (verified.answer, verified.signer) == (Answer.VERIFIED, "rig-7"), verified
    assert any(line.startswith("the rig's log") for line in verified.checked)
    told(database, stick)  # again: nothing changes
    assert {str(p.relative_to(stick)): p.read_bytes() for p in stick.rglob("seal/**/*") if p.is_file()} == beside


@pytest.mark.parametrize("how", ["another rig's", "a log that says otherwise", "a pipe for the log", "no folder there"])
def test_what_lies_in_the_second_place_already_is_left_as_it_is(sealed: SealedRun, tmp_path: Path, how: str) -> None:
    (tmp_path / "rig").mkdir()
    stick = tmp_path / "stick"
    stick.mkdir()
    database = copied(sealed, tmp_path / "rig")
    if how == "another rig's":
        make_key(stick / "seal", "rig-8")
    elif how == "a log that says otherwise":
        (stick / "seal").mkdir()
        RigLog(stick / "seal").append(b"another run")
    elif how == "a pipe for the log":
        (stick / "seal").mkdir()
        os.mkfifo(stick / "seal/log")
    else:
        stick = tmp_path / "stick/a file"
        stick.write_text("")
    before = {p: p.is_file() and p.read_bytes() for p in stick.parent.rglob("*")}
    line = told(database, stick)[-1]
    assert line.why.startswith("the seal of run 1 was not backed up: "), line
    assert len(line.why.splitlines()) == 1
    assert {p: p.is_file() and p.read_bytes() for p in stick.parent.rglob("*")} == before
