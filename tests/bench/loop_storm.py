"""The loop that measures, in a storm of requests and on a disk that stalls: its longest step, and seconds missed.

``make loop`` writes docs/benchmarks.md; ``tests/bench/test_loop_storm.py`` is the small form.
"""

from __future__ import annotations

import argparse
import time

from bench_report import Section, table
from storm import STORMS, measured

SECTION = Section(
    "loop_storm",
    "## The loop under a storm",
    """
A whole station measures a run in real time on chip models at 80 SPS (`tests/helpers/storm.py`), while processes beside
it throw requests at its socket, or the disk holds up one commit for most of the time. A step is what is done between
two reads of a chip: a look with its alarms and questions, or a frame's fold; what it waited for a commit is not in it.
The goals: at most 20 ms a step, and no second missed.
""",
    """
- `starts` name files that are dear to read (20 kB of dots, 2000 tables, a pipe, 600 kB): they are read beside the loop.
- In `no files` the station has one file descriptor left; in `stall` the disk holds a commit up for 60 % of the time.
- A step takes longer than its processor time where the machine is busy with other things, as it was here (see the
  load).
- The models' work is in the steps, and the throwers share the machine's two cores with the station.
""",
    packages=("msgspec", "numba"),
)


def main() -> None:
    """Weather each storm, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    rows = []
    for storm in STORMS:
        found = measured(storm, args.seconds)
        rows.append(
            (
                storm,
                found.seconds,
                found.missed,
                f"{found.longest_step_ms:.1f} ms",
                f"{found.longest_processor_ms:.1f} ms",
                f"{found.longest_commit_s:.2f} s",
                found.sent,
                f"{found.status_answered} of {found.status_asked}",
                f"{found.status_longest_s:.2f} s",
            )
        )
    columns = (
        "storm",
        "seconds",
        "missed",
        "longest step",
        "of processor time",
        "longest commit",
        "sent",
        "status answered",
        "at the latest after",
    )
    SECTION.report(table(columns, *rows), took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
