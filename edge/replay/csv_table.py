"""A file's columns as numbers, by the names and units that the rest of the instrument uses.

This module must never repair a cell: it is a number, belongs to a row whose status says that it is none, is counted
where whoever replays the file had bad rows skipped, or ends the reading with one line that says where.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from calibration.toml_file import one_line
from edge.errors import BadRecording
from edge.records.command import OperatorWord
from hw.protocols import Status

from .beside import Beside
from .clock import DAY_S, NoTime, Order, looks_like_clock, read_moment
from .columns import Wanted
from .layout import Layout
from .notation import MAX_DECIMALS, Notation

MAX_ROWS = 10_000_000
MAX_T_S = 9e9  # what still is an int64 in ns
MAX_SPAN_S = 1e7
LARGEST = 1e12  # in any unit: beyond it nothing is a reading
MAX_FOOTER_LINES = 200
LONGEST_OVER_MIDNIGHT_S = 600.0
"""A clock without a date that goes back by most of a day has passed midnight, if no more time than this passed."""

Table = dict[str, "array[float]"]
"""A column of numbers for each quantity, all of one length."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was met on the way: bad rows that were skipped, lines of a footer, comments and the header once more between
    the rows, midnights, held seconds, labels that changed and from which line on."""

    skipped: int = 0
    first_skipped: str = ""
    footer: int = 0
    between: int = 0
    midnights: int = 0
    held_rows: int = 0
    held_at_most_s: float = 0.0
    labels: tuple[tuple[str, str], ...] = ()


COMMANDED = {
    str(word): word
    for word in (OperatorWord.TARE, OperatorWord.LOAD, OperatorWord.VENT, OperatorWord.ZERO, OperatorWord.ABORT)
}
"""What a table's column of commands may say."""


class ReadColumns(NamedTuple):
    """A recording's columns, the last decimal digit of its masses or codes in their unit, and what else was met."""

    table: Table
    digit: float
    facts: Facts
    commands: tuple[tuple[float, OperatorWord], ...] = ()


class _BadRow(Exception):
    """A row that is none: what is wrong with it, behind the line's number, and whether it can be of a footer."""

    def __init__(self, message: str, *, may_be_footer: bool) -> None:
        super().__init__(message)
        self.may_be_footer = may_be_footer


