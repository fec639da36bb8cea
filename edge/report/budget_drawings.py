"""The budget as bars, and the density of the true loss as far as it is known: drawings for paper.

Bars are |∂w/∂x|·u(x) on a linear scale, sorted, eight at most: hatched from the certificate, open assumed or declared,
solid measured; the combined one black beneath. This module must never draw a bar longer than what it stands for.
"""

from __future__ import annotations

import math

from edge.records.result import BudgetLine

from .budget_numbers import share_of, shared, thousandths
from .contents import Page
from .curve_parts import named
from .curve_scale import Points, Scale, nice_step, places_of, ticks
from .ink import DATA, FONT, FONT_ZH, INK, LIMIT, ROW, SOFT, box, drawing, hatch, italic, line, say
from .language import Language
from .markup import Html, el, path
from .numbers import fixed, percent_of_one

MOST_BARS = 8
WIDTH, LEFT, RIGHT, NUMBER, SHARE = 696, 182.0, 560.0, 636.0, 696.0
ROW_PX, BAR_PX = 16.0, 11.0


def _font(page: Page) -> str:
    return FONT_ZH if page.words.language is Language.CHINESE else FONT


def bars_drawing(page: Page, lines: list[BudgetLine]) -> Html:
    """Get the bars of the largest components, sorted."""
    w, shown = page.words, lines[:MOST_BARS]
    combined = math.sqrt(math.fsum(c.contribution_pct**2 for c in lines))
    x = Scale(0.0, max(combined, lines[0].contribution_pct) * 1e3 * 1.08 or 1.0, LEFT, RIGHT)
    foot = 4.0 + ROW_PX * len(shown)
    height = int(foot + 48)
    out: list[Html] = []
    step = nice_step(x.high, 10)
    for value in ticks(0.0, x.high, 10):
        out.append(line(x(value), 0, x(value), foot + 20, ROW, 0.6))
    for i, c in enumerate(shown):
        y = 4.0 + ROW_PX * i
        name = w.sentence(c.name) or c.name
        out += [
            say(LEFT - 8, y + 11, name, anchor="end", size=11),
            _bar(LEFT, y + 1.5, x(c.contribution_pct * 1e3) - LEFT, BAR_PX, c.origin),
            say(NUMBER, y + 11, thousandths(c.contribution_pct), anchor="end", size=11),
            say(SHARE, y + 11, shared(share_of(page, c)), anchor="end", size=11, bold=not i),
        ]
    out += [
        line(0, foot + 3, WIDTH, foot + 3),
        say(LEFT - 8, foot + 16, w("bars_combined"), anchor="end", bold=True, size=11),
        box(LEFT, foot + 6.5, x(combined * 1e3) - LEFT, BAR_PX, INK, None),
        say(NUMBER, foot + 16, thousandths(combined), anchor="end", bold=True, size=11),
        say(SHARE, foot + 16, "100", anchor="end", bold=True, size=11),
    ]
    for value in ticks(0.0, x.high, 5):
        out.append(say(x(value), foot + 31, fixed(value, places_of(step)), anchor="middle", fill=SOFT))
    out += [
        say(NUMBER, foot + 31, "10⁻³ %", anchor="end", fill=SOFT),
        say(SHARE, foot + 31, w("bars_share"), anchor="end", fill=SOFT),
        say(LEFT, foot + 45, *italic(w("bars_axis"), "w"), fill=SOFT),
    ]
    at = LEFT + 176.0
    for origin in ("certificate", "assumed", "measured"):
        out += [
            _bar(at, foot + 37, 14, 9, origin),
            say(at + 19, foot + 45, w(f"bars_{origin}"), fill=SOFT),
        ]
        at += 31.0 + (10.5 if w.language is Language.CHINESE else 5.1) * len(w(f"bars_{origin}"))
    told = w(
        "bars_desc",
        each=w("list_comma").join(f"{w.sentence(c.name) or c.name} {shared(share_of(page, c))} %" for c in shown),
    )
    return drawing("bars", WIDTH, height, _font(page), named("bars", w("bars_title"), told), *out)


def _bar(x: float, y: float, width: float, height: float, origin: str) -> Html:
    """Get a bar by where its value is from: it reads without colour."""
    if origin == "measured":
        return box(x, y, width, height, DATA, DATA)
    open_ = box(x, y, width, height, "#fff", DATA)
    return open_ if origin != "certificate" else Html(open_ + hatch(x, y, width, height, DATA, step=4.0, stroke=1.1))


