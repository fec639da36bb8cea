"""What a calibration is made on: chips that give frames, and someone who puts weights on and heats the oven.

This module must never say that a weight is on without someone having been asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Literal

from calibration.barometer import plausible_pa
from calibration.calibration_record import ThermometerPlace, Weight
from edge.errors import CalibrationRefused, DeviceInUse
from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config
from edge.records.frame import Frames, join
from hw.barometer import Barometer
from hw.clock import NS_PER_S, BootClock, Clock
from hw.clock_sync import clock_is_set
from hw.errors import HwError
from hw.protocols import Bridge, Status

PATIENCE_NS = NS_PER_S
FIRST_S = 3  # after opening, a chip settles

Resistance = Literal["resistor", "short", "ice"]
Ask = Callable[[str], str]
"""Shows a person what is to be done and waits for a line, which it gets. Raises where nobody answers."""


class Bench:
    """Chips, a clock, and by ``ask`` a person who does what is to be done."""

    def __init__(
        self,
        fresh: Callable[[], Instrument],
        clock: Clock,
        bridge: Bridge | None,
        ask: Ask,
        clock_set: Callable[[], bool | None] = lambda: None,
        barometer: Barometer | None = None,
    ) -> None:
        self.clock = clock
        self.clock_set = clock_set
        """Says whether somebody who knows the time has set the wall clock (None: nobody knows)."""
        self._fresh = fresh
        self._bridge = bridge
        self._ask = ask
        self._barometer = barometer
        self.no_air = ""
        """Why the room's pressure is not read though there is a barometer ('': it is, or there is none)."""
        self._seq = 0
        self._open = ExitStack()

    def __enter__(self) -> Bench:
        instrument = self._fresh()
        instrument.open()
        self._open.callback(instrument.close)
        if self._barometer is not None:
            self._open.callback(self._barometer.close)
            try:
                self._barometer.open()
            except (HwError, DeviceInUse) as e:  # an aid: the calibration goes on without it
                self.no_air = str(e)
        try:
            self.record(FIRST_S)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def record(self, seconds: int) -> Frames:
        """Measure so many seconds from now on."""
        self._drain()
        instrument = self._fresh()  # on the same open devices, without what the last one had left over
        begin_ns = self.clock.now_ns()
        frames = [instrument.frame(self._seq + i, begin_ns + i * NS_PER_S) for i in range(seconds)]
        self._seq += seconds
        return join(frames)

    def air_pa(self) -> float | None:
        """Read the room's pressure in Pa; None where there is no barometer, or its reading is not good."""
        if self._barometer is None:
            return None
        codes = self._barometer.read()
        pa = plausible_pa(codes.pressure_code, codes.temp_code, self._barometer.trimming)
        return pa if codes.status is Status.OK and math.isfinite(pa) else None

    def _drain(self) -> None:
        """Throw away the samples of the time in which a person was waited for."""
        begin_ns = self.clock.now_ns()
        while self._bridge is not None:
            sample = self._bridge.read(self.clock.now_ns() + PATIENCE_NS)
            if sample.t_ns >= begin_ns:
                break

    def ask(self, text: str) -> str:
        """Have something done by whoever is there, and get the line that they answer."""
        return self._ask(text)

    def put(self, weight: Weight | None) -> None:
        """Have a weight put on the empty holder, or everything taken off it (None)."""
        what = "Take everything off the holder" if weight is None else f"Put {weight.mass_g:g} g on, and nothing else"
        self.ask(f"{what}, wait until it hangs still, then press Enter: ")

    def place(self, weight: Weight, where: str) -> None:
        """Have what lies there taken off, and a weight put on, ``where`` on the holder."""
        self.ask(f"Take it off, put {weight.mass_g:g} g on {where}, wait until it hangs still, then press Enter: ")

    def connect(self, kind: Resistance, ohm: float, probe: ThermometerPlace) -> None:
        """Have something known put in a thermometer's place, or the thermometer into ice."""
        what = {
            "resistor": f"Connect the {ohm:g} Ω resistor in place of the {probe} thermometer, at the end of its leads",
            "short": f"Connect the two leads of the {probe} thermometer with each other, at their end",
            "ice": f"Put the {probe} thermometer into melting ice, stir, and wait ten minutes",
        }
        self.ask(f"{what[kind]}, then press Enter: ")

    def leave(self, probe: ThermometerPlace) -> None:
        """Have a thermometer left where a test has it, in an oven that rests, pumped down as in the hold."""
        where = "in the pumped-down oven, at its temperature in a test," if probe == "oven" else "on the load cell"
        self.ask(f"Leave the {probe} thermometer {where} until it rests, then press Enter: ")

    def read_rarely(self, probe: ThermometerPlace, *, rarely: bool) -> float:
        """Have current flow through a thermometer only while it is read, once a second, or always (False).

        Returns for which share of the time it then flows. Raises ``CalibrationRefused`` where there is none.
        """
        flows_s = self._fresh().read_rarely(probe, rarely=rarely)
        if flows_s is None:
            raise CalibrationRefused(f"there is no {probe} thermometer: name it in the settings")
        return flows_s / 1.0

    def pump(self, vacuum_hpa: float | None) -> None:
        """Have the oven pumped down to so many hPa, or vented again (None), and the cell left alone until it rests."""
        what = "Let the air in again" if vacuum_hpa is None else f"Pump the cold oven down to {vacuum_hpa:g} hPa"
        self.ask(f"{what}, wait ten minutes, then press Enter: ")

    def warm(self, minute: int, minutes: int, *, loaded: bool) -> None:
        """Do with the oven what is due in this minute of so many: a person was told at the beginning."""


def real_bench(config: Config, ask: Ask) -> Bench:
    """Make the bench of the instrument that the settings describe."""
    from edge.instrument.drivers import make_barometer, make_bridge, make_thermometer

    clock = BootClock()
    bridge = make_bridge(config.bridge, clock)
    oven = None if config.oven_probe is None else make_thermometer(config.oven_probe, clock)
    cell = None if config.cell_probe is None else make_thermometer(config.cell_probe, clock)
    barometer = make_barometer(config.barometer, clock)
    return Bench(lambda: Instrument(bridge, oven, cell, clock), clock, bridge, ask, clock_is_set, barometer)
