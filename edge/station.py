"""The station: the loop that reads the chips, writes their codes down, and only then looks at them.

One frame a second: samples of the bridge until the second is over, and a reading of each probe. The frame
goes into the journal before it is folded. This module must never draw, send or serve anything: who wants to
see is called with each closed row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hw.bridge import Bridge, Probe, Sample
from hw.clock import NS_PER_S, Clock

from .course import Course, Word
from .frame import NOT_FITTED, Frames, one_frame
from .journal import RunJournal
from .words import Event, Phase, Row

PERIODS = 5.0
"""So many conversion periods, and at least half a second, a bridge may take before it is not ready."""

Words = Callable[[Phase, float], Iterable[str]]
"""What the operator says now, given the phase and the seconds since the start."""

Seen = Callable[[Row, str, list[Event]], None]
"""Called with each closed second, its phase and what happened."""


class Station:
    """The devices of one instrument, opened together and always closed."""

    def __init__(self, bridge: Bridge, oven: Probe, cell: Probe | None, clock: Clock) -> None:
        self._bridge = bridge
        self._oven = oven
        self._cell = cell
        self._clock = clock
        self._patience_ns = max(NS_PER_S // 2, round(PERIODS * NS_PER_S / bridge.rate_sps))
        self._early: list[Sample] = []  # came after its frame's end: the next one's first

    def open(self) -> None:
        """Open bridge and probes. Raises an ``HwError``, with everything closed again, where one fails."""
        try:
            for device in (self._bridge, self._oven, self._cell):
                if device is not None:
                    device.open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close everything; one that fails to close does not keep the others open."""
        devices = [d for d in (self._bridge, self._oven, self._cell) if d is not None]
        errors = []
        for device in devices:
            try:
                device.close()
            except Exception as e:  # the others must still be closed
                errors.append(e)
        if errors:
            raise errors[0]

    def describe(self) -> dict[str, dict[str, str | int | float]]:
        """Get the settings in force of each device."""
        out = {"bridge": self._bridge.describe(), "oven": self._oven.describe()}
        if self._cell is not None:
            out["cell"] = self._cell.describe()
        return out

    def frame(self, seq: int, t_ns: int) -> Frames:
        """Measure one second from ``t_ns`` on: every conversion of the bridge, one reading of each probe."""
        end_ns = t_ns + NS_PER_S
        samples, self._early = self._early, []
        while self._clock.now_ns() < end_ns:
            sample = self._bridge.read(self._clock.now_ns() + self._patience_ns)
            (samples if sample.t_ns < end_ns else self._early).append(sample)
        cell = self._cell.read() if self._cell is not None else NOT_FITTED
        return one_frame(seq, t_ns, samples, self._oven.read(), cell)

    def run(self, course: Course, journal: RunJournal, t0_ns: int, words: Words, seen: Seen) -> None:
        """Measure from ``t0_ns`` on until the course is done, then close the last second."""
        seq = 0
        while course.phases.phase is not Phase.DONE:
            t_ns = t0_ns + seq * NS_PER_S
            frames = self.frame(seq, t_ns)
            journal.raw(frames)
            for word in words(course.phases.phase, seq):
                course.say(Word(seq, word))
            self._write(journal, seen, course.feed(frames))
            # Where a second was lost (a suspended machine), its number stays empty: a gap is never filled.
            seq = max(seq + 1, (self._clock.now_ns() - t0_ns) // NS_PER_S)
        self._write(journal, seen, course.finish("the run was stopped"))

    def _write(self, journal: RunJournal, seen: Seen, made: tuple[object, list[str], list[Event]]) -> None:
        table, names, events = made
        rows = [Row(*values) for values in table.tolist()]  # type: ignore[attr-defined]  # a numpy record array
        journal.derived(rows, names, events, self._clock.wall_s())
        for row, name in zip(rows, names, strict=True):
            seen(row, name, events)
