"""Mycodo: one measurement exported as CSV, ``timestamp (UTC)`` and a column named by device, measurement and id.

The file says no unit, so whoever replays it names the column. This module must never take the id for a unit.
"""

from __future__ import annotations

import re

from edge.replay.columns import QUANTITIES, UNITS
from edge.replay.layout import ColumnHead, Head, Layout, split_cells

TIME = "timestamp (UTC)"
_ID = re.compile(r"\([0-9a-f]{8}-[0-9a-f-]{27}\)")


class MycodoExport:
    """The download of the export page."""

    name = "Mycodo export"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by its first column's name and the id in the second's."""
        names = split_cells(head.lines[0], ",") if head.lines else []
        if (
            len(names) < 2
            or names[0] != TIME
            or not all(_ID.search(n) or n in (*QUANTITIES, *UNITS) for n in names[1:])
        ):
            return None
        columns = tuple(ColumnHead(name, name, "") for name in names)
        return Layout(self.name, columns, 1, ",", ".", meanings=((0, "t_s"),))
