"""The curve of a page: x in per cent, y in px, colours by class, the step of the air taken out.

Text and marks keep their size at any width; only paths stretch. The policy of the page blocks ``style=`` inside SVG
too, so there are presentation attributes and classes. This module must never put a colour.
"""

from __future__ import annotations

import math
from itertools import pairwise

from edge.records.curve import Column, LiveCurve, PressureKnown
from edge.records.phase import Phase

from .curve_parts import described, mark_class, marks, named, of_the_sample, shape, short_length, short_name, span_of
from .curve_scale import LETTERS_PX, Points, Scale, off_a_line, outline, stretches, ticks, time_ticks, top_of_loss
from .language import Words
from .markup import Html, el, path
from .numbers import forecast_digits

ACROSS = 3000
"""Units of a stretched path's width; its heights are in tenths of a px."""
LEFT_PCT, RIGHT_PCT = 1.2, 98.0
TOP, BOTTOM = 56, 386
OVEN_TOP, OVEN_BOTTOM = 414, 488
BELOW_ZERO = 0.03
"""Of the scale: room below 0 for the noise."""
NOW_PCT = 16.0
"""Of the width: so far words reach. Nearer to the forecast's the present loss stands on the other side of its line."""
NAMED = 0.25
"""Of the scale: with less loss there is no room for words beneath the curve."""
BAND_EVERY = 4
"""A band is as smooth as the loss: it takes every fourth column."""


