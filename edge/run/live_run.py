"""A run being measured: begun, fed a frame a second, ended with its result.

Whoever measures (the service, ``halfpercent run``, the demo) has at most one of these. What is said in a run is
written down before it takes effect, frames before they are folded; so a run can be resumed from what is stored, and
goes on with the same tare and the same bits. This module must never read a chip, judge, or fill a gap.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calibration.certificate import Certificate
from edge.database.journal import Journal, RunJournal
from edge.errors import BadInput
from edge.fold import layout
from edge.procedure.pipeline import OperatorCommand, Pipeline, new_pipeline
from edge.records.event import Event
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.records.second import Second
from edge.verdict.judge import COLUMNS, judge_run
from hw.clock import NS_PER_S, Clock

from .definition import RunDefinition
from .refold import SAID

Show = Callable[[Second, str, list[Event]], None]
"""Called with each closed second, its phase and what happened."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """The time between two processes that measured one run: ``length_s`` None where nobody knows it.

    ``least_s`` is how long it was at least, ``from_wall_s`` the wall time of its begin where the clock was set then.
    """

    length_s: float | None
    least_s: float
    from_wall_s: float | None = None


class LiveRun:
    """One run. ``t0_ns`` is the boot clock's time of its second 0, ``next_seq`` the second that is measured next."""

    def __init__(
        self, given: RunDefinition, journal: RunJournal, course: Pipeline, clock: Clock, next_seq: int
    ) -> None:
        self.given = given
        self.journal = journal
        self.course = course
        self.row: Second | None = None
        self.next_seq = next_seq
        self._clock = clock
        self._first = True
        self._open_stop: tuple[Interruption, int] | None = None

    @property
    def run_id(self) -> int:
        """Get the run's number in the database."""
        return self.journal.run_id

    @property
    def phase(self) -> Phase:
        """Get where in the test the run is."""
        return self.course.phases.phase

    @property
    def done(self) -> bool:
        """Say whether nothing more is to be measured."""
        return self.phase is Phase.DONE

    def next_ns(self) -> int:
        """Get when, on the boot clock, the next second of the run begins: a second that was lost stays empty."""
        passed = (self._clock.now_ns() - self.course.t0_ns) // NS_PER_S
        self.next_seq = max(self.next_seq, passed)
        return self.course.t0_ns + self.next_seq * NS_PER_S

    def take(self, frames: Frames, show: Show | None = None) -> None:
        """Take the frame of second ``next_seq``: write it down, fold it, write down what came of it.

        Raises ``StorageFull`` or ``BadDatabase`` where it cannot be written; the run has it all the same.
        """
        self.next_seq = int(frames.seq[-1]) + 1
        self.journal.raw(frames)
        table, names, events = self.course.feed(frames)
        rows = rows_of(table)
        if rows:
            self.row = rows[-1]
        if show is not None:
            for row, name in zip(rows, names, strict=True):
                show(row, name, events)
        self.journal.derived(rows, names, events, self._clock.wall_s())
        if self._first:  # that it can be written is known at once, and not when a batch is full
            self._first = False
            self.journal.commit(self._clock.wall_s())

    def say(self, word: str, who: str) -> None:
        """Take a word, of the operator's or the instrument's own: from the second that is being measured on.

        Raises ``BadInput`` where the phase has no use for it, and as :meth:`take`.
        """
        phases = self.course.phases
        if why := phases.refusal(word):
            raise BadInput(f"{why}: {f'say {phases.awaited}' if phases.awaited else 'it goes on by itself'}")
        self.course.say(OperatorCommand(self.next_seq, word))
        self.happened(SAID, {"word": word}, who)

    def happened(self, kind: str, data: dict[str, Any], who: str) -> None:
        """Write down an event that no frame made, at once."""
        t_s = (self._clock.now_ns() - self.course.t0_ns) / NS_PER_S
        self.journal.happened(Event(self.next_seq, t_s, kind, data), who, self._clock.wall_s())

    def stopped(self, stop: Interruption) -> None:
        """Take that nothing was measured until now, for a time that may become known later."""
        if stop.length_s is None:
            self.say("gap unknown", "instrument")
            self._open_stop = (stop, self._clock.now_ns())

    def gap_found_s(self) -> float | None:
        """Get, once, how long a stop was, now that the wall clock is set; None where that is not to be known."""
        if self._open_stop is None:
            return None
        (stop, until_ns), clock = self._open_stop, self._clock
        if stop.from_wall_s is None:
            return None
        gap_s = clock.wall_s() - (clock.now_ns() - until_ns) / NS_PER_S - stop.from_wall_s
        self._open_stop = None
        return _believed(gap_s, stop.least_s)

    def end(self, why: str = "the run was stopped") -> dict[str, Any]:
        """Close the last second, judge, and write the result."""
        self.close(why)
        return self.record(self.result())

    def close(self, why: str = "the run was stopped") -> None:
        """Close the last second: nothing more is measured."""
        table, names, events = self.course.finish(why)
        self.journal.derived(rows_of(table), names, events, self._clock.wall_s())

    def record(self, result: dict[str, Any]) -> dict[str, Any]:
        """Write the result, with what only the journal knows."""
        result |= {"run_id": self.run_id, "stops": self.journal.stops()}
        columns = {column: result.get(name) for column, name in COLUMNS.items()}
        self.journal.end(self._clock.wall_s(), result, columns)
        return result

    def not_judged(self, why: str) -> dict[str, Any]:
        """Get the result of a run of which nothing can be said, and why."""
        self.course.phases.invalid_because = why
        return self.result()

    def result(self) -> dict[str, Any]:
        """Judge the run as it stands: seconds of work on a Pi, that touch neither chips nor database."""
        given = self.given
        on = datetime.datetime.fromtimestamp(self._clock.wall_s(), datetime.UTC).date()

        def judged(subtract: dict[str, Any] | None) -> dict[str, Any]:
            return judge_run(
                self.course.phases,
                given.standard,
                given.certificate,
                **given.sample.said(),
                kind=given.kind,
                declared=given.terms.declared,
                on=on,
                blank_run=given.kind == "blank",
                vacuum=given.terms.vacuum,
                subtract=subtract,
            )

        try:
            return judged(given.subtract)
        except BadInput as e:  # a blank that does not fit is no reason to lose a night
            result = judged(None)
            return result | {"warnings": [*result["warnings"], f"nothing was subtracted: {e}"]}


