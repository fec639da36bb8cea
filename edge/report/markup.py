"""HTML and SVG as typed text: a string is text and is escaped, only :class:`Html` is markup.

Nobody can forget to escape a name: what is no ``Html`` is never markup. This module must never hold a word of a report.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from calibration.visible_text import visible

VOID = frozenset(("br", "hr", "img", "link", "meta", "wbr"))
"""Elements of HTML that have no end."""


class Html(str):
    """Markup that is right as it stands."""

    __slots__ = ()


Content = str | Html | Iterable["str | Html"]


def text(value: str) -> Html:
    """Get text as markup: what cannot be seen is shown as its code, and nothing in it is a tag."""
    return value if isinstance(value, Html) else Html(escape(visible(value), quote=False))


def joined(*parts: str | Html) -> Html:
    """Get parts one after the other as markup."""
    return Html("".join(map(text, parts)))


def name(value: str) -> Html:
    """Get a name from a database or a file: whole, apart from the direction of what surrounds it."""
    return el("bdi", value)


def el(tag: str, *content: str | Html, **attributes: str | float | None) -> Html:
    """Get an element. ``class_`` is ``class``, ``stroke_width`` is ``stroke-width``; None leaves an attribute out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{said}>" if tag in VOID else f"<{tag}{said}>{joined(*content)}</{tag}>")


def _value(value: str | float) -> str:
    return escape(visible(value)) if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Write a coordinate with at most two decimals and nothing to spare."""
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if short in ("", "-0") else short


def path(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """Get a path through whole-numbered points, in relative steps; '' where there is none."""
    whole = [(round(x), round(y)) for x, y in points]
    if not whole:
        return ""
    (x0, y0), steps = whole[0], []
    flat = 0
    for x, y in whole[1:]:
        dx, dy = x - x0, y - y0
        x0, y0 = x, y
        if not dy:  # along a level line only its end is a point
            if flat and (flat > 0) != (dx > 0):
                steps.append(f"{flat} 0")
                flat = 0
            flat += dx
            continue
        if flat:
            steps.append(f"{flat} 0")
            flat = 0
        steps.append(f"{dx} {dy}")
    if flat:
        steps.append(f"{flat} 0")
    way = " ".join(steps).replace(" -", "-")
    return f"M{whole[0][0]} {whole[0][1]}" + (f"l{way}" if way else "h0") + ("z" if closed else "")
