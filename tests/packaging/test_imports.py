"""Imports point down, the fold stands alone, and a command that computes nothing loads no compiler."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT

ROOMS = ("hw", "calibration", "edge")


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, with relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) if node.level else ""
            yield ".".join(filter(None, (base, node.module or "")))


@pytest.mark.parametrize("room", ["hw", "calibration"])
def test_hw_and_calibration_know_nothing_above_or_beside_them(room: str) -> None:
    others = [other for other in ROOMS if other != room]
    for path in modules(room):
        for name in imported(path):
            assert name.split(".")[0] not in others, f"{path.relative_to(ROOT)} imports {name}"


def test_the_fold_imports_numpy_and_numba_alone() -> None:
    allowed = {"__future__", "typing", "numpy", "numba", "edge.fold.layout"}
    for name in ("layout", "kernel"):
        found = set(imported(ROOT / "edge" / "fold" / f"{name}.py"))
        assert {m if m.startswith("edge") else m.split(".")[0] for m in found} <= allowed


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_says_what_it_is_for(room: str) -> None:
    for path in modules(room):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_longer_than_one_sitting(room: str) -> None:
    for path in modules(room):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def test_the_simulated_chips_are_not_known_to_the_drivers() -> None:
    for path in (ROOT / "hw").glob("*.py"):
        assert not any(name.startswith("hw.sim") for name in imported(path)), path


@pytest.mark.parametrize("command", [["--help"], ["runs", "--db", "none.db"], ["demo", "--help"], ["--version"]])
def test_a_command_that_computes_nothing_loads_no_compiler(command: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['halfpercent', *{command!r}]\n"
        "from edge.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "loaded = {m.split('.')[0] for m in sys.modules} & {'numba', 'llvmlite', 'scipy', 'matplotlib'}\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
