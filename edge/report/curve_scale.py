"""How a curve's numbers become places: scales, ticks, unbroken stretches, and the lines that columns make.

This module must never draw, and never join two stretches between which nothing was seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.records.curve import Column

Points = list[tuple[float, float]]
NICE = (1.0, 2.0, 5.0)
_HOUR_S = 3600.0
TIME_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
MOST_TICKS = 11


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale: ``low`` is at ``at_low``, ``high`` at ``at_high``."""

    low: float
    high: float
    at_low: float
    at_high: float

    def __call__(self, value: float) -> float:
        """Get the place of a value."""
        return self.at_low + (value - self.low) / (self.high - self.low) * (self.at_high - self.at_low)

    def within(self, value: float) -> float:
        """Get a value, or the end of the scale that is nearest to it."""
        return min(max(value, self.low), self.high)


def nice_step(span: float, most: int) -> float:
    """Get the least of 1, 2, 5 times a power of ten of which at most ``most`` lie in ``span``."""
    exact = span / most
    power = 10.0 ** math.floor(math.log10(exact))
    return next((n * power for n in (*NICE, 10.0) if n * power >= exact * (1.0 - 1e-9)), 10.0 * power)


def ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Get round values from ``low`` to ``high``."""
    step = nice_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def places_of(step: float) -> int:
    """Get how many decimals a tick needs."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


@dataclass(frozen=True, slots=True)
class TimeTicks:
    """The ticks of a time axis: where, in s, and what is written at each; ``unit`` is h, min or s ('': a clock)."""

    at: tuple[tuple[float, str], ...]
    unit: str


def time_ticks(from_s: float, to_s: float, clock0_s: float | None = None) -> TimeTicks:
    """Get the ticks from ``from_s`` to ``to_s``; with ``clock0_s`` those of a wall clock."""
    span_s = to_s - from_s
    step_s = next((s for s in TIME_STEPS_S if span_s / s <= MOST_TICKS), 86400)
    if span_s / step_s > MOST_TICKS:
        step_s = 86400 * math.ceil(span_s / 86400 / MOST_TICKS)
    zero_s = 0.0 if clock0_s is None else clock0_s
    first = math.ceil((from_s + zero_s) / step_s - 1e-9)
    times = [i * step_s - zero_s for i in range(first, math.floor((to_s + zero_s) / step_s + 1e-9) + 1)]
    if clock0_s is not None:
        return TimeTicks(tuple((t, _clock(t + zero_s, step_s < 60)) for t in times), "")
    unit, unit_s = ("h", 3600) if step_s >= 1800 else ("min", 60) if step_s >= 60 else ("s", 1)
    return TimeTicks(tuple((t, f"{round(t / unit_s, 2):g}") for t in times), unit)


def _clock(s: float, seconds: bool) -> str:
    whole = round(s) % 86400
    said = f"{whole // 3600:02d}:{whole % 3600 // 60:02d}"
    return f"{said}:{whole % 60:02d}" if seconds else said


def hms(seconds: float) -> str:
    """Write seconds as h:mm:ss, rounded down."""
    whole = math.floor(seconds + 1e-6)
    sign, whole = ("−", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def stretches(
    columns: Iterable[Column], low: Callable[[Column], float | None], high: Callable[[Column], float | None]
) -> list[list[tuple[Column, float, float]]]:
    """Get what was seen without a gap: a list of columns with their least and greatest, for each such stretch."""
    out: list[list[tuple[Column, float, float]]] = []
    joins = False
    for c in columns:
        a, b = low(c), high(c)
        if a is None or b is None:
            joins = False
            continue
        if not joins or c.after_gap:
            out.append([])
        out[-1].append((c, a, b))
        joins = True
    return out


def outline(stretch: Sequence[tuple[Column, float, float]], x: Scale, y: Scale) -> Points:
    """Get the closed outline between the least and the greatest of a stretch, cut at the scale's ends."""
    upper = [(x(c.at_s), y(y.within(high))) for c, _, high in stretch]
    lower = [(x(c.at_s), y(y.within(low))) for c, low, _ in reversed(stretch)]
    return upper + lower


def top_of_loss(limit_pct: float, greatest_pct: float) -> float:
    """Get the end of the fixed scale of a loss: 1.2 times the limit, or the next round step that holds what was seen.

    The steps are 2, 4 and 10 times the limit (1, 2, 5 % for 0.5 %), then those times ten.
    """
    steps = [1.2 * limit_pct]
    for power in range(6):
        steps += [n * limit_pct * 10.0**power for n in (2.0, 4.0, 10.0)]
    return next((s for s in steps if greatest_pct <= s), greatest_pct)


LETTERS_PX, UNDER_PX = 14, 6
"""So far a line of words reaches above and below its foot, with some air."""


def off_a_line(y: float, more: float, line_y: float, panel: tuple[float, float]) -> float:
    """Get where words at ``y``, with a line of them ``more`` below, stand off a line that is drawn, within a panel.

    All in px from above; ``panel`` is its top and its bottom.
    """
    top, lowest = panel[0], panel[1] - UNDER_PX - 1 - more
    y = min(y, lowest)
    if not y - LETTERS_PX < line_y < y + more + UNDER_PX:
        return y
    below, above = line_y + LETTERS_PX, line_y - more - UNDER_PX
    return below if below <= lowest and (below - y <= y - above or above - LETTERS_PX < top) else above
