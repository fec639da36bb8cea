"""A CSV's columns as numbers, by the names and units that the rest of the instrument uses.

A header names the columns; other headers and units are mapped by name. This module must never repair a cell:
it is a number, belongs to a row whose status says that it is none, or ends the reading with one line that
says where.
"""

from __future__ import annotations

import csv
import math
from array import array
from pathlib import Path
from typing import NamedTuple, TextIO

from calibration.toml_file import one_line
from edge.errors import BadRecording, BadValue, NoCertificate
from hw.protocols import Status

MAX_ROWS = 10_000_000
MAX_LINE_CHARS = 65_536
MAX_DECIMALS = 12  # a double has no more that mean anything
MAX_T_S = 9e9  # what still is an int64 in ns
MAX_SPAN_S = 1e7
LARGEST = 1e12  # in any unit: beyond it nothing is a reading
QUANTITIES = ("t_s", "counts", "mass_g", "temp_c", "cell_temp_c", "pressure_pa", "status")
UNITS = {
    "mass_mg": ("mass_g", 1e-3, 0.0),
    "mass_kg": ("mass_g", 1e3, 0.0),
    "temp_k": ("temp_c", 1.0, -273.15),
    "cell_temp_k": ("cell_temp_c", 1.0, -273.15),
    "pressure_hpa": ("pressure_pa", 100.0, 0.0),
    "t_min": ("t_s", 60.0, 0.0),
    "t_ms": ("t_s", 1e-3, 0.0),
}
"""Other units a column may have: the quantity, and what to multiply by and add."""


def parse_columns(text: str) -> dict[str, str]:
    """Get ``{quantity: header}`` from ``temp_c=T_C,mass_mg=m_mg``. Raises ``BadValue``."""
    out: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, header = (p.strip() for p in part.partition("="))
        if not equals or not header:
            raise BadValue("columns", part, "write NAME=HEADER, such as temp_c=T_C")
        if name not in QUANTITIES and name not in UNITS:
            raise BadValue("columns", name or part, f"unknown: use {', '.join((*QUANTITIES, *UNITS))}")
        for other, taken in out.items():
            if _quantity(other) == _quantity(name):
                raise BadValue("columns", name, f"{other} is named already: name one of them, once")
            if taken == header:
                raise BadValue("columns", name, f"column {header} is {other} already: one column is one quantity")
        out[name] = header
    return out


def _quantity(name: str) -> str:
    return UNITS[name][0] if name in UNITS else name


Table = dict[str, "array[float]"]
"""A column of numbers for each quantity, all of one length."""


class ReadColumns(NamedTuple):
    """A recording's columns, and the last decimal digit in which its masses or codes are written, in their unit."""

    table: Table
    digit: float


def read_table(
    path: Path, file: TextIO, columns: dict[str, str], use_counts: bool, temp_is_declared: bool
) -> ReadColumns:
    """Read a CSV from the header on, in s, g or codes, °C and Pa. NaN only where a row's status is not ok.

    ``columns`` as :func:`parse_columns` gives them; ``use_counts``: codes rather than grams where both are
    there. Raises ``BadRecording`` or ``NoCertificate``, one line; what ``csv`` and the decoder raise is the caller's.
    """
    header_line = file.readline(MAX_LINE_CHARS)
    delimiter = max(",;\t", key=header_line.count)
    headers = [h.strip() for h in next(csv.reader([header_line], delimiter=delimiter), [])]
    wanted = _wanted(path, headers, columns, use_counts, temp_is_declared)
    table: Table = {name: array("d") for name, *_ in wanted}
    status_at = headers.index(columns.get("status", "status")) if "status" in table else -1
    last_t_s, decimals = -math.inf, -MAX_DECIMALS
    # by lines of bounded length: a file may be one line of a gigabyte
    reader = csv.reader(iter(lambda: file.readline(MAX_LINE_CHARS), ""), delimiter=delimiter)
    for cells in reader:
        if not cells:
            continue
        line = reader.line_num + 1
        if len(cells) != len(headers):
            raise BadRecording(
                f"{path}, line {line}: {len(cells)} cells where the header has {len(headers)}: correct the row"
            )
        status = _cell_status(path, line, cells[status_at]) if status_at >= 0 else Status.OK
        for name, header, at, factor, offset in wanted:
            if name == "status":
                table[name].append(status)
                continue
            try:
                value = _cell_number(cells[at], factor, offset)
            except ValueError as e:
                if status is Status.OK or name == "t_s":
                    what = f"{path}, line {line}, column {header}: {e}"
                    raise BadRecording(one_line(f"{what}: correct or remove the row, or give it a status")) from None
                value = math.nan
            else:
                if name in ("mass_g", "counts"):
                    decimals = max(decimals, _decimals(cells[at]))
            table[name].append(value)
        t_s = table["t_s"][-1]
        if abs(t_s) > MAX_T_S or t_s - table["t_s"][0] > MAX_SPAN_S:
            raise BadRecording(
                f"{path}, line {line}: t_s is {t_s:g}: a recording may last {MAX_SPAN_S:g} s, and a clock show "
                f"{MAX_T_S:g} s; if these are milliseconds, map them as t_ms",
                "columns t_ms=HEADER",
            )
        if t_s < last_t_s:
            raise BadRecording(
                f"{path}, line {line}: t_s goes back from {last_t_s:.13g} to {t_s:.13g}: sort the rows, or cut the "
                "file there"
            )
        last_t_s = t_s
        if len(table["t_s"]) > MAX_ROWS:
            raise BadRecording(f"{path}: has more than {MAX_ROWS} rows: thin it to a row a second")
    if not table["t_s"]:
        raise BadRecording(f"{path}: has a header and no rows: export the data too")
    factor = next(factor for name, _, _, factor, _ in wanted if name in ("mass_g", "counts"))
    return ReadColumns(table, factor * 10.0**-decimals)


