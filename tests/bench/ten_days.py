"""Ten simulated days of back-to-back runs through one station: are memory and file handles flat?

The station, the journal and the alarms are the real ones; the frames are a fast rig's (no registers), so that ten days
take minutes. ``make ten-days`` writes docs/reliability.md; ``tests/bench/test_ten_days.py`` is the small form.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bench_report import RELIABILITY, Section, table
from fast_rig import QuickRig
from simulated_service import settings

from edge.control.protocol import Start
from edge.database.journal import Journal
from edge.instrument.acquisition import Glance, Seen
from edge.records.frame import Frames
from edge.simulate.instrument import Simulated, build
from edge.simulate.operator import SimulatedOperator
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import Service
from hw.clock import NS_PER_S, SimClock
from hw.protocols import Conversion, ConverterState, Reading, Status
from hw.sim.rig import Rig

DAY_S = 86_400
SECTION = Section(
    "ten_days",
    "## Ten days",
    """
Back-to-back runs through one station: the real station, journal and alarms on a fast rig's frames. (The resident
memory is that of a process that also simulates the rig.)
""",
    page=RELIABILITY,
)


class Mark(NamedTuple):
    """How a station stands after some days."""

    day: float
    runs_ended: int
    resident_mb: float
    open_files: int
    objects: int
    database_mb: float


class QuickInstrument:
    """Stands in for the devices: a second of a fast rig, and one look at its end."""

    rate_sps = 10.0

    def __init__(self, quick: QuickRig, clock: SimClock) -> None:
        self.quick = quick
        self._clock = clock

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def describe(self) -> dict[str, dict[str, str | int | float]]:
        """Say that it is no device."""
        return {"bridge": {"bridge": "quick rig"}}

    def converter(self) -> ConverterState:
        """Say that nothing was ever reset."""
        return ConverterState("quick rig", fresh=False, resets=0)

    def frame(self, seq: int, t_ns: int, seen: Seen | None = None) -> Frames:
        """Get the next second."""
        frames = self.quick.frames(1)
        self._clock.sleep_s((t_ns + NS_PER_S - self._clock.now_ns()) / NS_PER_S)
        now_ns = self._clock.now_ns()
        if seen is not None:
            samples = tuple(Conversion(now_ns, int(code), Status.OK) for code in frames.code)
            oven, cell = (Reading(now_ns, int(c.value[0]), 0, Status.OK) for c in (frames.oven, frames.cell))
            seen(Glance(now_ns, samples, oven, cell, None))
        return replace(frames, seq=np.array([seq], "<i8"), t_ns=np.array([t_ns], "<i8"))


def resident_mb() -> float:
    """Get this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def live(folder: Path, days: float, *, every_days: float = 1.0, hold_s: float | None = None) -> Iterator[Mark]:
    """Measure back-to-back runs for some simulated days, and say every so often how the station stands.

    ``hold_s``: of a standard with a shorter hold, so that there are more runs a day.
    """
    simulated: Simulated = build("solid", "nau7802", 1)
    clock, end_ns, next_ns = simulated.clock, round(days * DAY_S * NS_PER_S), 0.0
    config = settings(folder, simulated, hold_s)
    with Journal(folder / "halfpercent.db") as journal:
        instrument = QuickInstrument(QuickRig(simulated.rig, 20.0, 1), clock)
        with Service(config, instrument, RetryingWriter(journal, clock, 5), clock) as service:  # type: ignore[arg-type]  # stands in
            station, runs = service.station, 0
            while clock.now_ns() < end_ns:
                instrument.quick = QuickRig(Rig(simulated.rig.truth, runs), 20.0, runs)
                operator = SimulatedOperator(instrument.quick.rig)
                service.start(Start(sample=f"S-{runs}", operator="Ada"), "ada")
                while station.live is not None and clock.now_ns() < end_ns:
                    until_ns = min(clock.now_ns() + round(min(0.25, every_days) * DAY_S * NS_PER_S), end_ns)
                    station.run(
                        lambda until_ns=until_ns: station.live is not None and clock.now_ns() < until_ns,  # type: ignore[misc]
                        words=operator.words,
                    )
                    if clock.now_ns() >= next_ns:
                        yield mark(clock.now_ns() / NS_PER_S / DAY_S, runs, folder)
                        next_ns += every_days * DAY_S * NS_PER_S
                runs += 1
            yield mark(clock.now_ns() / NS_PER_S / DAY_S, runs - (station.live is not None), folder)


def mark(day: float, runs_ended: int, folder: Path) -> Mark:
    """Say how this process and the database stand."""
    gc.collect()
    size = sum(p.stat().st_size for p in folder.glob("halfpercent.db*"))
    files = len(list(Path("/proc/self/fd").iterdir()))
    return Mark(day, runs_ended, resident_mb(), files, len(gc.get_objects()), size / 1e6)


def main() -> None:
    """Measure for days and say what memory and handles did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=10.0)
    parser.add_argument("--write", action="store_true", help="write the section of docs/reliability.md")
    args = parser.parse_args()
    began, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        for m in live(Path(name), args.days):
            print(m, flush=True)
            size, memory = f"{m.database_mb:.1f}", f"{m.resident_mb:.1f}"
            rows.append((f"{m.day:.2f}", m.runs_ended, memory, m.open_files, m.objects, size))
    found = table(("day", "runs ended", "resident MB", "open files", "objects", "database MB"), *rows)
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
