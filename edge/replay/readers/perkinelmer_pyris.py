"""PerkinElmer Pyris: text with the method's steps, a header of two lines, and rows behind a tab; or its CSV.

Pyris writes no units: its times are in minutes, its weights in mg (as its ``Sample Weight`` says) and its temperatures
in °C. This module must never take the programme's temperature for the sample's, nor other units than the file states.
"""

from __future__ import annotations

import re

from edge.replay.headings import split_heading
from edge.replay.layout import ColumnHead, Head, Layout, split_cells

MEANINGS = {"Time": "t_min", "Unsubtracted Weight": "mass_mg", "Sample Temperature": "temp_c"}
_STEP = re.compile(r"\d{1,3}\) [^\t]*\t*")
_WEIGHT = re.compile(r"^(?:Sample|Display) Weight:\s*([0-9]+(?:\.[0-9]+)?)\s*mg\b")


class PerkinElmerPyris:
    """Pyris's text export: ``Unsubtracted Weight`` in two lines of header, steps between the rows."""

    name = "PerkinElmer Pyris text"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by its header of two lines. A file that does not state its weight in mg is not taken."""
        stated = next((found for line in head.lines if (found := _WEIGHT.match(line))), None)
        if stated is None:
            return None
        for at in range(len(head.lines) - 1):
            above, below = (split_cells(head.lines[i], "\t") for i in (at, at + 1))
            if "Unsubtracted" not in above or len(below) != len(above):
                continue
            names = [f"{a} {b}".strip() for a, b in zip(above, below, strict=True)]
            columns = tuple(ColumnHead(name, name, "") for name in names)
            meanings = tuple((i, MEANINGS[name]) for i, name in enumerate(names) if name in MEANINGS)
            mass_g = float(stated[1]) / 1000.0 or None
            return Layout(self.name, columns, at + 2, "\t", start_mass_g=mass_g, meanings=meanings, passes_over=_STEP)
        return None


class PerkinElmerCsv:
    """Pyris's CSV: a header of one line with the same names."""

    name = "PerkinElmer Pyris CSV"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the names ``Time``, ``Unsubtracted Weight`` and ``Sample Temperature``."""
        for at, line in enumerate(head.lines[:60]):
            for separator in (",", ";", "\t"):
                names = split_cells(line, separator)
                if set(MEANINGS) <= set(names):
                    heads = tuple(split_heading(name) for name in names)
                    meanings = tuple((i, MEANINGS[name]) for i, name in enumerate(names) if name in MEANINGS)
                    return Layout(self.name, heads, at + 1, separator, meanings=meanings)
        return None
