"""One life of a simulated station on the virtual Pi: a process from its start to its end, by whatever ends it.

The rig, its chips and whoever handles them outlive it in a file on the host, as a rig does. At a restart of the service
this process ends and another begins; at a power cut it asks the console to be killed, and the machine with it. A thread
answers for the chips: what happens to them and who measures are one night. The drivers have only the device nodes.
This module must never hand a driver a chip.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, cast

from random_moments import STANDARD, drawn

from edge.control.protocol import Start
from edge.errors import HalfpercentError
from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config
from edge.instrument.drivers import make_instrument
from edge.qualify.acted_night import acted
from edge.simulate.night_file import Night
from edge.simulate.simulated_station import SimulatedStation
from edge.simulate.world import World
from edge.station.simulation import PowerLost
from virtualpi.far_end import Wires, connected, serve

AGAIN = 75
"""The exit status of a life after which another is to begin."""
CUT = "cut the power"
"""What is said on the console then."""
WORLD, ANSWER = Path("/out/world"), Path("/out/answer.json")
DATA = Path("/run/data")
"""Where the machine's own disk is: what a cut leaves of it is what the next life finds."""


@dataclass(frozen=True, slots=True)
class WorldBehindNodes(World):
    """A world whose chips are behind the machine's device nodes."""

    def instrument(self, config: Config, looks: int) -> Instrument:
        """Get the drivers that the settings name, on the machine's own buses."""
        return make_instrument(config, self.machine, looks=looks)


class Lives(SimulatedStation):
    """A simulated station whose lives are processes, and whose power cuts are the machine's."""

    def __init__(self, night: Night, hold_s: float) -> None:
        super().__init__(night, DATA / "h.db", DATA, hold_s=hold_s)
        world = self._world
        self._world = WorldBehindNodes(*(getattr(world, field.name) for field in fields(World)))
        self._operator._true_mass_g = partial(getattr, world.disturbances, "dry_mass_g")  # a file cannot hold a lambda
        self.order: Start | None = None
        self.lives: list[str] = []
        """What each life began with: a boot of the machine, by its kernel's name."""

    def wire(self) -> None:
        """Connect the chips to the kernel, from now on and for as long as this process lives."""
        wires = Wires(self._world.chips, self._world.clock)
        threading.Thread(target=serve, args=(connected(wires), wires, threading.Lock()), daemon=True).start()

    def live(self) -> bool:
        """Be one life. Returns whether another is to come."""
        self.lives.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        self._course.off()
        order, self.order = self.order, None
        self._live(order, len(self.lives), until_done=True, control=None, typed=None, show=None)
        return self._course.stop is not None

    def _look(self, until_done: bool) -> None:
        try:
            super()._look(until_done)
        except PowerLost:
            self.keep()
            print(CUT, flush=True)
            while True:  # nothing of this process is closed or written any more
                signal.pause()

    def keep(self) -> None:
        """Keep the world, and what is to happen in it, on the host."""
        service, self._course.service = self._course.service, None
        beside = WORLD.with_suffix(".new")
        beside.write_bytes(pickle.dumps(self))
        beside.rename(WORLD)
        self._course.service = service

    def answer(self, began: float) -> dict[str, Any]:
        """Get what came of it."""
        if self._result is None:
            raise SystemExit("no run came to its end")
        return {"acted": asdict(acted(self._night, self._result, time.monotonic() - began)), "lives": self.lives}


def begun(seed: int, hold_s: float, bridge: str) -> Lives:
    """Draw a night, and begin it: the order for its test waits for the first life."""
    station = Lives(drawn(seed, hold_s, bridge), hold_s)
    head, standard = station._night.head, DATA / "standard.toml"
    standard.write_text(STANDARD.format(hold_s=hold_s), encoding="utf-8")
    station.order = Start(
        sample=station._night.name,
        operator="simulated",
        standard=str(standard),
        certificate=str(station.certificate),
        zero_after=head.zero_after,
        check_weight_g=head.check_weight_g,
    )
    return station


def main() -> None:
    """Be one life; the exit status says whether there is another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("hold_s", type=float)
    parser.add_argument("bridge")
    given = parser.parse_args()
    began = time.monotonic()
    if WORLD.exists():
        station = cast(Lives, pickle.loads(WORLD.read_bytes()))  # our own, of the life before
    else:
        station = begun(given.seed, given.hold_s, given.bridge)
    station.wire()
    try:
        again = station.live()
    except HalfpercentError as e:
        raise SystemExit(str(e)) from e
    if again:
        station.keep()
    else:
        ANSWER.write_text(json.dumps(station.answer(began)), encoding="utf-8")
    sys.stdout.flush()
    os._exit(AGAIN if again else 0)  # the thread that serves never ends


if __name__ == "__main__":
    # By this name a file that is read finds its class again.
    from virtualpi import lives

    lives.main()
