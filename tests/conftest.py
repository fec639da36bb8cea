"""What several test files share: one short demo, run once; and a folder of their own for the locks of chips."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from short_demo import SHORTER, Demo

if TYPE_CHECKING:
    from sealed_run import SealedRun


@pytest.fixture(scope="session")
def short_demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    from short_demo import run

    from edge.standards.standard import loads_standard

    path = tmp_path_factory.mktemp("short") / "halfpercent.db"
    return Demo(path, run(path, "solid", "nau7802", 3, loads_standard(SHORTER)))


@pytest.fixture(scope="session")
def sealed(short_demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> SealedRun:
    """Give a short run that its rig has sealed."""
    import sealed_run

    return sealed_run.make(short_demo, tmp_path_factory.mktemp("sealed"))


@pytest.fixture(scope="session", autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the locks of chips that tests name away from the machine's own, and from those of tests beside them."""
    os.environ["HALFPERCENT_LOCKS"] = str(tmp_path_factory.mktemp("locks"))
