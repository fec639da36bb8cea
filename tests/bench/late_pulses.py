"""How often an HX711's clock pulse is late while the rest of the instrument works: here, and in a process of its own.

The driver and the pins are the real ones and the time is real; the chip is a model. Beside it two threads do what an
instrument does (they compute and make garbage), so that the interpreter switches between them. ``make late-pulses``
writes docs/benchmarks.md; ``tests/bench/test_late_pulses.py`` is the small form.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter

from bench_report import Section, table
from child_bridges import CODE, hx711

from hw.clock import NS_PER_S, BootClock
from hw.protocols import Bridge, Conversion, Status
from hw.subprocess_bridge import SubprocessBridge

READS = 2000
NOISE_CODE = 50e-9 / 5.0 * 128 * (2 << 23)
"""The model's noise at gain 128, in codes rms."""
SECTION = Section(
    "late_pulses",
    "## Late pulses",
    """
How often a clock pulse of an HX711 on GPIO was longer than 50 µs, so that the sample was `LATE`: driver, pins and time
are real, the chip is a model; reads at 80 SPS; two threads beside it compute and make garbage all the time.
""",
    """
A sample that says it is good is the chip's own number within eight sigma of its noise, or the bench fails. On a Pi this
is not measured yet; the SPI port has no such pulses at all.
""",
    packages=(),
)


def ways() -> dict[str, tuple[Bridge, int]]:
    """Where the driver runs, and how many busy threads are beside it."""
    return {
        "in the instrument's process, idle": (hx711(), 0),
        "in the instrument's process, two busy threads": (hx711(), 2),
        "in a process of its own, two busy threads": (SubprocessBridge(hx711, name="hx711", rate_sps=80.0), 2),
    }


def busy(stop: threading.Event) -> None:
    """Compute and make garbage."""
    while not stop.is_set():
        sorted([str(i) for i in range(2000)])


def read(bridge: Bridge, threads: int, reads: int) -> list[Conversion]:
    """Read so often, with so many busy threads beside it."""
    clock, stop = BootClock(), threading.Event()
    others = [threading.Thread(target=busy, args=(stop,)) for _ in range(threads)]
    bridge.open()
    for other in others:
        other.start()
    try:
        return [bridge.read(clock.now_ns() + NS_PER_S) for _ in range(reads)]
    finally:
        stop.set()
        for other in others:
            other.join()
        bridge.close()


def false_numbers(samples: list[Conversion]) -> list[Conversion]:
    """Samples that say they are good, and are off by more than eight standard deviations of the chip's noise."""
    return [s for s in samples if s.status is Status.OK and abs(s.code - CODE) > 8.0 * NOISE_CODE]


def main() -> None:
    """Read, count, and say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=READS)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began, rows, real_time = time.monotonic(), [], False
    for where, (bridge, threads) in ways().items():
        samples = read(bridge, threads, args.reads)
        assert false_numbers(samples) == []
        counts = Counter(s.status for s in samples)
        rows.append((where, f"{counts[Status.LATE] / args.reads * 100:.2f} %", len(samples) - counts[Status.OK]))
        real_time = real_time or getattr(bridge, "real_time", False)
    found = table(("the driver runs", "late", f"of {args.reads} reads no number"), *rows)
    found += f"\n\nReal-time priority was {'' if real_time else 'not '}given to the process of its own."
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
