"""The kernels are compiled once: whoever comes later loads them, and so starts at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from repository import HELPERS, ROOT

PROGRAM = """
import json
from numba.core.dispatcher import Dispatcher
from edge.fold import kernel
from random_blocks import cases, fold_all
for _, params, block in cases(1, 5):
    fold_all(params, block)
kernels = {name: k for name, k in vars(kernel).items() if isinstance(k, Dispatcher) and k.signatures}
print(json.dumps({name: [sum(k.stats.cache_hits.values()), sum(k.stats.cache_misses.values())]
                  for name, k in kernels.items()}))
"""


def test_a_second_process_loads_the_kernels_and_compiles_none(tmp_path):
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("NUMBA_DISABLE_JIT is set: nothing is compiled")
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HELPERS)]),
    }

    def statistics() -> dict[str, list[int]]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=300
        )
        return json.loads(done.stdout)

    first, second = statistics(), statistics()
    assert {"_advance", "_flush"} <= set(first)  # what is called from outside; the rest is compiled into them
    assert sum(misses for _, misses in first.values()) > 0
    assert all(hits == 0 for hits, _ in first.values())
    assert {"_advance", "_flush"} <= set(second)
    assert all(misses == 0 and hits > 0 for hits, misses in second.values())
