"""What is run twice, once in one process and once on the virtual Pi, and must give the same.

On the virtual Pi this file is the program; its answer is JSON in ``/out``.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.database import codec
from edge.database.journal import Journal
from edge.records.frame import Frames, join
from edge.records.result import as_json
from edge.records.sample import Sample
from edge.simulate.demo import DemoOrder, run_demo
from edge.simulate.instrument import Simulated, build
from edge.standards.standard import Standard, load_standard, loads_standard
from hw.clock import NS_PER_S
from hw.protocols import Status

NATIONAL = "gbt-48093-1-2026"
SHORT = 'id = "short"\ntitle = "A short test"\nlimit_pct = 0.5\ntemp_c = 120.0\nhold_s = {}\n'


@contextmanager
def in_process(scenario: str, bridge: str, seed: int) -> Iterator[Simulated]:
    yield build(scenario, bridge, seed)


@contextmanager
def on_nodes(scenario: str, bridge: str, seed: int) -> Iterator[Simulated]:
    from virtualpi.instrument import built

    with built(scenario, bridge, seed) as simulated:
        yield simulated


def whole_test(make: Any, scenario: str, bridge: str, seed: int, hold_s: int, database: str) -> dict[str, Any]:
    """Run a test from tare to verdict; ``hold_s`` 0 is the national standard's own."""
    standard: Standard = loads_standard(SHORT.format(hold_s)) if hold_s else load_standard(NATIONAL)
    path = Path(database)
    path.unlink(missing_ok=True)
    with Journal(path) as journal, make(scenario, bridge, seed) as simulated:
        result = as_json(run_demo(simulated, DemoOrder(standard, Sample("S-1"), seed), journal))
        raw, seconds = hashlib.sha256(), hashlib.sha256()
        samples = 0
        for row in journal.db.query("select * from chunks order by chunk"):
            raw.update(row["raw"])
            samples += row["samples"]
        for row in journal.db.query("select * from seconds order by second"):
            seconds.update(repr(tuple(row.values())).encode())
        newest = "select sha256 from what_is_in_each_chunk order by chunk desc limit 1"
        chain = [row["sha256"] for row in journal.db.query(newest)]
        settings = json.loads(next(journal.db.query("select settings_json from runs"))["settings_json"])
        versions = settings.pop("versions")  # of Python and the packages: another machine's may be others
        events = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for row in journal.db.query("select * from events order by event"):
            events.update(repr([value for name, value in row.items() if "sha256" not in name]).encode())
    return {
        "result": result,
        "samples": samples,
        "raw_sha256": raw.hexdigest(),
        "seconds_sha256": seconds.hexdigest(),
        "settings_and_events_sha256": events.hexdigest(),
        "chain": chain,
        "versions": versions,
    }


def frames(make: Any, bridge: str, seed: int, seconds: int, plugs: list[list[Any]]) -> dict[str, Any]:
    """Measure for some seconds; ``plugs`` are ``[second, part, "unplug" or "plug"]``."""
    taken: list[Frames] = []
    with make("solid", bridge, seed) as simulated:
        simulated.instrument.open()
        try:
            t0_ns = simulated.clock.now_ns()
            seq = 0
            while seq < seconds:
                for second, part, what in plugs:
                    if second == seq:
                        getattr(getattr(simulated.chips, part), what)()
                taken.append(simulated.instrument.frame(seq, t0_ns + seq * NS_PER_S))
                seq = max(seq + 1, (simulated.clock.now_ns() - t0_ns) // NS_PER_S)
        finally:
            simulated.instrument.close()
    return told(join(taken))


def told(taken: Frames) -> dict[str, Any]:
    """Say what frames hold: a hash of every number, and the statuses second by second."""

    def run_lengths(status: Any) -> list[list[Any]]:
        out: list[list[Any]] = []
        for value in status.tolist():
            if out and out[-1][0] == Status(value).name:
                out[-1][1] += 1
            else:
                out.append([Status(value).name, 1])
        return out

    return {
        "samples": len(taken.code),
        "raw_sha256": hashlib.sha256(codec.encode(taken)).hexdigest(),
        "first_codes": taken.code[:40].tolist(),
        "first_us": taken.sample_us[:40].tolist(),
        "bridge": run_lengths(taken.status),
        "oven": run_lengths(taken.oven.status),
        "cell": run_lengths(taken.cell.status),
    }


RUNS: dict[str, Callable[..., dict[str, Any]]] = {"whole_test": whole_test, "frames": frames}


def main() -> None:
    """Run what the first argument names with the JSON arguments after it, on the virtual Pi's nodes."""
    name, *given = sys.argv[1:]
    began = time.monotonic()
    answer = RUNS[name](on_nodes, *map(json.loads, given))
    answer["took_s"] = round(time.monotonic() - began, 1)
    Path("/out/answer.json").write_text(json.dumps(answer), encoding="utf-8")
    os.sync()


if __name__ == "__main__":
    main()
