"""The station: always sampling, a run or not; the only writer; what speaks, alarms and keeps the interlock closed.

One frame a second; a few looks in it, at each of which alarms are judged, the panel is fed and the control socket is
answered. This module must never draw or serve a page, never tare or calibrate by itself, and never stop measuring
because a disk, a client or a sensor fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future

import msgspec
import numpy as np

from edge.database.amending import LateMass, amend
from edge.database.correcting import Correction, correct
from edge.database.queries import RunAsLeft
from edge.database.stored_rows import utc
from edge.errors import AlarmStands, BadInput, NoRun, StationBusy
from edge.instrument.acquisition import Glance
from edge.instrument.same_rig import differences
from edge.procedure.definition import EndedRun, RunDefinition
from edge.records.balance import BalanceSaid
from edge.records.command import Command, ConverterWasReset, GapLength, OperatorWord, WeighedOnBalance, as_text
from edge.records.event import ClockChecked, ConverterReset, HandedOver, Happening, NoteWritten
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.records.result import Result
from edge.records.run_end import FactCorrected, ResultAmended
from edge.records.station_event import MaintenanceDeclared
from edge.run.live_run import Beginning, LiveRun, Show, begin_run
from hw.clock import NS_PER_S
from hw.clock_sync import ClockWatch
from hw.panel import Press
from hw.protocols import Conversion

from .alarm_rules import Alarm, Observation
from .alarms import Alarms, Change
from .barometer_watch import BarometerWatch
from .converter_watch import ConverterWatch, reset_while_away
from .equipment import NO_HOOKS, Equipment, Hooks, Judge
from .latest import LatestReadings
from .loop_watch import LoopWatch
from .observe import observe
from .take_up import take_up

Words = Callable[[Phase, float], Iterable[OperatorWord]]
"""What somebody beside the instrument commands now, given the phase and the seconds since the run's start."""

_log = logging.getLogger("halfpercent")
TRUSTED = (Alarm.LOAD_CELL, Alarm.OVEN_PROBE)
"""While one of these is open, nothing is begun, tared or loaded."""


