"""Recordings: a CSV of somebody's test, as frames.

A header names the columns: ``t_s``, then ``counts`` or ``mass_g``, and ``temp_c``; optional ``cell_temp_c``,
``pressure_pa``, ``status``. Other headers and units are mapped by name. This module must never repair a row:
a row is taken as it stands, carries a status that says it is no number, or ends the reading with one line
that says where.
"""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from calibration.records import one_line
from hw.bridge import CODE_MAX, CODE_MIN, Status
from hw.follow import STUCK_AFTER

from .errors import BadInput
from .frame import Channel, Frames

MAX_BYTES = 1 << 30
MAX_ROWS = 10_000_000
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

PLAUSIBLE_C = (-200.0, 850.0)
"""IEC 60751's range. −242.02 and 988.79 °C are what a broken thermometer's codes give, not temperatures."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A CSV as frames, with what one must know of it.

    ``quantity`` is ``counts`` or ``mass_g``; ``interval_s`` the median time between rows; ``quantum`` the
    smallest step between two values (0: none was found); ``gate`` how far from its neighbours' median a value
    may be (0: no gate), both in the quantity's unit.
    """

    path: Path
    quantity: str
    frames: Frames
    rows: int
    interval_s: float
    quantum: float
    gate: float
    has_temp: bool
    has_cell_temp: bool
    has_pressure: bool


def parse_columns(text: str) -> dict[str, str]:
    """Get ``{quantity: header}`` from ``temp_c=T_C,mass_mg=m_mg``. Raises ``BadInput``."""
    out: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, header = (p.strip() for p in part.partition("="))
        if not equals or not header:
            raise BadInput(f"--columns {part}: write NAME=HEADER, such as temp_c=T_C")
        if name not in QUANTITIES and name not in UNITS:
            raise BadInput(f"--columns {name}: unknown: use {', '.join((*QUANTITIES, *UNITS))}")
        if name in out:
            raise BadInput(f"--columns {name}: named twice: name it once")
        out[name] = header
    return out


