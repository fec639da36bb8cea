"""What several test files share: one short demo, run once; a folder of their own for the locks of chips; and which
files begin first.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

import pytest
from repository import ROOT
from short_demo import SHORTER, Demo

if TYPE_CHECKING:
    from sealed_run import SealedRun

SLOWEST_FIRST = (
    "tests/end_to_end/test_nights.py",
    "tests/bench/test_attack.py",
    "tests/end_to_end/test_demo.py",
    "tests/edge/station/test_service.py",
    "tests/bench/test_aarch64.py",
    "tests/test_typed_commands.py",
    "tests/hw/test_compiled.py",
    "tests/end_to_end/test_demo_again.py",
    "tests/bench/test_loop_storm.py",
    "tests/bench/test_nights.py",
    "tests/bench/test_random_moments.py",
    "tests/packaging/test_install_whole.py",
    "tests/packaging/test_wheel.py",
    "tests/hw/test_stop_guard.py",
    "tests/bench/test_ten_days.py",
    "tests/bench/test_ten_rigs.py",
    "tests/bench/test_publish_kills.py",
    "tests/bench/test_compilers.py",
    "tests/edge/station/test_converter_reset.py",
    "tests/edge/guided_calibration/test_calibrate.py",
)
"""Files of ten seconds and more: begun last, one of them would be waited for by the other workers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first; the others stay in their order."""
    ranks = {ROOT / name: rank for rank, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="session")
def short_demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One short demo, run by the worker that asks first, for all workers."""
    from short_demo import run

    from edge.standards.standard import loads_standard

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each worker has a folder in it
    path, told = folder / "short.db", folder / "short.json"
    with (folder / "short.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            result = run(path, "solid", "nau7802", 3, loads_standard(SHORTER))
            told.write_text(json.dumps(result), encoding="utf-8")
    return Demo(path, json.loads(told.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def sealed(short_demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> SealedRun:
    """Give a short run that its rig has sealed."""
    import sealed_run

    return sealed_run.make(short_demo, tmp_path_factory.mktemp("sealed"))


@pytest.fixture(scope="session", autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the locks of chips that tests name away from the machine's own, and from those of tests beside them."""
    os.environ["HALFPERCENT_LOCKS"] = str(tmp_path_factory.mktemp("locks"))
