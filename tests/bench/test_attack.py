"""Attacks in small: a few of each surface's, and none that is not as promised (docs/security.md)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from attack import surfaces
from repository import ROOT

SMALL = 0.004
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/helpers'}", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize("name", [s.name for s in surfaces()])
def test_what_is_attacked_answers_as_promised(name: str) -> None:
    words = [sys.executable, "tests/bench/attack.py", "--only", name, "--scale", str(SMALL), "--seed", "7"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "| attack" in done.stdout
