"""Mettler Toledo STARe: a curve's values as text, ``Index t Ts Tr Value`` between blanks, units in brackets below.

``Ts`` is the sample's temperature, ``Tr`` the reference's. This module must never take the reference's for the
sample's.
"""

from __future__ import annotations

import re

from edge.replay.headings import plain_unit, split_heading
from edge.replay.layout import BLANKS, ColumnHead, Head, Layout

NAMES = ("Index", "t", "Ts", "Tr", "Value")
_UNIT = re.compile(r"\[([^\]]*)\]")
_MASS = {"mg": "mass_mg", "g": "mass_g", "µg": "mass_ug", "%": "mass_pct"}
_TIME = {"s": "t_s", "min": "t_min", "h": "t_h"}
_TEMP = {"°c": "temp_c", "K": "temp_k", "°f": "temp_f"}


class MettlerStar:
    """STARe's text export of one curve."""

    name = "Mettler STARe text"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the line ``Index t Ts Tr Value``; its columns have units, or are not read."""
        at = next((i for i, line in enumerate(head.lines) if tuple(line.split()) == NAMES), None)
        if at is None or at + 1 >= len(head.lines):
            return None
        units = ["", *_UNIT.findall(head.lines[at + 1])]
        if len(units) != len(NAMES):
            return None
        columns: list[ColumnHead] = [split_heading(n, u) for n, u in zip(NAMES, units, strict=True)]
        known = ((1, _TIME), (2, _TEMP), (4, _MASS))
        meanings = tuple((i, names[plain_unit(units[i])]) for i, names in known if plain_unit(units[i]) in names)
        return Layout(self.name, tuple(columns), at + 2, BLANKS, meanings=meanings)
