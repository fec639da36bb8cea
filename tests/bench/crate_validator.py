"""A package's metadata against the RO-Crate community's own validator, which is no part of what is locked here.

It has an environment of its own, made once in ``--cache``; the JSON-LD context is supplied locally. Prints; writes no
page. ``make crate`` (it needs a network the first time); ``tests/bench/test_crate_validator.py`` is the small form.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import sealed_run
import short_demo
from repository import HELPERS

from edge.evidence.crate import METADATA
from edge.standards.standard import loads_standard

VERSION = "0.13.0"


def environment(cache: Path) -> Path:
    """Make an environment with the validator, where it is missing, and get its Python."""
    folder = cache / f"roc-validator-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, f"roc-validator=={VERSION}"], check=True)
        (folder / "made").touch()
    return python


def unpacked(raw: bytes, folder: Path) -> Path:
    """Unpack a package, and get its root folder."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        archive.extractall(folder)
    (root,) = folder.iterdir()
    return root


def without(root: Path, name: str) -> None:
    """Leave something out of what the metadata says of the whole."""
    file = root / METADATA
    crate = json.loads(file.read_text(encoding="utf-8"))
    del crate["@graph"][1][name]
    file.write_text(json.dumps(crate), encoding="utf-8")


def main() -> int:
    """Validate a good package, and see that one without a date and one without a file are found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "halfpercent-crate")
    args = parser.parse_args()
    check = [str(environment(args.cache)), str(HELPERS / "roc_check.py")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "short.db"
        demo = short_demo.Demo(path, short_demo.run(path, "solid", "nau7802", 1, loads_standard(short_demo.SHORTER)))
        raw = sealed_run.make(demo, folder).raw
        roots = {what: unpacked(raw, folder / what) for what in ("as-exported", "without-a-date", "without-a-file")}
        without(roots["without-a-date"], "datePublished")
        next(roots["without-a-file"].glob("*/run.sqlite")).unlink()
        status = {}
        for what, root in roots.items():
            done = subprocess.run([*check, str(root)], capture_output=True, text=True, check=False)
            status[what] = done.returncode
            print(f"{what}:\n{done.stdout}{done.stderr[-500:]}")
    return 0 if list(status.values()) == [0, 1, 1] else 1


if __name__ == "__main__":
    sys.exit(main())
