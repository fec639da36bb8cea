"""A run's own CSV read back: the same frames, and what was commanded at which second.

It is anybody's file: every cell is a number of its range or a word that is known, or the reading ends with one line.
This module must never mend a row, and never judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TextIO

import msgspec
import numpy as np

from calibration.bounded_file import NotReadable, open_regular_file, open_regular_text
from calibration.toml_file import one_line
from edge.errors import BadRecording
from edge.procedure.pipeline import OperatorCommand
from edge.records.command import from_text
from edge.records.frame import Channel, Frames
from hw.clock import NS_PER_S
from hw.protocols import CODE_MAX, CODE_MIN, Status

from .run_file import BETWEEN_COMMANDS, COLUMNS, MARK, MOST_HEAD_CHARS, SLOW, RunHead

MOST_ROWS = 50_000_000
MOST_SECONDS = 10_000_000
MOST_LINE_CHARS = 2_000
LONGEST_FROM_START_MS = 3_000
"""A sample may be found ready so long after its second began, or before."""
_STATUS = {status.name.lower(): int(status) for status in Status}
_NOTHING = [""] * (3 * len(SLOW))


@dataclass(frozen=True, slots=True)
class RunRead:
    """A run's file as it was read: its head, its frames, and what was commanded."""

    head: RunHead
    frames: Frames
    commands: tuple[OperatorCommand, ...]
    rows: int


def is_run_file(path: Path) -> bool:
    """Say whether a file is a run as ``export`` writes it. What cannot be read is none, and a pipe is not opened."""
    try:
        if not path.is_file() or path.stat().st_size < len(MARK):  # a pipe, or the kernel's messages, never end
            return False
        with open_regular_file(path) as file:
            return file.read(len(MARK)) == MARK.encode()
    except (OSError, ValueError, NotReadable):
        return False


def read_run_csv(path: Path) -> RunRead:
    """Read a run's file. Raises ``BadRecording``, one line: the file, the line, the column, and what to do."""
    try:
        with open_regular_text(path, "utf-8") as file:
            return _read(path, file)
    except UnicodeDecodeError as e:
        raise BadRecording(f"{path}: is not text (byte 0x{e.object[e.start]:02X}): export the run again") from e
    except NotReadable as e:
        raise BadRecording(f"{path}: {e}: name a file") from e
    except OSError as e:
        raise BadRecording(f"{path}: cannot be read ({e.strerror}): check the path and its rights") from e


def _read(path: Path, file: TextIO) -> RunRead:
    head = _head(path, file.readline(MOST_HEAD_CHARS))
    columns = file.readline(MOST_LINE_CHARS).rstrip("\r\n")
    if columns != ",".join(COLUMNS):
        raise BadRecording(f"{path}, line 2: these are not a run's columns: export the run again, and leave them so")
    rows = _Rows()
    lines = iter(lambda: file.readline(MOST_LINE_CHARS), "")
    for number, line in enumerate(lines, 3):
        try:
            rows.take(line.rstrip("\r\n"))
        except ValueError as e:
            raise BadRecording(one_line(f"{path}, line {number}: {e}: export the run again")) from None
    if not rows.seconds:
        raise BadRecording(f"{path}: holds no second that was measured: there is nothing to judge")
    return RunRead(head, rows.frames(), tuple(rows.commands), rows.taken)


def _head(path: Path, line: str) -> RunHead:
    try:
        return msgspec.json.decode(line.removeprefix(MARK), type=RunHead)
    except (msgspec.DecodeError, RecursionError) as e:
        raise BadRecording(one_line(f"{path}, line 1: its head is damaged ({e}): export the run again")) from e


