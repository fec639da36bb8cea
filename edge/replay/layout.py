"""How a file's rows are laid out, and what a reader of one format must be able to say of it.

A reader looks at the first lines of a file and gives a :class:`Layout`, or None where the file is not of its format.
This module must never read a row: it only names what the rows are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TextIO

MAX_LINE_CHARS = 65_536
HEAD_LINES = 300
"""So many lines are looked at for a header: no preamble that we know is longer."""
HEAD_CHARS = 100_000
MAX_HEADER_LINES = 12
"""A header with line ends in its names has no more lines."""
MAX_HEADER_CHARS = 8192
"""A longer line is cut before it is looked at for names: a header is never so long."""
MAX_COLUMNS = 256
BLANKS = ""
"""The separator of a file whose cells stand between blanks."""
SEPARATORS = (",", ";", "\t", "|", BLANKS)
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", BLANKS: "blanks"}


class ColumnHead(NamedTuple):
    """A column's header as the file writes it, and its name and unit ('' where no unit is written)."""

    text: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class LongForm:
    """A file of one value a row: which column names the quantity, which holds the value and which the time.

    ``series`` is the column that must not differ within a quantity (two devices under one name), or -1.
    ``changes_only``: the format writes a row only where a value has changed; ``has_units``: ``series`` is the value's
    unit. ``restated`` are the names of entity, value, time and series, where the file has a header a table, each with
    its own order.
    """

    entity: int
    value: int
    time: int
    series: int = -1
    changes_only: bool = False
    has_units: bool = False
    restated: tuple[str, ...] = ()

    @classmethod
    def of_header(cls, names: tuple[str, ...], cells: list[str]) -> LongForm:
        """Get where a header has entity, value, time and, where it is named, series. ``ValueError``: one is missing."""
        entity, value, time, *series = (cells.index(name) for name in names)
        return cls(entity, value, time, series[0] if series else -1, restated=names)


MAX_BETWEEN = 500
"""No line of a format's own between its rows is longer."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file's rows begin, what separates their cells and what its columns are called.

    ``first_row`` is the index of the first line of data. ``meanings`` are the columns whose quantity and unit the
    format itself fixes: pairs of a column's index and a name such as ``temp_c``. ``decimal`` is the mark that the file
    states ('' where it states none), ``start_mass_g`` the sample's mass that it states in g. ``passes_over`` matches
    the lines between rows that are the format's own (step titles).
    """

    format: str
    columns: tuple[ColumnHead, ...]
    first_row: int
    separator: str
    decimal: str = ""
    start_mass_g: float | None = None
    meanings: tuple[tuple[int, str], ...] = ()
    passes_over: re.Pattern[str] | None = None
    long: LongForm | None = None
    also_cells: int = 0
    """A row may have so many cells too: those beyond the header's are blank (0: it may not)."""
    line: re.Pattern[str] | None = None
    """Where the file is a log and not a table: what a line must match, its groups being the cells."""
    every_line: bool = False
    """Of such a log every line that is not blank must match: another is a row of one cell."""

    def is_passed_over(self, cells: list[str]) -> bool:
        """Say whether a row is one of the format's own between the rows, such as a step's title."""
        if self.passes_over is None or sum(map(len, cells)) > MAX_BETWEEN:
            return False
        return self.passes_over.fullmatch("\t".join(cells).strip("\t ")) is not None


class Head(NamedTuple):
    """The first lines of a file, without their ends, and what was mapped by whoever replays it."""

    lines: tuple[str, ...]
    mapped: frozenset[str]


class Reader(Protocol):
    """One format that people have."""

    @property
    def name(self) -> str:
        """Get the format's name, as its makers write it."""

    def layout(self, head: Head) -> Layout | None:
        """Get the layout of a file of this format; None where it is of another."""


def read_head(file: TextIO, mapped: frozenset[str]) -> Head:
    """Get a file's first lines, bounded in number and length."""
    lines: list[str] = []
    chars = 0
    while len(lines) < HEAD_LINES and chars < HEAD_CHARS:
        line = file.readline(MAX_LINE_CHARS)
        if not line:
            break
        chars += len(line)
        lines.append(line.rstrip("\r\n"))
    return Head(tuple(_with_broken_headers_joined(lines)), mapped)


def _with_broken_headers_joined(lines: list[str]) -> list[str]:
    """Put a header whose quoted names have line ends in them into its last line, and blanks into those before it."""
    out = list(lines)
    at = 0
    while at < len(out):
        if out[at].lstrip().startswith('"') and out[at].count('"') % 2:
            for last in range(at + 1, min(at + MAX_HEADER_LINES, len(out))):
                joined = " ".join(out[at : last + 1])
                if joined.count('"') % 2 == 0 and joined.rstrip().endswith('"'):
                    out[at : last + 1] = [*[""] * (last - at), joined]
                    at = last
                    break
        at += 1
    return out


def split_cells(line: str, separator: str) -> list[str]:
    """Get a line's cells, stripped; of a very long line, those of its beginning."""
    line = line[:MAX_HEADER_CHARS]
    if separator == BLANKS:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def rows(file: TextIO, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Get the number of its last line and the cells of every row that is not blank, from the first on.

    By lines of bounded length: a file may be one line of a gigabyte. Raises what ``csv`` and the decoder raise.
    """
    for _ in range(layout.first_row):
        file.readline(MAX_LINE_CHARS)
    lines = iter(lambda: file.readline(MAX_LINE_CHARS), "")
    if layout.line is not None:
        for number, line in enumerate(lines, layout.first_row + 1):
            if found := layout.line.search(line.rstrip("\r\n")):
                yield number, list(found.groups(""))
            elif layout.every_line and line.strip():
                yield number, [line.strip()]
    elif layout.separator == BLANKS:
        for number, line in enumerate(lines, layout.first_row + 1):
            if cells := line.split():
                yield number, cells
    else:
        reader = csv.reader(lines, delimiter=layout.separator)
        for cells in reader:
            if cells and (cells[0] or any(cell.strip() for cell in cells)):
                yield layout.first_row + reader.line_num, cells
