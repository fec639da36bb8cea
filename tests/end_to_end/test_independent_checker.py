"""A second opinion that shares no code with the first: it agrees with ``verify`` on what is good and on what is not."""

from __future__ import annotations

import ast
import random
import shutil
import subprocess
import sys
from pathlib import Path

import independent_checker as checker
import pytest
from repository import ROOT
from sealed_run import SealedRun, repacked, result_changed, tampered_package

from edge.errors import BadEvidence
from edge.evidence.package import MANIFEST, PROOF, RUN, SIGNATURE, STANDARD
from edge.evidence.verification import Answer
from edge.evidence.verify import verify_package

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


def changed(sealed: SealedRun, folder: Path) -> list[bytes]:
    """Packages that are not as they were, their sums made to fit; some are, where a byte holds nothing."""
    rng = random.Random(3)
    sql = ["update runs set verdict = 'FAIL'", result_changed(0.4), "delete from chunks where chunk = 2",
           "delete from events where event = 5", "update events set who = 'x' where event = 1",
           "update runs set sample_id = 'another'", "update runs set operator = 'x'",
           "delete from events where kind = 'ended'"]  # fmt: skip
    out = [tampered_package(sealed, folder, one, relinked=again) for one in sql for again in (False, True)]
    for name in (RUN, MANIFEST, SIGNATURE, PROOF, STANDARD):
        was = sealed.package.files[name]
        for _ in range(3):
            # ssh-keygen checks no note, and reads one text of a signature like another: there is no agreement there.
            low, high = {PROOF: (0, was.find(b"\n\n")), SIGNATURE: (200, 220)}.get(name, (0, len(was)))
            at = rng.randrange(low, high)
            out.append(repacked(sealed, {name: was[:at] + bytes([was[at] ^ 1]) + was[at + 1 :]}))
    return out


def test_both_agree_on_good_and_bad_packages(sealed: SealedRun, tmp_path: Path) -> None:
    file = tmp_path / "run.eln"
    for i, raw in enumerate([sealed.raw, *changed(sealed, tmp_path)]):
        file.write_bytes(raw)
        said = ""
        try:
            good = verify_package(file, sealed.signers).answer is Answer.VERIFIED
        except BadEvidence:
            good = False
        try:
            holds = checker.check(file, sealed.signers_file, 2) == "rig-7"
        except checker.Wrong as e:
            holds, said = False, str(e)
        assert good == holds, (i, said)
