"""Ten simulated days of back-to-back runs through one station: are memory and file handles flat?

The station, the journal and the alarms are the real ones; the frames are a fast rig's (no registers), so that ten days
take a quarter of an hour. ``make ten-days`` prints a line a day.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
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
from hw.protocols import Conversion, Reading, Status
from hw.sim.rig import Rig

DAY_S = 86_400


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


def main() -> None:
    """Measure for days and say what memory and handles did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=10.0)
    args = parser.parse_args()
    simulated: Simulated = build("solid", "nau7802", 1)
    clock, began = simulated.clock, time.monotonic()
    print("| day | runs ended | resident MB | open files | objects | database MB |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        config = settings(folder, simulated)
        with Journal(folder / "halfpercent.db") as journal:
            instrument = QuickInstrument(QuickRig(simulated.rig, 20.0, 1), clock)
            with Service(config, instrument, RetryingWriter(journal, clock, 5), clock) as service:  # type: ignore[arg-type]  # stands in
                station, runs, day = service.station, 0, 0.0
                while clock.now_ns() < args.days * DAY_S * NS_PER_S:
                    instrument.quick = QuickRig(Rig(simulated.rig.truth, runs), 20.0, runs)
                    operator = SimulatedOperator(instrument.quick.rig)
                    service.start(Start(sample=f"S-{runs}", operator="Ada"), "ada")
                    while station.live is not None:
                        end_ns = min(clock.now_ns() + DAY_S * NS_PER_S // 4, round(args.days * DAY_S * NS_PER_S))
                        station.run(
                            lambda end_ns=end_ns: station.live is not None and clock.now_ns() < end_ns,  # type: ignore[misc]
                            words=operator.words,
                        )
                        if clock.now_ns() >= day * DAY_S * NS_PER_S:
                            gc.collect()
                            size = sum(p.stat().st_size for p in folder.glob("halfpercent.db*")) / 1e6
                            files = len(list(Path("/proc/self/fd").iterdir()))
                            print(
                                f"| {clock.now_ns() / NS_PER_S / DAY_S:.2f} | {runs} | {resident_mb():.1f} | {files} | "
                                f"{len(gc.get_objects())} | {size:.1f} |",
                                flush=True,
                            )
                            day += 1.0
                        if clock.now_ns() >= args.days * DAY_S * NS_PER_S:
                            break
                    runs += 1
    print(f"took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
