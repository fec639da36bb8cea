"""Curves of several runs in one drawing, from each hold's begin on, and each result beside them against the limit.

Lines differ in dash, colour and number, so that they can be told apart without colour. The scales, paths and words are
those of the report's own curve. This module must never draw a run that is altered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.records.curve import RecordedCurve
from edge.records.phase import Phase

from .curve_parts import named, of_the_sample
from .curve_scale import Points, Scale, nice_step, places_of, stretches, ticks, time_ticks
from .ink import BACK, DATA, FONT, FONT_ZH, HAIR, INK, LIMIT, SOFT, box, drawing, line, say
from .language import Language, Words
from .markup import Html, el, path
from .numbers import fixed

WIDTH, LEFT, HEIGHT = 696, 40.0, 372
TOP, BOTTOM = 30.0, 330.0
SLOT, ROOM = 17.0, 26.0
"""Each result stands in a slot of its own, right of the curves."""
DASHES = (None, "70 30", "20 25", "110 30 20 30", "160 40", "50 25 20 25 20 25")
STYLES = tuple((colour, dash) for dash in DASHES for colour in (DATA, INK))
"""Twelve, in tenths of a px."""


@dataclass(frozen=True, slots=True)
class OverlaidRun:
    """A run in the drawing: its mark, its curve from the hold's begin on (None: it has none), loss and U in %."""

    number: int
    curve: RecordedCurve | None
    loss_pct: float | None
    U_pct: float | None