@dataclass(slots=True)
class _Rows:
    """The rows read so far, in columns."""

    taken: int = 0
    seconds: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    ms: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    slow: list[tuple[int, ...]] = field(default_factory=list)
    commands: list[OperatorCommand] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Take a row. Raises ``ValueError`` for one that no run has."""
        cells = line.split(",")
        if len(cells) != len(COLUMNS) or not line.isascii():
            raise ValueError(f"{len(cells)} cells, where a run has {len(COLUMNS)}")
        self.taken += 1
        second = _integer("second", cells[0], 0, MOST_SECONDS)
        readings, commanded = cells[4:-1], cells[-1]
        if commanded:
            self._command(second, commanded)
        counted = bool(cells[2] or cells[3])
        if readings != _NOTHING:
            self._begin(second, readings)
        elif counted and (not self.seconds or second != self.seconds[-1]):
            raise ValueError("the first row of a second has no reading of oven, cell and gauge")
        if counted:
            self._sample(second, cells)
        if self.taken > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS} rows")

    def _command(self, second: int, text: str) -> None:
        if self.commands and second < self.commands[-1].seq:
            raise ValueError("second goes back")
        for word in text.split(BETWEEN_COMMANDS):
            try:
                self.commands.append(OperatorCommand(second, from_text(word)))
            except ValueError:
                raise ValueError(f"column command: {word[:40]!r} is none") from None

    def _begin(self, second: int, readings: list[str]) -> None:
        if self.seconds and second <= self.seconds[-1]:
            raise ValueError("second goes back, or is there twice")
        self.seconds.append(second)
        self.first.append(len(self.counts))
        self.slow.append(tuple(chain.from_iterable(_reading(SLOW[i], readings[3 * i : 3 * i + 3]) for i in range(3))))

    def _sample(self, second: int, cells: list[str]) -> None:
        whole, _, thousandths = cells[1].removeprefix("-").partition(".")
        if len(thousandths) != 3:
            raise ValueError(f"column t_s: {cells[1][:40]!r} is no time in s to a thousandth")
        ms = _integer("t_s", whole + thousandths, 0, 1000 * MOST_SECONDS + LONGEST_FROM_START_MS)
        ms = (-ms if cells[1].startswith("-") else ms) - 1000 * second
        if abs(ms) > LONGEST_FROM_START_MS:
            raise ValueError(f"column t_s: {cells[1][:40]} is not within second {second}")
        self.ms.append(ms)
        self.counts.append(_integer("counts", cells[2], CODE_MIN, CODE_MAX))
        self.status.append(_status("status", cells[3]))

    def frames(self) -> Frames:
        """Get the rows as frames of a clock that began with the run."""
        slow = np.array(self.slow, np.int64).reshape(len(self.slow), 9)

        def channel(at: int) -> Channel:
            columns = (slow[:, at + i].astype(kind) for i, kind in enumerate(("<u2", "u1", "u1")))
            return Channel(*columns)

        seq = np.array(self.seconds, "<i8")
        return Frames(
            seq=seq,
            t_ns=seq * NS_PER_S,
            first=np.array([*self.first, len(self.counts)], "<i8"),
            sample_us=np.array(self.ms, "<i4") * 1000,
            code=np.array(self.counts, "<i4"),
            status=np.array(self.status, "u1"),
            oven=channel(0),
            cell=channel(3),
            gauge=channel(6),
        )


def _reading(channel: str, cells: list[str]) -> Iterator[int]:
    yield _integer(f"{channel}_code", cells[0], 0, 0xFFFF)
    yield _integer(f"{channel}_fault", cells[1], 0, 0xFF)
    yield _status(f"{channel}_status", cells[2])


def _integer(column: str, cell: str, least: int, most: int) -> int:
    digits = cell.removeprefix("-")
    if not digits.isdigit() or len(digits) > 16 or not least <= (value := int(cell)) <= most:
        raise ValueError(f"column {column}: {cell[:40]!r} is no whole number from {least} to {most}")
    return value


def _status(column: str, cell: str) -> int:
    try:
        return _STATUS[cell]
    except KeyError:
        raise ValueError(f"column {column}: {cell[:40]!r} is none of {', '.join(_STATUS)}") from None
