"""LabVIEW: a measurement file (``.lvm``), two headers of its own, then ``X_Value`` and a column a channel.

The second header has each channel's unit. This module must never read a file whose X is no time, or whose rows have
an X a channel.
"""

from __future__ import annotations

from edge.replay.headings import split_heading
from edge.replay.layout import ColumnHead, Head, Layout, split_cells

MARK = "LabVIEW Measurement"
SEPARATORS = {"Tab": "\t", "Comma": ",", "Semicolon": ";"}
_UNITS = {"deg c": "°C", "deg f": "°F", "kelvin": "K", "celsius": "°C"}


class LabViewMeasurement:
    """What LabVIEW's *Write To Measurement File* writes as text."""

    name = "LabVIEW measurement file"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by its first line, and the first header with ``X_Value``."""
        if not head.lines or not head.lines[0].startswith(MARK):
            return None
        at = next((i for i, line in enumerate(head.lines) if line.startswith("X_Value")), None)
        if at is None:
            return None
        pairs = (line.split() for line in head.lines[:20])
        stated = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
        separator = SEPARATORS.get(stated.get("Separator", "Tab"), "\t")
        second = {cells[0]: cells[1:] for line in head.lines[:at] if (cells := split_cells(line, separator))}
        is_time = "Time" in second.get("X_Dimension", ["Time"])[:1]
        if stated.get("X_Columns") != "One" or not is_time:
            return None
        names = split_cells(head.lines[at], separator)
        channels = names[1:-1] if names[-1] == "Comment" else names[1:]
        units = second.get("Y_Unit_Label", [])
        columns = [
            split_heading(n, _UNITS.get(u.lower(), u)) for n, u in zip(channels, [*units, *[""] * 256], strict=False)
        ]
        decimal = stated.get("Decimal_Separator", ".")
        return Layout(
            self.name,
            (ColumnHead(names[0], names[0], "s"), *columns),
            at + 1,
            separator,
            decimal if decimal in (".", ",") else "",
            meanings=((0, "t_s"),),
            also_cells=len(columns) + 2,
        )
