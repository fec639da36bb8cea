"""The instrument on the virtual Pi: the drivers that a config file names, on device nodes, with the chips far away.

It gives the same record that :func:`edge.simulate.instrument.build` gives for one process, so that whatever runs on
that runs here. Only the clock is not the machine's own.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config, loads_config
from edge.instrument.drivers import make_bridge, make_thermometer
from edge.simulate.instrument import DOUT_PIN, REF_OHM, SCK_PIN, Chips, Simulated, calibrated, rig_of
from hw.sim.rig import Rig
from virtualpi.clock import SharedClock

PROBE = f"wires = 4\nref_ohm = {REF_OHM}\nmains_hz = 50\n"
CONFIG = f"""[bridge]
chip = "%s"
sck_pin = "GPIO{SCK_PIN}"
dout_pin = "GPIO{DOUT_PIN}"

[oven_probe]
{PROBE}
[cell_probe]
{PROBE}chip_select = 1
"""


class Far:
    """One part at the far end, such as the rig or a chip: its methods are called, its values looked up, over there."""

    def __init__(self, hand: socket.socket, part: str) -> None:
        self._hand = hand
        self._part = part

    def do(self, name: str, *args: object) -> Any:
        """Call a method, or get a value."""
        self._hand.send(json.dumps((self._part, name, *args)).encode())
        return json.loads(self._hand.recv(65536))

    def unplug(self) -> None:
        self.do("unplug")

    def plug(self) -> None:
        self.do("plug")


class FarRig(Far):
    """The rig, as the simulated operator knows it."""

    def place_sample(self) -> None:
        self.do("place_sample")

    def heat(self, on: bool) -> None:
        self.do("heat", on)

    def pump(self, on: bool) -> None:
        self.do("pump", on)

    @property
    def oven_c(self) -> float:
        return float(self.do("oven_c"))

    @property
    def sample_mass_g(self) -> float:
        return float(self.do("sample_mass_g"))


def settings(bridge: str) -> Config:
    """Get the settings, from the text a person would write."""
    return loads_config(CONFIG % bridge)


@contextmanager
def far_end(scenario: str, bridge: str, seed: int, *options: str) -> Iterator[Path]:
    """Connect the chips of a rig for as long as the block runs; get the folder of their clock and socket."""
    with tempfile.TemporaryDirectory(dir="/run") as name:
        given = ["--scenario", scenario, "--bridge", bridge, "--seed", str(seed), "--folder", name, *options]
        command = [sys.executable, "-m", "virtualpi.far_end", *given]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                if process.stdout.readline() != "connected\n":
                    raise RuntimeError("the far end of the wires did not start")
                yield Path(name)
            finally:
                process.kill()


@contextmanager
def built(scenario: str, bridge: str, seed: int) -> Iterator[Simulated]:
    """Get what :func:`edge.simulate.instrument.build` gives, on the virtual Pi's device nodes."""
    config = settings(bridge)
    with far_end(scenario, bridge, seed) as folder, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as hand:
        hand.connect(str(folder / "hand"))
        clock = SharedClock(folder / "clock")
        assert config.cell_probe is not None
        oven, cell = (make_thermometer(probe, clock) for probe in (config.oven_probe, config.cell_probe))
        station = Instrument(make_bridge(config.bridge, clock), oven, cell, clock)
        # Of a chip and of the rig the runs use only what Far and FarRig have.
        chips = cast(Chips, SimpleNamespace(**{part: Far(hand, part) for part in ("bridge", "oven", "cell")}))
        rig = cast(Rig, FarRig(hand, "rig"))
        certificate = calibrated(rig_of(scenario, seed).truth, bridge, seed)
        yield Simulated(clock, rig, chips, station, certificate)
