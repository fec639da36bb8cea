"""Beescale: a hive scale's ``sensorik.csv``, local time and the weights of two hives in kg, temperatures in °C.

Which hive, and which thermometer, is for whoever replays it to say. This module must never choose between two.
"""

from __future__ import annotations

from edge.replay.layout import ColumnHead, Head, Layout, split_cells

DATE = "Date"
WEIGHT = "Gewicht"
TEMPERATURES = ("Innentemperatur", "Außentemperatur", "TempHive1", "TempHive2")


class BeescaleLog:
    """The flat file that the scale's server appends to. Its header has no units; the scale's own are kg and °C."""

    name = "beescale"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the names of the scale's columns."""
        names = split_cells(head.lines[0], ",") if head.lines else []
        if not names or names[0] != DATE or not any(n.startswith(WEIGHT) for n in names) or "Vin" not in names:
            return None
        units = {n: "kg" for n in names if n.startswith(WEIGHT)} | dict.fromkeys(TEMPERATURES, "°C")
        columns = []
        for name in names:
            unit = units.get(name, "")
            kind = "Gewicht" if unit == "kg" else "Temperatur" if unit else name
            columns.append(ColumnHead(name, kind, unit))
        return Layout(self.name, tuple(columns), 1, ",", ".")
