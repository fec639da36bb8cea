"""What README and docs tell a reader to type: each command and option is there; a first evening is typed in order."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from repository import ROOT
from short_demo import SHORTER, Demo

from edge.cli.main import cli

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console|)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(halfpercent [^`]+)`")
WAITED_FOR = {"tare": ("tare",), "load": ("load",), "vent": ("cool", "m2"), "zero": ("zero",)}
"""In which phase the page tells a reader to type this."""


def blocks(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    indented = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    return "\n".join([*BLOCK.findall(text), indented])


def typed(page: Path) -> list[list[str]]:
    """Get the commands that a page shows, each as its words after ``halfpercent``."""
    lines = [line.strip() for line in blocks(page).splitlines()] + INLINE.findall(page.read_text(encoding="utf-8"))
    found = []
    for line in lines:
        command = re.match(r"(?:sudo )?(?:\.venv/bin/)?halfpercent (.+?)\s*&?$", line.partition("  # ")[0].rstrip())
        if command is not None and "…" not in line and "·" not in line and "|" not in command[1]:
            found.append([w for w in shlex.split(command[1].partition(";")[0], comments=True) if w != "&"])
    return found


def wrong_with(words: list[str]) -> str:
    """Say what of a command is not there: '' where all of it is."""
    command: click.Command = cli
    options = {"--help", "--version", "-h"}
    for word in words:
        if word.startswith("-") and not re.match(r"-\d", word):
            options |= {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
            if word.partition("=")[0] not in options:
                return f"{command.name} has no {word}"
        elif isinstance(command, click.Group):
            inner = command.get_command(click.Context(command), word)
            if inner is None:
                return "" if word.isupper() else f"{command.name} has no {word}"
            command = inner
    return ""


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_command_that_a_page_shows_is_there_with_its_options(page: Path) -> None:
    assert [(words, why) for words in typed(page) if (why := wrong_with(words))] == []


def test_a_wrong_command_would_be_found() -> None:
    assert wrong_with(["runs", "--dbb", "x"])
    assert wrong_with(["run5"])
    assert wrong_with(["calibrate", "tara"])
    assert len(typed(ROOT / "README.md")) > 8


def say(*words: str) -> Result:
    done = CliRunner().invoke(cli, list(words))
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done


def test_readmes_commands_typed_in_order_never_fail(
    short_demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "first-recording.csv", tmp_path / "docs")
    (tmp_path / "out" / "demo").mkdir(parents=True)
    shutil.copy(short_demo.path, tmp_path / "out" / "demo" / "halfpercent.db")  # what `make demo` leaves there
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HALFPERCENT_DB", raising=False)
    begun = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is there so far")[0]
    lines = [line.strip() for line in begun.splitlines() if line.startswith("    halfpercent ")]
    commands = [shlex.split(line, comments=True)[1:] for line in lines]
    assert ["runs", "--db", "out/demo"] in commands
    for words in commands:
        if words[0] == "web":
            assert re.search(r"PASS|FAIL|INCONCLUSIVE|INVALID", shown_in_browser(*words))
        elif words[0] != "demo":  # whole tests are run elsewhere
            say(*words)


def shown_in_browser(*words: str) -> str:
    """Get the first page that a server of the page gives, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "edge", *words, "--port", str(port)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    shown: list[str] = []

    def is_served() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/runs", timeout=10) as page:
                shown.append(page.read().decode())
        except OSError:
            return False
        return True

    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(is_served)
        finally:
            process.terminate()
    return shown[0]


def test_what_readme_shows_of_the_first_recording_is_what_comes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = json.loads(say("replay", "docs/first-recording.csv", "--declare", "u_mass_g=0.002", "--json").stdout)
    shown = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0].split())
    assert shown.startswith(result["verdict"])
    for value in (
        f"loss {result['loss_pct']:.4f} % ± {result['U_pct']:.4f} % (k = {result['k']:.2f})",
        f"m1: {result['m1_g']:.6f} g",
        f"m2: {result['m2_g']:.6f} g",
        f"Hold: {result['hold_s'] / 3600.0:.4f} h qualified of 6 h",
        f"limit <= {result['limit_pct']:g} %",
    ):
        assert value in shown


SPEED = os.environ.get("HALFPERCENT_TEST_SPEED", "0")
"""Of the simulated evening: as fast as it goes, or (`make evening`) 60, as the page has it."""


@pytest.fixture(params=["nau7802", "hx711"])
def evening(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's station in a folder, on either bridge, and a standard with a short hold."""
    (tmp_path / "short.toml").write_text(SHORTER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(next(line for line in page_lines() if "station --simulate" in line))[1:]
    command = [sys.executable, "-m", "edge", *words, "--speed", SPEED, "--bridge", request.param]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: (tmp_path / "evening" / "control.sock").exists())
            yield tmp_path
        finally:
            process.terminate()


def page_lines() -> list[str]:
    page = (ROOT / "docs" / "first-test.md").read_text(encoding="utf-8").partition("# With parts")[0]
    return [line for block in BLOCK.findall(page) for line in block.splitlines()]


def wait_for(done: Any, at_most_s: float = 60.0 if SPEED == "0" else 240.0) -> None:
    until_s = time.monotonic() + at_most_s
    while not done():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_a_first_evening_and_morning_typed_as_the_page_says(evening: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def status() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(say("status", "--json").stdout)
        return answer

    lines = page_lines()
    verdicts = []
    for line in lines[1:]:
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value)
            continue
        words = shlex.split(line, comments=True)[1:]
        if words[0] in WAITED_FOR:
            wait_for(lambda word=words[0]: (status()["run"] or {}).get("phase") in WAITED_FOR[word])
        if words[0] == "start":
            words += ["--standard", "short.toml"]
        if words[0] == "runs":
            wait_for(lambda: status()["state"] == "idle")
        said = say(*words).stdout
        if words[0] in ("report", "replay"):
            verdicts += re.findall(r"\b(PASS|FAIL|INCONCLUSIVE|INVALID)\b[^:]*: ", said)[:1]
    assert (evening / "evening.csv").exists()
    assert len(verdicts) == 2
    assert verdicts[0] == verdicts[1] != "INVALID"
