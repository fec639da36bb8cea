"""Which column of a file is which quantity, in which unit: as mapped, as our own names say, or as its header says.

Name and unit must both be there. This module must never choose between two columns that may both be the same quantity,
nor a unit that nobody wrote: both are one line that says what to map.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from calibration.toml_file import one_line
from edge.errors import BadRecording, BadValue, NoCertificate

from .calendar_number import calendar_unit, days_before_1970, loose_number
from .clock import looks_like_clock
from .headings import (
    OTHER_UNITS,
    is_moment,
    is_time,
    lacks_unit,
    may_be,
    meaning_but_for,
    meaning_of,
    plain_unit,
    unit_is_of,
    written_unit,
)
from .layout import ColumnHead, Layout
from .notation import plain_signs

QUANTITIES = ("t_s", "counts", "mass_g", "temp_c", "cell_temp_c", "pressure_pa", "status")
UNITS = {
    "mass_mg": ("mass_g", 1e-3, 0.0),
    "mass_kg": ("mass_g", 1e3, 0.0),
    "mass_ug": ("mass_g", 1e-6, 0.0),
    "mass_pct": ("mass_g", 1.0, 0.0),
    "temp_k": ("temp_c", 1.0, -273.15),
    "temp_f": ("temp_c", 1.0 / 1.8, -32.0 / 1.8),
    "cell_temp_k": ("cell_temp_c", 1.0, -273.15),
    "cell_temp_f": ("cell_temp_c", 1.0 / 1.8, -32.0 / 1.8),
    "pressure_hpa": ("pressure_pa", 100.0, 0.0),
    "pressure_kpa": ("pressure_pa", 1000.0, 0.0),
    "t_min": ("t_s", 60.0, 0.0),
    "t_h": ("t_s", 3600.0, 0.0),
    "t_ms": ("t_s", 1e-3, 0.0),
    "t_us": ("t_s", 1e-6, 0.0),
    "t_ns": ("t_s", 1e-9, 0.0),
    "t_days": ("t_s", 86_400.0, 0.0),
}
"""Other units a column may have: the quantity, and what to multiply by and add. ``mass_pct`` is of the start mass."""
PCT_STANDS_FOR_G = 1.0
"""Where nobody states a start mass, 100 % stands as 100 g: a loss in % is the same."""
MAX_CELL = 64
_NUMBER_AND_UNIT = re.compile(
    r"^[+\-]?\s?[0-9][0-9.,'\u00a0\u202f ]*(?:[eE][+-]?[0-9]+)?\s?(?P<unit>[^\d\s.,'+\-][^\d\s]{0,11})$"
)
LONGEST_CALENDAR_STEP_S = 600.0
"""Rows of a calendar's time are closer: else the number may count seconds since the logger was switched on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that is read: its quantity, its header, where it is, and what to multiply by and add.

    ``name`` is its name with its unit (``mass_mg``); ``clock``: its cells are dates or hours and minutes; ``date_at``
    is the column that holds the date of such a time, or -1; ``found_by_value``: its unit was found by its first number;
    ``suffix`` is the unit that stands behind each of its numbers, in the cell ('': none).
    """

    quantity: str
    name: str
    header: str
    at: int
    factor: float = 1.0
    offset: float = 0.0
    clock: bool = False
    date_at: int = -1
    found_by_value: bool = False
    suffix: str = ""


def parse_columns(text: str, pairs: Iterable[str] = ()) -> dict[str, str]:
    """Get ``{quantity: header}`` from ``temp_c=T_C,mass_mg=m_mg`` and from pairs, each of one column.

    A header with a comma in it is given as a pair. Raises ``BadValue``.
    """
    out: dict[str, str] = {}
    listed = [("columns", p) for p in filter(None, (p.strip() for p in text.split(",")))]
    for what, part in (*listed, *(("map", pair) for pair in pairs)):
        name, equals, header = (p.strip() for p in part.partition("="))
        if not equals or not header:
            raise BadValue(what, part, "write NAME=HEADER, such as temp_c=T_C")
        if name not in QUANTITIES and name not in UNITS:
            raise BadValue(what, name or part, f"unknown: use {', '.join((*QUANTITIES, *UNITS))}")
        for other, taken in out.items():
            if quantity_of(other) == quantity_of(name):
                raise BadValue(what, name, f"{other} is named already: name one of them, once")
            if taken == header:
                raise BadValue(what, name, f"column {header} is {other} already: one column is one quantity")
        out[name] = header
    return out


def quantity_of(name: str) -> str:
    """Get the quantity of a name with a unit: ``mass_g`` of ``mass_mg``."""
    return UNITS[name][0] if name in UNITS else name


class NoSuchColumn(BadRecording):
    """What is needed, or mapped, is none of the columns that a header has. ``header`` is the header as it was read."""

    def __init__(self, message: str, header: str, *remedies: str) -> None:
        super().__init__(message, *remedies)
        self.header = header


class Columns:
    """The columns of one file, and what of them is wanted."""

    def __init__(self, where: str, layout: Layout, first_row: list[str], start_mass_g: float | None = None) -> None:
        """Take the file's name, its layout, its first row's cells, and the start mass that is declared in g."""
        self.where = where
        self.fixed = dict(layout.meanings)
        self.first = first_row
        self.suffixes = {at: unit for at, cell in enumerate(first_row) if (unit := unit_behind(cell))}
        self.heads = tuple(
            head._replace(unit=self.suffixes[at]) if at in self.suffixes and not head.unit else head
            for at, head in enumerate(layout.columns)
        )
        self.start_mass_g = layout.start_mass_g if start_mass_g is None else start_mass_g

    def wanted(self, mapped: dict[str, str], use_counts: bool, temp_is_declared: bool) -> tuple[Wanted, ...]:
        """Get what is to be read. Raises ``BadRecording`` or ``NoCertificate``, one line."""
        found: dict[str, Wanted] = {}
        for name, header in mapped.items():
            at = self._index(name, header)
            if not header.startswith("#"):
                self._check_mapped(name, self.heads[at])
            found[quantity_of(name)] = self._column(name, at)
        for at, name in self.fixed.items():
            if quantity_of(name) not in found:
                found[quantity_of(name)] = self._column(name, at)
        for name in (*QUANTITIES, *UNITS):
            if quantity_of(name) not in found and (at := self._named(name)) >= 0:
                found[quantity_of(name)] = self._column(name, at)
        value = "counts" if use_counts and "counts" in found else "mass_g"
        missing = [q for q in ("t_s", value, "temp_c", "pressure_pa") if q not in found]
        if value == "mass_g" and "counts" in found and "mass_g" in missing and not self._by_heading("mass_g", True):
            raise NoCertificate(f"{self.where}: has counts and no mass_g: give the cell's certificate")
        for quantity in missing:
            column = self._by_heading(quantity, quantity == "pressure_pa")
            if column is not None:
                found[quantity] = column
        self._check(found, value, temp_is_declared)
        found.pop("mass_g" if value == "counts" else "counts", None)
        return tuple(found[q] for q in QUANTITIES if q in found)

    def _check_mapped(self, name: str, head: ColumnHead) -> None:
        """Refuse a column that is mapped in another unit than its header says. By its number it is taken as mapped."""
        at = self.heads.index(head)
        for of_header in unit_is_of(head.unit):
            if quantity_of(of_header) == quantity_of(name) != "status" and of_header != name:
                raise BadRecording(
                    one_line(
                        f"{self.where}: {head.text} is in {head.unit} and mapped as {name}: map it as {of_header}, or, "
                        f"where the header is wrong, by its number, #{at + 1}"
                    ),
                    f"map {of_header}=HEADER",
                )

    def _check(self, found: dict[str, Wanted], value: str, temp_is_declared: bool) -> None:
        missing = [q for q in ("t_s", value) if q not in found]
        if "temp_c" not in found and not temp_is_declared:
            missing.append("temp_c")
        if not missing:
            return
        names = [" or ".join(self._unitless(q)) or q for q in missing]
        without = [h for q in missing for h in self._without_unit(q)]
        strange = [line for q in missing for line in self._strange(q)]
        declared = ("declare temp_c=120",) if missing == ["temp_c"] else ()
        raise NoSuchColumn(
            one_line(
                f"{self.where}: no column {', '.join(missing)}"
                + (f" ({'; '.join(strange)})" if strange else "")
                + (
                    f" (no unit is given for {', '.join(without)}: map it as {names[0]})"
                    if without and not strange
                    else ""
                )
                + ": map it"
                + (", or declare one" if declared else "")
                + f"; the header has {self._shown()[:200]}"
            ),
            self._shown(),
            f"map {missing[0]}=HEADER",
            *declared,
        )

    def _strange(self, quantity: str) -> list[str]:
        """Say which columns are nearly what is missing: but for their unit, their way of writing a time, or a word."""
        lines = []
        for at, head in enumerate(self.heads):
            unit = head.unit or written_unit(head.text)
            meaning, behind = meaning_but_for(head)
            if meaning and quantity_of(meaning) == quantity:
                lines.append(f"{head.text} would be {meaning} but for {behind!r} behind its unit: it may be another")
            elif unit and quantity in {quantity_of(n) for n in may_be(head)} and plain_unit(unit) in OTHER_UNITS:
                lines.append(f"{head.text} is in {unit}, which is not read: convert it")
            elif quantity == "t_s" and is_time(head) and at < len(self.first):
                cell = self.first[at].strip()
                if cell and not head.unit and not is_number(cell) and not looks_like_clock(cell):
                    lines.append(
                        f"{head.text} begins with {cell[:40]!r}, which is no time that is known: write hh:mm:ss"
                    )
        return lines

    def _without_unit(self, quantity: str) -> list[str]:
        return [h.name for h in self.heads if quantity in {quantity_of(name) for name in lacks_unit(h)}]

    def _unitless(self, quantity: str) -> tuple[str, ...]:
        return next((lacks_unit(h) for h in self.heads if quantity in map(quantity_of, lacks_unit(h))), ())

    def _shown(self) -> str:
        return ", ".join(h.text for h in self.heads)

    def _index(self, name: str, header: str) -> int:
        """Get where a mapped header is: by its text, with or without its unit, or by number as ``#4``."""
        if header.startswith("#") and header[1:].isascii() and header[1:].isdigit():
            at = int(header[1:]) - 1 if len(header) < 6 else -1
            if not 0 <= at < len(self.heads):
                raise BadRecording(
                    one_line(f"{self.where}: no column {header} (for {name}): there are {len(self.heads)}")
                )
            return at
        found = [i for i, h in enumerate(self.heads) if header in (h.text, h.name)]
        if not found:
            raise NoSuchColumn(
                one_line(f"{self.where}: no column {header} (for {name}): its header has {self._shown()}"),
                self._shown(),
            )
        if len(found) > 1:
            raise self._twice(header, found)
        return found[0]

    def _named(self, name: str) -> int:
        at = [i for i, h in enumerate(self.heads) if h.text == name]
        if len(at) > 1:
            raise self._twice(name, at)
        return at[0] if at else -1

    def _twice(self, header: str, at: list[int]) -> BadRecording:
        numbers = " or ".join(f"#{i + 1}" for i in at)
        return BadRecording(
            one_line(f"{self.where}: a column stands twice in the header: {header}: map it by its number, {numbers}"),
            f"map mass_g=#{at[0] + 1}",
        )

    def _by_heading(self, quantity: str, quiet: bool) -> Wanted | None:
        """Get the one column whose header says that it is a quantity; None where none does. Two are refused."""
        columns = self._times() if quantity == "t_s" else self._of(quantity)
        if quantity == "mass_g" and any(c.name != "mass_pct" for c in columns):
            columns = [c for c in columns if c.name != "mass_pct"]  # the same mass, and its start is known
        if len(columns) <= 1:
            return columns[0] if columns else None
        if quiet:
            return None
        which = " or ".join(f"{c.name}={c.header if self._is_once(c) else f'#{c.at + 1}'}" for c in columns)
        raise BadRecording(
            one_line(
                f"{self.where}: {' and '.join(c.header for c in columns)} may both be {quantity}: say which, {which}"
            ),
            f"map {columns[0].name}=HEADER",
        )

    def _is_once(self, column: Wanted) -> bool:
        return sum(h.text == column.header for h in self.heads) == 1

    def _of(self, quantity: str) -> list[Wanted]:
        meant = ((at, meaning_of(h)) for at, h in enumerate(self.heads))
        return [self._column(name, at) for at, name in meant if name and quantity_of(name) == quantity]

    def _times(self) -> list[Wanted]:
        columns = self._of("t_s")
        taken = {c.at for c in columns}
        clocks: list[int] = []
        dates: list[int] = []
        unread: list[int] = []
        for at, head in enumerate(self.heads):
            if at in taken or not is_time(head) or at >= len(self.first):
                continue
            cell = self.first[at]
            if looks_like_clock(cell):
                (clocks if ":" in cell else dates).append(at)
            elif name := calendar_unit(cell, is_moment(head)):
                columns.append(replace(self._column(name, at), found_by_value=True))
            elif is_moment(head) and cell.strip() and not is_number(cell):
                unread.append(at)
        if columns:
            dates = []  # a day beside a time that counts by itself
        if clocks and unread and not any(looks_dated(self.first[at]) for at in clocks):
            raise BadRecording(
                one_line(
                    f"{self.where}: {self.heads[unread[0]].text} begins with {self.first[unread[0]].strip()[:40]!r}, "
                    "which is no date that is known: write it as 2026-04-03, or map the time alone"
                ),
                "map t_s=HEADER",
            )
        if len(clocks) == 1 and len(dates) == 1 and not looks_dated(self.first[clocks[0]]):
            return [*columns, Wanted("t_s", "t_s", self.heads[clocks[0]].text, clocks[0], clock=True, date_at=dates[0])]
        return [*columns, *(self._column("t_s", at) for at in clocks or dates)]

    def _column(self, name: str, at: int) -> Wanted:
        quantity, factor, offset = UNITS.get(name, (name, 1.0, 0.0))
        if name == "mass_pct":
            factor = PCT_STANDS_FOR_G if self.start_mass_g is None else self.start_mass_g / 100.0
        first = self.first[at] if at < len(self.first) else ""
        clock = quantity == "t_s" and looks_like_clock(first)
        if name == "t_days":
            offset = days_before_1970(first) * factor
        suffix = "" if clock else self.suffixes.get(at, "")
        if suffix and quantity not in ("counts", "status"):
            self._check_suffix(name, self.heads[at], suffix)
        return Wanted(quantity, name, self.heads[at].text, at, factor, offset, clock, suffix=suffix)

    def _check_suffix(self, name: str, head: ColumnHead, suffix: str) -> None:
        """Refuse a column whose cells have another unit than its header, its name or its mapping."""
        if name.removeprefix("cell_") not in unit_is_of(suffix):
            raise BadRecording(
                one_line(
                    f"{self.where}: {head.text} is read as {name}, and its cells are in {suffix}: map it in its unit"
                )
            )


def looks_dated(cell: str) -> bool:
    """Say whether a time's cell holds its date too."""
    return looks_like_clock(cell) and (cell.strip().count("-") >= 2 or "/" in cell or cell.count(".") >= 2)


def unit_behind(cell: str) -> str:
    """Get the unit that stands behind a cell's number, as in ``196.3 g``; '' where there is none that we know."""
    found = _NUMBER_AND_UNIT.match(plain_signs(cell.strip())) if len(cell) <= MAX_CELL else None
    return found["unit"] if found and unit_is_of(found["unit"]) else ""


def is_number(cell: str) -> bool:
    """Say whether a cell is a number, with a point or a comma."""
    try:
        loose_number(cell)
    except ValueError:
        return False
    return True


def unused(heads: tuple[ColumnHead, ...], wanted: tuple[Wanted, ...]) -> list[str]:
    """Get the headers of the columns that are not read."""
    taken = {c.at for c in wanted} | {c.date_at for c in wanted}
    return [h.text for at, h in enumerate(heads) if at not in taken and h.name]
