"""SIGKILL at random moments through a recorded test, again and again, and a look at what is left each time.

Each life of the measuring process is a fork of this one (the compiler stays warm); it says over a pipe what it has
committed. After each kill: the database is whole, nothing that was said to be committed is missing; after the last life
the seconds and the result are those of a run that nobody killed, bit for bit where no second was lost.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recorded_run import Recorded, measure, newest_second, seconds_of

NOT_COMPARED = ("run_id", "warnings")


@dataclass
class Killed:
    """What came of one test that was killed again and again."""

    kills: int = 0
    lost_commits: int = 0
    broken: int = 0
    same_seconds: bool = False
    same_result: bool = False
    verdict: str = ""
    gaps: list[float | None] = field(default_factory=list)


def kill_through(
    database: Path,
    recorded: Recorded,
    rng: random.Random,
    *,
    mean_s: float,
    lost_s: tuple[int, int] = (0, 0),
    boots: bool = False,
    most: int | None = None,
) -> Killed:
    """Kill until the test is through. Before each resume up to ``lost_s`` seconds of it (from, to) are lost.

    ``boots``: each life has a boot of its own, with a boot clock that begins at 0. ``most``: after so many kills the
    process is left alone.
    """
    out, life = Killed(), 0
    while True:
        life += boots
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _live(database, recorded, write, rng.randint(*lost_s) if out.kills else 0, f"boot-{life}")
        os.close(write)
        if most is None or out.kills < most:
            time.sleep(rng.expovariate(1.0 / mean_s))
            os.kill(pid, signal.SIGKILL)
        said = b""
        while chunk := os.read(read, 65536):
            said += chunk
        os.close(read)
        os.waitpid(pid, 0)
        lines = [line for line in said.decode().split("\n")[:-1] if line]
        if lines and lines[-1] == "ended":
            break
        out.kills += 1
        if any(line == "begun" for line in lines) and not database.exists():
            out.lost_commits += 1
        try:
            newest = newest_second(database) if database.exists() else -1
        except (AssertionError, sqlite3.Error):
            out.broken += 1
            newest = -1
        committed = [int(line.split()[1]) for line in lines if line.startswith("committed")]
        out.lost_commits += bool(committed) and newest < committed[-1]
    db = sqlite3.connect(database)
    out.verdict = db.execute("select verdict from runs").fetchone()[0]
    out.gaps = [json.loads(d)["gap_s"] for (d,) in db.execute("select data_json from events where kind='resumed'")]
    db.close()
    return out


def _live(database: Path, recorded: Recorded, write: int, lost_s: int, boot: str) -> None:
    """Measure until killed; never return."""
    status = 1
    try:
        measure(
            database,
            recorded,
            boot_id=boot,
            lost_s=lost_s,
            say=lambda line: os.write(write, f"{line}\n".encode()) and None,
        )
        status = 0
    except BaseException as e:
        os.write(2, f"{type(e).__name__}: {e}\n".encode())
    finally:
        os._exit(status)


def compare(database: Path, whole: Path, out: Killed) -> Killed:
    """Compare a killed test with one that was not: its seconds and its result."""
    out.same_seconds = seconds_of(database) == seconds_of(whole)
    out.same_result = comparable(database) == comparable(whole)
    return out


def comparable(database: Path) -> dict[str, Any]:
    """Get the stored result, without what may differ between two runs of one test."""
    db = sqlite3.connect(database)
    try:
        result = json.loads(db.execute("select result_json from runs").fetchone()[0])
    finally:
        db.close()
    return {k: v for k, v in result.items() if k not in NOT_COMPARED}
