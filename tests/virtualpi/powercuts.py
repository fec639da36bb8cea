"""The power is cut at random moments through simulated tests: the whole virtual Pi is killed, booted, and goes on.

Its disk is an ext4 image; what is in the machine's memory is lost. The measuring process says on the console what it
has committed. After each cut the image is looked at by the next boot: ext4 recovers its journal, SQLite its own. Run
with ``make power-cuts``; prints a table for docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shlex
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from recorded_run import measure, record, recording, seconds_of
from sigkill import Killed, comparable

from . import machine

MEMORY = "768M"


def said(out: Path) -> list[str]:
    """Get the whole lines that the console showed."""
    text = (out / "console").read_bytes().decode(errors="replace")
    return [line.strip() for line in text.split("\n")[:-1]]


def job(life: int, lost_s: int) -> str:
    """Get the shell's words for one life: look at the disk, then measure."""
    measure = [
        "/halfpercent/tests/helpers/recorded_run.py",
        "/run/data/h.db",
        "/out/recording",
        f"boot-{life}",
        str(lost_s),
    ]
    return "\n".join(
        [
            "mkdir -p /run/data",
            "mount -t ext4 -o noatime /dev/ubda /run/data || echo cannot mount",
            f"python {shlex.join(measure)}",
            "cp /run/data/h.db /out/final.db; umount /run/data; sync",
        ]
    )


def cut_through(out: Path, recording: Path, rng: random.Random, *, mean_s: float, lost_s: tuple[int, int]) -> Killed:
    """Cut the power until the test is through."""
    result = Killed()
    image = out / "data.ext4"
    image.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", str(image), "64M"], check=True)
    shutil.copy(recording, out / "recording")
    committed, life = -1, 0
    while True:
        words = job(life, rng.randint(*lost_s) if life else 0)
        with (out / "console").open("wb") as console:
            process = machine.start([f"ubd0={image}", *machine.hosted()], words, out, console, MEMORY)
        life += 1
        kill_s: float | None = None
        before = committed
        while process.poll() is None:
            time.sleep(0.02)
            lines = said(out)
            if kill_s is None and "begun" in lines:
                kill_s = time.monotonic() + rng.expovariate(1.0 / mean_s)
            if kill_s is not None and time.monotonic() >= kill_s and "ended" not in lines:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                result.kills += 1
        lines = said(out)
        found = [int(line.split()[1]) for line in lines if line.startswith("found")]
        if found and found[0] < before:
            result.lost_commits += 1
        result.broken += any("cannot mount" in line or "Traceback" in line for line in lines)
        numbers = [int(line.split()[1]) for line in lines if line.startswith("committed")]
        committed = numbers[-1] if numbers else committed
        if "ended" in lines:
            break
        if "Traceback" in " ".join(lines):
            raise RuntimeError("\n".join(lines[-30:]))
    db = sqlite3.connect(out / "final.db")
    result.verdict = db.execute("select verdict from runs").fetchone()[0]
    result.gaps = [json.loads(d)["gap_s"] for (d,) in db.execute("select data_json from events where kind='resumed'")]
    db.close()
    return result


def rows(path: Path, query: str) -> list[Any]:
    """Get what a query gives."""
    db = sqlite3.connect(path)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def main() -> None:
    """Cut and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mean", type=float, default=3.0, help="seconds of measuring before a cut, on average")
    parser.add_argument("--keep", help="a folder that stays")
    args = parser.parse_args()
    rng = random.Random(args.seed)  # no secret
    total, began = Killed(), time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = args.keep or stack.enter_context(tempfile.TemporaryDirectory())
        Path(folder).mkdir(exist_ok=True)
        while total.kills < args.cuts:
            out = Path(folder)
            seed = rng.randint(1, 10_000)
            path = recording(out / f"recording-{seed}", seed)
            whole = out / f"whole-{seed}.db"
            measure(whole, record(seed))
            lost_s = (0, 0) if rng.random() < 0.5 else (0, 20)
            one = cut_through(out, path, rng, mean_s=args.mean, lost_s=lost_s)
            final = out / "final.db"
            one.same_seconds = seconds_of(final) == seconds_of(whole)
            one.same_result = comparable(final) == comparable(whole)
            if lost_s == (0, 0) and not one.same_result:
                ours, theirs = comparable(final), comparable(whole)
                differ = {k: (ours.get(k), theirs.get(k)) for k in ours | theirs if ours.get(k) != theirs.get(k)}
                print(f"not the same: {differ}", flush=True)
            verdict = rows(whole, "select verdict from runs")[0][0]
            total.kills += one.kills
            print(
                f"seed {seed}: {one.kills} cuts, lost seconds {lost_s}: commits lost {one.lost_commits}, damaged "
                f"{one.broken}, gaps {sum(1 for g in one.gaps if g)}, same seconds {one.same_seconds}, same result "
                f"{one.same_result}, {one.verdict} (uninterrupted {verdict}); {time.monotonic() - began:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
