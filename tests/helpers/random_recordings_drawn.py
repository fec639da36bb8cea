"""Recordings of tests by a balance that nobody here built, drawn at random with what went wrong in them.

Masses, rates, displays, ovens and kinetics of any size; one thing goes wrong in most. What the balance does by itself
is declared as whoever knows it would (``u_mass_g``), and the loss is known. It shares no code with the simulated rig.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

F8 = npt.NDArray[np.float64]
RNG = np.random.Generator


@dataclass(frozen=True)
class Test:
    """A test's times in s, oven in °C, masses in g without noise; when it began to cool, and the loss in %."""

    __test__ = False

    t_s: F8
    temp_c: F8
    mass_g: F8
    start_g: float
    rest_s: float
    hold_end_s: float
    cold_s: float
    loss_pct: float


@dataclass(frozen=True)
class Gone:
    """What went wrong: masses as they are then, rows that were written, and what of it the balance is known to do."""

    mass_g: F8
    kept: npt.NDArray[np.bool_]
    known_g: float = 0.0


def drawn_test(rng: RNG) -> Test:
    """Draw a test that is weighed cold: rest, up, a hold of six hours or more, down, rest."""
    interval_s = float(rng.choice([0.5, 1, 2, 5, 10, 30, 60]))
    rest_s, up_s, hold_s = rng.uniform(1800, 5400), rng.uniform(1200, 5400), rng.uniform(21_900, 26_000)
    down_s, after_s = rng.uniform(3600, 12_000), rng.uniform(1800, 5400)
    edges = np.cumsum([rest_s, up_s, hold_s, down_s])
    t = np.arange(0.0, edges[-1] + after_s, interval_s)
    hot_c = 120.0 + float(np.clip(rng.normal(0.0, 0.4), -1.5, 1.5))
    temp = np.interp(t, [0.0, *edges], [22.0, 22.0, hot_c, hot_c, 22.5])
    start_g = float(rng.choice([rng.uniform(20.0, 300.0), rng.uniform(0.005, 0.03)]))
    loss_pct = float(rng.choice([rng.uniform(0.3, 0.7), rng.uniform(0.45, 0.55), 0.05, 1.5]))
    rate = np.exp((temp - 120.0) / rng.uniform(8.0, 20.0))  # a pool that empties, and one that never does
    quick = 1.0 - np.exp(-np.cumsum(rate) * interval_s / rng.uniform(1200.0, 12_000.0))
    slow, share = np.cumsum(rate), rng.uniform(0.0, 0.5)
    gone = (1.0 - share) * quick / quick[-1] + share * slow / slow[-1]
    mass = start_g * (1.0 - loss_pct / 100.0 * gone)
    return Test(t, temp, mass, start_g, rest_s, float(edges[2]), float(edges[3]), loss_pct)


def _all(test: Test) -> npt.NDArray[np.bool_]:
    return np.ones(len(test.t_s), dtype=np.bool_)


def _of_load(rng: RNG, test: Test, low: float, high: float) -> float:
    return float(rng.choice([-1.0, 1.0]) * test.start_g * np.exp(rng.uniform(math.log(low), math.log(high))))


def _part(rng: RNG, test: Test, low_s: float, high_s: float) -> slice:
    from_s = rng.uniform(0.02, 0.98) * test.t_s[-1]
    at = np.searchsorted(test.t_s, (from_s, from_s + rng.uniform(low_s, high_s)))
    return slice(int(at[0]), int(at[1]))


def nothing(rng: RNG, test: Test) -> Gone:  # one of several
    """Nothing went wrong."""
    return Gone(test.mass_g, _all(test))


def step(rng: RNG, test: Test) -> Gone:
    """Something touched the holder, and stayed there."""
    at = _part(rng, test, 0.0, 1.0).start
    return Gone(test.mass_g + _of_load(rng, test, 5e-4, 2e-2) * (np.arange(len(test.t_s)) >= at), _all(test))


def lifted(rng: RNG, test: Test) -> Gone:
    """The sample was taken off for a while, and may lie elsewhere since."""
    off = _part(rng, test, 20.0, 1800.0)
    mass = test.mass_g + _of_load(rng, test, 1e-5, 1e-2) * (np.arange(len(test.t_s)) >= off.stop)
    mass[off] = 0.0
    return Gone(mass, _all(test))


def hole(rng: RNG, test: Test) -> Gone:
    """Nothing was written for a while, and something may have moved."""
    part, kept = _part(rng, test, 60.0, 3600.0), _all(test)
    kept[part] = False
    return Gone(test.mass_g + _of_load(rng, test, 1e-6, 1e-2) * (np.arange(len(test.t_s)) >= part.stop), kept)


