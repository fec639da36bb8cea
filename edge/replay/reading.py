"""A file read: encoding, layout, columns and notation found out, then its rows as numbers, and one line that says how.

Nothing is guessed twice: where two readings fit, the line names both and how to say which. This module must never
read a row otherwise than the line says.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from calibration.bounded_file import NotReadable, open_regular_text
from calibration.toml_file import one_line
from edge.errors import BadInput, BadRecording

from .clock import Order, date_order
from .columns import LONGEST_CALENDAR_STEP_S, Columns, NoSuchColumn, Wanted, unused
from .csv_table import Facts, ReadColumns, TableReader
from .encoding import GUESSED, NAMES, encodings_of
from .layout import SEPARATOR_NAMES, Layout, read_head, rows, split_cells
from .long_form import TOGETHER_S, LongReader
from .notation import Notation, TwoReadings, find_notation
from .readers import find_layout

COMMAND = "command"
LEAST_FIRST_SHARE = 0.02
"""A mass in % of the start mass begins near 100 %, unless the file was cut: a change of mass begins at 0."""
HELD_AT_MOST_S = 600.0
"""A value of a file that writes changes only stands so long, unless whoever replays it says otherwise."""
_YEAR_FIRST = re.compile(r"\s*\d{4}[-/.年]")


@dataclass(frozen=True, slots=True)
class How:
    """What whoever replays a file says of how it is to be read.

    ``start_mass_g`` is what 100 % of a mass in % are (None: not stated), ``decimal`` ``.`` or ``,`` ('': found out),
    ``held_at_most_s`` how long a value stands in a file that writes changes only.
    """

    start_mass_g: float | None = None
    decimal: str = ""
    skip_bad_rows: bool = False
    held_at_most_s: float = HELD_AT_MOST_S


AS_IT_STANDS = How()


class ReadFile(NamedTuple):
    """A file's columns, the line that says how it was read, what a reader of the result must know, and whether the
    masses are only shares of a start mass that nobody states."""

    columns: ReadColumns
    read_as: str
    notes: tuple[str, ...]
    is_relative: bool


class _Candidate(NamedTuple):
    encoding: str
    layout: Layout
    wanted: tuple[Wanted, ...]
    start_mass_g: float | None


def read_file(path: Path, mapped: dict[str, str], *, use_counts: bool, temp_is_declared: bool, how: How) -> ReadFile:
    """Read a regular file. ``mapped`` as :func:`edge.replay.columns.parse_columns` gives it.

    Raises ``BadRecording`` or ``NoCertificate``, one line: the file, the line, the column, and what to do.
    """
    try:
        encodings = encodings_of(path)
        if not encodings:
            raise BadRecording(f"{path}: its byte-order mark says that it is text, and it is not: export it again")
        candidates, bad = _candidates(path, encodings, mapped, use_counts, temp_is_declared, how)
        if not candidates:
            raise _unread(path, encodings, bad[0])
        chosen = candidates[0]
        if any(_as_read(c) != _as_read(chosen) for c in candidates):
            both = " and in ".join(NAMES[c.encoding] for c in candidates)
            raise BadRecording(
                f"{path}: its header can be read in {both}, as different columns: save it as UTF-8, or map its columns"
            )
        if chosen.layout.long is not None:
            return _read_long(path, chosen, mapped, use_counts, temp_is_declared, how)
        return _read_table(path, chosen, how)
    except TwoReadings as e:
        raise BadRecording(one_line(f"{path}: {e}"), *e.remedies) from None
    except UnicodeDecodeError as e:  # it has changed since it was looked at
        raise BadRecording(f"{path}: is not text (byte 0x{e.object[e.start]:02X}): export it as CSV in UTF-8") from e
    except csv.Error as e:
        raise BadRecording(f"{path}: is not a CSV ({e}): export it as CSV with one header line") from e
    except NotReadable as e:  # it was exchanged for a pipe, a device or a folder
        raise BadRecording(f"{path}: {e}: name a file") from e
    except OSError as e:
        raise BadRecording(f"{path}: cannot be read ({e.strerror}): check the path and its rights") from e


def _candidates(
    path: Path,
    encodings: tuple[str, ...],
    mapped: dict[str, str],
    use_counts: bool,
    temp_is_declared: bool,
    how: How,
) -> tuple[list[_Candidate], list[BadInput]]:
    found: list[_Candidate] = []
    bad: list[BadInput] = []
    for encoding in encodings:
        try:
            with open_regular_text(path, encoding) as file:
                head = read_head(file, frozenset(mapped.values()))
            layout = find_layout(head)
            if layout.long is not None:
                found.append(_Candidate(encoding, layout, (), how.start_mass_g))
                continue
            first = _first_row(head.lines, layout)
            columns = Columns(str(path), layout, first, how.start_mass_g)
            wanted = columns.wanted(mapped, use_counts, temp_is_declared)
            found.append(_Candidate(encoding, layout, wanted, columns.start_mass_g))
        except BadInput as e:
            bad.append(e)
        except TwoReadings as e:
            bad.append(BadRecording(one_line(f"{path}: {e}"), *e.remedies))
    return found, bad


def _as_read(c: _Candidate) -> list[Wanted]:
    """Get what is read of a file: which column as what, whatever its name looks like."""
    return [replace(column, header="") for column in c.wanted]


def _unread(path: Path, encodings: tuple[str, ...], bad: BadInput) -> BadInput:
    """Get why a file is not read: its encoding, where names that mean nothing were read in one that is a guess."""
    if encodings[0] not in GUESSED or not isinstance(bad, NoSuchColumn) or bad.header.isascii():
        return bad
    read_in = " or ".join(NAMES[encoding] for encoding in encodings)
    return NoSuchColumn(
        f"{path}: is not in UTF-8, and in {read_in} its header names no column that is known: it may be in another "
        "encoding (Windows-1251, EUC-KR, Big5 and others are not read): save it as UTF-8, or map its columns by their "
        "numbers",
        bad.header,
        "map mass_g=#2",
    )


def _first_row(lines: tuple[str, ...], layout: Layout) -> list[str]:
    for line in lines[layout.first_row :]:
        logged = layout.line.search(line) if layout.line else None
        cells = list(logged.groups("")) if logged else split_cells(line, layout.separator)
        if any(cells) and not layout.is_passed_over(cells):
            return cells
    return []


def _read_table(path: Path, c: _Candidate, how: How) -> ReadFile:
    notation = _notation(path, c, how.decimal)
    order = _order(path, c)
    commands_at = _commands_at(c)
    reader = TableReader(
        str(path), c.layout, c.wanted, notation, order, skip_bad_rows=how.skip_bad_rows, commands_at=commands_at
    )
    with open_regular_text(path, c.encoding) as file:
        columns = reader.read(rows(file, c.layout))
    _check_calendar(path, c.wanted[0], columns)
    _check_percent(path, c.wanted, columns, c.start_mass_g)
    relative = any(w.name == "mass_pct" for w in c.wanted)
    parts = [f"{w.name} from {w.header}" + (" (a clock)" if w.clock else "") for w in c.wanted]
    if relative:
        parts.append("100 % is " + ("not stated" if c.start_mass_g is None else f"{c.start_mass_g:.6g} g"))
    if columns.commands:
        parts.append(f"{len(columns.commands)} commands, so it is judged by the plan of a live run")
    if left := [name for name in unused(c.layout.columns, c.wanted) if commands_at < 0 or name != COMMAND]:
        parts.append(f"not used: {', '.join(left)[:160]}")
    return _told(c, notation, parts, columns, is_relative=relative and c.start_mass_g is None)


def _commands_at(c: _Candidate) -> int:
    """Get where what was commanded stands: beside codes only, for a live run's plan needs a tare of them."""
    if not any(w.quantity == "counts" for w in c.wanted):
        return -1
    at = [i for i, head in enumerate(c.layout.columns) if head.text.strip().lower() == COMMAND]
    return at[0] if len(at) == 1 else -1


