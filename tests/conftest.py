"""What several test files share: one short demo, run once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

SHORT = 'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = 600\n'


class Demo(NamedTuple):
    """A database with one short demo run in it, and that run's result. Read it; copy it to write."""

    path: Path
    result: dict[str, Any]


@pytest.fixture(scope="session")
def short_demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    from edge.database.journal import Journal
    from edge.records.sample import Sample
    from edge.simulate.demo import run_demo
    from edge.simulate.instrument import build
    from edge.standards.standard import loads_standard

    path = tmp_path_factory.mktemp("short") / "halfpercent.db"
    with Journal(path) as journal:
        rig = build("solid", "nau7802", 3)
        result = run_demo(rig, loads_standard(SHORT), journal, Sample("S-1"), seed=3)
    return Demo(path, result)
