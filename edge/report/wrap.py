"""Lines that a terminal holds: broken between words, what follows stands in by four, wide characters counted as two.

This module must never lose a character but the blank at which a line is broken.
"""

from __future__ import annotations

import unicodedata

LEAST = 20
"""A terminal is never narrower: what is broken finer than that is not read."""
IN = 4


def width_of(text: str) -> int:
    """Get how many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def wrapped(text: str, columns: int) -> str:
    """Get a text with no line wider than ``columns``, where words let it."""
    most = max(LEAST, columns)
    return "\n".join(part for line in text.split("\n") for part in _broken(line, most))


def _broken(line: str, most: int) -> list[str]:
    if width_of(line) <= most:
        return [line]
    indent = len(line) - len(line.lstrip(" "))
    following = " " * min(indent + IN, most // 2)
    out, now = [], line[:indent]
    for i, word in enumerate(line[indent:].split(" ")):
        space = " " if i else ""
        if i and width_of(now + space + word) > most and now.strip():
            out.append(now)
            now = following + word
        else:
            now += space + word
        while width_of(now) > most:  # one word that is longer than a line
            cut = _fits(now, most)
            out.append(now[:cut])
            now = following + now[cut:]
    return [*out, now]


def _fits(text: str, most: int) -> int:
    used = 0
    for i, c in enumerate(text):
        used += width_of(c)
        if used > most:
            return max(1, i)
    return len(text)
