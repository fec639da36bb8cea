"""What several test files share: one short demo, run once."""

from __future__ import annotations

import pytest
from short_demo import SHORTER, Demo


@pytest.fixture(scope="session")
def short_demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    from short_demo import run

    from edge.standards.standard import loads_standard

    path = tmp_path_factory.mktemp("short") / "halfpercent.db"
    return Demo(path, run(path, "solid", "nau7802", 3, loads_standard(SHORTER)))
