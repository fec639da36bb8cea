"""A progress bar for a test that runs in the foreground: phase, mass, temperature, hold clock and loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from edge.records.event import Event
from edge.records.second import Second

from .text import event_line

EVERY_S = 30  # of the test


class Progress:
    """Shows each closed second of a run on the terminal. A context manager, called by the station."""

    def __init__(self, hold_s: float) -> None:
        self._bar = Bar(
            TextColumn("{task.fields[phase]:>5}"),
            BarColumn(30),
            TextColumn("{task.fields[now]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._hold_s = hold_s
        self._task = self._bar.add_task("run", total=hold_s, phase="tare", now="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, row: Second, phase: str, events: Sequence[Event]) -> None:
        """Show a second."""
        for event in events:
            if (line := event_line(event)) is not None:
                self._bar.console.print(line, highlight=False, markup=False)
        if row.seq % EVERY_S and not events:
            return
        now = (
            f"{_number(row.mass_g, 9, 3)} g  {_number(row.temp_c, 6, 1)} °C  "
            f"hold {row.hold_s / 3600.0:4.2f} of {self._hold_s / 3600.0:g} h  "
            f"apparent loss {_number(row.loss_pct, 7, 3)} %"
        )
        self._bar.update(self._task, completed=min(row.hold_s, self._hold_s), phase=phase, now=now)


def _number(value: float, width: int, places: int) -> str:
    return f"{value:{width}.{places}f}" if math.isfinite(value) else "-".rjust(width)