def _decimals(cell: str) -> int:
    """Get after how many decimals a number is written: 2 for ``1.25``, 3 for ``1.5e-2``, 0 for ``100``."""
    mantissa, _, exponent = cell.strip().lower().partition("e")
    written = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return min(MAX_DECIMALS, max(-MAX_DECIMALS, written))


def _wanted(
    path: Path, headers: list[str], columns: dict[str, str], use_counts: bool, temp_is_declared: bool
) -> list[tuple[str, str, int, float, float]]:
    """Get (quantity, header, index, factor, offset) of every column that is used."""
    for name, header in columns.items():
        if header not in headers:
            raise BadRecording(
                one_line(f"{path}: no column {header} (for {name}): its header has {', '.join(headers)}")
            )
    named = [h for h in headers if h]  # a spreadsheet may leave empty columns behind the last
    if len(set(named)) < len(named):
        raise BadRecording(one_line(f"{path}: a column stands twice in the header: {', '.join(headers)}"))
    mapped = columns | {name: name for name in (*QUANTITIES, *UNITS) if name in headers and name not in columns}
    out: dict[str, tuple[str, str, int, float, float]] = {}
    for name, header in mapped.items():
        quantity, factor, offset = UNITS.get(name, (name, 1.0, 0.0))
        if quantity not in out or name in columns:
            out[quantity] = (quantity, header, headers.index(header), factor, offset)
    value = "counts" if use_counts and "counts" in out else "mass_g"
    if value == "mass_g" and "mass_g" not in out and "counts" in out:
        raise NoCertificate(f"{path}: has counts and no mass_g: give the cell's certificate")
    missing = [q for q in ("t_s", value) if q not in out]
    if "temp_c" not in out and not temp_is_declared:
        missing.append("temp_c")
    if missing:
        mapped_to = f"columns {missing[0]}=HEADER"
        declared = ("declare temp_c=120",) if missing == ["temp_c"] else ()
        raise BadRecording(
            one_line(
                f"{path}: no column {', '.join(missing)}: map it"
                + (", or declare one" if declared else "")
                + f"; the header has {', '.join(headers)[:200]}"
            ),
            mapped_to,
            *declared,
        )
    out.pop("mass_g" if value == "counts" else "counts", None)
    return [out[q] for q in QUANTITIES if q in out]


def _cell_number(cell: str, factor: float, offset: float) -> float:
    """Get a cell as a number. Raise ``ValueError`` with what it is instead."""
    text = cell.strip()
    try:
        if "_" in text or not text.isascii():  # which Python would take
            raise ValueError
        value = float(text) * factor + offset
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a number" if text else "is empty") from None
    if not abs(value) <= LARGEST:
        raise ValueError(f"{text[:40]} is no reading")
    return value


_STATUS = {s.name.lower(): s for s in Status} | {str(int(s)): s for s in Status}


def _cell_status(path: Path, line: int, cell: str) -> Status:
    try:
        return _STATUS[cell.strip().lower()]
    except KeyError:
        names = ", ".join(s.name.lower() for s in Status)
        raise BadRecording(
            one_line(f"{path}, line {line}, column status: {cell.strip()[:40]!r} is none: use {names}")
        ) from None