def _check_calendar(path: Path, time: Wanted, columns: ReadColumns) -> None:
    """Refuse a date's number that is rather a second since switching on: as days its rows would be far apart."""
    t_s = columns.table["t_s"]
    step_s = (t_s[-1] - t_s[0]) / max(1, len(t_s) - 1)
    if time.found_by_value and step_s > LONGEST_CALENDAR_STEP_S:
        raise BadRecording(
            one_line(
                f"{path}: {time.header} may count a calendar's days or seconds since the logger was switched on: "
                f"as {time.name} its rows are {step_s:.4g} s apart: say which, as t_days, t_s or t_ms"
            ),
            "map t_s=HEADER",
            "map t_days=HEADER",
        )


def _check_percent(path: Path, wanted: tuple[Wanted, ...], columns: ReadColumns, start_mass_g: float | None) -> None:
    """Refuse a change of mass in % that is called a mass in %: it begins at nothing and not near 100 %."""
    percent = next((w for w in wanted if w.name == "mass_pct"), None)
    if percent is None:
        return
    full = 100.0 if start_mass_g is None else start_mass_g
    first = next((m for m in columns.table["mass_g"] if math.isfinite(m)), full)
    if abs(first) < LEAST_FIRST_SHARE * full:
        raise BadRecording(
            one_line(
                f"{path}: {percent.header} begins at {100.0 * first / full:.4g} %: it is a change or a share of 1, and "
                "no mass in % of the start mass: export the mass"
            )
        )


