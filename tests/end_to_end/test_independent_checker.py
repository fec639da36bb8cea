"""A second opinion that shares no code with the first: it agrees with ``verify`` on what is good and on what is not."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from changed_packages import changed, said
from repository import ROOT
from sealed_run import SealedRun

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
PARTS = ("independent_checker", "independent_codec", "independent_fold")


def test_it_is_short_and_shares_nothing_with_what_it_checks() -> None:
    for name in PARTS:
        text = (ROOT / f"tests/helpers/{name}.py").read_text(encoding="utf-8")
        assert len(text.splitlines()) < 200
        found = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
        found |= {a.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for a in node.names}
        assert {str(module).split(".")[0] for module in found} <= sys.stdlib_module_names | set(PARTS)


def test_it_folds_the_codes_to_the_same_bits_without_numpy_and_numba(sealed: SealedRun, tmp_path: Path) -> None:
    file = tmp_path / "run.eln"
    file.write_bytes(sealed.raw)
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _ALONE,
        str(ROOT / "tests/helpers"),
        str(file),
        str(sealed.signers_file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "rig-7\n"), done.stderr


_ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import independent_checker
print(independent_checker.check(sys.argv[2], sys.argv[3]))
assert not {"numpy", "numba", "edge", "hw", "calibration"} & set(sys.modules)
"""


def test_both_agree_on_good_and_bad_packages(sealed: SealedRun, tmp_path: Path) -> None:
    for i, raw in enumerate([sealed.raw, *changed(sealed, tmp_path)]):
        told = said(sealed, raw, tmp_path)
        assert told.verify == told.checker, (i, told.why)
