"""The course of a run: frames in; rows and events out. The one place where fold and phases meet.

Live, resume, replay and verify all feed a :class:`Course`. The phases may change what the fold is told (the
tare, the mass M1, whether the hold clock may run); such a change takes effect with the frame after the row
that caused it, wherever the batches were cut. This module must never read a clock, a chip or a file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.vacuum_gauge import VacuumGauge
from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from edge.records.event import Event
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.records.second import Second

from .parameters import RunParameters
from .phases import Phases
from .plan import Plan

_BATCH = 256  # frames folded ahead; taken back where a row in between changes the parameters


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """What the operator said, and the second from which on it holds."""

    seq: int
    what: str


class Pipeline:
    """One run from its first frame on.

    ``params`` are the fold's parameters as certificate and standard give them; ``t0_ns`` is the clock's time
    that counts as 0 s, and changes between two batches where the machine has started again. ``vacuum`` turns the
    gauge's codes into Pa (None: the frames hold Pa, or no pressure).
    """

    def __init__(
        self, plan: Plan, params: layout.Record, first: Phase, t0_ns: int, vacuum: VacuumGauge | None = None
    ) -> None:
        self.phases = Phases(plan, first)
        self.state = layout.new_state()
        self._given = params
        self.t0_ns = t0_ns
        self._vacuum = vacuum
        self._words: list[OperatorCommand] = []
        self.params = self._told()

    def say(self, word: OperatorCommand) -> None:
        """Take the operator's word; it holds from the row of second ``word.seq`` on."""
        self._words.append(word)
        self._words.sort(key=lambda w: w.seq)

    def feed(self, frames: Frames) -> tuple[layout.Record, list[str], list[Event]]:
        """Fold frames in. Returns the rows that are now closed, each one's phase, and what happened."""
        rows: list[layout.Record] = []
        names: list[str] = []
        events: list[Event] = []
        done, n = 0, len(frames)
        while done < n:
            stop = min(n, done + _BATCH)
            state, out = self._fold(frames.cut(done, stop))
            # Frame i closes the row of the frame before it: row j came with frame j + late.
            late = (stop - done) - len(out)
            for j, values in enumerate(out.tolist()):
                names.append(str(self.phases.phase))
                happened = self._step(Second(*values))
                events += happened
                told = self._told() if happened else self.params  # nothing changes without an event
                if told.tobytes() != self.params.tobytes():
                    # Frames after this one must be folded with the new parameters: take them back.
                    stop = done + j + late + 1
                    state, out = self._fold(frames.cut(done, stop))
                    self.params = told
                    break
            self.state = state
            rows.append(out)
            done = stop
        return np.concatenate(rows) if rows else np.empty(0, layout.ROW), names, events

    def finish(self, why: str) -> tuple[layout.Record, list[str], list[Event]]:
        """End the run: close the last second, and say what is missing where it was not done."""
        self.state, rows = kernel.flush(self.state, self.params)
        names: list[str] = []
        events: list[Event] = []
        for values in rows.tolist():
            names.append(str(self.phases.phase))
            events += self._step(Second(*values))
        return rows, names, events + self.phases.finish(why)

    def _fold(self, frames: Frames) -> tuple[layout.Record, layout.Record]:
        return kernel.advance(self.state, self.params, block_from_frames(frames, self.t0_ns, self._vacuum))

    def _step(self, row: Second) -> list[Event]:
        events: list[Event] = []
        while self._words and self._words[0].seq <= row.seq:
            word = self._words.pop(0)
            events.append(self.phases.ask(word.what, row.seq, row.t_s))
        return events + self.phases.step(row)

    def _told(self) -> layout.Record:
        """Get what the fold must be told, given where the phases are."""
        phases = self.phases
        values: dict[str, float] = {"armed": 1 if phases.phase in (Phase.RAMP, Phase.HOLD) else 0}
        tare, m1, start = (phases.weighings.get(k) for k in ("tare", "m1", "start"))
        if tare is not None:
            values["tare_code"] = tare.value.mean
        if m1 is not None:
            values["base_g"] = m1.value.mean
        if phases.plan.weigh == "hot":
            values["base_is_hold_start"] = 1
            if start is not None and phases.plan.reference == "start":
                values["reference_g"] = start.value.mean
        return layout.with_params(self._given, **values)


def new_pipeline(terms: RunParameters, t0_ns: int) -> Pipeline:
    """Get the course of a run by these terms, before its first frame."""
    return Pipeline(terms.plan, layout.new_params(**terms.fold), terms.first, t0_ns, terms.vacuum)