class PageCurve:
    """A drawing of a curve for a page, with its scales; the parts are drawn in order from back to front."""

    def __init__(self, curve: LiveCurve, words: Words, svg_id: str = "curve") -> None:
        self.curve, self.words, self.svg_id = curve, words, svg_id
        self.recorded, self.terms = of_the_sample(curve.recorded), curve.terms
        columns = self.recorded.columns
        self.now_s = columns[-1].to_s if columns else 0.0
        spans = (*self.recorded.phases, *curve.planned)
        from_s = min((columns[0].from_s if columns else 0.0, *(p.from_s for p in spans)))
        to_s = max((self.now_s, *(p.to_s for p in spans), *(f.at_s for f in curve.forecast), from_s + 1.0))
        self.from_s, self.to_s = from_s, to_s
        self.x = Scale(from_s, to_s, LEFT_PCT, RIGHT_PCT)
        self.across = Scale(from_s, to_s, LEFT_PCT * ACROSS / 100, RIGHT_PCT * ACROSS / 100)
        self.losses = stretches(columns, self._low, self._high)
        every = [v for s in self.losses for _, low, high in s for v in (low, high)]
        greatest = max((*every, *(f.loss_pct for f in curve.forecast), 0.0))  # its interval comes and goes: it is cut
        self.top_pct = top_of_loss(self.terms.limit_pct, greatest)
        least = min((*every, 0.0))
        room = BELOW_ZERO * self.top_pct
        self.bottom_pct = -room if least >= -2.0 * room else -top_of_loss(self.terms.limit_pct / 6.0, -least)
        self.y = Scale(self.bottom_pct, self.top_pct, BOTTOM, TOP)
        t, band = self.terms.temp_c, self.terms.temp_band_c
        self.oven = Scale(t - 1.8 * band, t + 1.6 * band, OVEN_BOTTOM, OVEN_TOP)
        measured = self.terms.pressure is PressureKnown.MEASURED
        self.bar_y = 524
        self.bar_height = 40 if measured else 14
        self.axis_y = self.bar_y + self.bar_height + 8

    def svg(self) -> Html:
        """Get the whole drawing."""
        every = [(low, high) for s in self.losses for _, low, high in s]
        more = [self.words("curve_scale", top=f"{self.top_pct:g}")]
        if self.curve.forecast:
            end = self.curve.forecast[-1]
            more.append(self.words("curve_desc_forecast", low=f"{end.low_pct:.2f}", high=f"{end.high_pct:.2f}"))
        told = described(self.words, self.terms, self.recorded, every, " ".join(more))
        return el(
            "svg",
            named(self.svg_id, self.words("curve_title"), told),
            *(self._ribbon(), self._drops(), self._loss_grid(), self._gaps(), self._loss(), self._limit()),
            *(
                self._windows(),
                self._named_band(),
                self._now(),
                self._bracket(),
                self._oven(),
                self._pressure(),
                self._axis(),
            ),
            self._marks(),
            class_="curve",
            width="100%",
            height=self.axis_y + 26,
            role="img",
            aria_labelledby=f"{self.svg_id}-t {self.svg_id}-d",
        )

    # what is seen, with the air's step taken out

    def _low(self, c: Column) -> float | None:
        return None if c.low_pct is None else c.low_pct + self._air(c)

    def _high(self, c: Column) -> float | None:
        return None if c.high_pct is None else c.high_pct + self._air(c)

    def _air(self, c: Column) -> float:
        return 0.0 if self.curve.air is None else self.curve.air.at(c.at_s)

    def expanded_at(self, c: Column) -> float | None:
        """Get the half width of the band at a column, in %: where the air is out, its step's uncertainty is in it."""
        U = self.terms.expanded_pct
        if U is None or self.curve.air is None or not self._air(c):
            return U
        return math.hypot(U, 2.0 * self.curve.air.u_pct)

    def _pct(self, t_s: float) -> str:
        return f"{self.x(t_s):.2f}%"

    def _wide(self, from_s: float, to_s: float) -> str:
        return f"{max(0.05, self.x(to_s) - self.x(from_s)):.2f}%"

    def _text(self, words: str, x: str | float, y: float, class_: str, **more: str | float) -> Html:
        return el("text", words, class_=class_, x=x, y=y, **more)

    def _stretched(self, y: int, height: int, *paths: Html) -> Html:
        view = f"0 0 {ACROSS} {height * 10}"
        return el("svg", *paths, y=y, width="100%", height=height, viewBox=view, preserveAspectRatio="none")

    def _path(self, class_: str, points: Points, top: int, *, closed: bool = True) -> Html:
        way = path(((x, (y - top) * 10) for x, y in points), closed=closed)
        return el("path", class_=class_, d=way, vector_effect="non-scaling-stroke")

    # the parts, from back to front

    def _ribbon(self) -> Html:
        out: list[Html] = []
        for p in (*self.recorded.phases, *self.curve.planned):
            here = self.curve.running and not p.planned and p is self.recorded.phases[-1]
            kind = "plan" if p.planned else "here" if here else "done"
            out.append(
                el("rect", class_=f"ph {kind}", x=self._pct(p.from_s), width=self._wide(p.from_s, p.to_s), height=18)
            )
            share = (self.x(p.to_s) - self.x(p.from_s)) / 100.0
            name = short_name(p.phase, self.words)
            if here and share > 0.04:
                out.append(self._text(name, self._pct(p.from_s), 13.5, "ph-t here-t", dx=6))
            elif share > 0.035:
                class_ = "ph-t" if share > 0.1 else "ph-t wide"
                out.append(self._text(name, self._pct((p.from_s + p.to_s) / 2), 13.5, class_, text_anchor="middle"))
        for from_s, to_s in self._not_seen():
            out.append(el("rect", class_="cut", x=self._pct(from_s), width=self._wide(from_s, to_s), height=18))
        return el("g", *out, class_="ribbon")

    def _not_seen(self) -> list[tuple[float, float]]:
        columns = self.recorded.columns
        return [(a.to_s, b.from_s) for a, b in pairwise(columns) if b.after_gap]

    def _drops(self) -> Html:
        out = [
            el(
                "line",
                class_="drop open" if mark_class(m) == "alarm" else "drop",
                x1=self._pct(m.at_s),
                x2=self._pct(m.at_s),
                y1=46,
                y2=self.axis_y - 8,
            )
            for m in marks(self.recorded.happened, self.to_s - self.from_s)
        ]
        return Html("".join(out))

    def _loss_grid(self) -> Html:
        out: list[Html] = []
        limit_y = self.y(self.terms.limit_pct)
        for value in ticks(self.bottom_pct, self.top_pct, 7):
            y = self.y(value)
            kind = "zero" if abs(value) < 1e-9 else "grid"
            if kind == "zero" or abs(y - limit_y) > 1.0:
                out.append(el("line", class_=kind, x1=0, x2="100%", y1=y, y2=y))
            if limit_y - 22 < y - 5 < limit_y + 4 or y < TOP + 1.0:
                continue  # the limit's own words, or the marks, stand there
            said = "0" if kind == "zero" else f"{round(value, 6):g}".replace("-", "−")
            out.append(self._text(said, 0, y - 5, "tick"))
        return Html("".join(out))

    def _gaps(self) -> Html:
        out = [
            el("rect", class_="gapfill", x=self._pct(a), width=self._wide(a, b), y=y, height=height)
            for a, b in self._not_seen()
            for y, height in ((TOP, BOTTOM - TOP), (OVEN_TOP, OVEN_BOTTOM - OVEN_TOP))
        ]
        return Html("".join(out))

    def _loss(self) -> Html:
        parts: list[Html] = []
        for stretch in self.losses:
            kept = [*stretch[::BAND_EVERY], *stretch[-1:]]
            band = [
                (c, (low + high) / 2.0 - U, (low + high) / 2.0 + U)
                for c, low, high in kept
                if (U := self.expanded_at(c)) is not None
            ]
            if band:
                parts.append(self._path("u", outline(band, self.across, self.y), TOP))
        ahead = self.curve.forecast
        if ahead:
            upper = [(self.across(f.at_s), self.y(self.y.within(f.high_pct))) for f in ahead]
            lower = [(self.across(f.at_s), self.y(self.y.within(f.low_pct))) for f in reversed(ahead)]
            middle = [(self.across(f.at_s), self.y(self.y.within(f.loss_pct))) for f in ahead]
            parts += [self._path("f", upper + lower, TOP), self._path("fl", middle, TOP, closed=False)]
        parts += [self._path("d", outline(s, self.across, self.y), TOP) for s in self.losses]
        return self._stretched(TOP, BOTTOM - TOP, *parts)

    def _limit(self) -> Html:
        y = self.y(self.terms.limit_pct)
        said = self.words("curve_limit", limit=f"{self.terms.limit_pct:g}")
        return Html(el("line", class_="limit", x1=0, x2="100%", y1=y, y2=y) + self._text(said, 0, y - 7, "limit-t"))

    def _windows(self) -> Html:
        out: list[Html] = []
        for w in self.recorded.windows:
            if w.which.is_zero:
                continue
            at = self._loss_near((w.from_s + w.to_s) / 2.0)
            y = self.y(self.y.within(0.0 if at is None else at))
            out.append(el("line", class_="w", x1=self._pct(w.from_s), x2=self._pct(w.to_s), y1=y, y2=y))
            name = w.which.value.upper().replace("_", " ")
            on_limit = (
                abs(y - self.y(self.terms.limit_pct)) < LETTERS_PX and self.x(w.to_s) < NOW_PCT
            )  # its words stand there
            beside = y + 18 if on_limit else y - 8
            out.append(self._text(name, self._pct(w.to_s), beside, "lab wide", dx=-2, text_anchor="end"))
        return Html("".join(out))

    def _loss_near(self, t_s: float) -> float | None:
        near = [(abs(c.at_s - t_s), (low + high) / 2.0) for s in self.losses for c, low, high in s]
        return min(near)[1] if near else None

    def _now(self) -> Html:
        if not self.losses:
            return Html("")
        c, low, high = self.losses[-1][-1]
        loss = (low + high) / 2.0
        x, y = self._pct(c.to_s), self.y(self.y.within(loss))
        said = self.words("curve_now" if self.curve.running else "curve_last", loss=f"{loss:.3f}".replace("-", "−"))
        ahead = self.curve.forecast
        right = self.x(c.to_s) > 80.0 or bool(ahead and self.x(ahead[-1].at_s) - self.x(c.to_s) < NOW_PCT)
        U = self.expanded_at(c) or 0.0
        low_y = self.y(self.y.within(loss - U)) if right else y  # what stands left of the line is under the band
        below = max(y + 36, low_y + 16) if max(y + 36, low_y + 16) < BOTTOM - 4 else y - 18
        return Html(
            (el("line", class_="nowline", x1=x, x2=x, y1=TOP, y2=self.axis_y - 8) if self.curve.running else "")
            + el("circle", class_="dot", cx=x, cy=y, r=5)
            + self._text(
                said, x, below, "lab strong now-t", dx=-8 if right else 8, text_anchor="end" if right else "start"
            )
        )

    def _named_band(self) -> Html:
        """Get what the line and its band are, beneath where half of the loss so far was reached."""
        drawn = [at for stretch in self.losses for at in stretch]
        if not drawn or self.terms.expanded_pct is None:
            return Html("")
        newest = (drawn[-1][1] + drawn[-1][2]) / 2.0
        if newest < NAMED * self.top_pct:
            return Html("")
        c, low, high = next(at for at in drawn if at[1] + at[2] >= newest)
        y = self.y(self.y.within((low + high) / 2.0 - (self.expanded_at(c) or 0.0))) + 14
        room = self.x(c.at_s) < 70.0 and y < self.y(0.0) - 6
        return self._text(self.words("curve_band"), self._pct(c.at_s), y, "lab wide", dx=16) if room else Html("")

    def _bracket(self) -> Html:
        if not self.curve.forecast:
            return Html("")
        end = self.curve.forecast[-1]
        x = self._pct(end.at_s)
        top, bottom = (self.y(self.y.within(v)) for v in (end.high_pct, end.low_pct))
        said = " ± ".join(forecast_digits(end.loss_pct, end.half_pct))
        limit_y = self.y(self.terms.limit_pct)
        y = off_a_line(bottom + 6, 17, limit_y, (TOP, BOTTOM))
        narrow_y = off_a_line(bottom + 18, 0, limit_y, (TOP, BOTTOM))
        return Html(
            el("line", class_="br", x1=x, x2=x, y1=top, y2=max(bottom, top + 1))
            + self._text(said, x, y, "lab fc wide strong", dx=10)
            + self._text(said, "100%", narrow_y, "lab fc narrow strong", text_anchor="end")
            + self._text(self.words("curve_forecast"), x, y + 17, "lab fc wide", dx=10)
        )

    def _oven(self) -> Html:
        t, band = self.terms.temp_c, self.terms.temp_band_c
        hold = span_of((*self.recorded.phases, *self.curve.planned), Phase.HOLD)
        out = [self._text(self.words("curve_oven_panel"), 0, 406, "panel")]
        top, bottom = self.oven(t + band), self.oven(t - band)
        planned = [p for p in self.curve.planned if p.phase is Phase.HOLD]
        if hold is not None:
            end_s = max((hold.to_s, *(p.to_s for p in planned)))
            x, width = self._pct(hold.from_s), self._wide(hold.from_s, end_s)
            out.append(el("rect", class_="tband", x=x, width=width, y=top, height=bottom - top))
        for value, y in ((t + band, top), (t - band, bottom)):
            out.append(el("line", class_="grid", x1=0, x2="100%", y1=y, y2=y))
            out.append(self._text(f"{value:g}", 0, y - 4, "tick"))
        seen = stretches(self.recorded.columns, self._oven_low, self._oven_high)
        paths = [self._path("d2", outline(s, self.across, self.oven), OVEN_TOP) for s in seen]
        out.append(self._stretched(OVEN_TOP, OVEN_BOTTOM - OVEN_TOP, *paths))
        first = next((c for c in self.recorded.columns if c.oven_low_c is not None), None)
        kept = self.words("curve_to_be_kept", temp=f"{t:g}", band=f"{band:g}")
        if first is None:
            out.append(self._text(self.words("curve_oven_none"), "50%", 455, "lab soft", text_anchor="middle"))
        elif hold is not None and first.oven_low_c is not None and first.oven_low_c < self.oven.low:
            said = self.words("curve_from_temp", temp=f"{first.oven_low_c:.0f}")
            rises_s = next((c.from_s for c in self.recorded.columns if self._oven_low(c) is not None), hold.from_s)
            out.append(self._text(said, self._pct(rises_s), 482, "lab soft wide", dx=-8, text_anchor="end"))
        if planned:  # above the band: within it is the curve
            x = self._pct(planned[-1].to_s)
            out.append(self._text(kept, x, top - 3, "lab soft wide", dx=-8, text_anchor="end"))
        return Html("".join(out))

    def _oven_low(self, c: Column) -> float | None:
        """Get the oven's least where its panel shows it: what is colder than the panel is off it, and says so."""
        return c.oven_low_c if c.oven_high_c is not None and c.oven_high_c >= self.oven.low else None

    def _oven_high(self, c: Column) -> float | None:
        return c.oven_high_c if c.oven_high_c is not None and c.oven_high_c >= self.oven.low else None

    def _pressure(self) -> Html:
        measured = self.terms.pressure is PressureKnown.MEASURED
        out = [self._text(self.words("curve_pressure_panel" if measured else "curve_vacuum_panel"), 0, 517, "panel")]
        if measured:
            out.append(self._gauge())
            return Html("".join(out))
        pump, hold = (span_of((*self.recorded.phases, *self.curve.planned), p) for p in (Phase.PUMP, Phase.HOLD))
        from_s = pump.from_s if pump is not None else hold.from_s if hold is not None else None
        if from_s is None:
            return Html("".join(out))
        ends = [p.to_s for p in (*self.recorded.phases, *self.curve.planned) if p.phase in (Phase.HOLD, Phase.RAMP)]
        to_s = max((*ends, from_s))
        now_s = min(max(self.now_s, from_s), to_s)
        y, height = self.bar_y, 14
        x = self._pct(from_s)
        out.append(el("rect", class_="decl", x=x, width=self._wide(from_s, now_s), y=y, height=height))
        if to_s > now_s:
            out.append(
                el("rect", class_="decl plan", x=self._pct(now_s), width=self._wide(now_s, to_s), y=y, height=height)
            )
        declared = self.terms.pressure is PressureKnown.DECLARED
        said = self.words("curve_declared" if declared else "curve_not_stated")
        out.append(self._text(said, self._pct(from_s), y + 11.2, "lab onbar", dx=6))
        return Html("".join(out))

    def _gauge(self) -> Html:
        """Get the gauge's curve, on a logarithmic scale of whole decades."""
        seen = stretches(
            self.recorded.columns,
            lambda c: math.log10(max(c.low_pa, 1e-3)) if c.low_pa is not None else None,
            lambda c: math.log10(max(c.high_pa, 1e-3)) if c.high_pa is not None else None,
        )
        every = [v for s in seen for _, low, high in s for v in (low, high)]
        low, high = math.floor(min(every, default=1.0)), math.ceil(max(every, default=5.0) + 1e-9)
        scale = Scale(low, max(high, low + 1), self.bar_y + self.bar_height, self.bar_y)
        paths = [self._path("p", outline(s, self.across, scale), self.bar_y) for s in seen]
        ends = [
            el("line", class_="grid", x1=0, x2="100%", y1=scale(v), y2=scale(v))
            + self._text(said, 0, scale(v) - 4, "tick")
            for v, said in ((scale.low, f"{10.0**scale.low:g}"), (scale.high, f"{10.0**scale.high:g}"))
        ]
        return Html("".join(ends) + self._stretched(self.bar_y, self.bar_height, *paths))

    def _axis(self) -> Html:
        y = self.axis_y
        out = [el("line", class_="axis", x1=0, x2="100%", y1=y, y2=y)]
        axis = time_ticks(self.from_s, self.to_s, self.curve.clock0_s)
        for i, (t_s, said) in enumerate(axis.at):
            x = self._pct(t_s)
            out.append(el("line", class_="axis", x1=x, x2=x, y1=y, y2=y + 5))
            class_ = "tick" if i % 2 == 0 else "tick wide"
            unit = f" {axis.unit}" if axis.unit else ""
            out.append(self._text(said + unit, x, y + 20, class_, text_anchor="middle"))
        return Html("".join(out))

    def _marks(self) -> Html:
        out = []
        for m in marks(self.recorded.happened, self.to_s - self.from_s):
            down = 6 if mark_class(m) == "alarm" else 4
            said = short_length(m.length_s) if m.length_s >= 1.0 else ""
            if m.kind is not None and (not said or mark_class(m) in ("reset", "alarm")):
                said = self.words(f"happened_{m.kind.value}")
            inner = el(
                "g",
                el("path", d=shape(m)),
                el("text", m.numbers, y=down, text_anchor="middle"),
                class_=f"mark {mark_class(m)}",
            )
            beside = self._text(said, 14, 4, "lab wide") if said and m.kind is not None else ""
            out.append(el("svg", inner, beside, x=self._pct(m.at_s), y=34, overflow="visible", class_="m"))
        return Html("".join(out))
