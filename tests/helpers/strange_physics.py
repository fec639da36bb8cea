"""Rigs whose physics the software does not assume: a generator of its own, in numpy, a second at a time.

Everything is in g on the cell until it becomes codes. Laws of noise, drift, creep, weather, moisture and heat are drawn
by family. This module must never use the simulated rig's code, nor tell what measures what is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

F8 = npt.NDArray[np.float64]

HOUR = 3600
CAPACITY_G = 500.0
VMIN_G = CAPACITY_G / 10_000.0
OVEN_C, T_REF_C = 120.0, 25.0
AIR_G_CM3 = 1.184e-3
AIR_KPA = 101.3
LONGEST_S = 40 * HOUR


@dataclass(frozen=True)
class Physics:
    """One rig's laws. Masses in g, times in s; ``seed`` is of all that is random in its nights."""

    seed: int
    sample_g: float
    loss_pct: float
    cm3_per_g: float
    holder_cm3: float
    codes_per_g: float
    zero_code: float
    white_g: float
    walk_g: float
    """After an hour."""
    zero_per_k: float
    span_per_k: float
    bend_per_g: float
    lag_s: float
    per_oven: float
    room_c: float
    cool_s: float
    heat_s: float
    creep: tuple[tuple[float, float], ...]
    """Shares of the load, and the time constant with which each comes."""
    log_creep: float = 0.0
    """Share of the load that has come after eight hours, by the logarithm of time."""
    kept: float = 0.0
    """Of the creep that comes back when the load is taken off, so much does not."""
    ar_g: float = 0.0
    ar_s: float = 60.0
    ar_in_calibration: bool = False
    drift_g_per_h: float = 0.0
    red_g_per_h: float = 0.0
    red_s: float = 7200.0
    weather_g_per_kpa: float = 0.0
    undulation_g: float = 0.0
    gradient_per_k: float = 0.0
    gradient_lag_s: float = 600.0
    moisture_g: float = 0.0
    moisture_s: float = 7200.0
    solvent_g: float = 0.0
    solvent_s: float = 3600.0
    opened_s: float = 600.0
    holder_g: float = 0.0
    holder_back_s: float = 20.0 * HOUR
    holes_per_h: float = 0.0


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]))


def _plain(seed: int, rng: np.random.Generator) -> Physics:
    """Draw what every rig has: white noise, a small random walk, some creep that comes back, heat and air."""
    creep = _log(rng, 2e-5, 1.5e-4) * (1.0 if rng.random() < 0.7 else -1.0)
    return Physics(
        seed=seed,
        sample_g=float(rng.uniform(60.0, 280.0)),
        loss_pct=float(rng.uniform(0.4, 0.6)),
        cm3_per_g=float(1.0 / rng.uniform(1.5, 4.0)),
        holder_cm3=float(rng.uniform(4.0, 18.0)),
        codes_per_g=_sign(rng) * float(rng.uniform(5000.0, 9000.0)),
        zero_code=float(rng.uniform(-4e5, 4e5)),
        white_g=_log(rng, 1e-3, 6e-3),
        walk_g=_log(rng, 5e-4, 4e-3),
        zero_per_k=_sign(rng) * _log(rng, 5e-4, 8e-3),
        span_per_k=_sign(rng) * _log(rng, 1e-6, 2e-5),
        bend_per_g=_sign(rng) * _log(rng, 1e-9, 5e-8),
        lag_s=float(rng.uniform(600.0, 2700.0)),
        per_oven=float(rng.uniform(0.08, 0.2)),
        room_c=float(rng.uniform(20.0, 26.0)),
        cool_s=float(rng.uniform(1500.0, 2600.0)),
        heat_s=float(rng.uniform(500.0, 900.0)),
        creep=((creep, _log(rng, 1200.0, 7200.0)),),
    )


Draw = Callable[[np.random.Generator, Physics], dict[str, Any]]


def _two_times(rng: np.random.Generator, p: Physics) -> dict[str, Any]:
    whole, fast = _log(rng, 5e-5, 2.5e-4) * _sign(rng), float(rng.uniform(0.2, 0.7))
    return {"creep": ((whole * fast, _log(rng, 120.0, 900.0)), (whole * (1.0 - fast), _log(rng, 7200.0, 43_200.0)))}


def _mixed(rng: np.random.Generator, p: Physics) -> dict[str, Any]:
    out: dict[str, Any] = {}
    names = ("draught, calibrated", "creep kept", "drift", "red drift", "weather", "gradient", "holes")
    for name in rng.choice(names, 3, replace=False):
        out |= FAMILIES[str(name)](rng, p)
    for field in ("ar_g", "drift_g_per_h", "red_g_per_h", "weather_g_per_kpa", "gradient_per_k"):
        out[field] = out.get(field, 0.0) * 0.6
    return out