def read(path: Path, *, columns: dict[str, str], use_counts: bool, temp_declared_c: float | None = None) -> Recording:
    """Read a recording. ``columns`` as :func:`parse_columns` gives them; ``use_counts``: there is a certificate.

    ``temp_declared_c`` stands in for a missing temperature column. Raises ``BadInput`` with one line: the
    file, the line, the column, and what to do.
    """
    if not path.is_file():
        raise BadInput(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}: name a CSV file")
    size = path.stat().st_size
    if size == 0:
        raise BadInput(f"{path}: is empty: it needs a header line with t_s, mass_g or counts, and temp_c")
    if size > MAX_BYTES:
        raise BadInput(
            f"{path}: {size / 1e9:.1f} GB is more than the {MAX_BYTES / 1e9:.1f} GB that can be read: cut it, or "
            "thin it to a row a second"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = _read_table(path, file, columns, use_counts, temp_declared_c is not None)
    except UnicodeDecodeError as e:
        raise BadInput(f"{path}: is not UTF-8 text (byte {e.start}): export it as CSV in UTF-8") from e
    except csv.Error as e:
        raise BadInput(f"{path}: is not a CSV ({e}): export it as CSV with one header line") from e
    except OSError as e:
        raise BadInput(f"{path}: cannot be read ({e.strerror}): check the path and its rights") from e
    return _as_recording(path, table, temp_declared_c)


_Table = dict[str, "array[float]"]


def _read_table(path: Path, file: TextIO, columns: dict[str, str], use_counts: bool, temp_is_declared: bool) -> _Table:
    header_line = file.readline(65536)
    delimiter = max(",;\t", key=header_line.count)
    headers = [h.strip() for h in next(csv.reader([header_line], delimiter=delimiter), [])]
    wanted = _wanted(path, headers, columns, use_counts, temp_is_declared)
    table: _Table = {name: array("d") for name, *_ in wanted}
    status_at = headers.index(columns.get("status", "status")) if "status" in table else -1
    last_t_s = -math.inf
    reader = csv.reader(file, delimiter=delimiter)
    for cells in reader:
        if not cells:
            continue
        line = reader.line_num + 1
        if len(cells) != len(headers):
            raise BadInput(
                f"{path}, line {line}: {len(cells)} cells where the header has {len(headers)}: correct the row"
            )
        status = _status(path, line, cells[status_at]) if status_at >= 0 else Status.OK
        for name, header, at, factor, offset in wanted:
            if name == "status":
                value = float(status)
            else:
                value = _number(path, line, header, cells[at], status is Status.OK or name == "t_s") * factor + offset
            table[name].append(value)
        t_s = table["t_s"][-1]
        if t_s < last_t_s:
            raise BadInput(
                f"{path}, line {line}: t_s goes back from {last_t_s:g} to {t_s:g}: sort the rows, or cut the file there"
            )
        last_t_s = t_s
        if len(table["t_s"]) > MAX_ROWS:
            raise BadInput(f"{path}: has more than {MAX_ROWS} rows: thin it to a row a second")
    if not table["t_s"]:
        raise BadInput(f"{path}: has a header and no rows: export the data too")
    return table


def _wanted(
    path: Path, headers: list[str], columns: dict[str, str], use_counts: bool, temp_is_declared: bool
) -> list[tuple[str, str, int, float, float]]:
    """Get (quantity, header, index, factor, offset) of every column that is used."""
    for name, header in columns.items():
        if header not in headers:
            raise BadInput(one_line(f"{path}: no column {header} (for {name}): its header has {', '.join(headers)}"))
    if len(set(headers)) < len(headers):
        raise BadInput(one_line(f"{path}: a column stands twice in the header: {', '.join(headers)}"))
    mapped = columns | {name: name for name in (*QUANTITIES, *UNITS) if name in headers and name not in columns}
    out: dict[str, tuple[str, str, int, float, float]] = {}
    for name, header in mapped.items():
        quantity, factor, offset = UNITS.get(name, (name, 1.0, 0.0))
        if quantity not in out or name in columns:
            out[quantity] = (quantity, header, headers.index(header), factor, offset)
    value = "counts" if use_counts and "counts" in out else "mass_g"
    if value == "mass_g" and "mass_g" not in out and "counts" in out:
        raise BadInput(f"{path}: has counts and no mass_g: give the cell's certificate with --certificate")
    missing = [q for q in ("t_s", value) if q not in out]
    if "temp_c" not in out and not temp_is_declared:
        missing.append("temp_c")
    if missing:
        raise BadInput(
            one_line(
                f"{path}: no column {', '.join(missing)}: map it with --columns {missing[0]}=HEADER"
                + (", or declare one with --declare temp_c=25" if missing == ["temp_c"] else "")
                + f"; the header has {', '.join(headers)}"
            )
        )
    out.pop("mass_g" if value == "counts" else "counts", None)
    return [out[q] for q in QUANTITIES if q in out]


def _number(path: Path, line: int, header: str, cell: str, needed: bool) -> float:
    try:
        value = float(cell)
    except ValueError:
        if not needed:
            return math.nan
        what = f"{cell.strip()[:40]!r} is not a number" if cell.strip() else "is empty"
        raise BadInput(
            one_line(f"{path}, line {line}, column {header}: {what}: correct or remove the row, or give it a status")
        ) from None
    if needed and not math.isfinite(value):
        raise BadInput(
            f"{path}, line {line}, column {header}: {cell.strip()[:40]} is no reading: remove it, or give it a status"
        )
    return value


_STATUS = {s.name.lower(): s for s in Status} | {str(int(s)): s for s in Status}


def _status(path: Path, line: int, cell: str) -> Status:
    try:
        return _STATUS[cell.strip().lower()]
    except KeyError:
        names = ", ".join(s.name.lower() for s in Status)
        raise BadInput(
            one_line(f"{path}, line {line}, column status: {cell.strip()[:40]!r} is none: use {names}")
        ) from None


def _as_recording(path: Path, table: _Table, temp_declared_c: float | None) -> Recording:
    t_s = np.frombuffer(table["t_s"])
    quantity = "counts" if "counts" in table else "mass_g"
    value = np.frombuffer(table[quantity])
    status = np.frombuffer(table["status"]).astype(np.uint8) if "status" in table else np.zeros(len(t_s), np.uint8)
    if quantity == "counts":
        status = _judged_codes(value, status)
    good = status == Status.OK
    quantum, gate = _gate(value[good])
    value = np.where(good | np.isfinite(value), value, 0.0)
    rising = np.diff(t_s)
    interval_s = float(np.median(rising[rising > 0.0])) if np.any(rising > 0.0) else 1.0

    # whole seconds from the first row; a second without a row has no frame
    second = np.floor(t_s - t_s[0]).astype(np.int64)
    seq, first = np.unique(second, return_index=True)
    start_s = t_s[0] + seq
    t_ns = np.round(start_s * 1e9).astype(np.int64)
    edges = np.append(first, len(t_s)).astype(np.int64)

    def channel(name: str, plausible: tuple[float, float]) -> Channel:
        column = np.frombuffer(table[name])[first] if name in table else np.full(len(seq), np.nan)
        with np.errstate(invalid="ignore"):
            sane = (column > plausible[0]) & (column < plausible[1])
        state = np.where(sane, Status.OK, Status.FAULT if name in table else Status.NOT_READY).astype(np.uint8)
        return Channel(np.where(np.isfinite(column), column, 0.0), np.zeros(len(seq), np.uint8), state)

    oven = channel("temp_c", PLAUSIBLE_C)
    if temp_declared_c is not None and "temp_c" not in table:
        n = len(seq)
        oven = Channel(np.full(n, temp_declared_c), np.zeros(n, np.uint8), np.zeros(n, np.uint8))
    frames = Frames(
        seq=seq,
        t_ns=t_ns,
        first=edges,
        sample_us=np.round((t_s - t_s[0] - second) * 1e6).astype(np.int32),
        code=np.ascontiguousarray(value),
        status=status,
        oven=oven,
        cell=channel("cell_temp_c", PLAUSIBLE_C),
        gauge=channel("pressure_pa", (-1.0, 1e7)),
    )
    return Recording(
        path,
        quantity,
        frames,
        len(t_s),
        interval_s,
        quantum,
        gate,
        has_temp="temp_c" in table,
        has_cell_temp="cell_temp_c" in table,
        has_pressure="pressure_pa" in table,
    )


def _judged_codes(code: npt.NDArray[np.float64], status: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Give codes that no 24-bit converter gives, its rails, and long runs of one code their status."""
    out = status.copy()
    ok = out == Status.OK
    out[ok & ((code >= CODE_MAX) | (code <= CODE_MIN))] = Status.SATURATED
    out[ok & ((code > CODE_MAX) | (code < CODE_MIN))] = Status.FAULT
    changes = np.flatnonzero(np.diff(code) != 0.0) + 1
    for start, stop in _runs(changes, len(code)):
        if stop - start >= STUCK_AFTER:
            late = slice(start + STUCK_AFTER - 1, stop)
            out[late] = np.where(out[late] == Status.OK, Status.STUCK, out[late])
    return out


def _runs(changes: npt.NDArray[np.intp], n: int) -> Iterator[tuple[int, int]]:
    edges = np.concatenate(([0], changes, [n]))
    long = np.flatnonzero(np.diff(edges) >= STUCK_AFTER)
    yield from ((int(edges[i]), int(edges[i + 1])) for i in long)


def _gate(value: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Get the smallest step and the gate: twelve of the noise's standard deviations, robustly, from differences."""
    if len(value) < 10:
        return 0.0, 0.0
    step = np.diff(value)
    size = np.abs(step)
    positive = size[size > 1e-12 * np.max(np.abs(value))]
    if not len(positive):
        return 0.0, 0.0
    quantum = float(np.min(positive))
    sigma = 1.4826 * float(np.median(np.abs(step - np.median(step)))) / math.sqrt(2.0)
    return quantum, 12.0 * max(sigma, quantum)
