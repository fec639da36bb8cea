"""Simulated tests for the tests: one call, one database."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from edge.database.journal import Journal
from edge.records.result import as_json
from edge.records.sample import Sample
from edge.simulate.demo import DemoOrder, run_demo
from edge.simulate.instrument import build
from edge.standards.standard import Standard

SHORT = 'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 1200\n'
SHORTER = SHORT.replace("1200", "600")


class Demo(NamedTuple):
    """A database with one short demo run in it, and that run's result. Read it; copy it to write."""

    path: Path
    result: dict[str, Any]


def run(path: Path, scenario: str, bridge: str, seed: int, standard: Standard) -> dict[str, Any]:
    with Journal(path) as journal:
        rig = build(scenario, bridge, seed)
        return as_json(run_demo(rig, DemoOrder(standard, Sample("S-1"), seed), journal))
