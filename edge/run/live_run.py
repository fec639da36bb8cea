"""A run being measured: begun, fed a frame a second, ended, and given its result.

Whoever measures (the service, ``halfpercent run``, the demo) has at most one of these. What is commanded in a run is
written down before it takes effect, frames before they are folded; so a run can be resumed from what is stored, and
goes on with the same tare and the same bits. This module must never read a chip, judge, or fill a gap.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge.database.journal import Journal, RunHeader
from edge.database.queries import alarms_told, balance_masses, barometer_readings, converter_resets, hand_overs
from edge.database.run_journal import RunJournal, Writing
from edge.errors import BadInput, WrongPhase
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.pipeline import Folded, OperatorCommand, Pipeline
from edge.records.balance import BalanceSaid
from edge.records.command import Command, GapLength, OperatorWord, WeighedOnBalance, as_text
from edge.records.event import (
    CommandGiven,
    CommandRefused,
    CommandTaken,
    Event,
    Happening,
    PhaseChanged,
    RigChanged,
)
from edge.records.frame import Frames
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import ASKED, Phase
from edge.records.result import Result
from edge.records.second import Second
from hw.clock import NS_PER_S, Clock

from .versions import versions

_DONE = Phase.DONE  # asked for at each look
NEAR = 0.05
"""Of a mass: so far the rig and the laboratory's balance may be apart before it is taken for a slip of the pen."""
Show = Callable[[Second, str, Sequence[Event]], None]
"""Called with each closed second, its phase and what happened."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """The time between two processes that measured one run: ``length_s`` None where nobody knows it.

    ``at_least_s`` is how long it was at least, ``from_wall_s`` the wall time of its begin where the clock was set then.
    """

    length_s: float | None
    at_least_s: float
    from_wall_s: float | None = None


class LiveRun:
    """One run being measured.

    ``next_seq`` is the second that is measured next, ``last_seq`` the last one that was (-1: none), ``second`` the
    newest closed one, ``refusal`` why the last step that the operator asked for was not taken (None: nothing is in the
    way).
    """

    def __init__(
        self, definition: RunDefinition, journal: RunJournal, pipeline: Pipeline, clock: Clock, next_seq: int
    ) -> None:
        self.definition = definition
        self.journal = journal
        self.pipeline = pipeline
        self.second: Second | None = None
        self.refusal: CommandRefused | None = None
        self.next_seq = next_seq
        self.last_seq = -1
        self._clock = clock
        self._first = True
        self._open_stop: tuple[Interruption, int] | None = None

    @property
    def run_id(self) -> int:
        """Get the run's number in the database."""
        return self.journal.run_id

    @property
    def run_uid(self) -> str:
        """Get the run's own name, in whatever database it is."""
        return self.journal.run_uid

    @property
    def phase(self) -> Phase:
        """Get where in the test the run is."""
        return self.pipeline.phases.phase

    @property
    def done(self) -> bool:
        """Say whether nothing more is to be measured."""
        return self.pipeline.phases.phase is _DONE

    def next_ns(self) -> int:
        """Get when, on the boot clock, the next second of the run begins: a second that was lost stays empty."""
        passed = (self._clock.now_ns() - self.pipeline.t0_ns) // NS_PER_S
        self.next_seq = max(self.next_seq, passed)
        return self.pipeline.t0_ns + self.next_seq * NS_PER_S

    def add_frame(self, frames: Frames, show: Show | None = None) -> None:
        """Add the frame of second ``next_seq``: write it down, fold it, write down what came of it.

        Raises ``StorageFull`` or ``BadDatabase`` where it cannot be written; the run has it all the same.
        """
        self.last_seq = int(frames.seq[-1])
        self.next_seq = self.last_seq + 1
        self.journal.raw(frames)
        folded = self.pipeline.feed(frames)
        seconds = folded.seconds()
        if seconds:
            self.second = seconds[-1]
        for event in folded.events:
            if isinstance(event.what, CommandRefused):
                self.refusal = event.what
            elif isinstance(event.what, CommandTaken | PhaseChanged):
                self.refusal = None
        if show is not None:
            for second, phase in zip(seconds, folded.phases, strict=True):
                show(second, phase, folded.events)
        self._write(folded, seconds)
        if self._first:  # that it can be written is known at once, and not when a batch is full
            self._first = False
            self.journal.commit(self._clock.wall_s())

    def _write(self, folded: Folded, seconds: Sequence[Second]) -> None:
        self.journal.derived(seconds, folded.phases, folded.events, self._clock.wall_s())

    def command(self, command: Command, who: str) -> None:
        """Take a command, of the operator's or the instrument's own: from the second that is being measured on.

        Raises ``WrongPhase`` where the phase has no use for it, and as :meth:`add_frame`.
        """
        self._must_be_of_use(command)
        self.pipeline.command(OperatorCommand(self.next_seq, command))
        if isinstance(command, OperatorWord):
            self.refusal = None  # it was of what was asked for before
        self.log_event(CommandGiven(command), who)

    def _must_be_of_use(self, command: Command) -> None:
        phases = self.pipeline.phases
        if phases.refusal(command):
            raise WrongPhase(why_not_now(command, phases.phase))

    def weighed(self, said: BalanceSaid, who: str) -> None:
        """Take a mass that the laboratory's balance said: the event first, for it must not be lost.

        Raises ``WrongPhase`` where the sample cannot have been on the balance, ``BadInput`` for what cannot be its
        mass, and as :meth:`add_frame`.
        """
        word = WeighedOnBalance(said.which)
        if why := self.pipeline.phases.refusal(word):
            raise WrongPhase(why)
        self._must_be_the_sample(said)
        self.log_event(said, who)
        self.pipeline.command(OperatorCommand(self.next_seq, word))
        self.log_event(CommandGiven(word), who)

    def _must_be_the_sample(self, said: BalanceSaid) -> None:
        """Raise ``BadInput`` for a mass that is far from what the rig shows of the sample: a slip of the pen."""
        rig = self.pipeline.phases.weighings.get(said.which)
        if rig is not None and abs(rig.value.mean - said.mass_g) > NEAR * abs(rig.value.mean):
            raise BadInput(
                f"{said.which.upper()} {said.mass_g:g} g: the rig has {rig.value.mean:.4g} g: look at the display, and "
                "say it again"
            )

    def abort(self, who: str) -> None:
        """End the run where it is: the last second that was measured is its last, whatever a chip does now.

        Raises as :meth:`command`.
        """
        abort = OperatorWord.ABORT
        self._must_be_of_use(abort)
        if self.last_seq < 0:
            because = Invalid(InvalidReason.ABORTED, f"aborted by the operator in phase {self.phase}")
            end_invalid(self.pipeline, because)
        self.pipeline.command(OperatorCommand(self.last_seq, abort))
        t_s = (self._clock.now_ns() - self.pipeline.t0_ns) / NS_PER_S
        wall_s = self._clock.wall_s()
        self.journal.log_event(Event(max(0, self.last_seq), t_s, CommandGiven(abort)), who, wall_s)

    def end_changed(self, why: str) -> None:
        """End the run, INVALID: the rig is set otherwise than when it began. Raises as :meth:`add_frame`."""
        end_invalid(self.pipeline, Invalid(InvalidReason.RIG_CHANGED, why))
        self.log_event(RigChanged(why), "instrument")

    def log_event(self, what: Happening, who: str) -> None:
        """Write down an event that no frame made, at once."""
        t_s = (self._clock.now_ns() - self.pipeline.t0_ns) / NS_PER_S
        self.journal.log_event(Event(self.next_seq, t_s, what), who, self._clock.wall_s())

    def stopped(self, stop: Interruption) -> None:
        """Take that nothing was measured until now, for a time that may become known later."""
        if stop.length_s is None:
            self.command(GapLength(None), "instrument")
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
        return believed_length_s(gap_s, stop.at_least_s)

    def close(self, why: str = "the run was stopped") -> None:
        """Close the last second: nothing more is measured."""
        folded = self.pipeline.finish(why)
        self._write(folded, folded.seconds())

    def ended(self, true_loss_pct: float | None = None, seed: int | None = None) -> EndedRun:
        """Get the run as it stands, for whoever judges it. ``true_loss_pct`` and ``seed`` are a simulated rig's."""
        return EndedRun(
            self.definition,
            self.pipeline.phases,
            datetime.datetime.fromtimestamp(self._clock.wall_s(), datetime.UTC).date(),
            run_id=self.run_id,
            stops=self.journal.stops(),
            alarms=alarms_told(self.journal.db, self.run_id),
            resets=converter_resets(self.journal.db, self.run_id),
            on_balance=balance_masses(self.journal.db, self.run_id),
            barometer=barometer_readings(self.journal.db, self.run_id),
            hand_overs=hand_overs(self.journal.db, self.run_id),
            true_loss_pct=true_loss_pct,
            seed=seed,
        )

    def save_result(self, result: Result) -> None:
        """Write the result: the run is done."""
        self.journal.save_result(result, self._clock.wall_s())


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a run begins: its unique name, the boot clock's ns of its second 0, what else is of interest, and batches."""

    uid: str
    t0_ns: int
    about: Mapping[str, object]
    batch_s: int


