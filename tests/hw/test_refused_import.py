"""An import that is refused for a while: refused, then not any more; and a first kernel loads no BLAS."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from hw.refused_import import refused


def test_an_import_is_refused_meanwhile_and_not_afterwards() -> None:
    sys.modules.pop("colorsys", None)
    with refused("colorsys", "no.such.module"):
        for name in ("colorsys", "no.such.module"):
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(name)
    assert importlib.import_module("colorsys").rgb_to_hsv
    assert "no.such.module" not in sys.modules


def test_what_was_loaded_before_stays() -> None:
    import json

    with refused("json"):
        assert importlib.import_module("json") is json
    assert sys.modules["json"] is json


def test_it_is_not_left_refused_by_an_error() -> None:
    sys.modules.pop("colorsys", None)
    with pytest.raises(ValueError, match="x"), refused("colorsys"):
        raise ValueError("x")
    assert importlib.import_module("colorsys").rgb_to_hsv


def test_a_first_kernel_loads_no_blas_and_whoever_wants_it_has_it_afterwards() -> None:
    code = (
        "import sys\nimport numpy as np\nfrom edge.database import range_coder as rc\n"
        "rc.written(rc.decoder(np.zeros(8, np.uint8)), np.zeros(64, np.uint8))\n"
        "assert 'numba' in sys.modules\n"
        "assert 'scipy.linalg' not in sys.modules\n"
        "import scipy.linalg.cython_blas\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
