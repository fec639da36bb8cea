"""From a fault to its alarm: the journal's event and the relay's pin, over a thousand faults at random moments.

The whole service on chip models, in the hold of a test, 10 samples a second and four looks. Each fault comes at a
random moment, lasts for 3 s and is undone; when its alarm has closed it is acknowledged. Times are the simulated
clock's, which moves with every transfer and wait; what a commit costs in real time is said beside it. ``make alarms``
writes docs/reliability.md; ``tests/bench/test_alarm_latency.py`` is the small form.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from bench_report import RELIABILITY, Section, table
from simulated_chips import ScriptedClock
from simulated_service import Rigged, order, rigged

from edge.records.event import AlarmOpened, Happening
from edge.records.phase import Phase
from edge.station.alarms import INTERLOCK, Alarm
from hw.clock import NS_PER_S

SECTION = Section(
    "alarm_latency",
    "## Alarms: a thousand faults",
    """
The whole service on chip models, in the hold of a test, 10 samples a second and four looks; each fault comes at a
random moment and lasts for 3 s.
""",
    """
Times are the simulated clock's, which moves with every transfer and wait. The first run of this bench missed 10 of
60: two looks too near each other found the probes still settling, and a frame kept that.
`tests/edge/instrument/test_acquisition.py` holds it.

A disk's fault is seen when something is to be written: up to 5 s later (`commit_every_s`), and at once where an event
is due. Under-voltage is looked at once a second by us and every 2 s by the kernel.
""",
    page=RELIABILITY,
)
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


@dataclass
class Latencies:
    """How long each fault took to its alarm's event and to the open relay, in s."""

    to_event_s: dict[str, list[float]] = field(default_factory=dict)
    to_relay_s: dict[str, list[float]] = field(default_factory=dict)
    """Of the faults whose alarm opens the relay; infinite where it stayed closed."""
    missed: list[str] = field(default_factory=list)
    commits_s: list[float] = field(default_factory=list)
    """What writing each event took, in real time."""

    @property
    def longest_s(self) -> list[float]:
        """Of each fault the longer of the two, sorted."""
        out = []
        for name, events in self.to_event_s.items():
            out += map(max, events, self.to_relay_s.get(name, events))
        return sorted(out)


def act_out(folder: Path, names: Callable[[Iterable[str]], Iterable[str]], rng: random.Random) -> Latencies:
    """Act faults out in the hold of a test, those that ``names`` draws from all there are."""
    out = Latencies()
    with mock.patch("edge.simulate.instrument.SimClock", ScriptedClock), rigged(folder, looks=4) as it:
        clock, station = it.simulated.clock, it.service.station
        assert isinstance(clock, ScriptedClock)
        it.service.start(order(), "ada")
        station.run(lambda: station.live is not None and station.live.phase is not Phase.HOLD, words=it.operator.words)
        it.run_s(900)
        opened: list[tuple[str, float]] = []
        relay: list[tuple[float, int]] = []
        looked, happened = station.looked, station._log_event

        def look(*given: Any) -> None:
            looked(*given)
            relay.append((clock.now_ns() / NS_PER_S, it.relay()))

        def note(what: Happening, who: str) -> None:
            before = time.perf_counter()
            happened(what, who)
            out.commits_s.append(time.perf_counter() - before)
            if isinstance(what, AlarmOpened):
                opened.append((what.alarm, clock.now_ns() / NS_PER_S))

        station.looked, station._log_event = look, note  # type: ignore[method-assign]
        acts = faults(it)
        for name in names(acts):
            alarm, begin, end = acts[name]
            opened.clear()
            relay.clear()
            at_ns = clock.now_ns() + round(rng.uniform(0.0, 1.0) * NS_PER_S)
            clock.at(at_ns, begin)
            clock.at(at_ns + round(LASTS_S * NS_PER_S), end)
            it.run_s(LASTS_S + 2.0)
            deadline_ns = clock.now_ns() + 60 * NS_PER_S
            while any(not s.closed for s in station.alarms.standing) and clock.now_ns() < deadline_ns:
                it.run_s(1.0)
            it.ask("ack")
            it.run_s(rng.uniform(0.0, 1.0))
            at_s = at_ns / NS_PER_S
            hit = [t for a, t in opened if a == alarm]
            if not hit:
                out.missed.append(name)
                print("missed", name, at_ns, opened, file=sys.stderr)
                continue
            out.to_event_s.setdefault(name, []).append(hit[0] - at_s)
            if alarm in INTERLOCK:
                open_s = [t - at_s for t, level in relay if not level and t >= at_s]
                out.to_relay_s.setdefault(name, []).append(open_s[0] if open_s else float("inf"))
    return out


def found(of: Latencies) -> str:
    """How soon each fault was an alarm, as a table, and the sums."""
    rows = []
    for name, events in of.to_event_s.items():
        longest = f"{max(of.to_relay_s[name]):.2f} s" if name in of.to_relay_s else "not its business"
        median_s = sorted(events)[len(events) // 2]
        rows.append((name, len(events), f"{median_s:.2f} s", f"{max(events):.2f} s", longest))
    everything, commits_s = of.longest_s, sorted(of.commits_s)
    n = len(everything) + len(of.missed)
    within = sum(t <= 1.0 for t in everything) / n * 100.0
    said = f"Of {n} faults {len(of.missed)} were no alarm; {within:.1f} % were within a second, 99 % within "
    said += f"{everything[int(0.99 * len(everything))]:.2f} s.\nWriting the event took up to "
    said += f"{commits_s[int(0.99 * len(commits_s))] * 1e3:.0f} ms of real time (99 %) on this machine's disk."
    return table(("fault", "times", "to the event, median", "longest", "to the relay, longest"), *rows) + "\n\n" + said


def main() -> None:
    """Act faults out and say how long each alarm took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the section of docs/reliability.md")
    args = parser.parse_args()
    rng, began = random.Random(args.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        of = act_out(Path(folder), lambda names: (rng.choice(list(names)) for _ in range(args.faults)), rng)
    SECTION.report(found(of), took_s=time.monotonic() - began, write=args.write)
    if of.missed:
        raise SystemExit("there were faults without their alarm")


if __name__ == "__main__":
    main()
