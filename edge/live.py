"""A run being measured: begun or resumed, fed a frame a second, ended with its result.

Whoever measures (the service, ``halfpercent run``, the demo) has at most one of these. What is said in a run is
written down before it takes effect, frames before they are folded; so a run can be resumed from what is stored, and
goes on with the same tare and the same bits. This module must never read a chip, and never fill a gap.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calibration.certificate import Certificate
from calibration.certificate import loads as loads_certificate
from edge.course import Course, Word, course_of
from edge.database.journal import Journal, RunJournal
from edge.errors import BadDatabase, BadInput
from edge.fold import layout
from edge.records.event import Event
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.records.sample import Sample
from edge.records.second import Second
from edge.refold import RESUMED, SAID, fold_again
from edge.result import COLUMNS, result_of
from edge.standards.standard import Standard, loads_standard
from edge.terms import Terms
from hw.clock import NS_PER_S, Clock

Show = Callable[[Second, str, list[Event]], None]
"""Called with each closed second, its phase and what happened."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is of and goes by: all that its result needs beside its frames.

    ``kind`` is ``test``, ``blank`` or ``simulated``; ``subtract`` the result of the blank run that is subtracted.
    """

    sample: Sample
    operator: str
    kind: str
    standard: Standard
    certificate: Certificate
    terms: Terms
    subtract: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """The time between two processes that measured one run: ``length_s`` None where nobody knows it.

    ``least_s`` is how long it was at least, ``from_wall_s`` the wall time of its begin where the clock was set then.
    """

    length_s: float | None
    least_s: float
    from_wall_s: float | None = None


class LiveRun:
    """One run. ``t0_ns`` is the boot clock's time of its second 0, ``next_seq`` the second that is measured next."""

    def __init__(self, given: Given, journal: RunJournal, course: Course, clock: Clock, next_seq: int) -> None:
        self.given = given
        self.journal = journal
        self.course = course
        self.row: Second | None = None
        self.next_seq = next_seq
        self._clock = clock
        self._first = True
        self._open_stop: tuple[Stop, int] | None = None

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
        self.course.say(Word(self.next_seq, word))
        self.happened(SAID, {"word": word}, who)

    def happened(self, kind: str, data: dict[str, Any], who: str) -> None:
        """Write down an event that no frame made, at once."""
        t_s = (self._clock.now_ns() - self.course.t0_ns) / NS_PER_S
        self.journal.happened(Event(self.next_seq, t_s, kind, data), who, self._clock.wall_s())

    def stopped(self, stop: Stop) -> None:
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
            return result_of(
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


def begin(
    journal: Journal, given: Given, clock: Clock, t0_ns: int, *, uid: str, settings: dict[str, Any], batch_s: int
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
    return LiveRun(given, run, course_of(given.terms, t0_ns), clock, 0)


def interrupted(journal: Journal) -> list[int]:
    """Get the runs on the instrument that were being measured when their process ended, oldest first."""
    rows = journal.db.table("runs").rows_where("state = 'running' and kind in ('test', 'blank')", order_by="run_id")
    return [int(row["run_id"]) for row in rows]


def resume(journal: Journal, run_id: int, clock: Clock, *, trusted: bool | None, batch_s: int) -> LiveRun:
    """Go on with a run from what is stored: fold it again, say how long nothing was measured, open its chains.

    ``trusted``: the wall clock is set (None: nobody knows). On the same boot the length of the stop is known from the
    boot clock; after a new start only where the wall clock was set before and after, else it is at least the time since
    the start, and unknown. Raises ``BadDatabase`` where a chain is broken.
    """
    row = next(iter(journal.db.table("runs").rows_where("run_id = ?", [run_id])))
    again = fold_again(journal.db, run_id)
    given = _given(journal, row)
    writing = journal.go_on(run_id, boot_id=clock.boot_id, wall_s=clock.wall_s(), batch_s=batch_s)
    run = LiveRun(given, writing, again.course, clock, again.last + 1)
    run.journal.catch_up(again.rows, again.names, again.events, clock.wall_s())
    if again.last < 0:  # nothing was measured yet: the run begins now
        again.course.t0_ns = clock.now_ns() - clock.now_ns() % NS_PER_S + NS_PER_S
        stop = Stop(0.0, 0.0)
    elif again.boot_id == clock.boot_id:
        length_s = max(0.0, (clock.now_ns() - again.course.t0_ns) / NS_PER_S - (again.last + 1))
        stop = Stop(length_s, length_s)
        run.next_ns()
    else:
        stop = _across_boots(journal, run_id, clock, trusted)
        run.next_seq = again.last + 1 + math.ceil(stop.least_s if stop.length_s is None else stop.length_s)
        again.course.t0_ns = clock.now_ns() - run.next_seq * NS_PER_S
    about = {"boot_id": clock.boot_id, "t0_ns": again.course.t0_ns, "clock_set": trusted, "from_s": again.last + 1.0}
    run.happened(RESUMED, about | {"gap_s": stop.length_s, "at_least_s": stop.least_s}, "instrument")
    run.stopped(stop)
    return run


def _given(journal: Journal, row: dict[str, Any]) -> Given:
    """Get what a stored run is of and goes by."""
    found = journal.db.execute("select toml from certificates where sha256 = ?", [row["certificate_sha256"]]).fetchone()
    if found is None:
        raise BadDatabase(f"run {row['run_id']}: its certificate is not stored: restore the database from a copy")
    settings = json.loads(row["settings_json"])
    return Given(
        sample=Sample.from_settings(settings["sample"]),
        operator=row["operator"],
        kind=row["kind"],
        standard=loads_standard(row["standard_toml"], f"run {row['run_id']}: its standard"),
        certificate=loads_certificate(found[0], f"run {row['run_id']}: its certificate"),
        terms=Terms.from_settings(settings),
        subtract=settings["blank"],
    )


def _across_boots(journal: Journal, run_id: int, clock: Clock, trusted: bool | None) -> Stop:
    """Get how long nothing was measured where the machine has started since: by the wall clock, if it was set."""
    least_s = clock.now_ns() / NS_PER_S
    one = journal.db.execute
    newest = one("select wall_ms from chunks where run_id = ? order by chunk desc limit 1", [run_id]).fetchone()
    was_set = one(
        "select json_extract(data_json, '$.clock_set') from events where run_id = ? and kind in ('clock', ?) "
        "order by event desc limit 1",
        [run_id, RESUMED],
    ).fetchone()
    from_wall_s = newest[0] / 1000.0 if was_set == (1,) else None
    if not trusted or from_wall_s is None:
        return Stop(None, least_s, from_wall_s)
    return Stop(_believed(clock.wall_s() - from_wall_s, least_s), least_s, from_wall_s)


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
