"""The page as its unit starts it: in the unit's environment, without docstrings and assertions, all is there."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT
from short_demo import Demo

UNIT = ROOT / "systemd" / "halfpercent-web.service"
PAGES = ("/", "/runs", "/runs/1", "/runs/1.txt", "/calibration", "/rig", "/sign-in", "/metrics", "/static/page.css")


def environment() -> dict[str, str]:
    """Get what the unit sets."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    set_ = [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]
    given = dict(word.split("=", 1) for line in set_ for word in shlex.split(line))
    assert given["PYTHONOPTIMIZE"] == "2"
    assert given["NUMBA_DISABLE_JIT"] == "1"
    return given


def asked(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20.0) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        return e.code


@pytest.fixture
def url(short_demo: Demo, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    words = ("--port", str(port), "--db", str(short_demo.path), "--socket", str(tmp_path / "none.sock"))
    token = ("--token-file", str(tmp_path / "token"), "--make-token")
    argv = (sys.executable, "-m", "edge", "web", *words, *token)
    with subprocess.Popen(argv, env=os.environ | environment(), stderr=subprocess.DEVNULL) as page:
        try:
            for _ in range(300):
                try:
                    asked(f"http://127.0.0.1:{port}/static/icon.svg")
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            page.terminate()


def test_each_page_is_there(url: str) -> None:
    assert {path: asked(url + path) for path in PAGES} == dict.fromkeys(PAGES, 200)
