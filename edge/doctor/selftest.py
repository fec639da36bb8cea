"""What only a machine itself can tell: measured here, in ten minutes, into one record that can be sent back.

The pages say what was measured on other machines; this says what it is on this one. This module must never begin a
test, change a setting, write into a database of a person's, or record a name, an address or a serial number.
"""

from __future__ import annotations

import hashlib
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from edge import __version__
from edge.database.commit_speed import commit_times_s
from edge.database.connection import sqlite_version
from edge.fold import kernel, layout

from .finding import Finding
from .machine import examine, pi_model

FOLDED_S = 86_400
COMMITS = 200
NAP_S = 0.0005
"""A thread that naps so long wakes late by what would stretch a pulse."""
TEMPERATURES = Path("/sys/class/thermal/thermal_zone0/temp")
Say = Callable[[str], None]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Of many measured times in s: the median, one of a hundred, and the longest."""

    n: int
    median_s: float
    worst_of_100_s: float
    longest_s: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One check of the doctor's, as it was found."""

    check: str
    state: str
    found: str


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. ``format`` goes up when a field changes; times in s, memory in MB, temperature in °C."""

    format: int = 1
    software: str
    machine: str
    processor: str
    cores: int
    kernel: str
    python: str
    numpy: str
    sqlite: str
    memory_mb: float | None
    temp_c_before: float | None
    temp_c_after: float | None
    start_s: float
    first_fold_s: float
    fold_day_s: float
    fold_sha256: str
    commit: Spread
    wakes_late_idle: Spread
    wakes_late_busy: Spread
    checks: tuple[Found, ...]


def measure(config: Path, database: Path, minutes: float, say: Say) -> SelfTest:
    """Measure this machine for about so many minutes, most of it naps. ``database`` only says which disk is meant.

    ``say`` is told what is measured now. Raises ``OSError`` where the database's folder cannot be written to.
    """
    before_c = _temp_c()
    say("start: a command that computes nothing")
    start_s = _start_s()
    say("fold: the first compiles, then a made-up day of ten samples a second")
    first_fold_s, day_s, sha = _folded()
    say(f"commits: {COMMITS} of a second's rows, on the disk of {database.parent}")
    folder = next(p for p in (database.parent, *database.parent.parents) if p.is_dir())
    commit = _spread(commit_times_s(folder, COMMITS))
    nap_s = max(0.2, minutes * 30.0)
    say(f"pulses: how late a nap of {NAP_S * 1e6:.0f} µs ends, {nap_s:.0f} s idle, {nap_s:.0f} s with a busy core")
    idle, busy = _late(nap_s), _late_beside_work(nap_s)
    say("buses, pins, supply, clock, chips: as the doctor looks")
    return SelfTest(
        software=__version__,
        machine=pi_model() or "no Raspberry Pi",
        processor=platform.machine(),
        cores=os.cpu_count() or 0,
        kernel=platform.release(),
        python=platform.python_version(),
        numpy=np.__version__,
        sqlite=sqlite_version(),
        memory_mb=_memory_mb(),
        temp_c_before=before_c,
        temp_c_after=_temp_c(),
        start_s=start_s,
        first_fold_s=first_fold_s,
        fold_day_s=day_s,
        fold_sha256=sha,
        commit=commit,
        wakes_late_idle=idle,
        wakes_late_busy=busy,
        checks=tuple(_without_places(examine(config, database))),
    )


def _without_places(findings: Iterator[Finding]) -> Iterator[Found]:
    """Get what was found without the paths in it: a home folder holds a name."""
    home = str(Path("~").expanduser())
    for f in findings:
        yield Found(check=f.check, state=f.state, found=f.found.replace(home, "~"))


def _spread(times_s: list[float]) -> Spread:
    ordered = sorted(times_s)
    return Spread(
        n=len(ordered),
        median_s=statistics.median(ordered),
        worst_of_100_s=ordered[int(0.99 * (len(ordered) - 1))],
        longest_s=ordered[-1],
    )


def _start_s() -> float:
    begin_s = time.perf_counter()
    subprocess.run([sys.executable, "-m", "edge", "-h"], check=True, capture_output=True)
    return time.perf_counter() - begin_s


def _block(seconds: int) -> layout.Block:
    """Make up a day of codes by whole-number arithmetic alone: the same on every machine."""
    n = seconds * 10
    code = (400_000 + (np.arange(n, dtype=np.int64) * 7919) % 101).astype(np.float64)
    whole, none = np.full(seconds, 8363.0), np.zeros(seconds, np.uint8)
    return layout.Block(
        np.arange(seconds, dtype=np.int64),
        np.arange(seconds, dtype=np.float64),
        np.arange(0, n + 1, 10, dtype=np.int64),
        code,
        np.zeros(n, np.uint8),
        whole,
        none,
        whole,
        none,
        np.zeros(seconds),
        np.ones(seconds, np.uint8),
    )


def _folded() -> tuple[float, float, str]:
    """Get how long the first fold took, how long a day's, and the SHA-256 of the day's rows."""
    params = layout.new_params(span_code_per_g=1540.0, gate_code=600.0, rtd_is_code=1, cell_source=0)
    begin_s = time.perf_counter()
    kernel.advance(layout.new_state(), params, _block(10))
    first_s = time.perf_counter() - begin_s
    block = _block(FOLDED_S)
    begin_s = time.perf_counter()
    _, rows = kernel.advance(layout.new_state(), params, block)
    return first_s, time.perf_counter() - begin_s, hashlib.sha256(rows.tobytes()).hexdigest()


def _late(seconds: float) -> Spread:
    end_s, late_s = time.perf_counter() + seconds, []
    while (begin_s := time.perf_counter()) < end_s:
        time.sleep(NAP_S)
        late_s.append(time.perf_counter() - begin_s - NAP_S)
    return _spread(late_s)


def _late_beside_work(seconds: float) -> Spread:
    """Get the same while another thread folds without a pause, as the station does in a storm."""
    over = threading.Event()

    def work() -> None:
        params, block = layout.new_params(), _block(600)
        while not over.is_set():
            kernel.advance(layout.new_state(), params, block)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        return _late(seconds)
    finally:
        over.set()
        worker.join()


def _memory_mb() -> float | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError):
        return None


def _temp_c() -> float | None:
    try:
        return int(TEMPERATURES.read_text(encoding="ascii")) / 1000.0
    except (OSError, ValueError):
        return None
