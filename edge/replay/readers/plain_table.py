"""Any table with a header: its separator, its preamble, its row of units.

This module must never take a line for a header because it comes first: its names must say what the columns are, or
whoever replays the file must have named them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from edge.replay.clock import looks_like_clock
from edge.replay.columns import QUANTITIES, UNITS, quantity_of, unit_behind
from edge.replay.headings import is_moment, is_time, is_unit, lacks_unit, meaning_of, split_heading
from edge.replay.layout import BLANKS, MAX_COLUMNS, SEPARATORS, ColumnHead, Head, Layout, split_cells
from edge.replay.notation import TwoReadings


class PlainTable:
    """Cells between commas, semicolons, tabs, bars or blanks, under a header that names a time and a mass."""

    name = "CSV"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the first line that can be a header. Raises ``TwoReadings`` where two separators fit."""
        for complete in (True, False):  # a preamble may hold a line of names; a header says what the columns are
            for at, line in enumerate(head.lines):
                if line.strip() and not line.startswith("# ") and (found := self._any(head, at, complete)):
                    return found
        return None

    def _any(self, head: Head, at: int, complete: bool) -> Layout | None:
        found = [layout for s in SEPARATORS if s and (layout := self._header(head, at, s, complete)) is not None]
        if not found:
            return self._header(head, at, BLANKS, complete)
        most = max(len(layout.columns) for layout in found)
        found = [layout for layout in found if len(layout.columns) == most]
        if len(found) > 1:
            raise TwoReadings(f"line {at + 1} can be a header with either of two separators: write it with one")
        return found[0]

    def fallback(self, head: Head) -> Layout:
        """Get the layout that a file would have whose header stands where most do: what is missing is then named."""
        at = next((i for i, line in enumerate(head.lines) if _is_above_numbers(head, i)), 0)
        line = head.lines[at] if head.lines else ""
        separator = max(",;\t", key=line.count)
        return self._at(head, at, separator, split_cells(line, separator)[:MAX_COLUMNS])

    def _header(self, head: Head, at: int, separator: str, complete: bool) -> Layout | None:
        cells = split_cells(head.lines[at], separator)
        if not 2 <= len(cells) <= MAX_COLUMNS:
            return None
        numbers = _mapped_numbers(head.mapped)
        if numbers and _are_values(cells, numbers):  # a file without a header
            return Layout(
                self.name, tuple(ColumnHead(f"#{i + 1}", f"#{i + 1}", "") for i in range(len(cells))), at, separator
            )
        layout = self._at(head, at, separator, cells)
        first = _first_row(head, layout)
        if separator == BLANKS and first is not None and len(first) != len(cells):
            cells = _WIDE_BLANKS.split(head.lines[at].strip())  # blanks in names, more of them between names
            layout = self._at(head, at, separator, cells)
            first = _first_row(head, layout)
            if first is None or len(first) != len(cells) < 2:
                return None
        if numbers and not _are_values(first or [], numbers):
            return None
        if not _names_a_test(layout.columns, head.mapped, (first or []) if complete else None):
            return None
        if first is not None and len(first) > len(cells) and not any(first[len(cells) :]):
            return replace(layout, also_cells=len(first))  # a separator behind each row, and none behind the header
        return layout if first is None or len(first) == len(cells) or separator != BLANKS else None

    def _at(self, head: Head, at: int, separator: str, cells: list[str]) -> Layout:
        below = split_cells(head.lines[at + 1], separator) if at + 1 < len(head.lines) else []
        while len(below) > len(cells) and not below[-1]:
            below.pop()
        units = below if _are_units(below, len(cells)) else []
        columns = tuple(_column(c, units[i] if i < len(units) else "") for i, c in enumerate(cells))
        return Layout(self.name, columns, at + (2 if units else 1), separator)


_WIDE_BLANKS = re.compile(r"\t+|\s{2,}")


def _first_row(head: Head, layout: Layout) -> list[str] | None:
    return next((c for line in head.lines[layout.first_row :] if any(c := split_cells(line, layout.separator))), None)


def _mapped_numbers(mapped: frozenset[str]) -> list[int]:
    """Get the columns that are mapped, from 0, where all are mapped by number; [] where one is not."""
    all_numbers = all(h.startswith("#") and h[1:].isascii() and h[1:].isdigit() and len(h) < 6 for h in mapped)
    return [int(h[1:]) - 1 for h in mapped] if all_numbers else []


def _are_values(cells: list[str], at: list[int]) -> bool:
    """Say whether some cells are all numbers, with or without their unit, or times."""
    return all(
        0 <= i < len(cells) and (_is_number(cells[i]) or looks_like_clock(cells[i]) or bool(unit_behind(cells[i])))
        for i in at
    )


def _column(cell: str, unit: str) -> ColumnHead:
    if cell in QUANTITIES or cell in UNITS:
        return ColumnHead(cell, cell, "")
    return split_heading(cell, unit)


def _are_units(cells: list[str], columns: int) -> bool:
    """Say whether a row is one of units: one at least that we know, none a number, a moment or a sentence."""
    named = [cell for cell in cells if cell]
    return (
        len(cells) <= columns
        and any(is_unit(cell) for cell in named)
        and all(len(cell) <= 24 and not _is_number(cell) and not looks_like_clock(cell) for cell in named)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _names_a_test(columns: tuple[ColumnHead, ...], mapped: frozenset[str], first: list[str] | None) -> bool:
    """Say whether columns can be those of a test: a time, and a mass or codes; or all that was mapped.

    ``first`` is the row below: then units are asked for too, and a time without one must be a date or a clock.
    """
    if mapped and all(_is_there(header, columns) for header in mapped):
        return True
    quantities = set()
    for at, head in enumerate(columns):
        cell = first[at] if first is not None and at < len(first) else ""
        if not head.unit and (unit := unit_behind(cell)):
            head = head._replace(unit=unit)
        for name in (head.text, meaning_of(head), *(lacks_unit(head) if first is None else ())):
            if name in QUANTITIES or name in UNITS:
                quantities.add(quantity_of(name))
        if is_time(head) and (first is None or is_moment(head) or looks_like_clock(cell)):
            quantities.add("t_s")
    return "t_s" in quantities and bool(quantities & {"mass_g", "counts"})


def _is_there(header: str, columns: tuple[ColumnHead, ...]) -> bool:
    if header.startswith("#") and header[1:].isascii() and header[1:].isdigit() and len(header) < 6:
        return int(header[1:]) <= len(columns)
    return any(header in (head.text, head.name) for head in columns)


def _is_above_numbers(head: Head, at: int) -> bool:
    """Say whether a line of names stands above one of as many numbers."""
    if at + 1 >= len(head.lines):
        return False
    for separator in ",;\t":
        names, below = (split_cells(head.lines[i], separator) for i in (at, at + 1))
        if len(names) == len(below) >= 2 and sum(map(_is_number, below)) >= 2 and not any(map(_is_number, names)):
            return True
    return False
