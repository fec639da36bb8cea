"""TA Instruments: Universal Analysis text (a list of signals, then rows) and TRIOS text (``[step]``, header, units).

This module must never take the lines of one step for another's columns: where two steps have different headers, the
file is not read.
"""

from __future__ import annotations

import re

from edge.replay.headings import split_heading
from edge.replay.layout import BLANKS, Head, Layout, split_cells

_SIGNAL = re.compile(r"^Sig(\d{1,3})\s+(.+)$")
_SIZE = re.compile(r"^(?:Size|Sample [Ss]ize|Sample [Mm]ass|SampleMass)\s+([0-9]+(?:\.[0-9]+)?)\s*(mg|g)\s*$")
_PER_G = {"mg": 1e-3, "g": 1.0}


class TaUniversalAnalysis:
    """Universal Analysis: no header line, but a list of signals in the preamble."""

    name = "TA Universal Analysis text"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the signals ``Sig1`` to ``Nsig``, and the first line of as many numbers below them."""
        signals: dict[int, str] = {}
        for at, line in enumerate(head.lines):
            if found := _SIGNAL.match(line.strip()):
                signals[int(found[1])] = found[2].strip()
            elif signals and _are_numbers(line, len(signals)):
                if sorted(signals) != list(range(1, len(signals) + 1)):
                    return None
                columns = tuple(split_heading(signals[i]) for i in sorted(signals))
                return Layout(self.name, columns, at, BLANKS, start_mass_g=_start_mass_g(head))
        return None


class TaTrios:
    """TRIOS: each step has its title, its header and its units; the steps are one recording."""

    name = "TA TRIOS text"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the first ``[step]``: the header is the first line below it with a row of units."""
        start = next((i for i, line in enumerate(head.lines) if line.strip().lower() == "[step]"), None)
        if start is None:
            return None
        for at in range(start + 1, min(start + 6, len(head.lines) - 1)):
            for separator in ("\t", ",", ";"):
                names, units = (split_cells(head.lines[i], separator) for i in (at, at + 1))
                if len(names) < 3 or len(units) != len(names) or any(map(_is_number, (*names, *units))):
                    continue
                columns = tuple(split_heading(name, unit) for name, unit in zip(names, units, strict=True))
                again = "|".join(re.escape("\t".join(cells)) for cells in (names, units))
                title = re.escape("\t".join(split_cells(head.lines[at - 1], separator)))
                between = re.compile(rf"(?:\[step\]|{again}|{title}|[^\t]*[A-Za-z][^\t]*\t*)", re.IGNORECASE)
                return Layout(
                    self.name,
                    columns,
                    at + 2,
                    separator,
                    start_mass_g=_start_mass_g(head),
                    passes_over=between,
                )
        return None


def _start_mass_g(head: Head) -> float | None:
    for line in head.lines:
        if found := _SIZE.match(line.strip()):
            return float(found[1]) * _PER_G[found[2]] or None
    return None


def _are_numbers(line: str, count: int) -> bool:
    cells = line.split()
    return len(cells) == count and all(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
