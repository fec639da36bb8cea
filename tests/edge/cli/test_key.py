"""The commands ``key new`` and ``key show``, the QR code, and what ``--version`` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import segno
from click.testing import CliRunner

from edge.cli.main import cli
from edge.errors import SealFailed
from edge.report.qr_text import BORDER, qr_lines
from edge.seal.identification import IDENTIFICATION


def test_a_key_is_made_beside_the_database_and_shown(tmp_path: Path) -> None:
    db = ["--db", str(tmp_path / "x.db")]
    made = CliRunner().invoke(cli, ["key", "new", "--name", "rig-1", *db])
    assert made.exit_code == 0
    assert (tmp_path / "seal/rig_ed25519").exists()
    shown = CliRunner().invoke(cli, ["key", "show", *db])
    assert shown.output == made.output
    told = json.loads(CliRunner().invoke(cli, ["key", "show", "--json", *db]).output)
    assert told["fingerprint"] in shown.output
    assert told["allowed_signers"].startswith('rig-1 namespaces="evidence@halfpercent" ssh-ed25519 AAAA')
    assert "PRIVATE" not in shown.output
    again = CliRunner().invoke(cli, ["key", "new", *db])
    assert isinstance(again.exception, SealFailed)


def test_without_a_key_it_is_said_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["key", "show", "--db", str(tmp_path / "x.db")])
    assert isinstance(done.exception, SealFailed)
    assert "key new" in str(done.exception)


@pytest.mark.parametrize("text", ["x", "rig ssh-ed25519 " + "A" * 68])
def test_the_qr_code_is_segnos_square_for_square(text: str) -> None:
    rows = [list(row) for row in segno.make(text, micro=False).matrix_iter(border=BORDER)]
    lines = qr_lines(text)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            assert (lines[y // 2][x] in ("█", "▀" if y % 2 == 0 else "▄")) == (not dark)


def test_the_version_says_which_results_it_makes() -> None:
    said = CliRunner().invoke(cli, ["--version"]).output
    assert f"legally relevant part: {IDENTIFICATION}" in said