def glitches(rng: RNG, test: Test) -> Gone:
    """One row in some hundreds is wild."""
    wild = rng.random(len(test.t_s)) < 0.003
    return Gone(test.mass_g * np.where(wild, rng.uniform(0.5, 1.5, len(test.t_s)), 1.0), _all(test))


def drift(rng: RNG, test: Test) -> Gone:
    """The balance drifts in a straight line, as it is known to."""
    whole_g = _of_load(rng, test, 1e-4, 5e-3)
    return Gone(test.mass_g + whole_g * test.t_s / test.t_s[-1], _all(test), abs(whole_g))


def waves(rng: RNG, test: Test) -> Gone:
    """The balance goes up and down, as it is known to."""
    high_g = abs(_of_load(rng, test, 1e-4, 3e-3))
    phase = 2.0 * math.pi * test.t_s / rng.uniform(600.0, 9000.0) + rng.uniform(0.0, 6.0)
    return Gone(test.mass_g + high_g * np.sin(phase), _all(test), high_g)


def untold_waves(rng: RNG, test: Test) -> Gone:
    """The balance goes up and down for hours, and is said to be steady."""
    high_g = abs(_of_load(rng, test, 2e-3, 1e-2))
    phase = 2.0 * math.pi * test.t_s / rng.uniform(3600.0, 9000.0) + rng.uniform(0.0, 6.0)
    return Gone(test.mass_g + high_g * np.sin(phase), _all(test))


def air(rng: RNG, test: Test) -> Gone:
    """The air goes and comes, at once or in minutes."""
    over_s, part = rng.uniform(1.0, 600.0), rng.uniform(2e-4, 1e-3)
    went = np.clip((test.t_s - test.rest_s - 60.0) / over_s, 0.0, 1.0)
    came = np.clip((test.t_s - test.hold_end_s - 600.0) / over_s, 0.0, 1.0)
    return Gone(test.mass_g + part * test.start_g * (went - came), _all(test))


def takes_up(rng: RNG, test: Test) -> Gone:
    """The sample takes up moisture from when it is nearly cold."""
    from_s = test.hold_end_s + 0.8 * (test.cold_s - test.hold_end_s)
    most_g = test.start_g * rng.uniform(5e-4, 4e-3)
    up = np.clip((test.t_s - from_s) / (test.t_s[-1] - from_s), 0.0, 1.0)
    return Gone(test.mass_g + most_g * up, _all(test))


KINDS: Mapping[str, Callable[[RNG, Test], Gone]] = MappingProxyType(
    {
        "nothing": nothing,
        "a step": step,
        "lifted": lifted,
        "a hole": hole,
        "glitches": glitches,
        "drift, declared": drift,
        "waves, declared": waves,
        "waves of hours, not declared": untold_waves,
        "air": air,
        "moisture": takes_up,
    }
)


@dataclass(frozen=True)
class Drawn:
    """A recording as text, what is declared of its balance in g (None: nothing), and the loss in %."""

    csv: str
    u_mass_g: float | None
    loss_pct: float


def recording(kind: str, seed: int) -> Drawn:
    """Draw a recording in which that goes wrong."""
    rng = np.random.default_rng((seed, *kind.encode()))
    test = drawn_test(rng)
    gone = KINDS[kind](rng, test)
    decimals = int(rng.integers(1, 5)) if test.start_g > 1.0 else int(rng.integers(5, 8))
    noise_g = 10.0**-decimals * float(rng.choice([0.3, 1.0, 3.0]))
    white = rng.standard_normal(len(test.t_s))
    if rng.random() < 0.3:  # with a memory
        left = math.exp(-(test.t_s[1] - test.t_s[0]) / rng.uniform(20.0, 200.0))
        white = np.asarray(lfilter([math.sqrt(1.0 - left * left)], [1.0, -left], white))
    mass = gone.mass_g + noise_g * white
    rows = zip(test.t_s[gone.kept], mass[gone.kept], test.temp_c[gone.kept], strict=True)
    lines = "".join(f"{t:.1f},{m:.{decimals}f},{c:.2f}\n" for t, m, c in rows)
    declared = rng.random() < 0.8
    u_g = math.hypot(10.0**-decimals, gone.known_g) if declared else None
    return Drawn(f"t_s,mass_g,temp_c\n{lines}", u_g, test.loss_pct)