class Overlay:
    """A drawing of several curves, with its scales."""

    def __init__(self, runs: Sequence[OverlaidRun], limits_pct: Sequence[float], words: Words, svg_id: str) -> None:
        self.runs, self.limits, self.words, self.svg_id = runs, sorted(set(limits_pct)), words, svg_id
        self.right = WIDTH - 8.0 - SLOT * len(runs)
        self.curves = {r.number: of_the_sample(r.curve) for r in runs if r.curve is not None}
        columns = [c for curve in self.curves.values() for c in curve.columns if c.loss_pct is not None]
        from_s = min((c.from_s for c in columns), default=0.0)
        to_s = max((c.to_s for c in columns), default=1.0)
        self.x = Scale(from_s, max(to_s, from_s + 1.0), LEFT, self.right - ROOM)
        ends = [0.0, *self.limits, *(c.loss_pct for c in columns if c.loss_pct is not None)]
        for r in runs:
            if r.loss_pct is not None and r.U_pct is not None:
                ends += [r.loss_pct - r.U_pct, r.loss_pct + r.U_pct]
        low, high = min(ends), max(ends)
        room = 0.06 * (high - low or 1.0)
        self.y = Scale(low - room, high + room, BOTTOM, TOP)

    def svg(self) -> Html:
        """Get the whole drawing."""
        w = self.words
        drawn = ", ".join(map(str, self.curves))
        told = w("compare_desc", drawn=drawn or w("none_recorded"), count=str(len(self.runs)))
        font = FONT_ZH if w.language is Language.CHINESE else FONT
        parts = (self._grid(), self._limits(), *map(self._curve, self.curves), *map(self._mark, self.curves))
        results = (self._result(i, r) for i, r in enumerate(self.runs))
        return drawing(
            self.svg_id, WIDTH, HEIGHT, font, named(self.svg_id, w("compare_curves"), told), *parts, *results
        )

    def _grid(self) -> Html:
        out: list[Html] = []
        holds = [p for c in self.curves.values() for p in c.phases if p.phase is Phase.HOLD]
        if holds:
            x, end = self.x(self.x.within(0.0)), self.x(self.x.within(max(p.to_s for p in holds)))
            out.append(box(x, TOP, end - x, BOTTOM - TOP, BACK, None))
        places = places_of(nice_step(self.y.high - self.y.low, 8))
        for value in ticks(self.y.low, self.y.high):
            y = self.y(value)
            out += [
                line(LEFT, y, WIDTH - 4.0, y, HAIR, 0.6),
                say(35, y + 3.8, fixed(value, places), anchor="end"),
            ]
        axis = time_ticks(self.x.low, self.x.high)
        for t_s, said in axis.at:
            x = self.x(t_s)
            minus = said.replace("-", "−")
            out += [line(x, BOTTOM, x, BOTTOM + 4), say(x, BOTTOM + 16, minus, anchor="middle")]
        time_axis = self.words("compare_time_axis", unit=axis.unit)
        out += [
            line(self.x(t_s), BOTTOM, self.x(t_s), BOTTOM + 4),
            say(self.x(t_s), BOTTOM + 16, said.replace("-", "−"), anchor="middle"),
        ]
        out += [
            line(LEFT, BOTTOM, WIDTH - 4.0, BOTTOM),
            say(0, 14, self.words("curve_loss_axis"), fill=SOFT),
            say(self.right - ROOM, BOTTOM + 32, time_axis, anchor="end", fill=SOFT),
            say(WIDTH - 4.0, 14, self.words("compare_results"), anchor="end", fill=SOFT),
            line(self.right - 8.0, TOP, self.right - 8.0, BOTTOM, HAIR),
        ]
        return Html("".join(out))

    def _limits(self) -> Html:
        out = []
        for limit in self.limits:
            y = self.y(limit)
            out.append(line(LEFT, y, WIDTH - 4.0, y, LIMIT, 2.0))
            said = self.words("curve_limit", limit=f"{limit:g}")
            out.append(say(LEFT + 6, y - 5, said, fill=LIMIT, bold=True, size=11))
        return Html("".join(out))

    def _points(self, number: int) -> list[Points]:
        columns = self.curves[number].columns
        found = stretches(columns, lambda c: c.loss_pct, lambda c: c.loss_pct)
        return [[(self.x(c.at_s), self.y(value)) for c, value, _ in part] for part in found]

    def _curve(self, number: int) -> Html:
        colour, dash = STYLES[(number - 1) % len(STYLES)]
        out = [
            el(
                "path",
                d=path((x * 10.0, y * 10.0) for x, y in points),
                transform="scale(.1)",
                fill="none",
                stroke=colour,
                stroke_width=14,
                stroke_linejoin="round",
                stroke_dasharray=dash,
            )
            for points in self._points(number)
        ]
        return Html("".join(out))

    def _mark(self, number: int) -> Html:
        """Get a curve's number on it, each at a place of its own along the hold: none hides another."""
        points = [p for part in self._points(number) for p in part]
        if not points:
            return Html("")
        place = list(self.curves).index(number)
        from_x = self.x(self.x.within(0.0))
        wanted = from_x + (self.right - ROOM - from_x) * (place + 0.5) / len(self.curves)
        x, y = min(points, key=lambda p: abs(p[0] - wanted))
        return self._numbered(x, y, number)

    def _numbered(self, x: float, y: float, number: int) -> Html:
        colour, _ = STYLES[(number - 1) % len(STYLES)]
        ring = el("circle", cx=x, cy=y, r=7.5, fill="#fff", stroke=colour, stroke_width=1.4)
        return Html(ring + say(x, y + 3.6, str(number), anchor="middle", fill=colour, bold=True, size=10))

    def _result(self, slot: int, run: OverlaidRun) -> Html:
        x = self.right + SLOT * (slot + 0.5)
        out = [self._numbered(x, BOTTOM + 14.0, run.number)]
        if run.loss_pct is None or run.U_pct is None:
            return out[0]
        colour, _ = STYLES[(run.number - 1) % len(STYLES)]
        top, bottom = self.y(run.loss_pct + run.U_pct), self.y(run.loss_pct - run.U_pct)
        out.append(line(x, bottom, x, top, colour, 1.6))
        out += [line(x - 4, end, x + 4, end, colour, 1.6) for end in (top, bottom)]
        out.append(el("circle", cx=x, cy=self.y(run.loss_pct), r=3.6, fill="#fff", stroke=colour, stroke_width=2))
        return Html("".join(out))
