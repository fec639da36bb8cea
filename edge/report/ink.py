"""Drawings for paper: plain SVG with presentation attributes, for no style sheet reaches into SVG in every PDF maker.

Two colours beside black, and all of it reads without them. This module must never know what a drawing is of.
"""

from __future__ import annotations

from .markup import Html, el

INK, SOFT, HAIR, ROW = "#111", "#4a4a4a", "#dcdcda", "#e2e2e0"
DATA, LIMIT = "#1d4f76", "#b4341c"
"""What was measured; the limit, and nothing else."""
FONT = "'Source Sans 3','Source Sans Pro','Noto Sans','Segoe UI',Arial,'Noto Sans CJK SC',sans-serif"
FONT_ZH = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
SIZE = 10.5
HOLD_FILL, BACK = "#e6e6e3", "#f6f6f4"


def drawing(svg_id: str, width: int, height: int, words_font: str, *content: str | Html) -> Html:
    """Get a drawing of ``width`` × ``height`` px, named by the title and description among its content."""
    return el(
        "svg",
        *content,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{svg_id}-t {svg_id}-d",
        font_family=words_font,
        font_size=SIZE,
    )


def line(
    x1: float, y1: float, x2: float, y2: float, colour: str = INK, width: float = 0.8, dash: str | None = None
) -> Html:
    """Get a line."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, stroke_dasharray=dash)


def box(x: float, y: float, width: float, height: float, fill: str = "#fff", stroke: str | None = INK) -> Html:
    """Get a rectangle."""
    return el(
        "rect",
        x=x,
        y=y,
        width=max(0.0, width),
        height=height,
        fill=fill,
        stroke=stroke,
        stroke_width=None if stroke is None else 0.7,
    )


def say(
    x: float,
    y: float,
    *words: str | Html,
    anchor: str = "start",
    fill: str = INK,
    bold: bool = False,
    size: float | None = None,
) -> Html:
    """Get text at a place."""
    weight = "700" if bold else None
    return el("text", *words, x=x, y=y, text_anchor=anchor, fill=fill, font_weight=weight, font_size=size)


def variable_of(symbol: str) -> Html:
    """Get a quantity's symbol: italic, in a face that has one also beside Chinese."""
    return el("tspan", symbol, font_style="italic", font_family=FONT)


def italic(words: str, variable: str = "U") -> tuple[str | Html, ...]:
    """Get words in which a quantity's symbol, where it stands alone, is italic."""
    out: list[str | Html] = []
    for i, part in enumerate(words.split(" ")):
        space = " " if i else ""
        core = part.rstrip(",;；，)）")
        if core == variable:
            out += [space, variable_of(core), part[len(core) :]]
        else:
            out.append(space + part)
    return tuple(out)


def hatch(
    x: float,
    y: float,
    width: float,
    height: float,
    colour: str,
    *,
    step: float = 6.0,
    rising: bool = True,
    stroke: float = 0.6,
) -> Html:
    """Get a rectangle's hatching, line by line: no pattern, which not every PDF maker fills."""
    way = []
    reach = width + height
    at = step
    while at < reach:
        x0, y0 = (at, 0.0) if at <= width else (width, at - width)
        x1, y1 = (0.0, at) if at <= height else (at - height, height)
        if not rising:
            x0, x1 = width - x0, width - x1
        way.append(f"M{x + x1:.1f} {y + y1:.1f}L{x + x0:.1f} {y + y0:.1f}")
        at += step
    return el("path", d="".join(way), stroke=colour, stroke_width=stroke, fill="none") if way else Html("")
