"""The pipeline of a run: frames in; rows and events out. The one place where fold and phases meet.

Live, resume, replay and verify all feed a :class:`Pipeline`. The phases may change what the fold is told (the
tare, the mass M1, whether the hold clock may run); such a change takes effect with the frame after the row
that caused it, wherever the batches were cut. This module must never read a clock, a chip or a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np

from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from edge.records.command import Command
from edge.records.event import Event
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.records.second import Second
from edge.records.weighing import WeighingKind

from .live_loss import LiveLoss
from .parameters import RunParameters
from .phases import Phases

_BATCH = 256  # frames folded ahead; taken back where a row in between changes the parameters


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """What was commanded, and the second from which on it holds."""

    seq: int
    command: Command


def seconds_from_rows(rows: layout.Record) -> list[Second]:
    """Get the fold's rows as plain records, each field by its name."""
    in_order = _in_order(rows.dtype.names or ())
    return [Second._make(in_order(values)) for values in rows.tolist()]


@lru_cache
def _in_order(names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Get what puts a row's values into the order of a second's fields. Raises ``ValueError`` where one is missing."""
    return itemgetter(*(names.index(name) for name in Second._fields))


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of frames: the closed seconds as the fold's rows, the phase of each, and what happened."""

    rows: layout.Record
    phases: tuple[str, ...]
    events: tuple[Event, ...]

    def seconds(self) -> list[Second]:
        """Get the rows as plain records."""
        return seconds_from_rows(self.rows)

    def then(self, later: Folded) -> Folded:
        """Get both, this one first."""
        return Folded(np.concatenate([self.rows, later.rows]), self.phases + later.phases, self.events + later.events)


NOTHING = Folded(np.empty(0, layout.ROW), (), ())


class Pipeline:
    """One run by its parameters, from its first frame on.

    ``t0_ns`` is the clock's time that counts as 0 s; it changes between two batches where the machine has started again
    (:meth:`restart_clock`). ``live_loss`` is for whoever looks while it runs: nothing here goes by it.
    """

    def __init__(self, parameters: RunParameters, t0_ns: int) -> None:
        self.phases = Phases(parameters.plan, parameters.first)
        self.live_loss = LiveLoss()
        self.state = layout.new_state()
        self.t0_ns = t0_ns
        self._given = layout.new_params(**parameters.fold)
        self._vacuum = parameters.vacuum
        self._commands: list[OperatorCommand] = []
        self.params = self._fold_parameters()

    def restart_clock(self, t0_ns: int) -> None:
        """Take another time of the clock as 0 s: the machine, and with it its clock, has started again."""
        self.t0_ns = t0_ns

    def command(self, command: OperatorCommand) -> None:
        """Take a command; it holds from the row of second ``command.seq`` on."""
        self._commands.append(command)
        self._commands.sort(key=lambda c: c.seq)

    def feed(self, frames: Frames) -> Folded:
        """Fold frames in. Returns what is now closed, and what happened."""
        rows: list[layout.Record] = []
        names: list[str] = []
        events: list[Event] = []
        done, n = 0, len(frames)
        while done < n:
            stop = min(n, done + _BATCH)
            state, out = self._fold(frames.cut(done, stop))
            # Frame i closes the row of the frame before it: row j came with frame j + late.
            late = (stop - done) - len(out)
            for j, second in enumerate(seconds_from_rows(out)):
                names.append(str(self.phases.phase))
                happened = self._step(second)
                events += happened
                if not happened:  # nothing changes without an event
                    continue
                params = self._fold_parameters()
                if params.tobytes() != self.params.tobytes():
                    # Frames after this one must be folded with the new parameters: take them back.
                    stop = done + j + late + 1
                    state, out = self._fold(frames.cut(done, stop))
                    self.params = params
                    break
            self.state = state
            rows.append(out)
            done = stop
        table = rows[0] if len(rows) == 1 else np.concatenate([NOTHING.rows, *rows])
        return Folded(table, tuple(names), tuple(events))

    def finish(self, why: str) -> Folded:
        """End the run: close the last second, and say what is missing where it was not done."""
        self.state, rows = kernel.flush(self.state, self.params)
        names: list[str] = []
        events: list[Event] = []
        for second in seconds_from_rows(rows):
            names.append(str(self.phases.phase))
            events += self._step(second)
        return Folded(rows, tuple(names), tuple(events + self.phases.finish(why)))

    def _fold(self, frames: Frames) -> tuple[layout.Record, layout.Record]:
        return kernel.advance(self.state, self.params, block_from_frames(frames, self.t0_ns, self._vacuum))

    def _step(self, row: Second) -> list[Event]:
        events: list[Event] = []
        while self._commands and self._commands[0].seq <= row.seq:
            due = self._commands.pop(0)
            events.append(self.phases.command(due.command, row.seq, row.t_s))
        events += self.phases.step(row)
        self.live_loss.take(row, self.phases)
        return events

    def _fold_parameters(self) -> layout.Record:
        """Get what the fold must be told, given where the phases are."""
        phases = self.phases
        values: dict[str, float] = {"armed": 1 if phases.phase in (Phase.RAMP, Phase.HOLD) else 0}
        tare, m1 = (phases.weighings.get(k) for k in (WeighingKind.TARE, WeighingKind.M1))
        start = phases.told_start
        if tare is not None:
            values["tare_code"] = tare.value.mean
        if m1 is not None:
            values["base_g"] = m1.value.mean
        if phases.plan.weigh == "hot":
            values["base_is_hold_start"] = 1
            if start is not None and phases.plan.reference == "start":
                values["reference_g"] = start.value.mean
        return layout.with_params(self._given, **values)
