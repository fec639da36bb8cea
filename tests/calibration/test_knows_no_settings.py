"""Metrology is ground: it knows no chip, no settings file and no test, so it can be used on its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT

MODULES = sorted((ROOT / "calibration").glob("*.py"))
MAY_IMPORT = {"calibration", "numpy", "scipy", "msgspec"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.name)
def test_metrology_imports_neither_chips_nor_settings(path: Path) -> None:
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            named.add(node.module.split(".")[0])
    assert named <= MAY_IMPORT


def test_all_of_it_loads_without_the_rest() -> None:
    loads = "; ".join(f"import calibration.{p.stem}" for p in MODULES if p.stem != "__init__")
    code = f"import sys; {loads}; print({{m.split('.')[0] for m in sys.modules}} & {{'hw', 'edge'}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
