"""The window of a weighing: the newest seconds that could become one, and whether they are at rest.

This module must never take a mean of seconds that wander, nor of too few.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from calibration.allan import mean_over_stable_window, mean_over_whole_window, uncertainty_of_mean
from calibration.integrated import Integrated
from edge.records.second import Second
from edge.records.weighing import Weighing, WeighingKind

from .plan import MIN_ROWS, Plan

NOT_EMPTY = 0.05  # of M2: more than this is no drift of the zero
NOT_THAT_WEIGHT = 0.2  # of the check weight: more than this is another weight


@dataclass(slots=True)
class Window:
    """The newest rows that could become a weighing."""

    rows: deque[Second] = field(default_factory=deque)
    span_s: float = 0.0

    def add(self, row: Second, longest_s: float) -> None:
        """Take a row; rows older than ``longest_s`` before it are let go."""
        self.rows.append(row)
        while row.t_s - self.rows[0].t_s > longest_s:
            self.rows.popleft()
        self.span_s = row.t_s - self.rows[0].t_s


def weighing(which: WeighingKind, rows: Sequence[Second], value: Integrated) -> Weighing:
    """Get the weighing that a mean over a part of ``rows`` is, with what surrounded it."""
    window = rows[value.start : value.start + value.n]
    if len(rows) == 1 and rows[0].n_ok > 1:  # a single second: what its own samples say
        value = replace(value, u=rows[0].sd_g / math.sqrt(rows[0].n_ok), dof=rows[0].n_ok - 1.0)
    return Weighing(
        which,
        value,
        window[0].t_s,
        window[-1].t_s,
        mean_of_known([r.temp_c for r in window]),
        mean_of_known([r.cell_temp_c for r in window]),
        mean_of_known([r.pressure_pa for r in window]),
    )


def weighing_at_edge(which: WeighingKind, rows: Sequence[Second], edge: Literal["first", "last"]) -> Weighing:
    """Get the mass at the first or the last of ``rows``: a straight line through those next to it, taken to that edge.

    A sample that evaporates has no mean that stands for its edge. The line is as long as the half of it next to the
    edge says the same within its uncertainty: where the loss bends it is shorter, down to ``MIN_ROWS`` rows. What the
    two differ by is part of the uncertainty; where there are too few rows to halve, what a parabola differs by.
    """
    near = list(rows)
    value = _edge_of_line(near, edge)
    while len(near) >= 2 * MIN_ROWS:
        half = near[: len(near) // 2] if edge == "first" else near[len(near) // 2 :]
        shorter = _edge_of_line(half, edge)
        apart_g = abs(value.mean - shorter.mean)
        if apart_g <= 2.0 * shorter.u:
            value = replace(value, u=math.hypot(value.u, apart_g / 2.0))
            break
        near, value = half, replace(shorter, u=math.hypot(shorter.u, apart_g / 4.0))
    else:  # too few rows to be halved again
        bend_g = _bend(near, value, edge)
        if bend_g > 2.0 * value.u and len(near) > MIN_ROWS:
            near = near[:MIN_ROWS] if edge == "first" else near[-MIN_ROWS:]
            value = _edge_of_line(near, edge)
            bend_g = _bend(near, value, edge)
        value = replace(value, u=math.hypot(value.u, bend_g))
    return weighing(which, near, value)


def _bend(rows: Sequence[Second], line: Integrated, edge: Literal["first", "last"]) -> float:
    """Get by how much, in g, a parabola through rows differs at an edge from the line's value there."""
    t_s = np.array([r.t_s - rows[0].t_s for r in rows])
    masses = np.array([r.mass_g - line.mean for r in rows])
    parabola = np.polynomial.Polynomial.fit(t_s, masses, 2)
    return abs(float(parabola(t_s[0] if edge == "first" else t_s[-1])))


