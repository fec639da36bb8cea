"""Mettler Toledo STARe: a curve's values as text, ``Index t Ts Tr Value`` between blanks, units in brackets below.

``Ts`` is the sample's temperature, ``Tr`` the reference's; which of them is there, and in which order, is
the export's. This module must never take the reference's for the sample's.
"""

from __future__ import annotations

import re

from edge.replay.headings import plain_unit, split_heading
from edge.replay.layout import BLANKS, ColumnHead, Head, Layout

FIRST, LAST, BETWEEN = "Index", "Value", frozenset(("t", "Ts", "Tr"))
_UNIT = re.compile(r"\[([^\]]*)\]")
_MASS = {"mg": "mass_mg", "g": "mass_g", "µg": "mass_ug", "%": "mass_pct"}
_TIME = {"s": "t_s", "min": "t_min", "h": "t_h"}
_TEMP = {"°c": "temp_c", "K": "temp_k", "°f": "temp_f"}


class MettlerStar:
    """STARe's text export of one curve."""

    name = "Mettler STARe text"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the line ``Index t Ts Tr Value``; its columns have units, or are not read."""
        named = ((i, line.split()) for i, line in enumerate(head.lines[:-1]))
        at, names = next(((i, n) for i, n in named if _are_names(n)), (-1, []))
        if at < 0:
            return None
        units = [u for u in _UNIT.findall(head.lines[at + 1]) if u]
        units = ["", *units]
        if len(units) != len(names):
            return None
        columns: list[ColumnHead] = [split_heading(n, u) for n, u in zip(names, units, strict=True)]
        known = {"t": _TIME, "Ts": _TEMP, LAST: _MASS}
        plain = [plain_unit(unit) for unit in units]
        meanings = tuple((i, known[n][plain[i]]) for i, n in enumerate(names) if n in known and plain[i] in known[n])
        return Layout(self.name, tuple(columns), at + 2, BLANKS, meanings=meanings)


def _are_names(words: list[str]) -> bool:
    return len(words) > 2 and words[0] == FIRST and words[-1] == LAST and set(words[1:-1]) <= BETWEEN