def _kept(rng: np.random.Generator, p: Physics) -> dict[str, Any]:
    creep = _log(rng, 5e-5, 2.5e-4) * _sign(rng)
    return {"creep": ((creep, _log(rng, 1200.0, 7200.0)),), "kept": float(rng.uniform(0.0, 0.6))}


FAMILIES: Mapping[str, Draw] = MappingProxyType(
    {
        "plain": lambda rng, p: {},
        "draught": lambda rng, p: {"ar_g": _log(rng, 4e-3, 2e-2), "ar_s": _log(rng, 15.0, 200.0)},
        "draught, calibrated": lambda rng, p: {
            "ar_g": _log(rng, 4e-3, 2e-2),
            "ar_s": _log(rng, 15.0, 200.0),
            "ar_in_calibration": True,
        },
        "creep kept": _kept,
        "creep, two times": _two_times,
        "creep, logarithm": lambda rng, p: {"creep": (), "log_creep": _sign(rng) * _log(rng, 5e-5, 2.5e-4)},
        "drift": lambda rng, p: {"drift_g_per_h": _sign(rng) * _log(rng, 1e-3, 8e-3)},
        "red drift": lambda rng, p: {"red_g_per_h": _log(rng, 1e-3, 6e-3), "red_s": _log(rng, 3600.0, 4.0 * HOUR)},
        "weather": lambda rng, p: {"weather_g_per_kpa": _sign(rng) * float(rng.uniform(0.2, 1.0)) * VMIN_G},
        "moisture": lambda rng, p: {"moisture_g": _log(rng, 0.03, 0.15), "moisture_s": _log(rng, 3600.0, 5.0 * HOUR)},
        "solvent": lambda rng, p: {
            "solvent_g": float(rng.uniform(0.1, 0.4)) * 0.004 * p.sample_g,
            "solvent_s": _log(rng, 1800.0, 3.0 * HOUR),
            "opened_s": float(rng.uniform(120.0, 1200.0)),
        },
        "holder": lambda rng, p: {"holder_g": _log(rng, 3e-3, 2.5e-2), "holder_back_s": _log(rng, 2.0, 30.0) * HOUR},
        "undulation": lambda rng, p: {"undulation_g": 0.025},
        "gradient": lambda rng, p: {
            "gradient_per_k": _sign(rng) * _log(rng, 2e-3, 8e-3),
            "gradient_lag_s": p.lag_s * float(rng.choice([rng.uniform(0.3, 0.7), rng.uniform(1.4, 2.5)])),
        },
        "coarse": lambda rng, p: {
            "codes_per_g": _sign(rng) * _log(rng, 80.0, 400.0),
            "zero_code": float(rng.uniform(-4e3, 4e3)),
        },
        "quiet": lambda rng, p: {"white_g": _log(rng, 3e-5, 2e-4), "walk_g": _log(rng, 2e-4, 1e-3)},
        "holes": lambda rng, p: {"holes_per_h": float(rng.uniform(1.0, 8.0))},
        "mixed": _mixed,
    }
)
"""What each family changes of the plainest rig."""


def draw(family: str, seed: int) -> Physics:
    """Draw a rig of a family."""
    rng = np.random.default_rng((seed, *family.encode()))
    plain = _plain(seed, rng)
    return replace(plain, **FAMILIES[family](rng, plain))


@dataclass(frozen=True)
class Seconds:
    """Seconds of a rig: the load cell's signal in codes before its white noise, and both temperatures."""

    code: F8
    oven_c: F8
    cell_c: F8


