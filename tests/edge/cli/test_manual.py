"""The manual page and the shells' completion are made from the commands themselves, and name them all."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edge.cli.main import cli


def test_the_manual_names_every_command_and_option_and_is_no_broken_troff(tmp_path: Path) -> None:
    text = CliRunner().invoke(cli, ["man"]).stdout
    plain = text.replace("\\-", "-")
    for name, command in cli.commands.items():
        if command.hidden:
            continue
        assert re.search(rf"^\.SS {name}\b", plain, re.MULTILINE), name
        for param in command.params:
            if isinstance(param, click.Option):
                assert all(option in plain for option in param.opts)
    if shutil.which("groff") is None:
        pytest.skip("groff is missing: the page's form was not checked")
    (tmp_path / "h.1").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-K", "utf-8", "h.1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_clicks_own(shell: str) -> None:
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0, done.output
    assert "_HALFPERCENT_COMPLETE" in done.stdout


def test_a_command_is_completed() -> None:
    env = {"_HALFPERCENT_COMPLETE": "bash_complete", "COMP_WORDS": "halfpercent calib", "COMP_CWORD": "1"}
    done = CliRunner(env=env).invoke(cli, [], prog_name="halfpercent", complete_var="_HALFPERCENT_COMPLETE")
    assert "plain,calibrate" in done.output
