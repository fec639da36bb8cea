"""What the station costs in real time: processor, memory, and the time from its start to the first stored sample.

A process of its own runs the whole service (drivers, fold, alarms, panel, journal with commits of 5 s, control socket)
on chip models at 80 SPS and the machine's own clock. The models' work is counted too, so what is found is a ceiling.
``make real-time`` writes docs/benchmarks.md; ``tests/bench/test_real_time.py`` is the small form.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench_report import Section, table

SECTION = Section(
    "real_time",
    "## The station in real time",
    """
The whole service in a process of its own (drivers, fold, alarms four times a second, panel, control socket, journal
with commits of 5 s) on chip models at 80 SPS and the machine's own clock. The models' work is in it, so these are
ceilings.
""",
    """
- 2.0 s of the start are the chip's own settling and the first second.
- A run that is judged adds 4 MB. Without a kernel cache the process compiles, and then keeps 236 MB; `make install`
  fills the cache. Six hours at 80 SPS are folded again in 0.7 s of processor time (4321 chunks: decoding 0.5 s,
  folding 0.2 s), warm. (Measured on commit 20da3a7, 2026-11-23, 2-core x86-64 VM.)
""",
)


class Cost(NamedTuple):
    """What a station cost from its start on."""

    seconds: float
    processor_pct: float
    resident_mb: float
    start_to_first_stored_s: float
    samples_per_s: float
    ok_pct: float


def child(folder: Path, seconds: float, rate_sps: int, warm_s: float) -> None:
    """Be the station: measure for some seconds, then say what it cost."""
    began_s = float(os.environ["BEGAN"])
    from real_time_station import real_time_station

    from edge.control.protocol import Start

    with real_time_station(folder, rate_sps) as (service, clock):
        service.start(Start(sample="x", operator="y"), "y")
        first_s: list[float] = []
        live = service.station.live
        assert live is not None
        commit = live.journal.commit

        def committed(wall_s: float, *, patience_s: float | None = None) -> None:
            waiting_s = live.journal.waiting_s
            commit(wall_s, patience_s=patience_s)
            if waiting_s and not first_s:
                first_s.append(time.monotonic() - began_s)

        live.journal.commit = committed  # type: ignore[method-assign]
        warm_ns = clock.now_ns() + round(warm_s * 1e9)
        service.station.run(lambda: clock.now_ns() < warm_ns)
        before, before_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        end_ns = clock.now_ns() + round(seconds * 1e9)
        service.station.run(lambda: clock.now_ns() < end_ns)
        after, after_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    db = sqlite3.connect(folder / "halfpercent.db")
    samples, ok = db.execute("select sum(samples_ok + samples_bad), sum(samples_ok) from seconds").fetchone()
    rows = db.execute("select count(*) from seconds").fetchone()[0]
    cost = Cost(
        seconds=round(after_s - before_s, 1),
        processor_pct=round(used_s / (after_s - before_s) * 100.0, 2),
        resident_mb=round(after.ru_maxrss / 1024.0, 1),
        start_to_first_stored_s=round(first_s[0], 2),
        samples_per_s=round(samples / rows, 1),
        ok_pct=round(ok / samples * 100.0, 2),
    )
    print(json.dumps(cost._asdict()))


def station(parent: Path, seconds: float, *, rate_sps: int = 80, warm_s: float = 5.0) -> Cost:
    """Start a station in a process of its own, and get what it says when so many seconds are over."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        command = [sys.executable, __file__, "--child", folder, "--seconds", str(seconds), "--rate", str(rate_sps)]
        began = {"BEGAN": str(time.monotonic()), "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [*command, "--warm", str(warm_s)], check=True, env=os.environ | began, stdout=subprocess.PIPE, text=True
        )
    return Cost(**json.loads(done.stdout))


def main() -> None:
    """Start the station and say what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--rate", type=int, default=80)
    parser.add_argument("--warm", type=float, default=5.0)
    parser.add_argument("--child", type=Path)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    if args.child:
        child(args.child, args.seconds, args.rate, args.warm)
        return
    began = time.monotonic()
    cost = station(Path(), args.seconds, rate_sps=args.rate, warm_s=args.warm)
    starts = [cost, *(station(Path(), 1.0, rate_sps=args.rate, warm_s=1.0) for _ in range(args.starts - 1))]
    starts_s = sorted(one.start_to_first_stored_s for one in starts)
    found = table(
        ("", f"{cost.seconds:.0f} s at {args.rate} SPS", "goal"),
        ("processor, of one core", f"{cost.processor_pct:.1f} %", "5 %"),
        ("resident memory", f"{cost.resident_mb:.0f} MB", "200 MB"),
        (
            f"start of the process to first stored sample, {len(starts)} starts",
            f"{starts_s[0]:.2f} to {starts_s[-1]:.2f} s",
            "3 s",
        ),
        ("samples that were numbers", f"{cost.ok_pct:.1f} %", ""),
    )
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
