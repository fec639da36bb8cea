"""A QR code in a terminal: light squares as blocks, two rows of them to a line.

This module must never shorten what it is given.
"""

from __future__ import annotations

BORDER = 2
"""Squares of light around it, which a reader wants."""
_LIGHT = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}


def qr_lines(text: str) -> list[str]:
    """Get the lines of a text's QR code, for a terminal that is dark. Raises ``ValueError`` where it is too long."""
    import segno

    rows = [[bool(dark) for dark in row] for row in segno.make(text, micro=False).matrix_iter(border=BORDER)]
    if len(rows) % 2:
        rows.append([True] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_LIGHT[two] for two in zip(above, below, strict=True)) for above, below in pairs]
