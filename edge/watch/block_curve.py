"""A loss against time in block characters: bars of eighths, the limit as a line, the forecast as dots.

Where nothing was seen there is nothing. This module must never know a terminal or a colour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.records.curve import Column, LiveCurve
from edge.report.curve_scale import top_of_loss

EIGHTHS = " ▁▂▃▄▅▆▇█"
LIMIT, AHEAD = "─", "·"
LABEL = 6
"""Characters of the scale's numbers, with the space behind them."""


@dataclass(frozen=True, slots=True)
class CurveRow:
    """One line of the curve: the number before it, and its characters."""

    label: str
    cells: str


def block_curve(curve: LiveCurve, width: int, height: int) -> list[CurveRow]:
    """Get a curve as ``height`` lines of at most ``width`` characters, the highest first; [] where there is none."""
    across = width - LABEL
    columns = [c for c in curve.recorded.columns if c.loss_pct is not None]
    if not columns or across < 8 or height < 3:
        return []
    from_s = columns[0].from_s
    to_s = max(columns[-1].to_s, *(p.to_s for p in curve.planned), *(f.at_s for f in curve.forecast), from_s + 1.0)
    values = _resampled(curve, columns, from_s, to_s, across)
    known = [v for v in values if v is not None]
    ahead = {int((f.at_s - from_s) / (to_s - from_s) * (across - 1)): f.loss_pct for f in curve.forecast}
    limit = curve.terms.limit_pct
    top = top_of_loss(limit, max((*known, *ahead.values(), 0.0)))
    return [_row(values, ahead, limit, top, (i, height)) for i in range(height - 1, -1, -1)]


def _resampled(curve: LiveCurve, columns: list[Column], from_s: float, to_s: float, across: int) -> list[float | None]:
    """Get the mean loss of each place, the air's step taken out; None where nothing was seen."""
    sums, counts = [0.0] * across, [0] * across
    for c in columns:
        place = min(across - 1, int((c.at_s - from_s) / (to_s - from_s) * across))
        air = 0.0 if curve.air is None else curve.air.at(c.at_s)
        sums[place] += (c.loss_pct or 0.0) + air
        counts[place] += 1
    return [s / n if n else None for s, n in zip(sums, counts, strict=True)]


def _row(
    values: list[float | None], ahead: dict[int, float], limit: float, top: float, at: tuple[int, int]
) -> CurveRow:
    i, height = at
    low, high = i / height * top, (i + 1) / height * top
    holds_limit = low < limit <= high
    cells = []
    for place, value in enumerate(values):
        empty = LIMIT if holds_limit else " "
        if value is None:
            expected = ahead.get(place)
            cells.append(AHEAD if expected is not None and low < expected <= high else empty)
            continue
        part = math.floor((value - low) / (high - low) * 8.0 + 0.5)
        cells.append(EIGHTHS[min(8, part)] if part > 0 else empty)
    label = f"{limit:g}" if holds_limit else f"{high:.2f}" if i == height - 1 else "0" if i == 0 else ""
    return CurveRow(f"{label[: LABEL - 1]:>{LABEL - 1}} ", "".join(cells).rstrip())
