"""Lines that a terminal holds: broken between words, what follows stands in by four, wide characters counted as two.

A number keeps its unit. This module must never lose a character but the blank at which a line is broken.
"""

from __future__ import annotations

import re
import unicodedata

LEAST = 20
"""A terminal is never narrower: what is broken finer than that is not read."""
IN = 4
BREAKS = re.compile(r"(?<!\d) | (?!(?:[%‰KΩVhsdg]|°C|mg|kg|min|ms|[kh]?Pa|Hz|[kMG]?B)(?![^\W\d_]))")
"""The blanks at which a line may be broken: all but those between a number and its unit."""


def width_of(text: str) -> int:
    """Get how many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def wrapped(text: str, columns: int, hang: int = IN) -> str:
    """Get a text with no line wider than ``columns``, where words let it; what follows stands in by ``hang`` more."""
    most = max(LEAST, columns)
    return "\n".join(part for line in text.split("\n") for part in _broken(line, most, hang))


def _broken(line: str, most: int, hang: int) -> list[str]:
    if width_of(line) <= most:
        return [line]
    indent = len(line) - len(line.lstrip(" "))
    following = " " * min(indent + hang, most // 2)
    out, now = [], line[:indent]
    for i, word in enumerate(BREAKS.split(line[indent:])):
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
