"""The same bits on aarch64: fold and codecs, stored runs, and a package of this machine verified there.

By user emulation: Debian's own Python for arm64 out of its packages, and the locked wheels for aarch64; both are made
once in ``--cache`` (mmdebstrap, qemu-user-static, a network). ``make aarch64`` writes docs/evidence.md;
``tests/bench/test_aarch64.py`` is the small form, without an emulator.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import sealed_run
import short_demo
from bench_report import Section, table
from repository import HELPERS, ROOT

from edge.standards.standard import loads_standard

CACHE = Path(os.environ.get("HALFPERCENT_CACHE") or Path.home() / ".cache/halfpercent") / "aarch64"
SUITE, QEMU = "bookworm", "qemu-aarch64-static"
DEBS = "python3-minimal,python3.11,libstdc++6,libgomp1,zlib1g,libsqlite3-0"
LEFT_OUT = {"lgpio", "pip", "setuptools"}
"""Of what is locked: what is not needed for reading and judging, and has no wheel everywhere."""
SECTION = Section(
    "aarch64",
    "## The same bits on another processor",
    """
On this machine, and on aarch64 by user emulation: hashes of what fold and codecs make of random input
(`tests/helpers/kernel_bits.py`); the seconds of two stored runs and the digest of their results; and a run that was
measured and sealed on the one, verified on the other. The bench fails where anything differs.
""",
    page=ROOT / "docs" / "evidence.md",
    packages=("numba", "numpy", "scipy"),
)
Run = Callable[[Sequence[str]], str]
"""Runs Python with arguments in the repository, and gives what it prints."""

VERSIONS = """
import platform, sqlite3
from importlib.metadata import version
v = [f"{n} {version(n)}" for n in ("numba", "llvmlite", "numpy", "scipy")]
print(", ".join([f"Python {platform.python_version()}", *v, f"SQLite {sqlite3.sqlite_version}"]))
"""
STORED = """
from edge.qualify.stored_runs import stored_runs
for check in stored_runs(): print(check.state, check.found)
"""


def here(words: Sequence[str]) -> str:
    """Run this machine's Python."""
    return _run([sys.executable, *words], {})


def emulated(cache: Path) -> Run:
    """Get what runs Python on aarch64; its parts are made where they are missing."""
    root, site = _root(cache), _site(cache)
    qemu = shutil.which(QEMU)
    if qemu is None:
        raise SystemExit(f"no {QEMU} here: apt-get install qemu-user-static mmdebstrap")

    def run(words: Sequence[str]) -> str:
        python = [qemu, "-L", str(root), str(root / "usr/bin/python3.11")]
        return _run([*python, *words], {"PYTHONHOME": str(root / "usr"), "SITE": str(site)})

    return run


def _run(command: list[str], more: dict[str, str]) -> str:
    path = os.pathsep.join(filter(None, (str(ROOT), str(HELPERS), more.pop("SITE", ""))))
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": cache, "PYTHONDONTWRITEBYTECODE": "1"} | more
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def _root(cache: Path) -> Path:
    root = cache / "root"
    if not (root / "usr/bin/python3.11").exists():
        shutil.rmtree(root, ignore_errors=True)
        command = ["mmdebstrap", "--quiet", "--variant=extract", "--arch=arm64", f"--include={DEBS}", SUITE, str(root)]
        subprocess.run(command, check=True)
    return root


def _site(cache: Path) -> Path:
    """Get a folder with the locked wheels for aarch64."""
    site, lock = cache / "site", cache / "run.lock"
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").split("# --- development ---")[0]
    entries = re.split(r"\n(?=\S)", text.strip())
    wanted = "\n".join(e for e in entries if e.split("==")[0] not in LEFT_OUT) + "\n"
    if not site.exists() or not lock.exists() or lock.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(site, ignore_errors=True)
        lock.unlink(missing_ok=True)
        (cache / "new.lock").write_text(wanted, encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-compile", "--no-deps"]
        pip += ["--only-binary=:all:", "--require-hashes", "--python-version", "3.11", "--implementation", "cp"]
        for glibc in ("2_28", "2_27", "2_17", "2014"):
            pip += ["--platform", f"manylinux{'' if glibc == '2014' else '_'}{glibc}_aarch64"]
        subprocess.run([*pip, "--target", str(site), "-r", str(cache / "new.lock")], check=True)
        (cache / "new.lock").rename(lock)
    return site


def bits(run: Run, package: Path, signers: Path, n: int = 20) -> dict[str, str]:
    """Get what a Python makes: its versions, hashes, and what it says of a package."""
    kernels = json.loads(run([str(HELPERS / "kernel_bits.py"), str(n)]))
    said = run(["-m", "edge", "verify", str(package), "--signers", str(signers)])
    return {
        "versions": run(["-c", VERSIONS]).strip(),
        "fold": kernels["fold"],
        "codecs": kernels["codec"],
        "stored runs": run(["-c", STORED]).strip(),
        "a run sealed on x86_64": said.split(":")[0],
    }


def compared(found: dict[str, dict[str, str]]) -> tuple[str, bool]:
    """Get the table of what each machine made, and whether all of it is the same but the versions."""
    rows, same = [], True
    for what in next(iter(found.values())):
        values = [one[what] for one in found.values()]
        same &= what == "versions" or len(set(values)) == 1
        rows.append((what, *(_short(value) for value in values)))
    return table(("", *found), *rows), same


def _short(value: str) -> str:
    return "; ".join(re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", line) for line in value.splitlines())


def main() -> int:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--write", action="store_true", help="write the section of docs/evidence.md")
    args = parser.parse_args()
    began = time.monotonic()
    args.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, standard = folder / "short.db", loads_standard(short_demo.SHORT)
        demo = short_demo.Demo(path, short_demo.run(path, "solid", "nau7802", 1, standard))
        sealed = sealed_run.make(demo, folder)
        package = folder / "run.eln"
        package.write_bytes(sealed.raw)
        runs = {"x86_64": here, "aarch64": emulated(args.cache)}
        found = {name: bits(run, package, sealed.signers_file) for name, run in runs.items()}
    shown, same = compared(found)
    SECTION.report(shown, took_s=time.monotonic() - began, write=args.write)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
