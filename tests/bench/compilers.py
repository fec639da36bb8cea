"""The kernels by compiler: the same bits of fold and codecs on every numba that is allowed, and without one.

Each version has an environment of its own, made once in ``--cache``. ``make compilers`` writes docs/benchmarks.md (it
needs a network); ``tests/bench/test_compilers.py`` is the small form.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_report import Section, table
from repository import HELPERS, ROOT

VERSIONS = ("0.61.0", "0.61.2", "0.62.1", "0.63.1", "0.64.0", "0.65.1", "0.66.0", "0.67.0", "0.68.1")
SECTION = Section(
    "compilers",
    "## The kernels by compiler",
    """
Fold and codecs on each numba that is allowed, each with the numpy that pip chooses for it, and in Python with no
compiler at all (`tests/helpers/kernel_bits.py`). The bench fails where a hash differs. Times are of a frame of one
second, at 10, 80 and 320 samples a second: folded; coded; decoded.
""",
    """
- Without a compiler the station measures on: at 80 SPS a frame costs what the last row says, of the second that it has.
  On a Pi 4 it is some four times that. What takes long is six hours folded again after a restart.
""",
    packages=(),
)


def bits(python: Path, *, compiled: bool = True, n: int = 20) -> dict[str, Any]:
    """Get what the kernels make with this Python."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(HELPERS)]),
            "NUMBA_CACHE_DIR": cache,
            "KERNELS": "" if compiled else "python",
        }
        done = subprocess.run(
            [python, str(HELPERS / "kernel_bits.py"), str(n)],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    assert bool(found["python"]) is not compiled, found["python"]
    return found


def environment(cache: Path, version: str) -> Path:
    """Make an environment with this numba, where it is missing, and get its Python."""
    folder = cache / f"numba-{version}"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "-qq", "--disable-pip-version-check", "install", "--only-binary=:all:"]
        subprocess.run([*pip, f"numba=={version}", "msgspec"], check=True)
        (folder / "made").touch()
    return python


def numpy_of(python: Path) -> str:
    """Get its numpy's version."""
    done = subprocess.run(
        [python, "-c", "import numpy; print(numpy.__version__)"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def main() -> int:
    """Compare all versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "halfpercent-compilers")
    parser.add_argument("--versions", nargs="*", default=VERSIONS)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    rows, seen = [], set()
    pythons = {f"numba {v}": environment(args.cache, v) for v in args.versions}
    for name, python in [*pythons.items(), ("none: Python alone", Path(sys.executable))]:
        found = bits(python, compiled=not name.startswith("none"))
        seen.add((found["fold"], found["codec"]))
        costs = ["; ".join(f"{us:.0f}" for us in found["us"][rate]) for rate in ("10", "80", "320")]
        rows.append((name, numpy_of(python), found["fold"][:8], found["codec"][:8], *costs))
        print(rows[-1], file=sys.stderr)
    columns = ("compiler", "numpy", "fold", "codecs", "µs at 10 SPS", "at 80 SPS", "at 320 SPS")
    SECTION.report(table(columns, *rows), took_s=time.monotonic() - began, write=args.write)
    return 0 if len(seen) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
