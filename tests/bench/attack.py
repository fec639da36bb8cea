"""The instrument under attack: each surface's own module, its share of the table in docs/security.md.

``python tests/bench/attack.py [--only NAME] [--scale 1] [--seed 1] [--slices 20 --state FILE] [--write]``. A surface
is a module ``tests/bench/attack_NAME.py`` with a ``SURFACE`` (:class:`attacked.Surface`) and its ``SECTION``, found by
its name. What was not as
promised is printed with how to make it again, and the bench ends with status 1.

At full scale it takes hours. In slices, each of another seed, it can be stopped at any time: what was done is kept in a
file, and the next call goes on there, as long as it is the same commit. The table then says how many slices it holds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import multiprocessing
import operator
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from attacked import Surface, Tally, as_table
from bench_report import commit

HERE = Path(__file__).resolve().parent


def surfaces() -> list[Surface]:
    """Get every attack surface there is, in the order of their names."""
    names = sorted(p.stem for p in HERE.glob("attack_*.py"))
    return [importlib.import_module(name).SURFACE for name in names]


Attack = Callable[[float, int], list[Tally]]


def in_a_process_of_its_own(attack: Attack) -> Attack:
    """Get an attack whose process ends with it: what one slice has loaded is not counted for the next."""

    def attacked(scale: float, seed: int) -> list[Tally]:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as process:
            return process.submit(attack, scale, seed).result()

    return attacked


@dataclass
class Sliced:
    """What was done of a surface on one commit: each of ``slices`` has that share of ``scale``, and its own seed."""

    commit: str
    surface: str
    scale: float
    seed: int
    slices: int
    done: int = 0
    took_s: float = 0.0
    tallies: list[Tally] = field(default_factory=list)

    def go_on(self, attack: Attack, state: Path | None, until_s: float) -> None:
        """Do the slices that are left, keeping each, until ``until_s`` (of the monotonic clock) or the end."""
        while self.done < self.slices and (not self.done or time.monotonic() < until_s):
            begun_s = time.monotonic()
            found = attack(self.scale / self.slices, self.seed + self.done)
            for new, old in zip(found, self.tallies or [Tally(t.what) for t in found], strict=True):
                new.join(old)
            self.tallies, self.done, self.took_s = found, self.done + 1, self.took_s + time.monotonic() - begun_s
            if state is not None:
                beside = state.with_suffix(".new")
                beside.write_text(json.dumps(asdict(self)), encoding="utf-8")
                beside.replace(state)

    def table(self) -> str:
        """Get the table, with how far it got where that is not the end."""
        left = "" if self.done == self.slices else f"So far {self.done} of {self.slices} slices.\n\n"
        return left + as_table(self.tallies)


def begun(surface: Surface, args: argparse.Namespace) -> Sliced:
    """Get what was kept of a surface with these arguments on this commit, or a new one."""
    new = Sliced(commit(), surface.name, args.scale, args.seed, args.slices)
    if args.state is None or not args.state.exists():
        return new
    kept = json.loads(args.state.read_text(encoding="utf-8"))
    old = Sliced(**kept | {"tallies": [Tally(**tally) for tally in kept["tallies"]]})
    which = operator.attrgetter("commit", "surface", "scale", "seed", "slices")
    return old if which(old) == which(new) else new


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", choices=[s.name for s in surfaces()], help="one surface")
    asked.add_argument("--scale", type=float, default=1.0, help="of the full number of attacks")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--slices", type=int, default=1, help="so many parts, each kept when it is done")
    asked.add_argument("--state", type=Path, help="where they are kept, and gone on from")
    asked.add_argument("--within", type=float, default=math.inf, help="begin no slice after so many s")
    asked.add_argument("--write", action="store_true", help="into docs/security.md")
    args = asked.parse_args()
    os.nice(10)
    broken = 0
    for surface in surfaces():
        if args.only not in (None, surface.name):
            continue
        sliced = begun(surface, args)
        sliced.go_on(in_a_process_of_its_own(surface.attack), args.state, time.monotonic() + args.within)
        surface.section().report(sliced.table(), took_s=sliced.took_s, write=args.write)
        for tally in sliced.tallies:
            if not tally.kept:
                broken += 1
                print(f"NOT AS PROMISED: {tally.what}: {tally.first}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
