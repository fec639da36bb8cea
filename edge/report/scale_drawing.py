"""The result on a line of loss: the rule as three zones, the estimate with ± u and ± U, the limit.

The line is cut to the limit ± 2.5 U; a value far off stands at the edge behind a broken axis, with its number. Nothing
but the limit is red. This module must never move a value to where it looks better.
"""

from __future__ import annotations

from .contents import Page
from .curve_parts import named
from .curve_scale import Scale, nice_step, places_of, ticks
from .decimals import decimals
from .ink import DATA, FONT, FONT_ZH, INK, LIMIT, SOFT, box, drawing, hatch, italic, line, say, variable_of
from .language import Language
from .markup import Html, el, joined
from .numbers import fixed

WIDTH, HEIGHT = 696, 152
ZONE_Y, ZONE_HEIGHT, BAR_Y, AXIS_Y = 30.0, 22.0, 84.0, 114.0
REACH = 2.5
LEAST_REACH = 1e-6
"""In %, and as a share of the limit."""
EDGE = 60.0
"""Beyond the broken axis a value stands in so many px."""
BREAK = 44.0
END = 22.0
"""Half of the number at an end of the interval, in px: it stays on the paper."""
CLEAR = 42.0
"""Half of the estimate's number, and a little, in px: nearer to the limit it stands beside the limit's line."""


def scale_drawing(page: Page) -> Html:
    """Get the drawing of a result that has a loss with its uncertainty."""
    return _Scale(page).svg()