class StrangeRig:
    """A rig with a clock. It remembers all loads; noise begins anew with :meth:`begin`.

    Its cell stands under the oven, in the room's air; ``cell_inside``: it was put into the oven, and feels the vacuum.
    """

    def __init__(self, physics: Physics) -> None:
        self.physics = physics
        self.rng = np.random.default_rng((physics.seed, 77))
        self._barometer_rng = np.random.default_rng((physics.seed, 78))
        self.hot = self.vacuum = self.cell_inside = False
        self.now_s = 0
        self._loads: list[tuple[int, float]] = []
        self._weight_g = self._dry_g = self._volatile_g = self._solvent_g = self._moist_g = self._holder_g = 0.0
        self._moist_to_g = self._opened_g = 0.0
        self._was_hot = False
        self._oven_c = self._cell_c = self._other_c = physics.room_c
        self._begun_s, self._cm3_per_g = 0, 0.0
        self._phase = float(self.rng.uniform(0.0, 2.0 * math.pi))
        self.begin(calibration=True)

    def begin(self, *, calibration: bool = False) -> None:
        """Draw what the next hours' zero, air and room will do."""
        p, rng, n = self.physics, self.rng, LONGEST_S
        self._begun_s = self.now_s
        zero = np.cumsum(rng.standard_normal(n)) * p.walk_g / math.sqrt(HOUR)
        if p.ar_g > 0.0 and (p.ar_in_calibration or not calibration):
            zero += p.ar_g * _autoregressive(rng, n, p.ar_s)
        if p.red_g_per_h > 0.0:
            zero += np.cumsum(p.red_g_per_h * _autoregressive(rng, n, p.red_s)) / HOUR
        hours = np.arange(n) / HOUR
        self._kpa = 0.2 * _autoregressive(rng, n, 5.0 * HOUR) + float(rng.normal(0.0, 0.03)) * hours
        turn = 2.0 * math.pi * (hours / 24.0 + float(rng.random()))
        self._room_c = p.room_c + float(rng.uniform(0.0, 0.8)) * np.sin(turn) + 0.15 * _autoregressive(rng, n, 3600.0)
        self._zero_g = zero

    def rest(self, seconds: int) -> None:
        """Let time go by with nobody looking, the oven cold and the holder empty."""
        self.now_s += seconds
        p = self.physics
        self._oven_c = self._cell_c = self._other_c = p.room_c
        self._holder_g *= math.exp(-seconds / p.holder_back_s)

    def place(self, weight_g: float = 0.0, *, cm3_per_g: float = 0.0) -> None:
        """Put a weight on (0: nothing), instead of what was there."""
        self._solvent_g = self._volatile_g = self._dry_g = self._moist_g = self._moist_to_g = 0.0
        self._loads.append((self.now_s, weight_g - self._weight_g))
        self._weight_g, self._cm3_per_g = weight_g, cm3_per_g

    def place_sample(self, loss_pct: float) -> None:
        """Put a sample on that was opened a while ago and loses ``loss_pct`` of what it was then, when hot."""
        p = self.physics
        self.place(p.sample_g, cm3_per_g=p.cm3_per_g)
        lost_g = loss_pct / 100.0 * p.sample_g
        gone_g = p.solvent_g * (1.0 - math.exp(-p.opened_s / p.solvent_s))
        self._solvent_g, self._opened_g = p.solvent_g - gone_g, p.sample_g
        self._volatile_g, self._dry_g = lost_g - p.solvent_g, p.sample_g - lost_g
        self._moist_to_g, self._was_hot = p.moisture_g, False

    @property
    def oven_c(self) -> float:
        """Get the oven's temperature."""
        return self._oven_c

    def barometer(self) -> tuple[float, float, float]:
        """Read the room's pressure in hPa, temperature in °C and humidity in %."""
        at = min(self.now_s - self._begun_s, LONGEST_S - 1)
        hpa = 1013.25 + 10.0 * float(self._kpa[at]) + 0.3 * float(self.rng.standard_normal())
        return hpa, float(self._room_c[at]), 50.0

    def barometer_log(self, n: int) -> F8:
        """Get what a barometer in the room read in each of the last seconds, in Pa; its noise is of its own."""
        to = min(self.now_s - self._begun_s, LONGEST_S)
        return 101_325.0 + 1000.0 * self._kpa[to - n : to] + 1.5 * self._barometer_rng.standard_normal(n)

    def hung(self) -> list[tuple[int, int, float]]:
        """Get what hung on the cell until now and is off again: from when to when in s of the rig's clock, and g."""
        out, on_s, mass_g = [], 0, 0.0
        for at_s, change_g in self._loads:
            if mass_g > 0.0:
                out.append((on_s, at_s, mass_g))
            on_s, mass_g = at_s, mass_g + change_g if abs(mass_g + change_g) > 1e-9 else 0.0
        return out

    @property
    def sample_g(self) -> float:
        """Get what the sample weighs now, water and all."""
        return self._dry_g + self._volatile_g + self._solvent_g + self._moist_g

    @property
    def dry_g(self) -> float:
        """Get what it weighs without the water that it took up."""
        return self.sample_g - self._moist_g

    @property
    def opened_g(self) -> float:
        """Get what it weighed when it was opened."""
        return self._opened_g

    def seconds(self, n: int) -> Seconds:
        """Let ``n`` seconds go by."""
        p = self.physics
        at = self.now_s - self._begun_s
        since = self.now_s + np.arange(n, dtype=np.float64)
        room_c, kpa = self._room_c[at : at + n], self._kpa[at : at + n]
        step = np.arange(1, n + 1, dtype=np.float64)
        goal_c, tau_s = (OVEN_C, p.heat_s) if self.hot else (float(room_c[0]), p.cool_s)
        oven_c = goal_c + (self._oven_c - goal_c) * np.exp(-step / tau_s)
        cell_c = _lagging(room_c + p.per_oven * (oven_c - room_c), p.lag_s, self._cell_c)
        other_c = _lagging(room_c + p.per_oven * (oven_c - room_c), p.gradient_lag_s, self._other_c)
        self._oven_c, self._cell_c, self._other_c = float(oven_c[-1]), float(cell_c[-1]), float(other_c[-1])
        air = 0.0 if self.vacuum else AIR_G_CM3 * (1.0 + kpa / AIR_KPA - (room_c - 25.0) / 298.0)
        load = self._load_g(step, oven_c)
        zero = self._zero_g[at : at + n] + p.drift_g_per_h * since / HOUR - air * p.holder_cm3
        zero = zero + p.undulation_g * np.sin(2.0 * math.pi * since / 1500.0 + self._phase)
        zero = zero + p.weather_g_per_kpa * (-AIR_KPA if self.vacuum and self.cell_inside else kpa)
        zero = zero + p.zero_per_k * (cell_c - T_REF_C) + p.gradient_per_k * (other_c - T_REF_C)
        on = load * (1.0 - air * self._cm3_per_g) + self._crept_g(since)
        on = (on - p.bend_per_g * on * on) * (1.0 + p.span_per_k * (cell_c - T_REF_C))
        self.now_s += n
        return Seconds(p.zero_code + p.codes_per_g * (on + zero - self._dried(n)), oven_c, cell_c)

    def _load_g(self, step: F8, oven_c: F8) -> F8:
        """Get what lies on the holder over the next seconds: the sample's gases and water come and go."""
        p, last = self.physics, len(step) - 1
        if self._dry_g == 0.0:
            return np.full(len(step), self._weight_g)
        volatile, solvent, moist = (np.full(len(step), g) for g in (self._volatile_g, self._solvent_g, self._moist_g))
        self._was_hot = self._was_hot or self._oven_c > 80.0
        if self.vacuum:
            gone = np.exp(-np.cumsum(2.5 / HOUR * np.exp((oven_c - OVEN_C) / 25.0)))
            volatile, solvent, moist = volatile * gone, solvent * gone, moist * gone
        else:
            solvent = solvent * np.exp(-step / p.solvent_s)
            if self._was_hot:  # it has been dried: water comes
                moist = self._moist_to_g + (moist - self._moist_to_g) * np.exp(-step / p.moisture_s)
        self._volatile_g, self._solvent_g, self._moist_g = (float(v[last]) for v in (volatile, solvent, moist))
        return self._dry_g + volatile + solvent + moist

    def _dried(self, n: int) -> F8:
        """Get what the holder has lost over the next seconds: it dries when hot, and takes water up again in air."""
        p, step = self.physics, np.arange(1, n + 1)
        if p.holder_g == 0.0:
            return np.zeros(n)
        goal, tau_s = (p.holder_g, 1.0 * HOUR) if self._oven_c > 80.0 else (0.0, p.holder_back_s)
        if self.vacuum and self._oven_c <= 80.0:
            goal = self._holder_g  # no water there
        lost = goal + (self._holder_g - goal) * np.exp(-step / tau_s)
        self._holder_g = float(lost[-1])
        return lost

    def _crept_g(self, since: F8) -> F8:
        """Get what all loads have made the cell creep, by superposition; ``kept`` of it stays when they go."""
        p, out = self.physics, np.zeros(len(since))
        for at_s, step_g in self._loads:
            t = since - at_s
            come = step_g * (1.0 if step_g >= 0.0 else 1.0 - p.kept)
            for share, tau_s in p.creep:
                out += come * share * (1.0 - np.exp(-t / tau_s))
            if p.log_creep:
                out += come * p.log_creep * np.log1p(t / 60.0) / math.log1p(480.0)
        return out


def _autoregressive(rng: np.random.Generator, n: int, tau_s: float) -> F8:
    """Get noise of standard deviation 1 that forgets itself in ``tau_s``, in its steady state."""
    left = math.exp(-1.0 / tau_s)
    shocks = rng.standard_normal(n) * math.sqrt(1.0 - left * left)
    shocks[0] = rng.standard_normal()
    return np.asarray(lfilter([1.0], [1.0, -left], shocks), np.float64)


def _lagging(goal: F8, tau_s: float, begin: float) -> F8:
    """Get what follows ``goal`` behind a first-order lag."""
    left = math.exp(-1.0 / tau_s)
    return np.asarray(lfilter([1.0 - left], [1.0, -left], goal, zi=[left * begin])[0], np.float64)
