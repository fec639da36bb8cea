"""InfluxDB: annotated CSV, one value a row under ``_time``, ``_value`` and ``_field``, between lines that begin with #.

Each table has its own header, and two may differ. A pivoted table (``_time`` and a column a field) is a table like any
other. This module must never mix two series of one field: they differ in the column ``table``.
"""

from __future__ import annotations

import re

from edge.replay.columns import QUANTITIES, UNITS
from edge.replay.headings import split_heading
from edge.replay.layout import ColumnHead, Head, Layout, LongForm, split_cells

ENTITY = "entity_id"
"""The tag by which Home Assistant names a sensor; its field is ``value`` for all of them."""
VALUES = ("_time", "_value", "_field")


class InfluxAnnotatedCsv:
    """What the query command and the data explorer give in raw form, with or without the annotations."""

    name = "InfluxDB annotated CSV"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the first header with ``_time``, below ``#datatype`` or with ``_value`` and ``_field``."""
        annotated = any(line.startswith(("#datatype", "#group", "#default")) for line in head.lines[:6])
        headers = ((i, split_cells(line, ",")) for i, line in enumerate(head.lines))
        found = next(((i, c) for i, c in headers if "_time" in c and (annotated or set(VALUES) <= set(c))), None)
        if found is None:
            return None
        at, names = found
        own = QUANTITIES + tuple(UNITS)
        columns = tuple(ColumnHead(n, n, "") if n in own else split_heading(n) for n in names)
        if set(VALUES) <= set(names):
            entity = ENTITY if ENTITY in names else "_field"
            restated = (entity, "_value", "_time", *(("table",) if "table" in names else ()))
            long = LongForm.of_header(restated, names)
            return Layout(self.name, columns, at + 1, ",", ".", passes_over=re.compile(r"#[a-z]+\t.*"), long=long)
        header = re.escape("\t".join(names).strip("\t "))
        between = re.compile(rf"#[a-z]+\t.*|{header}")
        meanings = ((names.index("_time"), "t_s"),)
        return Layout(self.name, columns, at + 1, ",", ".", meanings=meanings, passes_over=between)
