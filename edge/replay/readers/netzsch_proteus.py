"""NETZSCH Proteus: a preamble of ``#NAME:value`` (``#NAME:,value`` in its CSV), then a header behind ``##`` and rows.

The preamble states separator, decimal mark and the sample's mass. This module must never read a mass in % as one in
mg: the unit is the header's.
"""

from __future__ import annotations

import re

from edge.replay.headings import split_heading
from edge.replay.layout import BLANKS, Head, Layout, split_cells

SEPARATORS = {"SEMICOLON": ";", "COMMA": ",", "TAB": "\t", "TABULATOR": "\t", "BLANK": BLANKS, "SPACE": BLANKS}
DECIMALS = {"POINT": ".", "COMMA": ","}
_START_MASS = re.compile(r"^#SAMPLE MASS\s*/(mg|g):[,;\t]?\s*([0-9]+(?:[.,][0-9]+)?)\s*[,;\t]*$")
_MARKS = ("EXPORTTYPE", "FORMAT", "SEPARATOR", "RANGE", "IDENTITY", "SAMPLE MASS /mg", "SAMPLE MASS /g")
"""Names of a preamble of which at least one is there."""


class NetzschProteus:
    """Proteus's text export (``#EXPORTTYPE``, ``#FORMAT:NETZSCH``)."""

    name = "NETZSCH Proteus text"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the line that begins with ``##``."""
        at = next((i for i, line in enumerate(head.lines) if line.startswith("##")), None)
        if at is None:
            return None
        pairs = (line[1:].split(":", 1) for line in head.lines[:at] if line.startswith("#") and ":" in line)
        stated = {name.strip(): value.strip(" ,;\t") for name, value in pairs}
        if not stated.keys() & set(_MARKS):
            return None
        separator = SEPARATORS.get(stated.get("SEPARATOR", ""), max(";,\t", key=head.lines[at].count))
        columns = tuple(split_heading(cell) for cell in split_cells(head.lines[at][2:], separator))
        decimal = DECIMALS.get(stated.get("DECIMAL", ""), "")
        return Layout(self.name, columns, at + 1, separator, decimal, self._start_mass_g(head.lines[:at]))

    def _start_mass_g(self, preamble: tuple[str, ...]) -> float | None:
        for line in preamble:
            if found := _START_MASS.match(line):
                mass = float(found[2].replace(",", "."))
                return (mass / 1000.0 if found[1] == "mg" else mass) or None
        return None