class _Scale:
    def __init__(self, page: Page) -> None:
        r, self.page, self.words = page.result, page, page.words
        assert r.loss_pct is not None  # the caller has looked
        assert r.U_pct is not None
        self.loss, self.U = r.loss_pct, r.U_pct
        self.u, self.k = r.u_pct or 0.0, r.k or 2.0
        self.limit, self.comparator = r.limit_pct, r.comparator
        self.guard = page.facts.standard.guard_factor * self.U
        reach = REACH * self.U if self.U > 0.0 else 0.2 * abs(self.limit)
        reach = max(reach, LEAST_REACH * abs(self.limit), LEAST_REACH)  # whatever is stored, a line has a length
        self.low, self.high = self.limit - reach, self.limit + reach
        self.side = 1 if self.loss + self.U > self.high + reach else -1 if self.loss - self.U < self.low - reach else 0
        if not self.side:
            self.low, self.high = (
                min(self.low, self.loss - 1.15 * self.U),
                max(self.high, self.loss + 1.15 * self.U),
            )
        left, right = (EDGE + BREAK if self.side < 0 else 0.0), WIDTH - (EDGE + BREAK if self.side > 0 else 0.0)
        self.x = Scale(self.low, self.high, left, right)
        self.left, self.right = left, right

    def svg(self) -> Html:
        places = decimals(self.U)
        loss, low, high = (fixed(v, places) for v in (self.loss, self.loss - self.U, self.loss + self.U))
        self.shown, self.shown_low, self.shown_high, self.places = loss, low, high, places
        told = self.words(
            "scale_desc",
            low=fixed(self.low, places),
            high=fixed(self.high, places),
            limit=self.page.report.limit,
            guard_low=fixed(self.limit - self.guard, places),
            guard_high=fixed(self.limit + self.guard, places),
            loss=loss,
            ends_low=low,
            ends_high=high,
            verdict=self.words(f"verdict_{self.page.result.verdict.value}"),
        )
        font = FONT_ZH if self.words.language is Language.CHINESE else FONT
        parts = (self._zones(), self._estimate(), self._limit(), self._axis(), self._legend())
        return drawing("scale", WIDTH, HEIGHT, font, named("scale", self.words("scale_title"), told), *parts)

    def _zones(self) -> Html:
        down, up = self.x(self.limit - self.guard), self.x(self.limit + self.guard)
        middle = self.x(self.limit)
        below, above = self._zone_ends()
        places = decimals(self.U)
        to, off = ("≤", ">") if self.comparator == "<=" else ("<", "≥")
        out = [
            box(below, ZONE_Y, down - below, ZONE_HEIGHT),
            box(up, ZONE_Y, above - up, ZONE_HEIGHT, "#d9d9d6"),
            box(down, ZONE_Y, up - down, ZONE_HEIGHT),
            hatch(down, ZONE_Y, middle - down, ZONE_HEIGHT, "#777"),
            hatch(middle, ZONE_Y, up - middle, ZONE_HEIGHT, "#777", rising=False),
        ]
        w = variable_of("w")
        least, most = fixed(self.limit - self.guard, places), fixed(self.limit + self.guard, places)
        out += [
            say((below + down) / 2, 22, self.words("verdict_PASS"), anchor="middle", bold=True, size=12),
            say((up + above) / 2, 22, self.words("verdict_FAIL"), anchor="middle", bold=True, size=12),
            say((below + down) / 2, 45, w, f" {to} {least} %", anchor="middle", size=11),
            say((up + above) / 2, 45, w, f" {off} {most} %", anchor="middle", size=11),
        ]
        if up - down > 200.0:
            out.append(say(down + 2, 22, self.words("verdict_INCONCLUSIVE"), bold=True, size=12))
            guard = italic(self.words("scale_guard"))
            out.append(say(up - 2, 22, *guard, anchor="end", fill=SOFT, size=11))
        out += [line(x, 52, x, AXIS_Y, "#999", 0.7, "2 3") for x in (down, up) if self.guard > 0.0]
        return Html("".join(out))

    def _zone_ends(self) -> tuple[float, float]:
        return 0.0, float(WIDTH)

    def _place(self, value: float) -> float:
        if self.side > 0 and value > self.high:
            return WIDTH - EDGE / 2
        if self.side < 0 and value < self.low:
            return EDGE / 2
        return self.x(value)

    def _estimate(self) -> Html:
        y = BAR_Y
        if self.side:
            x = self._place(self.loss)
            out = [
                line(x - 24, y, x + 24, y, DATA, 1.6),
                line(x - 24, y - 7, x - 24, y + 7, DATA, 1.6),
                line(x + 24, y - 7, x + 24, y + 7, DATA, 1.6),
            ]
            numbers = say(x, y + 21, f"± {fixed(self.U, self.places)}", anchor="middle", fill=DATA, size=11)
        else:
            x, low, high = self.x(self.loss), self.x(self.loss - self.U), self.x(self.loss + self.U)
            out = [line(low, y, high, y, DATA, 1.6)]
            out += [line(end, y - 7, end, y + 7, DATA, 1.6) for end in (low, high)]
            out.append(line(self.x(self.loss - self.u), y, self.x(self.loss + self.u), y, DATA, 5.5))
            numbers = joined(
                *(
                    say(min(max(at, END), WIDTH - END), y + 21, shown, anchor="middle", fill=DATA, size=11)
                    for at, shown in ((low, self.shown_low), (high, self.shown_high))
                )
            )
        ring = el("circle", cx=x, cy=y, r=6.2, fill="#fff", stroke=DATA, stroke_width=2.6)
        anchor, at = self._beside_limit(x)
        shown = say(at, y - 14, f"{self.shown} %", anchor=anchor, fill=DATA, bold=True, size=14)
        return Html("".join([*out, self._limit_line(), ring, numbers, shown]))

    def _limit_line(self) -> Html:
        x = self.x(self.limit)
        return line(x, 6, x, AXIS_Y, LIMIT, 2.6)

    def _beside_limit(self, x: float) -> tuple[str, float]:
        """Get the anchor and place of the estimate's number: over its ring, or clear of the limit's line and word."""
        limit_x = self.x(self.limit)
        if abs(x - limit_x) > CLEAR:
            return "middle", x
        return ("start", limit_x + 8.0) if self.loss >= self.limit else ("end", limit_x - 8.0)

    def _limit(self) -> Html:
        x = self.x(self.limit)
        said = self.words("curve_limit", limit=self.page.report.limit)
        anchor, at = ("end", x - 6) if self.loss >= self.limit else ("start", x + 6)
        return say(at, 70, said, anchor=anchor, fill=LIMIT, bold=True, size=12)

    def _axis(self) -> Html:
        out = [line(self.left, AXIS_Y, self.right, AXIS_Y, INK, 0.9)]
        if self.side:
            edge = (self.right, float(WIDTH)) if self.side > 0 else (0.0, self.left)
            start, end = edge
            torn = self.right + 8 if self.side > 0 else self.left - 8
            out.append(
                line(
                    start + (BREAK if self.side > 0 else 0),
                    AXIS_Y,
                    end - (0 if self.side > 0 else BREAK),
                    AXIS_Y,
                    INK,
                    0.9,
                )
            )
            out += [line(torn + d - 3, AXIS_Y + 6, torn + d + 3, AXIS_Y - 6, INK, 0.9) for d in (0, 6)]
        step = nice_step(self.high - self.low, 11)
        for value in ticks(self.low, self.high, 11):
            x = self.x(value)
            out += [
                line(x, AXIS_Y, x, AXIS_Y + 6),
                say(x, AXIS_Y + 18, fixed(value, places_of(step)), anchor="middle", size=11)
                if 14 < x < WIDTH - 14
                else Html(""),
            ]
        return Html("".join(out))

    def _legend(self) -> Html:
        k = self.words("scale_legend", k=fixed(self.k, 2))
        head = say(0, 148, *italic(self.words("scale_axis"), "w"), fill=SOFT, size=11)
        out: list[str | Html] = []
        for part in italic(k):
            out += [part] if isinstance(part, Html) else list(_symbols(part))
        return joined(head, say(WIDTH, 148, *out, anchor="end", fill=SOFT, size=11))


def _symbols(words: str) -> tuple[str | Html, ...]:
    """Get words in which u and k, where they stand alone, are italic."""
    out: list[str | Html] = []
    for i, part in enumerate(words.split(" ")):
        space = " " if i else ""
        core = part.strip(",;；，()（）")
        if core in ("u", "k"):
            before, after = part.split(core, 1)
            out += [space + before, variable_of(core), after]
        else:
            out.append(space + part)
    return tuple(out)
