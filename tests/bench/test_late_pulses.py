"""How often an HX711's clock pulse is late while the rest of the instrument works: here, and in a process of its own.

The driver and the pins are the real ones and the time is real; the chip is a model. Beside it two threads do what an
instrument does (they compute and make garbage), so that the interpreter switches between them.
"""

from __future__ import annotations

import threading
from collections import Counter

from child_bridges import hx711

from hw.clock import NS_PER_S, BootClock
from hw.protocols import Bridge, Status
from hw.subprocess_bridge import Apart

READS = 2000


def busy(stop: threading.Event) -> None:
    while not stop.is_set():
        sorted([str(i) for i in range(2000)])


def late(bridge: Bridge, threads: int) -> Counter[Status]:
    clock, stop = BootClock(), threading.Event()
    others = [threading.Thread(target=busy, args=(stop,)) for _ in range(threads)]
    bridge.open()
    for other in others:
        other.start()
    try:
        return Counter(bridge.read(clock.now_ns() + NS_PER_S).status for _ in range(READS))
    finally:
        stop.set()
        for other in others:
            other.join()
        bridge.close()


def test_late_pulses() -> None:
    print(f"\n{READS} reads at 80 SPS, real time, simulated chip")
    apart = Apart(hx711, name="hx711", rate_sps=80.0)
    for name, bridge, threads in (
        ("in the instrument's process, idle", hx711(), 0),
        ("in the instrument's process, two busy threads", hx711(), 2),
        ("in a process of its own, two busy threads here", apart, 2),
    ):
        counts = late(bridge, threads)
        assert sum(counts.values()) == READS
        shares = ", ".join(f"{s.name} {n}" for s, n in counts.most_common())
        print(f"  {name:48} late {counts[Status.LATE] / READS * 100:6.2f} %   ({shares})")
    print(f"  real-time priority was {'' if apart.real_time else 'not '}given")
