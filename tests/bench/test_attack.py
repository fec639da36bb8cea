"""Attacks in small: a few of each surface's, and none that is not as promised (docs/security.md)."""

from __future__ import annotations

import math
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from attack import begun, surfaces
from attacked import Surface, Tally
from repository import ROOT

SMALL = 0.004
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/helpers'}", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize("name", [s.name for s in surfaces()])
def test_what_is_attacked_answers_as_promised(name: str) -> None:
    words = [sys.executable, "tests/bench/attack.py", "--only", name, "--scale", str(SMALL), "--seed", "7"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "| attack" in done.stdout


def test_a_bench_that_was_stopped_goes_on_where_it_was_and_not_on_another_commit(tmp_path: Path) -> None:
    asked = Namespace(scale=1.0, seed=5, slices=4, state=tmp_path / "state")
    seeds: list[int] = []

    def attack(scale: float, seed: int) -> list[Tally]:
        seeds.append(seed)
        return [Tally("a", tried=round(scale * 8), worst_s=float(seed))]

    surface = Surface("x", "X", "", attack)
    first = begun(surface, asked)
    first.go_on(attack, asked.state, 0.0)
    assert "So far 1 of 4" in first.table()
    again = begun(surface, asked)
    again.go_on(attack, asked.state, math.inf)
    assert seeds == [5, 6, 7, 8]
    assert [(t.tried, t.worst_s) for t in again.tallies] == [(8, 8.0)]
    asked.state.write_text(asked.state.read_text().replace(again.commit, "another"), encoding="utf-8")
    assert begun(surface, asked).done == 0
