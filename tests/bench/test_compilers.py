"""The kernels by compiler, in small: the one that is here, and none."""

from __future__ import annotations

import sys
from pathlib import Path

from compilers import bits


def test_the_kernels_make_the_same_bits_with_this_compiler_and_without_one() -> None:
    here = Path(sys.executable)
    compiled, alone = bits(here, n=3), bits(here, compiled=False, n=3)
    assert (compiled["fold"], compiled["codec"]) == (alone["fold"], alone["codec"])
