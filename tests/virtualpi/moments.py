"""Restarts, power cuts and brown-outs at random moments of tests on the virtual Pi: any confident wrong verdict?

The nights are those that ``tests/bench/random_moments.py`` draws, but the drivers are on a kernel's device nodes, a
restart is another process, and a power cut kills the whole machine, which boots again from its own disk. Each test is
compared with the same night in one process. ``make random-moments-virtual-pi`` writes docs/reliability.md.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import math
import os
import shlex
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
from bench_report import RELIABILITY, Section, commit
from random_moments import act_drawn, drawn, found

from edge.qualify.acted_night import Acted

from . import machine
from .lives import AGAIN, CUT

SECTION = Section(
    "random-moments-virtual-pi",
    "## What happens at a random moment on the virtual Pi",
    """
The same on the virtual Pi (docs/virtual-pi.md): the drivers are on a kernel's `/dev/i2c-1` and `/dev/spidev0.*`, the
database on an ext4 image. A restart is another process; a power cut kills the whole machine, which boots anew and finds
what its disk has, and its chips start anew. The rig goes on meanwhile. The hold is short, the clock simulated, the
bridge a NAU7802: an HX711 on GPIO lines takes 20 minutes a test there. The seconds are the tests' own, added up.
""",
    """
In the one test of 2026-11-26 that is not the same (seed 14, a brown-out), the one-sided part differs in its 16th digit;
verdict, loss, U and truth are the same bits.
""",
    page=RELIABILITY,
)
MEMORY = "768M"
PATHS = ":".join(f"/halfpercent{folder}" for folder in ("", "/tests", "/tests/helpers", "/tests/bench"))
BOOTS = {"restart": (2, 1), "power_cut": (2, 2), "brown_out": (1, 1)}
"""How many processes and how many boots of the machine a night has."""


@dataclass(frozen=True)
class OnThePi:
    """One test that was run there: what came of it, in how many processes and boots.

    ``same``: verdict, loss, U, one-sided part and truth are those of the same night in one process, to the last bit.
    """

    seed: int
    commit: str
    acted: Acted
    processes: int
    boots: int
    same: bool

    def line(self) -> str:
        """Say it in one line."""
        same = "the same" if self.same else "ANOTHER RESULT"
        return f"{self.acted.line()}, {self.processes} processes, {self.boots} boots; in one process {same}"


def job(seed: int, hold_s: float, bridge: str) -> str:
    """Get the shell's words for one boot: life after life on the machine's own disk."""
    life = shlex.join(["python", "-m", "virtualpi.lives", str(seed), str(hold_s), bridge])
    return "\n".join(
        [
            f"export PYTHONPATH={PATHS}",
            "mkdir -p /run/data",
            "mount -t ext4 -o noatime /dev/ubda /run/data || exit 1",
            f"while {life}; [ $? = {AGAIN} ]; do :; done",
            "umount /run/data; sync",
        ]
    )


def act_in_time(seed: int, hold_s: float, bridge: str, at: str, until: float) -> OnThePi | None:
    """Act a drawn night out there, unless it is ``until`` by the monotonic clock already."""
    return act_on_the_pi(seed, hold_s, bridge, at) if time.monotonic() < until else None


def act_on_the_pi(seed: int, hold_s: float, bridge: str, at: str) -> OnThePi:
    """Act a drawn night out there, boot after boot. Raises ``RuntimeError`` where it comes to no end."""
    began, night, shown = time.monotonic(), drawn(seed, hold_s, bridge), ""
    with tempfile.TemporaryDirectory() as name:
        out, disk = Path(name), Path(name, "disk.ext4")
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", str(disk), "64M"], stdout=subprocess.DEVNULL, check=True)
        boots, cut = 0, True
        while cut:
            boots += 1
            cut, text = _boot(disk, job(seed, hold_s, bridge), out)
            shown += text
            with disk.open("r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_EX)  # until the last of the machine's processes is gone
        answer = out / "answer.json"
        if not answer.exists():
            raise RuntimeError(f"seed {seed}, {night.name}: no end:\n{shown[-4000:]}")
        told = json.loads(answer.read_bytes())
    one = replace(msgspec.convert(told["acted"], Acted), took_s=time.monotonic() - began)
    lives = told["lives"]
    if (len(lives), len(set(lives))) != BOOTS[night.name] or boots != len(set(lives)):
        raise RuntimeError(f"seed {seed}, {night.name}: {boots} boots, lives {lives}")
    twin = act_drawn(seed, hold_s, bridge)
    return OnThePi(seed, at, one, len(lives), boots, _told(one) == _told(twin))


def _told(one: Acted) -> tuple[object, ...]:
    return one.verdict, one.loss_pct, one.U_pct, one.one_sided_pct, one.true_loss_pct


def _boot(disk: Path, words: str, out: Path) -> tuple[bool, str]:
    """Have the machine on until it ends, or asks for the cut. Returns whether it did, and what it showed."""
    shown = []
    process = machine.start([f"ubd0={disk}", *machine.hosted()], words, out, subprocess.PIPE, MEMORY)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            shown.append(line.decode(errors="replace"))
            if shown[-1].strip() == CUT:
                os.killpg(process.pid, signal.SIGKILL)
                return True, "".join(shown)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    return False, "".join(shown)


def kept(path: Path | None, at: str) -> list[OnThePi]:
    """Get the tests that an earlier call left, of this commit."""
    if path is None or not path.exists():
        return []
    lines = [msgspec.json.decode(line, type=OnThePi) for line in path.read_bytes().splitlines()]
    return [one for one in lines if one.commit == at]


def main() -> None:
    """Act them out, two machines at a time, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--hold-s", type=float, default=1800.0)
    parser.add_argument("--bridge", default="nau7802")
    parser.add_argument("--workers", type=int, default=2, help="so many machines at a time")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no other after so long")
    parser.add_argument("--keep", type=Path, help="a file of what was done: of this commit it is not done again")
    parser.add_argument("--write", action="store_true", help="write the section of docs/reliability.md")
    args = parser.parse_args()
    began, at = time.monotonic(), commit()
    done = kept(args.keep, at)
    seeds = [s for s in range(args.first, args.first + args.tests) if s not in {one.seed for one in done}]

    of = {"hold_s": args.hold_s, "bridge": args.bridge, "at": at, "until": began + 60.0 * args.minutes}
    with ProcessPoolExecutor(args.workers) as pool:
        for one in pool.map(partial(act_in_time, **of), seeds):
            if one is None:
                continue
            print(one.line(), flush=True)
            done.append(one)
            if args.keep is not None:
                with args.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    same = f"{sum(one.same for one in done)} of {len(done)}"
    text = found([one.acted for one in done])
    text += f"\n\nVerdict, loss, U, one-sided part and truth as in one process, bit for bit: {same}."
    SECTION.report(text, took_s=sum(one.acted.took_s for one in done), write=args.write)


if __name__ == "__main__":
    main()
