"""A file for whoever helps: all that is asked for is in it, no secret is, and what cannot be read is said."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from click.testing import CliRunner
from short_demo import Demo

from edge.cli.main import cli
from edge.errors import BadInput


def made(out: Path, config: Path, database: Path) -> dict[str, bytes]:
    argv = ["bundle", "-o", str(out), "--config", str(config), "--db", str(database)]
    done = CliRunner().invoke(cli, argv)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(out) as found:
        return {name: found.read(name) for name in found.namelist()}


def test_all_that_a_helper_asks_for_is_in_it_and_no_secret(short_demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret")
    (tmp_path / "publish.toml").write_text(f'host = "b"\nuser = "u"\npassword_file = "{tmp_path}/password"\n')
    found = made(tmp_path / "help.zip", tmp_path / "config.toml", short_demo.path)
    assert {f["check"] for f in json.loads(found["doctor.json"])} >= {"python", "disk", "clock", "config"}
    assert json.loads(found["versions.json"])["numba"]
    assert [r["run_id"] for r in json.loads(found["runs.json"])] == [1]
    kinds = [json.loads(line)["kind"] for line in found["events.jsonl"].splitlines()]
    assert "phase" in kinds
    assert len(kinds) <= 1000
    assert b"password_file" in found["settings/publish.toml"]
    assert b"no such file" in found["settings/config.toml.not"]
    assert not any(b"s3cret" in data for data in found.values())


def test_a_database_that_cannot_be_read_is_said_in_its_place_and_no_file_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)
    found = made(tmp_path / "help.zip", tmp_path / "config.toml", tmp_path / "bad.db")
    assert b"not a SQLite database" in found["runs.json"]
    again = CliRunner().invoke(cli, ["bundle", "-o", str(tmp_path / "help.zip")])
    assert isinstance(again.exception, BadInput)


def test_a_path_that_is_no_text_is_shown_by_its_codes(tmp_path: Path) -> None:
    strange = tmp_path / "a\udcff\u202e"
    found = made(tmp_path / "help.zip", strange, strange)
    for name in ("doctor.json", "runs.json", "settings/a\\udcff\\u202e.not"):
        assert b"udcff" in found[name]
        assert "\u202e" not in found[name].decode()
