"""A progress bar for a test that runs in the foreground: phase, hold clock, mass, temperature and the loss so far.

It is for whoever waits beside it; the loss has the step of the air taken out. This module must never be wider than the
terminal, and never show a loss where it is not known whether the air is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Column
from rich.theme import Theme

from edge.procedure.live_loss import SEEN_S, AirStep, air_step
from edge.records.event import Event, PhaseChanged, WeighingTaken
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import WeighingKind

from .text import event_line

EVERY_S = 30  # of the test
NARROW_COLUMNS = 64
"""In a narrower terminal the numbers go before the bar."""
ON_LIGHT_AND_DARK = Theme({"progress.elapsed": "none", "bar.back": "bright_black"})
"""rich writes in yellow, which is not read on white, and in a grey that on white is the bar's own."""
SHORT = {Phase.CHECK_BEFORE: "check", Phase.CHECK: "check"}


class Progress:
    """Shows each closed second of a run on the terminal. A context manager, called by the station."""

    def __init__(self, hold_s: float, console: Console | None = None) -> None:
        console = console or Console(stderr=True, theme=ON_LIGHT_AND_DARK)
        self._narrow = console.width < NARROW_COLUMNS
        phase = TextColumn("{task.fields[phase]:>5}", table_column=Column(no_wrap=True, min_width=5))
        bar = BarColumn(None, table_column=Column(ratio=1, min_width=8))
        now = TextColumn("{task.fields[now]}", table_column=Column(no_wrap=True, overflow="crop"))
        columns = (phase, now) if self._narrow else (phase, bar, now, TimeElapsedColumn())
        self._bar = Bar(*columns, console=console, expand=not self._narrow)
        self._hold_s = hold_s
        self._loss = _Loss()
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
        loss_pct = self._loss.take(row, Phase(phase), events)
        if row.seq % EVERY_S and not events:
            return
        passed = f"{_clock(row.hold_s)} h" if self._narrow else f"{_clock(row.hold_s)} of {_clock(self._hold_s)} h"
        numbers = (f"{_number(row.mass_g, 7, 3)} g", f"{_number(row.temp_c, 5, 1)} °C", f"{_number(loss_pct, 6, 3)} %")
        now = " ".join((passed, *numbers)) if self._narrow else "  ".join((passed, f" {numbers[0]}", *numbers[1:]))
        name = SHORT.get(Phase(phase), phase)
        self._bar.update(self._task, completed=min(row.hold_s, self._hold_s), phase=name, now=now)


class _Loss:
    """The loss so far of the rows that are shown: as :class:`edge.procedure.live_loss.LiveLoss`, from events."""

    def __init__(self) -> None:
        self._m1: tuple[float, float] | None = None
        self._pump_s = self._ramp_s = math.inf
        self._t_s: list[float] = []
        self._mass_g: list[float] = []
        self._step: AirStep | None = None
        self._last_pct = math.nan

    def take(self, row: Second, phase: Phase, events: Sequence[Event]) -> float:
        """Take a row and get the loss in % (NaN: not known)."""
        for event in events:
            if isinstance(event.what, WeighingTaken) and event.what.which is WeighingKind.M1:
                self._m1 = event.what.value, event.what.u
            elif isinstance(event.what, PhaseChanged) and event.what.entered is Phase.PUMP:
                self._pump_s = event.t_s
            elif isinstance(event.what, PhaseChanged) and event.what.entered is Phase.RAMP:
                self._ramp_s = event.t_s
        if self._m1 is None:
            return math.nan
        hot = phase in (Phase.PUMP, Phase.RAMP, Phase.HOLD)
        if hot and self._step is None:
            if row.n_ok > 0:
                self._t_s.append(row.t_s)
                self._mass_g.append(row.mass_g)
            if row.t_s > self._ramp_s + SEEN_S:
                seen = air_step(np.array(self._t_s), np.array(self._mass_g), self._m1, self._pump_s, self._ramp_s)
                self._step = seen or AirStep(0.0, math.inf)
            return math.nan
        if phase is Phase.COOL:
            return self._last_pct
        step_g = 0.0 if self._step is None or not hot else self._step.step_g
        loss_pct = (self._m1[0] - row.mass_g + step_g) / self._m1[0] * 100.0
        self._last_pct = loss_pct if hot and math.isfinite(loss_pct) else self._last_pct
        return loss_pct


def _clock(seconds: float) -> str:
    """Write seconds as h:mm, rounded down."""
    minutes = math.floor(seconds / 60.0 + 1e-6)
    return f"{minutes // 60}:{minutes % 60:02d}"


def _number(value: float, width: int, places: int) -> str:
    return f"{value:{width}.{places}f}" if math.isfinite(value) else "-".rjust(width)