def why_not_now(command: Command, phase: Phase) -> str:
    """Get what an operator is told of a command that a run has no use for in this phase: what it waits for instead."""
    said = as_text(command)
    if phase is Phase.DONE:
        return f"{said}: this test has ended: halfpercent report last shows what came of it"
    if asked := ASKED.get(phase):
        return f"{said} comes later, or is done: the test is at {phase} and waits for you: {asked}"
    if command is OperatorWord.VENT:
        return f"{said} is for the cooling after the hold: the test is at {phase}, which goes on by itself"
    return (
        f"{said} is not for now: the test is at {phase}, which goes on by itself: halfpercent status says how far it is"
    )


def begin_run(journal: Journal, definition: RunDefinition, clock: Clock, beginning: Beginning) -> LiveRun:
    """Begin a run. Raises the database's errors where it cannot be written."""
    header = RunHeader(
        run_uid=beginning.uid,
        sample_id=definition.sample.sample_id,
        operator=definition.operator,
        kind=definition.kind,
        standard=definition.standard,
        certificate=definition.certificate,
        settings=definition.parameters.as_settings()
        | dict(beginning.about)
        | {"versions": versions()}
        | {"sample": definition.sample.as_settings()}
        | definition.blank_settings()
        | definition.specimen_settings()
        | definition.balance_settings(),
        t0_ns=beginning.t0_ns,
    )
    writing = journal.begin(header, Writing(clock.boot_id, clock.wall_s(), beginning.batch_s))
    return LiveRun(definition, writing, Pipeline(definition.parameters, beginning.t0_ns), clock, 0)


def end_invalid(pipeline: Pipeline, because: Invalid) -> None:
    """End a run where it is: nothing more of it is measured, and it is INVALID."""
    pipeline.phases.invalid, pipeline.phases.phase = because, Phase.DONE


def believed_length_s(length_s: float, at_least_s: float) -> float | None:
    """Take a length by the wall clock, unless the time since the start contradicts it by a second or more."""
    return max(length_s, at_least_s) if length_s > at_least_s - 1.0 else None