def density_drawing(page: Page) -> Html:
    """Get the normal density around the loss, what of it lies above the limit, and the one with a rectangular input."""
    r, w = page.result, page.words
    assert r.loss_pct is not None  # the caller has looked
    loss, u, limit = r.loss_pct, r.u_pct or 0.0, r.limit_pct
    named_ = named("dens", w("density_title"), _density_said(page, loss, u, limit))
    width, height, foot = 330, 146, 112.0
    if not u > 0.0:
        return drawing("dens", width, height, _font(page), named_, say(0, 60, w("density_none"), fill=SOFT))
    far = abs(limit - loss) > 8.0 * u
    low, high = loss - 5.0 * u, loss + 5.0 * u
    if not far:
        low, high = min(low, limit - 1.5 * u), max(high, limit + 1.5 * u)
    x = Scale(low, high, 0.0, float(width))
    y = Scale(0.0, 1.0, foot, 22.0)
    values = [low + (high - low) * i / 160 for i in range(161)]

    def normal(v: float) -> float:
        return math.exp(-(((v - loss) / u) ** 2) / 2.0)

    def curve(density: list[tuple[float, float]], **look: str | float) -> Html:
        points: Points = [(x(v) * 10.0, y(d) * 10.0) for v, d in density]
        return el("path", d=path(points), transform="scale(.1)", **look)

    out: list[Html] = []
    above = [v for v in values if v > limit]
    if above and not far:
        points = [(limit, 0.0), (limit, normal(limit)), *((v, normal(v)) for v in above), (high, 0.0)]
        out.append(curve(points, fill="#d0d0cd"))
    out.append(curve([(v, normal(v)) for v in values], fill="none", stroke=DATA, stroke_width=18))
    said = [say(2, 40, w("density_normal"), fill=DATA)]
    flat = _with_rectangle(page, values, loss, u)
    if flat is not None:
        out.append(curve(flat, fill="none", stroke=INK, stroke_width=10, stroke_dasharray="40 25"))
        said += [say(2, 55, w("density_dashed")), say(2, 68, w("density_rectangular"))]
    if not far:
        at = x(limit)
        right = at < width - 90
        words = w("curve_limit", limit=page.report.limit)
        out.append(line(at, 8, at, foot, LIMIT, 2.2))
        out.append(
            say(
                at + (5 if right else -5), 17, words, anchor="start" if right else "end", fill=LIMIT, bold=True, size=11
            )
        )
    else:
        out.append(
            say(
                width if limit > loss else 0,
                17,
                w("density_off", limit=page.report.limit),
                anchor="end" if limit > loss else "start",
                fill=LIMIT,
                bold=True,
                size=11,
            )
        )
    p = 0.5 * math.erfc((limit - loss) / u / math.sqrt(2.0))
    if 0.001 < p < 0.999 and not far:
        out += [
            line(x(limit) + 14, 98, min(x(limit) + 46, width - 30), 78, INK, 0.7),
            say(min(x(limit) + 48, width - 28), 76, percent_of_one(p), size=11),
        ]
    out.append(line(0, foot, width, foot))
    step = nice_step(high - low, 9)
    for value in ticks(low, high, 9):
        at = x(value)
        if 12 < at < width - 12:
            out += [line(at, foot, at, foot + 4), say(at, foot + 16, fixed(value, places_of(step)), anchor="middle")]
    out.append(say(0, 142, w("density_axis"), fill=SOFT))
    return drawing("dens", width, height, _font(page), named_, *out, *said)


def _density_said(page: Page, loss: float, u: float, limit: float) -> str:
    p = 0.5 * math.erfc((limit - loss) / u / math.sqrt(2.0)) if u > 0.0 else 0.0
    shown, u_shown = page.pct()[0], f"{u:.2g}"
    return page.words("density_desc", loss=shown, u=u_shown, limit=page.report.limit, p=percent_of_one(p))


def _with_rectangle(page: Page, values: list[float], loss: float, u: float) -> list[tuple[float, float]] | None:
    """Get the density where the largest input is rectangular and makes more than half of the variance (None: not)."""
    largest = max(page.result.budget, key=lambda c: c.contribution_pct, default=None)
    if largest is None or largest.distribution != "rectangular" or 2.0 * largest.contribution_pct**2 < u * u:
        return None
    half = largest.contribution_pct * math.sqrt(3.0)
    rest = math.sqrt(max(u * u - largest.contribution_pct**2, (0.02 * u) ** 2))
    height = u * math.sqrt(2.0 * math.pi)  # in the scale in which the normal curve's top is 1

    def at(v: float) -> float:
        d = v - loss
        both = math.erf((d + half) / rest / math.sqrt(2.0)) - math.erf((d - half) / rest / math.sqrt(2.0))
        return both / 2.0 / (2.0 * half) * height

    return [(v, at(v)) for v in values]