def _edge_of_line(rows: Sequence[Second], edge: Literal["first", "last"]) -> Integrated:
    """Fit a line through all rows; its value at an edge has twice the standard uncertainty of their mean."""
    t_s = [r.t_s - rows[0].t_s for r in rows]
    masses = [r.mass_g for r in rows]
    n, mean_t, mean_g = len(rows), math.fsum(t_s) / len(rows), math.fsum(masses) / len(rows)
    var_t = math.fsum((t - mean_t) ** 2 for t in t_s)
    rate = math.fsum((t - mean_t) * (m - mean_g) for t, m in zip(t_s, masses, strict=True)) / var_t
    rest = [m - mean_g - rate * (t - mean_t) for t, m in zip(t_s, masses, strict=True)]
    scatter = math.sqrt(math.fsum(x * x for x in rest) / (n - 2) / n)
    u = 2.0 * max(uncertainty_of_mean(rest), scatter)
    at_s = t_s[0] if edge == "first" else t_s[-1]
    return Integrated(mean_g + rate * (at_s - mean_t), u, n - 2.0, n, 0, n)


def window_mean(values: Sequence[float], edge: Literal["first", "last"], plan: Plan) -> Integrated:
    """Take the mean of a window by the run's own rule."""
    return mean_over_whole_window(values) if plan.whole_window else mean_over_stable_window(values, edge)


def is_steady(values: Sequence[float], tolerance: float) -> bool:
    """Say whether two halves agree within their noise or within ``tolerance``, whichever is more."""
    half = len(values) // 2
    a, b = mean_over_stable_window(values[:half], "last"), mean_over_stable_window(values[half:], "last")
    return _halves_apart(values) <= max(tolerance, 3.0 * math.hypot(a.u, b.u))


def is_at_rest(rows: Sequence[Second], load_g: float, plan: Plan) -> bool:
    """Say whether rows are enough, at one temperature, and steady for a load of ``load_g``."""
    cells = [r.cell_temp_c for r in rows if math.isfinite(r.cell_temp_c)]
    cold = not cells or max(cells) - min(cells) <= plan.cold_band_c
    tolerance_g = max(plan.stability_g, plan.stability_pct / 100.0 * abs(load_g))
    return len(rows) >= MIN_ROWS and cold and is_steady([r.mass_g for r in rows], tolerance_g)


def is_cold(row: Second, m1: Weighing | None, plan: Plan) -> bool:
    """Say whether load cell and oven are as cold as at M1 again, as far as that is known."""
    cold_c, oven_c = (math.nan, math.nan) if m1 is None else (m1.cell_temp_c, m1.temp_c)
    near = not math.isfinite(cold_c) or abs(row.cell_temp_c - cold_c) <= plan.cold_band_c
    return near and (not math.isfinite(oven_c) or row.temp_c - oven_c <= 2.0 * plan.cold_band_c)


def why_not_steady(rows: Sequence[Second], plan: Plan) -> str:
    """Say why rows of the empty holder are no tare: too few, or they wander ('' where they are one)."""
    apart_g = spread_g(rows)
    steady = apart_g <= plan.tare_stability_g or is_steady([r.zero_code for r in rows], 0.0)
    if len(rows) >= 0.9 * plan.tare_s and steady:
        return ""
    return f"{len(rows)} good seconds that wander by {apart_g:.3g} g: leave the holder alone, close the door"


def why_not_empty(mass_g: float, m2_g: float) -> str:
    """Say why a holder that shows ``mass_g`` is not empty after a sample of ``m2_g`` ('' where it is)."""
    on = abs(mass_g) > NOT_EMPTY * abs(m2_g)
    return f"the holder still carries {mass_g:.4g} g: take the sample off" if on else ""


def why_not_that_weight(mass_g: float, weight_g: float) -> str:
    """Say why what shows ``mass_g`` is not the check weight of ``weight_g`` ('' where it is)."""
    off = abs(mass_g - weight_g) > NOT_THAT_WEIGHT * weight_g
    return f"{mass_g:.4g} g lie on the holder, not {weight_g:g} g: put the check weight on" if off else ""


def mean_of_known(values: Sequence[float]) -> float:
    """Get the mean of the values that are finite; NaN where none is."""
    finite = [v for v in values if math.isfinite(v)]
    return math.fsum(finite) / len(finite) if finite else math.nan


def spread_g(rows: Sequence[Second]) -> float:
    """Get how far the means of two halves of the rows are apart, in g (0 for fewer than two)."""
    return _halves_apart([r.mass_g for r in rows]) if len(rows) > 1 else 0.0


def _halves_apart(values: Sequence[float]) -> float:
    half = len(values) // 2
    return abs(math.fsum(values[:half]) / half - math.fsum(values[half:]) / (len(values) - half))
