"""InfluxDB: annotated CSV, one value a row under ``_time``, ``_value`` and ``_field``, between lines that begin with #.

A pivoted table (``_time`` and a column a field) is a table like any other. This module must never mix two series of one
field: they differ in the column ``table``.
"""

from __future__ import annotations

import re

from edge.replay.columns import QUANTITIES, UNITS
from edge.replay.headings import split_heading
from edge.replay.layout import ColumnHead, Head, Layout, LongForm, split_cells


class InfluxAnnotatedCsv:
    """What the query command and the data explorer give in raw form."""

    name = "InfluxDB annotated CSV"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by ``#datatype`` (or ``#group``) and the header below it."""
        if not any(line.startswith(("#datatype", "#group", "#default")) for line in head.lines[:6]):
            return None
        at = next((i for i, line in enumerate(head.lines) if "_time" in split_cells(line, ",")), None)
        if at is None:
            return None
        names = split_cells(head.lines[at], ",")
        header = re.escape("\t".join(names).strip("\t "))
        between = re.compile(rf"#[a-z]+\t.*|{header}")
        own = QUANTITIES + tuple(UNITS)
        columns = tuple(ColumnHead(n, n, "") if n in own else split_heading(n) for n in names)
        if {"_value", "_field"} <= set(names):
            series = names.index("table") if "table" in names else -1
            long = LongForm(names.index("_field"), names.index("_value"), names.index("_time"), series)
            return Layout(self.name, columns, at + 1, ",", ".", passes_over=between, long=long)
        meanings = ((names.index("_time"), "t_s"),)
        return Layout(self.name, columns, at + 1, ",", ".", meanings=meanings, passes_over=between)
