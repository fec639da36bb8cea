"""The curve of a report: as it was weighed, on paper, with the two steps of the air named.

696 px wide, in plain units and presentation attributes. This module must never correct what was weighed.
"""

from __future__ import annotations

from edge.records.curve import Column, PhaseSpan, PressureKnown, WeighedCurve
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind

from .curve_parts import air_steps, described, marks, named, of_the_sample, shape, short_length, short_name, span_of
from .curve_scale import Points, Scale, nice_step, outline, places_of, stretches, ticks, time_ticks
from .ink import (
    BACK,
    DATA,
    FONT,
    FONT_ZH,
    HAIR,
    HOLD_FILL,
    INK,
    LIMIT,
    SIZE,
    SOFT,
    box,
    drawing,
    hatch,
    italic,
    line,
    say,
)
from .language import Language, Words
from .markup import Html, el, path
from .numbers import fixed, two_digits

WIDTH, LEFT, RIGHT = 696, 40.0, 688.0
TOP, BOTTOM = 44.0, 312.0
OVEN_TOP, OVEN_BOTTOM = 330.0, 402.0
BAND_EVERY = 4
MOST_NAMED = 6
"""So many marks have their words beside them; all have their numbers."""


class PaperCurve:
    """A drawing of a curve for a report, with its scales; the parts are drawn in order from back to front."""

    def __init__(self, curve: WeighedCurve, words: Words, svg_id: str = "curve") -> None:
        self.curve, self.words, self.svg_id = curve, words, svg_id
        self.recorded, self.terms = of_the_sample(curve.recorded), curve.terms
        columns, phases = self.recorded.columns, self.recorded.phases
        from_s = min((columns[0].from_s if columns else 0.0, *(p.from_s for p in phases)))
        to_s = max((columns[-1].to_s if columns else 0.0, *(p.to_s for p in phases), from_s + 1.0))
        self.from_s, self.to_s = from_s, to_s
        self.x = Scale(from_s, to_s, LEFT, RIGHT - 4.0)
        self.losses = stretches(columns, lambda c: c.low_pct, lambda c: c.high_pct)
        every = [v for s in self.losses for _, low, high in s for v in (low, high)]
        U, limit = self.terms.expanded_pct or 0.0, self.terms.limit_pct
        ends = [limit + U, *every]
        if curve.loss_pct is not None:
            ends += [curve.loss_pct + U, curve.loss_pct - U]
        high, low = max(ends), min((*ends, 0.0))
        room = 0.07 * (high - low)
        self.y = Scale(low - room, high + room * 1.3, BOTTOM, TOP)
        ovens = [c.oven_high_c for c in columns if c.oven_high_c is not None]
        coldest = min((c.oven_low_c for c in columns if c.oven_low_c is not None), default=0.0)
        greatest = max((*ovens, self.terms.temp_c + self.terms.temp_band_c))
        self.oven = Scale(min(0.0, coldest), greatest * 1.08, OVEN_BOTTOM, OVEN_TOP)
        measured = self.terms.pressure is PressureKnown.MEASURED
        self.bar_y, self.bar_height = 412.0, 34.0 if measured else 16.0
        self.air = air_steps(self.recorded)

    def svg(self) -> Html:
        """Get the whole drawing."""
        every = [(low, high) for s in self.losses for _, low, high in s]
        told = described(self.words, self.terms, self.recorded, every)
        height = int(self.bar_y + self.bar_height + 34)
        font = FONT_ZH if self.words.language is Language.CHINESE else FONT
        parts = (self._ribbon(), self._grid(), self._guard(), self._loss(), self._limit(), self._result())
        more = (self._air(), self._marks(), self._oven(), self._pressure(), self._axis())
        named_ = named(self.svg_id, self.words("curve_title"), told)
        return drawing(self.svg_id, WIDTH, height, font, named_, *parts, *more)

    def _path(self, points: Points, **attributes: str | float) -> Html:
        """Get a path of whole tenths of a px, stretched back to px."""
        way = path(((x * 10.0, y * 10.0) for x, y in points), closed=attributes.get("fill") != "none")
        return el("path", d=way, transform="scale(.1)", **attributes)

    def _ribbon(self) -> Html:
        out = [say(0, 27, self.words("curve_phase"), fill=SOFT)]
        above_until = LEFT
        for p in self.recorded.phases:
            x, width = self.x(p.from_s), self.x(p.to_s) - self.x(p.from_s)
            held = p.phase is Phase.HOLD
            out.append(box(x, 14, width, 18, HOLD_FILL if held else "#fff"))
            said = short_name(p.phase, self.words)
            long = self.words("curve_hold", hours=f"{self.terms.hold_s / 3600.0:.4g}", temp=f"{self.terms.temp_c:g}")
            said = long if held and width > 6.0 * len(long) else said
            needed = (11.0 if self.words.language is Language.CHINESE else 6.2) * len(said)
            weighed = p.phase in (Phase.M1, Phase.M2)
            if width >= needed:
                out.append(say(x + width / 2, 26.5, said, anchor="middle", bold=weighed))
            elif width > 6.0 and x + width / 2 - needed / 2 > above_until:
                out.append(say(x + width / 2, 10, said, anchor="middle", bold=weighed))
                above_until = x + width / 2 + needed / 2
        return Html("".join(out))

    def _hold(self) -> PhaseSpan | None:
        return span_of(self.recorded.phases, Phase.HOLD)

    def _grid(self) -> Html:
        out: list[Html] = []
        if (hold := self._hold()) is not None:
            x, width = self.x(hold.from_s), self.x(hold.to_s) - self.x(hold.from_s)
            out += [
                box(x, TOP, width, BOTTOM - TOP, BACK, None),
                box(x, OVEN_TOP, width, OVEN_BOTTOM - OVEN_TOP, BACK, None),
            ]
        places = places_of(nice_step(self.y.high - self.y.low, 8))
        for value in ticks(self.y.low, self.y.high):
            y = self.y(value)
            out += [line(LEFT, y, RIGHT, y, HAIR, 0.6), say(35, y + 3.8, fixed(value, places), anchor="end")]
        return Html("".join([*out, say(0, 46, self.words("curve_loss_axis"), fill=SOFT)]))

    def _guard(self) -> Html:
        U, limit = self.terms.expanded_pct, self.terms.limit_pct
        if not U:
            return Html("")
        top, bottom = self.y(self.y.within(limit + U)), self.y(self.y.within(limit - U))
        return (
            hatch(LEFT, top, RIGHT - LEFT, bottom - top, "#9a9a9a", step=5.0, stroke=0.5)
            if bottom - top > 1.0
            else Html("")
        )

    def _loss(self) -> Html:
        parts: list[Html] = []
        U = self.terms.expanded_pct
        for s in self.losses if U is not None else ():
            kept = [*s[::BAND_EVERY], *s[-1:]]
            band = [(c, (a + b) / 2.0 - U, (a + b) / 2.0 + U) for c, a, b in kept if U is not None]
            parts.append(self._path(outline(band, self.x, self.y), fill=DATA, fill_opacity=0.14))
        for s in self.losses:
            parts.append(
                self._path(outline(s, self.x, self.y), fill=DATA, stroke=DATA, stroke_width=9, stroke_linejoin="round")
            )
        return Html("".join(parts) + line(LEFT, BOTTOM, RIGHT, BOTTOM))

    def _limit(self) -> Html:
        y, limit = self.y(self.terms.limit_pct), f"{self.terms.limit_pct:g}"
        U = self.terms.expanded_pct
        hatched = bool(U) and self.y(self.terms.limit_pct - (U or 0.0)) - y > 0.5
        said = self.words("curve_limit_guard" if hatched else "curve_limit", limit=limit)
        self.words_y = max(TOP + 10.0, min(y, self.y(self.y.within(self.terms.limit_pct + (U or 0.0)))) - 5.0)
        return Html(
            line(LEFT, y, RIGHT, y, LIMIT, 2.0) + say(46, self.words_y, *italic(said), fill=LIMIT, bold=True, size=11)
        )

    def _result(self) -> Html:
        out: list[Html] = []
        loss, U = self.curve.loss_pct, self.terms.expanded_pct
        windows = [w for w in self.recorded.windows if not w.which.is_zero]
        first = windows[0] if windows else None
        if first is not None:
            x, zero = self.x(first.to_s), self.y(0.0)
            out.append(line(x, zero - 9, x, zero + 9, DATA, 2.0))
            out.append(
                say(
                    x - 4,
                    zero - 13,
                    first.which.value.upper().replace("_", " "),
                    anchor="end",
                    fill=DATA,
                    bold=True,
                    size=11,
                )
            )
        if loss is None or U is None:
            return Html("".join(out))
        ends = [w for w in windows if w.which in (WeighingKind.M2, WeighingKind.HOLD_END)]
        last = ends[-1] if ends else None
        at_s = self.to_s if last is None else (last.from_s + last.to_s) / 2.0
        x, y = self.x(at_s), self.y(loss)
        top, bottom = self.y(loss + U), self.y(loss - U)
        out += [line(x, bottom, x, top, DATA, 1.6)]
        out += [line(x - 5, end, x + 5, end, DATA, 1.6) for end in (top, bottom)]
        out.append(el("circle", cx=x, cy=y, r=4.6, fill="#fff", stroke=DATA, stroke_width=2.2))
        shown, u_shown = two_digits(loss, U)
        said = self.words("curve_result", loss=shown, U=u_shown)
        words_y = top - 6.0 if abs(top - 6.0 - self.words_y) > 12.0 else self.words_y
        out.append(
            say(RIGHT, words_y if words_y > TOP else bottom + 14.0, said, anchor="end", fill=DATA, bold=True, size=11)
        )
        return Html("".join(out))

    def _loss_at(self, t_s: float) -> float | None:
        near = [(abs(c.at_s - t_s), (low + high) / 2.0) for s in self.losses for c, low, high in s]
        return min(near)[1] if near else None

    def _air(self) -> Html:
        out: list[Html] = []
        if self.air.leaves_s is not None and self.air.step_pct is not None:
            x, foot = self.x(self.air.leaves_s) + 6.0, self.y(-self.air.step_pct)
            y = max(TOP + 40.0, foot - 92.0)
            out += [
                say(x, y, self.words("curve_air_leaves"), fill=SOFT),
                say(x, y + 13, self.words("curve_seems_heavier"), fill=SOFT),
                line(x + 3, y + 18, x + 3, foot - 6, SOFT, 0.6),
            ]
        at = None if self.air.enters_s is None else self._loss_at(self.air.enters_s)
        if self.air.enters_s is not None and at is not None:
            x, y = self.x(self.air.enters_s), self.y(at)
            down = 34.0 if y + 50.0 < BOTTOM else -40.0
            out += [
                say(x - 12, y + down, self.words("curve_air_enters"), anchor="end", fill=SOFT),
                line(x - 11, y + down - 4, x, y + (4 if down > 0 else -4), SOFT, 0.6),
            ]
        return Html("".join(out))

    def _marks(self) -> Html:
        out: list[Html] = []
        free_from = LEFT
        found = marks(self.recorded.happened, self.to_s - self.from_s)
        for i, m in enumerate(found):
            x, y = self.x(m.at_s), BOTTOM - 10.0
            solid = m.kind is None or m.kind.value == "alarm"
            outlined = el("path", d=shape(m), fill=INK if solid else "#fff", stroke=INK, stroke_width=1.6)
            place = f"translate({x:.1f} {y:.1f}) scale(.62)"
            digits = say(0, 4.5, m.numbers, anchor="middle", bold=True, size=12, fill="#fff" if solid else INK)
            out.append(el("g", outlined, digits, transform=place))
            if m.kind is None:
                continue
            long = f", {short_length(m.length_s)}" if m.length_s >= 1.0 else ""
            said = self.words("curve_event", number=m.numbers, what=self.words(f"happened_{m.kind.value}") + long)
            wide = (10.0 if self.words.language is Language.CHINESE else 5.6) * len(said) + 16.0
            next_x = self.x(found[i + 1].at_s) if i + 1 < len(found) else RIGHT
            if i < MOST_NAMED and x > free_from and x + wide < min(next_x, RIGHT):
                out.append(say(x + 9, y + 3.8, said))
                free_from = x + wide
        return Html("".join(out))

    def _oven(self) -> Html:
        t, band = self.terms.temp_c, self.terms.temp_band_c
        out = [say(0, 329, "°C", fill=SOFT)]
        for value in ticks(self.oven.low, self.oven.high, 4):
            y = self.oven(value)
            out += [line(LEFT, y, RIGHT, y, HAIR, 0.6), say(35, y + 3.8, fixed(value, 0), anchor="end")]
        high, low = self.oven(t + band), self.oven(t - band)
        out.append(box(LEFT, high, RIGHT - LEFT, low - high, "#cfcfcc", None))
        columns = self.recorded.columns
        ovens = stretches(columns, lambda c: c.oven_low_c, lambda c: c.oven_high_c)
        out += [
            self._path(outline(s, self.x, self.oven), fill=DATA, stroke=DATA, stroke_width=12, stroke_linejoin="round")
            for s in ovens
        ]
        cells = stretches(columns, _cell, _cell)
        for cell in cells:
            points = [(self.x(c.at_s), self.oven(value)) for c, value, _ in [*cell[::BAND_EVERY], *cell[-1:]]]
            out.append(self._path(points, fill="none", stroke=INK, stroke_width=10, stroke_dasharray="40 25"))
        hold = self._hold()
        x = LEFT + 182.0 if hold is None else max(LEFT + 8.0, self.x(hold.from_s) + 60.0)
        if x > RIGHT - 200.0:
            x = LEFT + 182.0
        if ovens:
            said = self.words("curve_oven_band", low=f"{t - band:g}", high=f"{t + band:g}")
            out.append(say(x, high + 16.0, said, fill=DATA))
        else:
            out.append(say(x, high + 16.0, self.words("curve_oven_none"), fill=SOFT))
        if cells:
            middle = cells[-1][len(cells[-1]) // 2][1]
            y = self.oven(self.oven.within(middle)) - 4.0
            out.append(say(x, max(y, high + 30.0), self.words("curve_cell")))
        return Html("".join([*out, line(LEFT, OVEN_BOTTOM, RIGHT, OVEN_BOTTOM)]))

    def _pressure(self) -> Html:
        from .curve_pressure import pressure_bar

        return pressure_bar(self.recorded, self.terms.pressure, self.words, self.x, self.bar_y, self.bar_height)

    def _axis(self) -> Html:
        y = self.bar_y + self.bar_height + 3.0
        axis = time_ticks(self.from_s, self.to_s)
        out = []
        for t_s, said in axis.at:
            x = self.x(t_s)
            out += [line(x, y, x, y + 4), say(x, y + 15, said, anchor="middle")]
        unit = self.words("curve_time_axis", unit=axis.unit)
        return Html("".join([*out, say(RIGHT, y + 28, unit, anchor="end", fill=SOFT, size=SIZE)]))


def _cell(c: Column) -> float | None:
    return c.cell_c
