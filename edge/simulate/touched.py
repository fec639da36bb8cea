"""A rig that somebody wires: it is tapped, pressed, loaded, a wire comes off, two are swapped; all at stated times.

For learning what a live reading shows. This module must never be part of a test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from calibration.certificate import Certificate
from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config, usual
from hw.clock import NS_PER_S
from hw.sim.rig import Rig

from .clocks import PacedClock
from .instrument import PROBE, Wiring, calibrated, chips_on, instrument_on, rig_of

TAP_S, FINGER_S, LOAD_S, LOOSE_S = 8.0, (12.0, 16.0), (20.0, 25.0), (29.0, 32.0)
SWAPPED_S, PRESSED_S = 36.0, (42.0, 46.0)
"""When, in s from the beginning, somebody taps, presses, loads, pulls at a wire, swaps two, and presses again."""
FINGER_G, LOAD_G, TAP_G = 60.0, 100.0, 40.0


class TouchedRig:
    """A rig's signals with what somebody does to its load cell. It is a :class:`edge.simulate.instrument.Signals`."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        cell = rig.truth.cell
        self._ratio_per_g = cell.ratio_at_capacity / cell.capacity_g

    def bridge_ratio(self, t_ns: int) -> float:
        """Get the bridge's output in V/V of its excitation at ``t_ns``."""
        t_s = t_ns / NS_PER_S
        if LOOSE_S[0] <= t_s < LOOSE_S[1]:  # an input that nothing holds takes up whatever is near
            return 0.02 * math.sin(71.0 * t_s) * math.cos(13.7 * t_s)
        ratio = self._rig.bridge_ratio(t_ns) + _hand_g(t_s) * self._ratio_per_g
        return -ratio if t_s >= SWAPPED_S else ratio

    def oven_ohm(self, t_ns: int) -> float:
        """Get the resistance of the oven's thermometer in Ω at ``t_ns``."""
        return self._rig.oven_ohm(t_ns)

    def cell_ohm(self, t_ns: int) -> float:
        """Get the resistance of the load cell's thermometer in Ω at ``t_ns``."""
        return self._rig.cell_ohm(t_ns)


def _hand_g(t_s: float) -> float:
    since_tap_s = t_s - TAP_S
    if 0.0 <= since_tap_s < 1.0:
        return TAP_G * math.exp(-since_tap_s / 0.1) * math.cos(60.0 * since_tap_s)
    for begin_s, end_s in (FINGER_S, PRESSED_S):
        if begin_s <= t_s < end_s:
            return FINGER_G * (1.0 + 0.15 * math.sin(9.0 * t_s) + 0.1 * math.sin(23.0 * t_s))
    return LOAD_G if LOAD_S[0] <= t_s < LOAD_S[1] else 0.0


@dataclass(frozen=True, slots=True)
class SimulatedReading:
    """What a live reading needs, on a rig that is handled."""

    instrument: Instrument
    config: Config
    certificate: Certificate
    clock: PacedClock


def simulated_reading(bridge: str, seed: int, speed: float) -> SimulatedReading:
    """Get the chips of a rig that somebody wires, its settings and certificate. Raises ``BadValue``."""
    clock = PacedClock(speed)
    rig = rig_of("solid", seed)
    chips = chips_on(TouchedRig(rig), bridge, clock, seed)
    config = usual(bridge)
    instrument = instrument_on(chips, Wiring(config.bridge, PROBE, PROBE), clock, clock, 1)
    return SimulatedReading(instrument, config, calibrated(rig.truth, bridge, seed), clock)
