"""Recordings: a file of somebody's test, as frames.

:mod:`edge.replay.reading` finds out how a file is written. This module must never repair a row: a row is taken as it
stands, carries a status that says it is no number, or ends the reading with one line that says where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from calibration.bounded_file import NotReadable, open_regular_file, what_it_is
from calibration.toml_file import one_line
from calibration.visible_text import NotAName, name_from
from edge.errors import BadRecording
from edge.procedure.pipeline import OperatorCommand
from edge.records.frame import Channel, Frames
from hw.converter_pace import STUCK_AFTER
from hw.protocols import CODE_MAX, CODE_MIN, Status

from .display import frozen, glitch_gate, resolution
from .reading import AS_IT_STANDS, How, ReadFile, read_file

SQLITE = b"SQLite format 3\0"
MAX_RECORDING_BYTES = 1 << 30
PLAUSIBLE_C = (-200.0, 850.0)
"""IEC 60751's range. −242.02 and 988.79 °C are what a broken thermometer's codes give, not temperatures."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file as frames, with what one must know of it.

    ``quantity`` is ``counts`` or ``mass_g``; ``interval_s`` the median time between rows; ``resolution`` what
    the display behind them can show, estimated; ``gate`` how far from its neighbours' median a value
    may be (0: no gate), both in the quantity's unit; ``never_moves``: all of it is one value of a display that is fine
    enough to move. ``read_as`` is the line that says how the file was read, ``notes`` are what the result must say of
    it; ``is_relative``: the masses are % of a start mass that nobody states. ``commands`` is what the operator
    commanded, where the file says it: then it is judged by the plan of a live run.
    """

    path: Path
    quantity: str
    frames: Frames
    rows: int
    interval_s: float
    resolution: float
    gate: float
    never_moves: bool
    has_temp: bool
    has_cell_temp: bool
    has_pressure: bool
    read_as: str
    notes: tuple[str, ...]
    is_relative: bool
    commands: tuple[OperatorCommand, ...] = ()


def read(
    path: Path,
    *,
    columns: dict[str, str],
    use_counts: bool,
    temp_declared_c: float | None = None,
    how: How = AS_IT_STANDS,
) -> Recording:
    """Read a recording. ``columns`` as :func:`edge.replay.columns.parse_columns` gives them.

    ``use_counts``: there is a certificate, so codes are read where there are both. ``temp_declared_c`` stands
    in for a missing temperature column; ``how`` is what is said of how the file is written. Raises ``BadRecording`` or
    ``NoCertificate`` with one line: the file, the line, the column, and what to do.
    """
    try:
        what = what_it_is(path.stat())
    except (OSError, ValueError):
        what = "no such file"
    if what:
        raise BadRecording(f"{path}: {what}: name a file")
    try:
        name_from(path.name)
    except NotAName as e:
        raise BadRecording(one_line(f"{path}: its name is none that a record can hold: {e}, and rename it")) from e
    size = path.stat().st_size
    if size == 0:  # also the kernel's messages, for which a reader waits without end
        raise BadRecording(f"{path}: is empty: it needs a header line with t_s, mass_g or counts, and temp_c")
    if _is_database(path):
        raise BadRecording(
            f"{path}: is a database of runs, and no recording: halfpercent runs lists them, halfpercent export writes "
            "one as a CSV"
        )
    if size > MAX_RECORDING_BYTES:
        raise BadRecording(
            f"{path}: {size / 1e9:.1f} GB is more than the {MAX_RECORDING_BYTES / 1e9:.1f} GB that can be read: "
            "cut it, or thin it to a row a second"
        )
    found = read_file(path, columns, use_counts=use_counts, temp_is_declared=temp_declared_c is not None, how=how)
    return _as_recording(path, found, temp_declared_c)


def _is_database(path: Path) -> bool:
    try:
        with open_regular_file(path) as file:
            return file.read(len(SQLITE)) == SQLITE
    except (OSError, NotReadable):  # what is wrong is said where it is read
        return False


def _interval_s(t_s: npt.NDArray[np.float64]) -> float:
    """Get the median of the times between two rows that are not of one time."""
    rising = np.diff(t_s)
    return float(np.median(rising[rising > 0.0])) if np.any(rising > 0.0) else 1.0


def _as_recording(path: Path, found: ReadFile, temp_declared_c: float | None) -> Recording:
    table, digit, _, commands = found.columns
    t_s = np.frombuffer(table["t_s"])
    quantity = "counts" if "counts" in table else "mass_g"
    value = np.frombuffer(table[quantity])
    status = np.frombuffer(table["status"]).astype(np.uint8) if "status" in table else np.zeros(len(t_s), np.uint8)
    if quantity == "counts":
        status = _judged_codes(value, status)
    good = status == Status.OK
    step = resolution(value[good], digit)
    if quantity == "mass_g":
        status[np.flatnonzero(good)[frozen(t_s[good], value[good], step)]] = Status.STUCK
        good = status == Status.OK
    load = float(np.median(np.abs(value[good]))) if quantity == "mass_g" and np.any(good) else 0.0
    gate = glitch_gate(value[good], step, load)
    value = np.where(np.isfinite(value), value, 0.0)
    # whole seconds from the first row, in whole µs: 4.1 − 0.1 is less than 4. A second without a row has no frame.
    us = np.round((t_s - t_s[0]) * 1e6).astype(np.int64)
    second = us // 1_000_000
    seq, first = np.unique(second, return_index=True)
    t_ns = round(t_s[0] * 1e9) + seq * 1_000_000_000
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
        sample_us=(us - second * 1_000_000).astype(np.int32),
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
        _interval_s(t_s),
        step,
        gate,
        quantity == "mass_g" and not np.any(good) and bool(len(good)),
        has_temp="temp_c" in table,
        has_cell_temp="cell_temp_c" in table,
        has_pressure="pressure_pa" in table,
        read_as=found.read_as,
        notes=found.notes,
        is_relative=found.is_relative,
        commands=tuple(OperatorCommand(round((at_s - t_s[0]) * 1e6) // 1_000_000, word) for at_s, word in commands),
    )


def _judged_codes(code: npt.NDArray[np.float64], status: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Give codes that no 24-bit converter gives, its rails, and long runs of one code their status."""
    out = status.copy()
    ok = out == Status.OK
    out[ok & ((code >= CODE_MAX) | (code <= CODE_MIN))] = Status.SATURATED
    out[ok & ((code > CODE_MAX) | (code < CODE_MIN))] = Status.FAULT
    changes = np.flatnonzero(code[1:] != code[:-1]) + 1
    for start, stop in _runs(changes, len(code)):
        if stop - start >= STUCK_AFTER:
            late = slice(start + STUCK_AFTER - 1, stop)
            out[late] = np.where(out[late] == Status.OK, Status.STUCK, out[late])
    return out


def _runs(changes: npt.NDArray[np.intp], n: int) -> Iterator[tuple[int, int]]:
    edges = np.concatenate(([0], changes, [n]))
    long = np.flatnonzero(np.diff(edges) >= STUCK_AFTER)
    yield from ((int(edges[i]), int(edges[i + 1])) for i in long)