class TableReader:
    """Reads the rows of one file."""

    def __init__(
        self,
        where: str,
        layout: Layout,
        wanted: tuple[Wanted, ...],
        notation: Notation,
        order: Order = "day",
        *,
        skip_bad_rows: bool = False,
        commands_at: int = -1,
    ) -> None:
        """Take the file's name, its layout, what is wanted of it, and how numbers and dates are written.

        ``commands_at`` is the column of what the operator commanded (-1: there is none).
        """
        self.commands_at = commands_at
        self.commands: list[tuple[float, OperatorWord]] = []
        self.where = where
        self.layout = layout
        self.wanted = wanted
        self.notation = notation
        self.order = order
        self.skip_bad_rows = skip_bad_rows
        self.midnights = 0
        self.decimals = -MAX_DECIMALS
        self._number = notation.number
        self._plan = tuple(
            (c.at, c.factor, c.offset, not c.clock and c.quantity != "status", c.quantity in ("mass_g", "counts"), c)
            for c in wanted
        )
        self._zoned: bool | None = None
        heads = layout.columns
        self._again = {tuple(getattr(h, part) for h in heads) for part in ("text", "name", "unit")} - {
            ("",) * len(heads)
        }
        self._names = {h.name for h in heads} | {h.text for h in heads}
        self._beside = Beside(where, layout, wanted, self._number)
        self._status_at = next((c.at for c in wanted if c.quantity == "status"), -1)

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> ReadColumns:
        """Read the rows, in s, g or codes, °C and Pa. NaN only where a row's status is not ok.

        Raises ``BadRecording``, one line; what ``csv`` and the decoder raise is the caller's.
        """
        table: Table = {c.quantity: array("d") for c in self.wanted}
        appends = [table[c.quantity].append for c in self.wanted]
        t = table["t_s"]
        bad: list[str] = []
        footer, passed, last_t_s, n = 0, 0, -math.inf, 0
        between = self.layout.passes_over is not None
        for line, cells in rows:
            if between and self.layout.is_passed_over(cells):
                continue
            try:
                values = self._values(line, cells)
            except _BadRow as e:
                said = str(e)
                if self._is_between(line, cells):
                    passed += 1
                elif self.skip_bad_rows:
                    bad.append(said) if not bad else bad.append("")
                elif n and (footer or e.may_be_footer) and footer < MAX_FOOTER_LINES and cells[0].isprintable():
                    footer += 1
                    bad.append(said) if not bad else None
                else:
                    raise BadRecording(one_line(f"{self.where}, {said}")) from None
                continue
            if footer:
                raise BadRecording(one_line(f"{self.where}, {bad[0]}"))
            if self._beside.is_needed:
                self._beside.check(line, cells, values)
            t_s = values[0]
            first_s = t[0] if n else t_s
            if not (last_t_s <= t_s <= MAX_T_S and t_s - first_s <= MAX_SPAN_S and t_s >= -MAX_T_S):
                values[0] = t_s = self._rising(line, t_s, last_t_s, first_s)
            last_t_s = t_s
            if self.commands_at >= 0 and (words := cells[self.commands_at].strip()):
                self._commanded(line, t_s, words)
            for append, value in zip(appends, values, strict=True):
                append(value)
            n += 1
            if n > MAX_ROWS:
                raise BadRecording(f"{self.where}: has more than {MAX_ROWS} rows: thin it to a row a second")
        if not n:
            why = f", {bad[0]}" if bad else ": has a header and no rows: export the data too"
            raise BadRecording(one_line(f"{self.where}{why}"))
        skipped = len(bad) if self.skip_bad_rows else 0
        if skipped > n:
            raise BadRecording(
                one_line(f"{self.where}: {skipped} rows are bad and {n} are not: the first bad one is {bad[0]}")
            )
        factor = next(abs(c.factor) for c in self.wanted if c.quantity in ("mass_g", "counts"))
        labels = tuple(self._beside.labels.items())
        facts = Facts(skipped, bad[0] if skipped else "", footer, passed, self.midnights, labels=labels)
        return ReadColumns(table, factor * 10.0**-self.decimals, facts, tuple(self.commands))

    def _is_between(self, line: int, cells: list[str]) -> bool:
        """Say whether a row is a comment, or the file's header once more. Another header ends the reading."""
        if cells[0].lstrip().startswith("#"):
            return True
        stripped = tuple(cell.strip().lstrip("#").strip() for cell in cells)
        if stripped in self._again or tuple(cell.strip("[]()") for cell in stripped) in self._again:
            return True
        if len(self._names.intersection(stripped) - {""}) > 1:
            raise BadRecording(one_line(f"{self.where}, line {line}: another header begins here: cut the file there"))
        return False

    def _commanded(self, line: int, t_s: float, words: str) -> None:
        for word in words.lower().split(";"):
            try:
                self.commands.append((t_s, COMMANDED[word.strip()]))
            except KeyError:
                raise BadRecording(
                    one_line(
                        f"{self.where}, line {line}, column command: {word.strip()[:40]!r} is none: use "
                        f"{', '.join(COMMANDED)}, or nothing"
                    )
                ) from None

    def _values(self, line: int, cells: list[str]) -> list[float]:
        """Get a row's values in the order of what is wanted, which begins with the time. Raises :class:`_BadRow`."""
        width = len(self.layout.columns)
        if len(cells) != width and not (
            len(cells) == self.layout.also_cells and not any(map(str.strip, cells[width:]))
        ):
            there = self._any_number(cells) or not cells[0].strip()
            raise _BadRow(
                f"line {line}: {len(cells)} cells where the header has {len(self.layout.columns)}: correct the row",
                may_be_footer=not there,
            )
        status = Status.OK if self._status_at < 0 else self._status(line, cells[self._status_at])
        values: list[float] = []
        number, point = self._number, self.notation.mark == "."
        for at, factor, offset, is_number, weighed, column in self._plan:
            cell = cells[at]
            try:
                if column.suffix:
                    cell = without_unit(cell, column.suffix)
                if not is_number:
                    value = self._time(cells, column) if column.clock else float(status)
                elif point and cell.isascii() and "_" not in cell:  # which Python would take
                    try:
                        value = float(cell) * factor + offset
                    except ValueError:
                        value = number(cell) * factor + offset
                else:
                    value = number(cell) * factor + offset
                if not -LARGEST <= value <= LARGEST and (column.quantity != "t_s" or value != value):
                    raise ValueError(f"{cell.strip()[:40]} is no reading")
            except ValueError as e:
                if status is Status.OK or column.quantity == "t_s":
                    raise _BadRow(
                        f"line {line}, column {column.header}: {e}: correct or remove the row, or give it a status",
                        may_be_footer=not self._any_number(cells),
                    ) from None
                value = math.nan
            else:
                if weighed and self.decimals < MAX_DECIMALS:
                    self.decimals = max(self.decimals, self.notation.decimals(cell))
            values.append(value)
        return values

    def _any_number(self, cells: list[str]) -> bool:
        """Say whether a row holds a number or a time where one is wanted, or begins with one.

        In a row of the header's width a digit that a wanted cell begins with is enough: a value that is damaged, or has
        its unit behind it, is none of a footer.
        """
        wanted = {c.at: c.suffix for c in self.wanted if c.quantity != "status"}
        if len(cells) == len(self.layout.columns) and any(cells[at].lstrip(" +-")[:1].isdecimal() for at in wanted):
            return True
        looked_at = ((at, suffix) for at, suffix in ({0: ""} | wanted).items() if at < len(cells))
        return any(self._looks_read(cells[at], suffix) for at, suffix in looked_at)

    def _looks_read(self, cell: str, suffix: str) -> bool:
        try:
            bare = without_unit(cell, suffix) if suffix else cell
        except ValueError:
            bare = cell
        return _is_number(self._number, bare) or looks_like_clock(cell)

    def _time(self, cells: list[str], column: Wanted) -> float:
        text = cells[column.at]
        try:
            if column.date_at >= 0:
                text = f"{cells[column.date_at].strip()} {text.strip()}"
            moment = read_moment(text, self.order)
        except NoTime as e:
            raise ValueError(str(e)) from None
        if self._zoned is not moment.zoned:
            if self._zoned is not None:
                raise ValueError(
                    f"{text.strip()[:40]!r} has {'a' if moment.zoned else 'no'} zone, unlike the rows above"
                )
            self._zoned = moment.zoned
        if not moment.dated:
            return moment.t_s + self.midnights * DAY_S
        return moment.t_s

    def _rising(self, line: int, t_s: float, last_t_s: float, first_t_s: float) -> float:
        """Get a row's time, which must not go back; midnight is passed where a clock has no date."""
        if t_s < last_t_s:
            time = self.wanted[0]
            over = t_s + DAY_S - last_t_s
            if time.clock and time.date_at < 0 and last_t_s < MAX_SPAN_S and 0.0 <= over <= LONGEST_OVER_MIDNIGHT_S:
                self.midnights += 1
                t_s += DAY_S
            else:
                raise BadRecording(
                    f"{self.where}, line {line}: t_s goes back from {last_t_s:.13g} to {t_s:.13g}: sort the rows, or "
                    "cut the file there"
                )
        if abs(t_s) > MAX_T_S or t_s - first_t_s > MAX_SPAN_S:
            raise BadRecording(
                f"{self.where}, line {line}: t_s is {t_s:g}: a recording may last {MAX_SPAN_S:g} s, and a clock show "
                f"{MAX_T_S:g} s; if these are milliseconds, map them as t_ms (t_us, t_ns)",
                "map t_ms=HEADER",
            )
        return t_s

    def _status(self, line: int, cell: str) -> Status:
        try:
            return _STATUS[cell.strip().lower()]
        except KeyError:
            names = ", ".join(s.name.lower() for s in Status)
            raise _BadRow(
                f"line {line}, column status: {cell.strip()[:40]!r} is none: use {names}", may_be_footer=False
            ) from None


def without_unit(cell: str, unit: str) -> str:
    """Get a cell's number without the unit behind it. Raises ``ValueError`` where that is another, or none."""
    text = cell.strip()
    if not text:
        return text
    if not text.endswith(unit):
        raise ValueError(f"{text[:40]!r} is not in {unit}, as the first row is")
    return text.removesuffix(unit)


def _is_number(number: Callable[[str], float], cell: str) -> bool:
    try:
        number(cell)
    except ValueError:
        return False
    return True


_STATUS = {s.name.lower(): s for s in Status} | {str(int(s)): s for s in Status}
