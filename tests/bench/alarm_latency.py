"""From a fault to its alarm: the journal's event and the relay's pin, over a thousand faults at random moments.

The whole service on chip models, in the hold of a test, 10 samples a second and four looks. Each fault comes at a
random moment, lasts for 3 s and is undone; when its alarm has closed it is acknowledged. Times are the simulated
clock's, which moves with every transfer and wait; what a commit costs in real time is said beside it. ``make alarms``
prints a table.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulated_chips import ScriptedClock
from simulated_service import Rigged, order, rigged

import edge.simulate.instrument
from edge.records.phase import Phase
from edge.station.alarms import INTERLOCK, Alarm
from hw.clock import NS_PER_S

LASTS_S = 3.0


def faults(it: Rigged) -> dict[str, tuple[Alarm, Callable[[], Any], Callable[[], Any]]]:
    """Get each fault's alarm, how it begins and how it ends."""
    chips, rig, clock = it.simulated.chips, it.simulated.rig, it.simulated.clock

    def oven(temp_c: float) -> Callable[[], None]:
        return lambda: rig._set("oven_c", temp_c)

    def fall() -> None:  # at once, and not with the rig's next second
        chips.bridge.signal = lambda t_ns: rig.bridge_ratio(t_ns) - 1e-4  # type: ignore[union-attr]

    def back() -> None:
        chips.bridge.signal = rig.bridge_ratio  # type: ignore[union-attr]

    def step(by_s: float) -> Callable[[], None]:
        def act() -> None:
            clock._wall_start_s += by_s

        return act

    return {
        "bridge unplugged": (Alarm.LOAD_CELL, chips.bridge.unplug, chips.bridge.plug),
        "bridge stops converting": (Alarm.LOAD_CELL, chips.bridge.stop, chips.bridge.go),  # type: ignore[union-attr]
        "bridge on its rail": (
            Alarm.LOAD_CELL,
            lambda: chips.bridge.saturate(1),
            lambda: chips.bridge.saturate(0),
        ),
        "oven probe unplugged": (Alarm.OVEN_PROBE, chips.oven.unplug, chips.oven.plug),
        "oven thermometer open": (Alarm.OVEN_PROBE, chips.oven.open_rtd, chips.oven.mend),
        "oven thermometer shorted": (Alarm.OVEN_PROBE, chips.oven.short_rtd, chips.oven.mend),
        "cell probe unplugged": (Alarm.CELL_PROBE, chips.cell.unplug, chips.cell.plug),
        "cell thermometer open": (Alarm.CELL_PROBE, chips.cell.open_rtd, chips.cell.mend),
        "oven at 140 °C": (Alarm.OVER_TEMPERATURE, oven(140.0), oven(120.0)),
        "oven at 116 °C": (Alarm.OUT_OF_BAND, oven(116.0), oven(120.0)),
        "a quarter of the sample falls off": (Alarm.LOSS_RATE, fall, back),
        "wall clock set back by an hour": (Alarm.CLOCK, step(-3600.0), lambda: None),
    }


def main() -> None:
    """Act faults out and print how long each alarm took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    edge.simulate.instrument.SimClock = ScriptedClock  # type: ignore[misc,assignment]
    took: dict[str, list[tuple[float, float | None]]] = {}
    missed = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, rigged(Path(folder), looks=4) as it:
        clock, station = it.simulated.clock, it.service.station
        assert isinstance(clock, ScriptedClock)
        it.service.start(order(), "ada")
        station.run(lambda: station.live is not None and station.live.phase is not Phase.HOLD, words=it.operator.words)
        it.run_s(900)
        commit_s: list[float] = []
        opened: list[tuple[str, float]] = []
        relay: list[tuple[float, int]] = []
        looked, happened = station.looked, station._happened

        def look(*given: Any) -> None:
            looked(*given)
            relay.append((clock.now_ns() / NS_PER_S, it.relay()))

        def note(kind: str, data: dict[str, Any], who: str) -> None:
            before = time.perf_counter()
            happened(kind, data, who)
            commit_s.append(time.perf_counter() - before)
            if kind == "alarm_opened":
                opened.append((data["alarm"], clock.now_ns() / NS_PER_S))

        station.looked, station._happened = look, note  # type: ignore[method-assign]
        acts = faults(it)
        for _ in range(args.faults):
            name = rng.choice(list(acts))
            alarm, begin, end = acts[name]
            opened.clear()
            relay.clear()
            at_ns = clock.now_ns() + round(rng.uniform(0.0, 1.0) * NS_PER_S)
            clock.at(at_ns, begin)
            clock.at(at_ns + round(LASTS_S * NS_PER_S), end)
            it.run_s(LASTS_S + 2.0)
            deadline_ns = clock.now_ns() + 60 * NS_PER_S
            stood = [(str(s.alarm), s.closed) for s in station.alarms.standing]
            while any(not s.closed for s in station.alarms.standing) and clock.now_ns() < deadline_ns:
                it.run_s(1.0)
            it.ask("ack")
            it.run_s(rng.uniform(0.0, 1.0))
            hit = [t for a, t in opened if a == alarm]
            open_at = [t for t, level in relay if not level and t >= at_ns / NS_PER_S]
            if not hit:
                missed += 1
                phase = None if station.live is None else str(station.live.phase)
                print("missed", name, at_ns, phase, stood, opened, file=sys.stderr)
                continue
            wants_relay = alarm in INTERLOCK
            took.setdefault(name, []).append(
                (
                    hit[0] - at_ns / NS_PER_S,
                    (open_at[0] - at_ns / NS_PER_S if open_at else 99.0) if wants_relay else None,
                )
            )
    everything = sorted(max(e, r or 0.0) for many in took.values() for e, r in many)
    print("| fault | times | to the event, median | longest | to the relay, longest |\n|---|---|---|---|---|")
    for name, many in took.items():
        events = sorted(e for e, _ in many)
        relays = [r for _, r in many if r is not None]
        longest = f"{max(relays):.2f} s" if relays else "not its business"
        print(f"| {name} | {len(many)} | {events[len(events) // 2]:.2f} s | {events[-1]:.2f} s | {longest} |")
    within = sum(t <= 1.0 for t in everything)
    print(
        json.dumps(
            {
                "faults": args.faults,
                "missed": missed,
                "within_1_s_pct": round(within / args.faults * 100.0, 2),
                "p99_s": round(everything[int(0.99 * len(everything))], 3),
                "commit_real_ms_p99": round(sorted(commit_s)[int(0.99 * len(commit_s))] * 1e3, 1),
                "took_s": round(time.monotonic() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