class Station:
    """One instrument and one database. ``run`` it; ask it between two frames.

    ``live`` is the run that is being measured, ``last`` the result of the one that ended last, ``clock_set`` whether
    the wall clock is set (None: not known), ``loop`` how long the loop was kept from the chips. ``judge`` is handed
    each run that has ended.
    """

    def __init__(self, equipment: Equipment, judge: Judge, hooks: Hooks = NO_HOOKS) -> None:
        self.writer = equipment.writer
        self.clock = equipment.clock
        self.panel = equipment.panel
        self.alarms = Alarms(equipment.sensors.limits)
        self.barometer = BarometerWatch(equipment.barometer)
        self.live: LiveRun | None = None
        self.last: Result | None = None
        self.good_frames = 0
        self.loop = LoopWatch(lambda: self.writer.journal.commits.waited_s)
        self.latest: LatestReadings | None = None
        self.clock_set: bool | None = None
        self._instrument = equipment.instrument
        self._sensors = equipment.sensors
        self._judge = judge
        self._hooks = hooks
        self._watch = ClockWatch(equipment.clock)
        self._converter = ConverterWatch()
        self._rig_changed = ""
        self._frame_end_ns = 0
        self._gap_s = 0.0
        self._low: bool | None = None
        self._ended: EndedRun | None = None
        self._judged: Future[Result] | None = None

    @property
    def simulated(self) -> bool:
        """Get whether the chips, the oven and the sample are models."""
        return self._hooks.simulated

    # the loop

    def run(self, go_on: Callable[[], bool], *, words: Words | None = None, show: Show | None = None) -> None:
        """Measure frame after frame while ``go_on`` says so."""
        while go_on():
            live = self.live
            t_ns = self.clock.now_ns() if live is None else live.next_ns()
            seq = 0 if live is None else live.next_seq
            self._gap_s = max(0.0, (t_ns - self._frame_end_ns) / NS_PER_S) if self._frame_end_ns else 0.0
            self._frame_end_ns = t_ns + NS_PER_S
            frames = self._instrument.frame(seq, t_ns, self._look)
            with self.loop.step():
                good = bool(np.count_nonzero(frames.status) < frames.status.size)  # OK is 0
                self.good_frames += good
                if live is not None and live is self.live:  # an abort may have ended it in the middle of the frame
                    self._watch_converter(live, seq, good=good)
                    self._add_frame(live, frames, words, show)
                self._each_second()
                self._hooks.alive()

    def _add_frame(self, live: LiveRun, frames: Frames, words: Words | None, show: Show | None) -> None:
        if words is not None:
            for word in words(live.phase, float(live.next_seq)):
                try:
                    self.command(word, "operator")
                except AlarmStands as e:
                    _log.warning("%s", e)
        if not live.done:
            self.writer.write(lambda: live.add_frame(frames, show))
        if live.done:
            self._end(live)

    def _end(self, live: LiveRun) -> None:
        """End the run, a step a frame: close it, judge it beside the measurement, write it; what fails is retried."""
        if self._judged is None:
            if self._ended is None and not self.writer.write(lambda: self._close(live)):
                return
            assert self._ended is not None  # it was closed
            self._judged = self._judge(self._ended)
        if not self._judged.done():
            return
        assert self._ended is not None  # it was handed to the judge
        result = _result(self._judged, self._ended)
        if self.writer.write(lambda: live.save_result(result)):
            self.live, self.last, self._judged, self._ended = None, result, None, None
            self._keep(live.run_id)
            _log.warning("run %d: %s", live.run_id, result.verdict)

    def _keep(self, run_id: int) -> None:
        """Have a run that has ended, or was corrected, copied and sealed, while measuring goes on."""
        self.writer.back_up(run_id)
        self._hooks.ended(run_id)

    def _close(self, live: LiveRun) -> None:
        live.close()
        self._ended = live.ended(self._hooks.simulated_truth_pct(), self._hooks.seed)

    def _watch_converter(self, live: LiveRun, seq: int, *, good: bool) -> None:
        reset = self._converter.changed(self._instrument.converter(), seq, good=good)
        if reset is not None:
            self._was_reset(live, reset)

    def _was_reset(self, live: LiveRun, reset: ConverterReset) -> None:
        """Write a reset of the converter down, and tell the run: no weighing spans it."""
        _log.warning("run %d: the converter was reset (%s): its zero may have stepped", live.run_id, reset.cause)
        self._log_event(reset, "instrument")
        if not live.done:
            self.command(ConverterWasReset(), "instrument")

    def _each_second(self) -> None:
        """Do what is done once a second: storage, clock, supply."""
        sensors, live = self._sensors, self.live
        self._read_barometer()
        clock_set = sensors.clock_set()
        self._low = sensors.under_voltage()
        self.live = self.writer.retry(live, clock_set)
        if self.live is not live:  # folded again from what is stored: what was judged before does not count
            live, self._judged, self._ended = self.live, None, None
        if clock_set != self.clock_set:
            self.clock_set = clock_set
            self._log_event(ClockChecked(clock_set), "instrument")
        if live is not None and clock_set and (gap_s := live.gap_found_s()) is not None:
            self.command(GapLength(gap_s), "instrument")

    def _read_barometer(self) -> None:
        now_s, live = self.clock.now_ns() / NS_PER_S, self.live
        self.barometer.second(now_s)
        if live is not None and not live.done and (read := self.barometer.due(now_s)) is not None:
            self._log_event(read, "instrument")

    # a few times a second

    def _look(self, glance: Glance) -> None:
        newest = glance.samples[-1] if glance.samples else self.latest.newest if self.latest is not None else None
        self.looked(self._look_of(glance), newest)

    def looked(self, look: Observation, newest: Conversion | None) -> None:
        """Take a look: alarms, panel, and whoever asks something."""
        with self.loop.step():
            self._looked(look, newest)

    def _looked(self, look: Observation, newest: Conversion | None) -> None:
        self.latest = (self.latest or LatestReadings(look, None)).after(look, newest)
        self._changed(self.alarms.look(look))
        self._rig_changed = ""
        if self.panel is not None:
            for press in self.panel.presses():
                self._pressed(press)
            self.panel.feed(not self.alarms.interlock_open, self.alarms.sounding)
        self._hooks.poll()
        if self.live is not None and self.live.done:
            self._end(self.live)

    def _look_of(self, glance: Glance) -> Observation:
        sensors = self._sensors
        return msgspec.structs.replace(
            observe(glance, sensors.oven, sensors.cell, sensors.vacuum, self.live),
            storage_error=self.writer.trouble,
            clock_step_s=self._watch.step_s(),
            gap_s=self._gap_s,
            under_voltage=self._low,
            rig_changed=self._rig_changed,
            barometer_wrong=self.barometer.wrong,
        )

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            what = change.what
            _log.warning("%s: %s: %s", what.kind.replace("_", " "), what.alarm, what.why)
            self._log_event(what, change.who)

    def _log_event(self, what: Happening, who: str) -> None:
        live = self.live
        if live is None:
            self.writer.log(what, who)
        else:
            self.writer.write(lambda: live.log_event(what, who))

    def _pressed(self, press: Press) -> None:
        try:
            if press is Press.ACKNOWLEDGE:
                self.acknowledge(None, "panel")
            elif press is Press.TARE:
                self.command(OperatorWord.TARE, "panel")
            else:
                self._hooks.start_pressed()
        except BadInput as e:
            _log.warning("panel: %s", e)

    # what it is asked

    def must_be_idle(self) -> None:
        """Raise ``StationBusy`` where a run is going on."""
        if self.live is not None:
            begun = f"run {self.live.run_id}, begun by {self.live.definition.operator}"
            raise StationBusy(f"{begun}, is being measured: wait for it, or halfpercent abort")

    def must_be_well(self, what: str) -> None:
        """Raise ``AlarmStands`` where the load cell or the oven thermometer has an alarm that is open."""
        for standing in self.alarms.standing:
            if standing.alarm in TRUSTED and not standing.closed:
                raise AlarmStands(
                    f"{what}: the alarm {standing.alarm} is open ({standing.why}): mend that first; it closes "
                    f"{self.alarms.limits.clear_s:g} s after all is good"
                )

    def begin(self, definition: RunDefinition, uid: str, about: Mapping[str, object] | None = None) -> LiveRun:
        """Begin a run with the next frame. Raises ``StationBusy`` where one is going on, or the database's errors."""
        self.must_be_idle()
        t0_ns = max(self._frame_end_ns, self.clock.now_ns())
        devices = self._instrument.describe() | self.barometer.describe()
        settings: dict[str, object] = {"devices": devices, **(about or {})}
        beginning = Beginning(uid, t0_ns, settings, self.writer.batch_s)
        live = begin_run(self.writer.journal, definition, self.clock, beginning)
        self.live = live
        self._converter.begin(self._instrument.converter())
        self.barometer.begin()
        self.clock_set = self._sensors.clock_set()
        self._log_event(ClockChecked(self.clock_set), "instrument")
        return live

    def take_up(self, run_id: int, clock_set: bool | None) -> bool:
        """Go on with a run that was interrupted, or end it where the rig has changed. False where it cannot be had."""
        taken = take_up(self.writer, self.clock, run_id, clock_set)
        if taken is None:
            return False
        self.live = taken.live
        self.barometer.begin()
        self._compare(taken.live, taken.left)
        return True

    def _compare(self, live: LiveRun, left: RunAsLeft) -> None:
        """Hold the rig against the run's own record: end a run of another rig, write down what became of its zero."""
        changes = differences(left.devices, self._instrument.describe())
        if why := left.rig_changed or "; ".join(changes):
            why = why if left.rig_changed else f"the rig is not set as when the run began: {why}; begin again"
            _log.error("run %d: %s", live.run_id, why)
            self._rig_changed = f"run {live.run_id} is ended: {why}"
            self.writer.write(lambda: live.end_changed(why))
            return
        state, from_s = self._instrument.converter(), live.last_seq + 1.0
        self._converter.begin(state, from_s)
        reset = reset_while_away(left, state, self.clock.boot_id, from_s)
        if reset is not None:
            self._was_reset(live, reset)

    def leave(self, why: str) -> None:
        """End the run that was taken up, and judge it: it will never be gone on with."""
        live = self.live
        if live is None:
            return

        def end() -> None:
            live.close(why)
            ended = live.ended()
            live.save_result(_result(self._judge(ended), ended))

        if self.writer.write(end):
            self._keep(live.run_id)
        self.live = None

    def command(self, command: Command, who: str) -> None:
        """Give the run a command; an abort ends it now, not with the frame.

        Raises ``NoRun`` where there is none, ``WrongPhase`` where it has no use for it, ``AlarmStands`` where what it
        would weigh with is not well.
        """
        live = self._must_measure(command)
        if command in (OperatorWord.TARE, OperatorWord.LOAD):
            self.must_be_well(as_text(command))
        if command is OperatorWord.ABORT:
            self.writer.write(lambda: live.abort(who))
            self._end(live)
        else:
            self.writer.write(lambda: live.command(command, who))

    def weighed(self, said: BalanceSaid, who: str) -> None:
        """Give the run a mass of the laboratory's balance. Raises as :meth:`edge.run.live_run.LiveRun.weighed`."""
        live = self._must_measure(WeighedOnBalance(said.which))
        self.writer.write(lambda: live.weighed(said, who))

    def _must_measure(self, command: Command) -> LiveRun:
        if self.live is None:
            raise NoRun(f"{as_text(command)}: no run is being measured: begin one first (halfpercent start)")
        return self.live

    def handed(self, what: HandedOver, who: str) -> None:
        """Write down that the specimen of the run went from one hand to another. Raises ``NoRun``."""
        if self.live is None:
            raise NoRun("hand-over: no run is being measured: before it, the specimen's record says who had it")
        self._log_event(what, who)

    def note(self, text: str, who: str) -> None:
        """Write a person's note down, in the run or in the station's own log."""
        self._log_event(NoteWritten(text), who)

    def declare_maintenance(self, in_s: float, for_s: float, why: str, who: str) -> None:
        """Write into the station's own log that the rig will not measure for ``for_s``, from ``in_s`` from now on."""
        from_s = self.clock.wall_s() + in_s
        self.writer.log(MaintenanceDeclared(utc(from_s), utc(from_s + for_s), why), who)

    def correct(self, asked: Correction, who: str) -> FactCorrected:
        """Write a correction of a run that has ended into its chain, and have it sealed anew. Raises as ``correct``."""
        if self.writer.error:
            raise BadInput(f"nothing can be written: {self.writer.error}")
        told = correct(self.writer.journal, asked, who, self.clock.wall_s())
        self._keep(asked.run_id)
        return told

    def judged_again(self, ended: EndedRun) -> Result:
        """Judge a run that has ended, in whatever thread asks; a mistake of ours makes it INVALID, with why."""
        return _result(self._judge(ended), ended)

    def amend(self, late: LateMass, who: str) -> ResultAmended:
        """Write a mass that came late, and what the run comes to with it, and have it sealed anew. As ``amend``."""
        if self.writer.error:
            raise BadInput(f"nothing can be written: {self.writer.error}")
        told = amend(self.writer.journal, late, who, self.clock.wall_s())
        if self.last is not None and self.last.run_id == late.run_id:
            self.last = late.result
        self._hooks.ended(late.run_id)
        return told

    def acknowledge(self, alarm: Alarm | None, who: str) -> int:
        """Acknowledge one alarm, or all that are open. Returns how many."""
        changes = self.alarms.acknowledge(alarm, who)
        self._changed(changes)
        return len(changes)


def _result(judged: Future[Result], ended: EndedRun) -> Result:
    try:
        return judged.result()
    except Exception as e:  # a mistake of ours must not cost what is measured next
        _log.exception("run %s cannot be judged", ended.run_id)
        return ended.not_judged(f"it could not be judged ({type(e).__name__}: {e}): report this, with the database")
