"""The instrument under attack: each surface's own module, its share of the table in docs/security.md.

``python tests/bench/attack.py [--only NAME] [--scale 1] [--seed 1] [--write]``. A surface is a module
``tests/bench/attack_NAME.py`` with a ``SURFACE`` (:class:`attacked.Surface`) and its ``SECTION``; it is found by
its name. What was not as
promised is printed with how to make it again, and the bench ends with status 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

from attacked import Surface, as_table

HERE = Path(__file__).resolve().parent


def surfaces() -> list[Surface]:
    """Get every attack surface there is, in the order of their names."""
    names = sorted(p.stem for p in HERE.glob("attack_*.py"))
    return [importlib.import_module(name).SURFACE for name in names]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", choices=[s.name for s in surfaces()], help="one surface")
    asked.add_argument("--scale", type=float, default=1.0, help="of the full number of attacks")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--write", action="store_true", help="into docs/security.md")
    args = asked.parse_args()
    os.nice(10)
    broken = 0
    for surface in surfaces():
        if args.only not in (None, surface.name):
            continue
        begun_s = time.monotonic()
        tallies = surface.attack(args.scale, args.seed)
        surface.section().report(as_table(tallies), took_s=time.monotonic() - begun_s, write=args.write)
        for tally in tallies:
            if not tally.kept:
                broken += 1
                print(f"NOT AS PROMISED: {tally.what}: {tally.first}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
