"""Any table of one value a row: a column that says whose value it is, one of values and one of times (as Grafana's).

Whose value is which quantity is for whoever replays the file to say, unless a column has the units. This module must
never take a table of several values a row for one.
"""

from __future__ import annotations

from edge.replay.headings import TIME_NAMES, plain_name, split_heading
from edge.replay.layout import Head, Layout, LongForm, split_cells

ENTITIES = (
    "series",
    "metric",
    "entityid",
    "entity",
    "sensor",
    "sensorid",
    "topic",
    "field",
    "channel",
    "variable",
    "name",
)
VALUES = ("value", "state", "reading", "payload")
UNITS = ("unit", "units", "unitofmeasurement")


class LongTable:
    """One value a row under three names or more, ``Series;Time;Value`` for one."""

    name = "table of one value a row"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the first line, behind ``sep=;``, with one column each of the three kinds."""
        at = 1 if head.lines and head.lines[0].startswith("sep=") else 0
        for separator in (",", ";", "\t", "|"):
            cells = split_cells(head.lines[at], separator) if len(head.lines) > at else []
            names = [plain_name(cell) for cell in cells]
            found = [[i for i, name in enumerate(names) if name in kind] for kind in (ENTITIES, VALUES, TIME_NAMES)]
            if any(len(where) != 1 for where in found) or head.mapped & set(cells):
                continue
            entity, value, time = (where[0] for where in found)
            unit = next((i for i, name in enumerate(names) if name in UNITS), -1)
            long = LongForm(entity, value, time, series=unit, has_units=unit >= 0)
            return Layout(self.name, tuple(map(split_heading, cells)), at + 1, separator, long=long)
        return None
