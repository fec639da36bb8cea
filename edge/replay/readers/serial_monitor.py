"""The Arduino IDE's serial monitor, saved: ``12:00:01.123 -> 196.34,25.5``, a clock before each line of a table.

Its header is the first line that holds names; without one, columns are mapped by their numbers, the clock being #1.
This module must never leave out a line: one that is no row ends the reading.
"""

from __future__ import annotations

import re

from edge.replay.clock import looks_like_clock
from edge.replay.columns import QUANTITIES, UNITS, is_number, unit_behind
from edge.replay.headings import split_heading
from edge.replay.layout import ColumnHead, Head, Layout, split_cells

_LINE = re.compile(r"^(\d{2}:\d{2}:\d{2}\.\d{3}) -> (.*)$")
CLOCK = ColumnHead("#1", "Timestamp", "")


class SerialMonitor:
    """Lines that a microcontroller printed, each behind the time at which it came."""

    name = "serial monitor"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the first line behind a clock and an arrow that holds two cells or more."""
        for at, line in enumerate(head.lines[:20]):
            found = _LINE.match(line)
            cells = [] if found is None else max((split_cells(found[2], s) for s in ",;\t"), key=len)
            if found is None or len(cells) < 2:
                continue
            separator = next(s for s in ",;\t" if len(split_cells(found[2], s)) == len(cells))
            are_values = all(is_number(c) or looks_like_clock(c) or unit_behind(c) for c in cells)
            names = [f"#{i}" for i in range(2, len(cells) + 2)] if are_values else cells
            own = (*QUANTITIES, *UNITS)
            columns = tuple(ColumnHead(n, n, "") if n in own or are_values else split_heading(n) for n in names)
            row = re.compile(_LINE.pattern.replace("(.*)", separator.join([rf"([^{separator}]*)"] * len(cells))))
            first_row = at if are_values else at + 1
            return Layout(self.name, (CLOCK, *columns), first_row, separator, line=row, every_line=True)
        return None
