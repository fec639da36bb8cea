"""A QR code as SVG on paper: black squares, a quiet zone, and what it holds in its title.

This module must never shorten what it holds.
"""

from __future__ import annotations

from .markup import Html, el

QUIET = 2
MOST_CHARS = 1200


def qr_code(content: str, title: str, svg_id: str = "qr") -> Html:
    """Get the QR code of a text; nothing where it is too long for one or the maker of codes is not installed."""
    try:
        import segno
    except ImportError:
        return Html("")
    if len(content) > MOST_CHARS:
        return Html("")
    rows = [list(map(bool, row)) for row in segno.make(content, error="m", micro=False).matrix]
    side = len(rows) + 2 * QUIET
    way = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            run = x
            while run < len(row) and row[run]:
                run += 1
            if run > x:
                way.append(f"M{x + QUIET} {y + QUIET}h{run - x}v1h-{run - x}z")
            x = run + 1
    return el(
        "svg",
        el("title", title, id=f"{svg_id}-t"),
        el("path", d="".join(way), fill="#000"),
        viewBox=f"0 0 {side} {side}",
        width=110,
        height=110,
        role="img",
        aria_labelledby=f"{svg_id}-t",
        shape_rendering="crispEdges",
    )
