"""Kernels without a cache, with a broken one, and without a compiler: a warning, and the same bits."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import HELPERS, ROOT

PROGRAM = """
import sys
{before}
import hashlib, logging
logging.basicConfig(level=logging.WARNING, format="%(message)s")
from edge.fold import kernel
from random_blocks import cases, fold_all
from random_frames import measured
from edge.database.codec import decode, encode
from hw.compiled import why_python
made = {{}}
if "fold" in {parts}:
    made["fold"] = hashlib.sha256()
    for _, params, block in cases(1, 5):
        for part in fold_all(params, block):
            made["fold"].update(part.tobytes())
if "codec" in {parts}:
    blob = encode(measured(5, 80))
    assert encode(decode(blob)) == blob
    made["codec"] = hashlib.sha256(blob)
print(",".join(f"{{part}}:{{of.hexdigest()}}" for part, of in made.items()), "python" if why_python() else "compiled")
"""
BOTH = ("fold", "codec")


def run(cache: Path, before: str = "", parts: tuple[str, ...] = BOTH, **more: str) -> tuple[str, str, str]:
    """Fold and code the same in a process of its own: the hashes of it, how it was done, and what was said."""
    names = ("NUMBA_DISABLE_JIT",)
    environment = {n: v for n, v in os.environ.items() if n not in names} | {
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HELPERS)]),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(before=before, parts=parts)],
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    made, how = done.stdout.split()
    return made, how, done.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a first process compiled and kept, and the hash of what it made."""
    cache = tmp_path_factory.mktemp("kept")
    made, how, said = run(cache)
    assert (how, said) == ("compiled", "")
    assert run(cache) == (made, "compiled", "")
    return cache, made


def copy(kept: Path, to: Path) -> list[Path]:
    shutil.copytree(kept, to)
    return sorted(path for path in to.rglob("*.nb*"))


def cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def empty(data: bytes, draw: random.Random) -> bytes:
    return b""


def flipped(data: bytes, draw: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(20):
        out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    return bytes(out)


@pytest.mark.parametrize(("which", "spoil"), [("*.nbi", cut), ("*.nbi", flipped), ("*.nbc", flipped), ("*.nb?", empty)])
def test_a_cache_that_is_broken_is_put_aside_with_a_warning(
    tmp_path: Path, kept: tuple[Path, str], which: str, spoil: Callable[[bytes, random.Random], bytes]
) -> None:
    draw = random.Random(1)
    for path in copy(kept[0], tmp_path / "c"):
        if path.match(which) and ("_advance" in path.name or spoil is empty):
            path.write_bytes(spoil(path.read_bytes(), draw))
    made, how, said = run(tmp_path / "c", parts=("fold",))
    assert (made, how) == (kept[1].partition(",")[0], "compiled")
    assert len(said.splitlines()) == 1
    assert "is broken" in said
    assert list((tmp_path / "c").rglob("*.broken"))
    assert run(tmp_path / "c", parts=("fold",)) == (made, "compiled", "")  # it was compiled anew, and kept


def test_a_cache_without_a_place_is_a_warning(tmp_path: Path, kept: tuple[Path, str]) -> None:
    (tmp_path / "file").touch()  # no folder can be made in it
    made, how, said = run(tmp_path / "file" / "cache", parts=("codec",))
    assert (made, how) == (kept[1].partition(",")[2], "compiled")
    assert len(said.splitlines()) <= 1


def test_a_full_disk_under_the_cache_is_a_warning(tmp_path: Path, kept: tuple[Path, str]) -> None:
    full = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
"""
    made, how, said = run(tmp_path, full, parts=("fold",))
    assert (made, how) == (kept[1].partition(",")[0], "compiled")
    assert len(said.splitlines()) == 1
    assert "cannot be kept for the next start" in said


NO_NUMBA = "sys.modules['numba'] = None"
NO_LLVM = "sys.modules['llvmlite'] = None"
NO_COMPILER = """
import numba.core.compiler
def fails(*args, **more):
    raise OSError("LLVM ERROR: no such processor")
numba.core.compiler.compile_extra = fails
import numba.core.dispatcher
numba.core.dispatcher.compiler.compile_extra = fails
"""


@pytest.mark.parametrize("before", [NO_NUMBA, NO_LLVM, NO_COMPILER], ids=["no numba", "no llvmlite", "no compiler"])
def test_without_a_compiler_the_same_sums_are_done_in_python_with_the_same_bits(
    tmp_path: Path, kept: tuple[Path, str], before: str
) -> None:
    made, how, said = run(tmp_path, before)
    assert (made, how) == (kept[1], "python")
    assert len(said.splitlines()) == 1
    assert "nothing can be compiled" in said


def test_the_jit_may_be_switched_off(tmp_path: Path, kept: tuple[Path, str]) -> None:
    assert run(tmp_path, NUMBA_DISABLE_JIT="1") == (kept[1], "python", "")


def test_a_setting_of_numbas_that_it_cannot_read_is_one_line(tmp_path: Path, kept: tuple[Path, str]) -> None:
    made, _, said = run(tmp_path, NUMBA_DISABLE_JIT="1", NUMBA_OPT="\x1b[2J")
    assert made == kept[1]
    assert len(said.splitlines()) == 1
    assert "'NUMBA_OPT'" in said
    assert "\x1b" not in said


def test_what_a_kernel_raises_is_the_callers() -> None:
    from hw.compiled import call, why_python

    before = why_python()

    def fails(x: int) -> int:
        raise KeyError(x)

    with pytest.raises(KeyError):
        call(fails, 1)
    assert why_python() == before
