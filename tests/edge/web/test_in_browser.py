"""The page in a real Chromium, where there is one: its script runs under its own policy, and says what is lost."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from short_demo import Demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture
def url(short_demo: Demo, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    words = ("web", "--port", str(port), "--db", str(short_demo.path), "--socket", str(tmp_path / "none.sock"))
    page = subprocess.Popen([sys.executable, "-m", "edge", *words], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/static/icon.svg", timeout=2.0).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        page.terminate()
        page.wait(10.0)


def test_a_browser_shows_the_page_and_its_script_says_that_it_is_lost(url: str, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("chromium is not here")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={tmp_path}/profile")
    done = subprocess.run(
        [CHROMIUM, *flags, url], env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert 'data-link="lost"' in done.stdout
    assert "The station does not answer." in done.stdout
    assert '<svg class="curve"' in done.stdout
    assert "Content Security Policy" not in done.stderr