def _notation(path: Path, c: _Candidate, decimal: str) -> Notation:
    numbers = tuple(w.at for w in c.wanted if not w.clock and w.quantity != "status")
    hot = frozenset(w.at for w in c.wanted if w.quantity in ("temp_c", "cell_temp_c"))
    suffixes = {w.at: w.suffix for w in c.wanted if w.suffix}
    with open_regular_text(path, c.encoding) as file:
        cells = (_bare(cells, suffixes) for _, cells in rows(file, c.layout))
        ours = c.layout.separator == "," and all(w.header == w.name for w in c.wanted)
        return find_notation(cells, numbers, hot, point_by_default=ours, stated=decimal or c.layout.decimal)


def _bare(cells: list[str], suffixes: dict[int, str]) -> list[str]:
    """Get cells without the units behind their numbers."""
    for at, unit in suffixes.items():
        if at < len(cells):
            cells[at] = cells[at].strip().removesuffix(unit)
    return cells


def _order(path: Path, c: _Candidate) -> Order:
    """Find whether day or month comes first in the file's dates, where its time has any that can be read both ways."""
    time = c.wanted[0]
    return _order_at(path, c, time.date_at if time.date_at >= 0 else time.at) if time.clock else "day"


def _order_at(path: Path, c: _Candidate, at: int) -> Order:
    with open_regular_text(path, c.encoding) as file:
        cells = (cells[at] for _, cells in rows(file, c.layout) if at < len(cells))
        first = next(cells, "")
        return "day" if _YEAR_FIRST.match(first) else date_order([first, *cells])


def _read_long(
    path: Path, c: _Candidate, mapped: dict[str, str], use_counts: bool, temp_is_declared: bool, how: How
) -> ReadFile:
    reader = LongReader(
        str(path),
        c.layout,
        mapped,
        held_at_most_s=how.held_at_most_s,
        start_mass_g=how.start_mass_g,
        skip_bad_rows=how.skip_bad_rows,
        decimal=how.decimal or c.layout.decimal,
        order=_order_at(path, c, c.layout.long.time) if c.layout.long else "day",
    )
    with open_regular_text(path, c.encoding) as file:
        columns = reader.read(rows(file, c.layout), use_counts, temp_is_declared)
    parts = [f"{s.name} from {s.entity}" for s in reader.series.values()]
    if not columns.facts.held_at_most_s:
        parts.append(f"values within {TOGETHER_S:g} s are one row")
    if reader.others:
        parts.append(f"not used: {', '.join(reader.others)[:160]}")
    relative = how.start_mass_g is None and any(s.name == "mass_pct" for s in reader.series.values())
    return _told(c, reader.notation, parts, columns, is_relative=relative)


def _told(c: _Candidate, notation: Notation, parts: list[str], columns: ReadColumns, *, is_relative: bool) -> ReadFile:
    """Put what was found into one line, and what the result must say beside it."""
    facts, t_s = columns.facts, columns.table["t_s"]
    cells = "lines of a log" if c.layout.line else f"{SEPARATOR_NAMES[c.layout.separator]} between cells"
    parts.append(f"{len(t_s)} rows over {t_s[-1] - t_s[0]:.10g} s")
    if facts.midnights:
        parts.append(f"midnight passed {facts.midnights} times")
    if facts.between:
        parts.append(f"{facts.between} comments or headers between the rows passed over")
    if facts.footer:
        parts.append(f"{facts.footer} lines of a footer left out")
    notes = _notes(facts, c, is_relative)
    line = f"{c.layout.format}, {NAMES[c.encoding]}, {cells}, {notation.told}: {'; '.join((*parts, *notes))}"
    return ReadFile(columns, one_line(line), notes, is_relative)


def _notes(facts: Facts, c: _Candidate, is_relative: bool) -> tuple[str, ...]:
    notes = []
    if is_relative:
        notes.append(
            "masses are in % of a start mass that nobody states: 100 % stands as 100 g, so grams here are % of it, and "
            "only the loss in % is judged"
        )
    if facts.skipped:
        notes.append(f"{facts.skipped} bad rows were skipped, the first: {facts.first_skipped}")
    for label, line in facts.labels:
        notes.append(
            f"{label} changes from {line} on and is not used: the mass runs on, so all rows are taken for one sample's"
        )
    if facts.held_rows:
        notes.append(
            f"{c.layout.format} writes changes only: values were held until the next, for at most "
            f"{facts.held_at_most_s:g} s ({facts.held_rows} rows rest on one)"
        )
    return tuple(one_line(note) for note in notes)