def begin_run(
    journal: Journal,
    given: RunDefinition,
    clock: Clock,
    t0_ns: int,
    *,
    uid: str,
    settings: dict[str, Any],
    batch_s: int,
) -> LiveRun:
    """Begin a run whose second 0 starts at ``t0_ns``. ``settings``: the devices', and what else is of interest."""
    run = journal.begin(
        run_uid=uid,
        sample_id=given.sample.sample_id,
        operator=given.operator,
        kind=given.kind,
        wall_s=clock.wall_s(),
        t0_ns=t0_ns,
        boot_id=clock.boot_id,
        standard=given.standard,
        certificate=given.certificate,
        settings=given.terms.as_settings() | settings | {"sample": given.sample.as_settings(), "blank": given.subtract},
        batch_s=batch_s,
    )
    return LiveRun(given, run, new_pipeline(given.terms, t0_ns), clock, 0)


def _believed(length_s: float, least_s: float) -> float | None:
    """Take a length by the wall clock, unless the time since the start contradicts it by a second or more."""
    return max(length_s, least_s) if length_s > least_s - 1.0 else None


def stability_g(certificate: Certificate) -> float:
    """Get how far the halves of a weighing may be apart, beyond their noise, on a cell that wanders."""
    stability = certificate.stability
    return max(stability.zero_drift_g / 5.0, 4.0 * stability.zero_walk_g)


def rows_of(table: layout.Record) -> list[Second]:
    """Get the fold's rows as plain records."""
    return [Second(*values) for values in table.tolist()]
