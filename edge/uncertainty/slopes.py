"""The slope of the indication at a weighing: a sample that still loses at M1, or takes up moisture at M2.

Both holes of the method point towards PASS: solvent leaves between opening and M1, water enters between venting and M2.
A slope that counts is never corrected for; it is carried as a one-sided part towards more loss. Evaporation slows
down, so it is a lower bound. This module must never make a loss smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calibration.certificate import Certificate
from edge.procedure.masses import F8
from edge.records.weighing import WeighingKind

BLOCKS = 8
"""The window is cut into so many means; a line through them has its scatter from them, whatever the noise's memory."""
COUNTS = 3.0
"""A slope counts beyond so many of its standard uncertainties, creep and drift among them."""
MOST_S = 3600.0
"""At most so long before M1, or before M2, is a slope carried back."""
CREEP_H = {WeighingKind.M1: 1.0, WeighingKind.M2: 8.0}
"""What is left of the creep goes in about so many hours after each."""
UNKNOWN_DRIFT = 0.01 / 8.0
"""Of the load, an hour: what a balance of which nothing is stated may drift."""


@dataclass(frozen=True, slots=True)
class Slope:
    """The rate of the indication at a weighing, g/h, with its standard uncertainty (creep and drift included).

    ``toward_loss_g`` is what it adds to the loss, at least: 0 where it does not count or points the other way.
    """

    which: WeighingKind
    rate_g_per_h: float
    u_g_per_h: float
    toward_loss_g: float

    @property
    def counts(self) -> bool:
        """Get whether it is more than noise, creep and drift explain."""
        return abs(self.rate_g_per_h) > COUNTS * self.u_g_per_h


@dataclass(frozen=True, slots=True)
class BlockLine:
    """A straight line through means of blocks: its middle in s and g, its rate, and how the means scatter about it.

    ``scatter_g`` is the standard deviation of a block's mean, of ``blocks`` − 2 degrees of freedom; ``spread_s`` the
    root of the sum of their squared distances from the middle.
    """

    middle_s: float
    middle_g: float
    rate_g_per_s: float
    scatter_g: float
    spread_s: float
    blocks: int

    @property
    def u_rate_g_per_s(self) -> float:
        """Get the standard uncertainty of the rate."""
        return self.scatter_g / self.spread_s

    def at(self, t_s: float) -> tuple[float, float]:
        """Get the line's value at a time, and its standard uncertainty, in g."""
        away_s = t_s - self.middle_s
        u_g = self.scatter_g * math.sqrt(1.0 / self.blocks + (away_s / self.spread_s) ** 2)
        return self.middle_g + self.rate_g_per_s * away_s, u_g


def line_through_blocks(t_s: F8, mass_g: F8, blocks: int) -> BlockLine | None:
    """Fit a line through the means of so many blocks of rows (None: fewer than two rows a block).

    Noise with a memory shorter than a block is in the scatter of their means (GUM 4.2).
    """
    if len(t_s) < 2 * blocks:
        return None
    cuts = np.linspace(0, len(t_s), blocks + 1).astype(int)
    t = np.array([t_s[a:b].mean() for a, b in pairwise(cuts)])
    g = np.array([mass_g[a:b].mean() for a, b in pairwise(cuts)])
    dt, middle_g = t - t.mean(), float(g.mean())
    sxx = math.fsum((dt * dt).tolist())
    rate = math.fsum((dt * (g - middle_g)).tolist()) / sxx
    rest = g - middle_g - rate * dt
    scatter_g = math.sqrt(math.fsum((rest * rest).tolist()) / (blocks - 2))
    return BlockLine(float(t.mean()), middle_g, rate, scatter_g, math.sqrt(sxx), blocks)


def slope_at(
    which: WeighingKind, t_s: F8, mass_g: F8, certificate: Certificate | None, u_stated_g: float | None
) -> Slope | None:
    """Get the slope at M1 or M2 over all of a window (None: it has too few rows).

    The scatter of block means about the line (GUM 4.2, with the blocks' few degrees of freedom) stands for noise of any
    memory shorter than a block. ``u_stated_g`` is the stated uncertainty of a mass difference over a test, for masses.
    """
    line = line_through_blocks(t_s, mass_g, BLOCKS)
    if line is None:
        return None
    rate, u_line = line.rate_g_per_s * 3600.0, line.u_rate_g_per_s * 3600.0
    load_g = float(mass_g.mean())
    u_rig = _rig_rate(which, load_g, float(t_s[-1] - t_s[0]) / 3600.0, certificate, u_stated_g)
    slope = Slope(which, rate, math.hypot(u_line, u_rig), 0.0)
    towards = -rate if which is WeighingKind.M1 else rate
    if not slope.counts or towards <= 0.0:
        return slope
    return Slope(which, rate, slope.u_g_per_h, towards * MOST_S / 3600.0)


def _rig_rate(
    which: WeighingKind, load_g: float, window_h: float, certificate: Certificate | None, u_stated_g: float | None
) -> float:
    """Get the standard uncertainty in g/h of what the rig itself may do in the window: creep, walk and drift."""
    if certificate is None:
        return UNKNOWN_DRIFT * load_g if u_stated_g is None else u_stated_g / 8.0
    stability = certificate.stability
    creep = stability.creep_pct_fs / 100.0 * load_g / CREEP_H[which] / math.sqrt(3.0)
    drift = stability.zero_drift_g / 8.0 / math.sqrt(3.0)
    walk = stability.zero_walk_g / math.sqrt(max(window_h, 1e-3))
    return math.sqrt(creep**2 + drift**2 + walk**2)
