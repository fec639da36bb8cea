"""The station: always sampling, a run or not; the only writer; what speaks, alarms and keeps the interlock closed.

One frame a second; a few looks in it, at each of which alarms are judged, the panel is fed and the control socket is
answered. This module must never draw or serve a page, never tare or calibrate by itself, and never stop measuring
because a disk, a client or a sensor fails.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from calibration.errors import CalibrationError
from calibration.iec60751 import temperature_c
from calibration.vacuum_gauge import VacuumGauge, pascals
from edge.errors import BadInput, NoRun, StationBusy
from edge.instrument.acquisition import Glance, Instrument
from edge.instrument.config import ProbeConfig
from edge.procedure.definition import EndedRun, RunDefinition
from edge.records.command import Command, GapLength, OperatorWord, as_text
from edge.records.event import ClockChecked, Happening, NoteWritten
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.records.result import Result
from edge.records.weighing import WeighingKind
from edge.run.live_run import Beginning, LiveRun, Show, begin_run
from hw.clock import NS_PER_S, Clock
from hw.clock_sync import ClockWatch
from hw.panel import Panel, Press
from hw.protocols import Conversion, Reading, Status

from .alarm_rules import Alarm, Limits, Observation
from .alarms import Alarms, Change
from .retrying_writer import RetryingWriter

Words = Callable[[Phase, float], Iterable[OperatorWord]]
"""What somebody beside the instrument commands now, given the phase and the seconds since the run's start."""

Judge = Callable[[EndedRun], "Future[Result]"]
"""Has a run judged, at once or beside the measurement. The station itself knows no judge."""

_log = logging.getLogger("halfpercent")
LIMITS = Limits()


def _nothing() -> None:
    """Do nothing."""


def _not_known() -> None:
    """Know nothing."""
    return


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """What the alarms need to read codes: the probes' settings, the gauge's, and the limits.

    ``clock_set`` says whether the wall clock is set, ``under_voltage`` whether the supply is too low (None: not known).
    """

    oven: ProbeConfig
    cell: ProbeConfig | None = None
    vacuum: VacuumGauge | None = None
    limits: Limits = LIMITS
    clock_set: Callable[[], bool | None] = _not_known
    under_voltage: Callable[[], bool | None] = _not_known


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the station calls, besides measuring.

    ``alive`` once a frame, by the loop that measures; ``poll`` at each look, for whoever answers questions;
    ``start_pressed`` for a long press of the button; ``simulated_truth_pct`` for what a simulated sample truly lost.
    """

    alive: Callable[[], None] = _nothing
    poll: Callable[[], None] = _nothing
    start_pressed: Callable[[], None] = _nothing
    simulated_truth_pct: Callable[[], float | None] = _not_known
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a station is made of: the instrument with its settings, who writes, whose time it is, and the panel."""

    instrument: Instrument
    sensors: SensorSettings
    writer: RetryingWriter
    clock: Clock
    panel: Panel | None = None


class LatestReadings(NamedTuple):
    """The newest look, and the newest sample of the bridge."""

    look: Observation
    newest: Conversion | None


NO_HOOKS = Hooks()


class Station:
    """One instrument and one database. ``run`` it; ask it between two frames.

    ``live`` is the run that is being measured, ``last`` the result of the one that ended last, ``clock_set`` whether
    the wall clock is set (None: not known). ``judge`` is handed each run that has ended.
    """

    def __init__(self, equipment: Equipment, judge: Judge, hooks: Hooks = NO_HOOKS) -> None:
        self.writer = equipment.writer
        self.clock = equipment.clock
        self.panel = equipment.panel
        self.alarms = Alarms(equipment.sensors.limits)
        self.live: LiveRun | None = None
        self.last: Result | None = None
        self.good_frames = 0
        self.latest: LatestReadings | None = None
        self.clock_set: bool | None = None
        self._instrument = equipment.instrument
        self._sensors = equipment.sensors
        self._judge = judge
        self._hooks = hooks
        self._watch = ClockWatch(equipment.clock)
        self._frame_end_ns = 0
        self._gap_s = 0.0
        self._low: bool | None = None
        self._ended: EndedRun | None = None
        self._judged: Future[Result] | None = None

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
            self.good_frames += bool(frames.status.size and (frames.status == Status.OK).any())
            if live is not None:
                self._add_frame(live, frames, words, show)
            self._each_second()
            self._hooks.alive()

    def _add_frame(self, live: LiveRun, frames: Frames, words: Words | None, show: Show | None) -> None:
        if words is not None:
            for word in words(live.phase, float(live.next_seq)):
                self.command(word, "operator")
        if not live.done:
            self.writer.write(lambda: live.add_frame(frames, show))
        if live.done:
            self._end(live)

    def _end(self, live: LiveRun) -> None:
        """End the run, a step a frame: close it, judge it beside the measurement, write it; what fails is retried."""
        if self._judged is None:
            if not self.writer.write(lambda: self._close(live)) or self._ended is None:
                return
            self._judged = self._judge(self._ended)
        if not self._judged.done():
            return
        try:
            result = self._judged.result()
        except Exception as e:  # a mistake of ours must not cost what is measured next
            _log.exception("run %d cannot be judged", live.run_id)
            assert self._ended is not None  # it was handed to the judge
            why = f"it could not be judged ({type(e).__name__}: {e}): report this, with the database"
            result = self._ended.not_judged(why)
        if self.writer.write(lambda: live.save_result(result)):
            self.live, self.last, self._judged, self._ended = None, result, None, None
            self.writer.back_up(live.run_id)
            _log.warning("run %d: %s", live.run_id, result.verdict)

    def _close(self, live: LiveRun) -> None:
        live.close()
        self._ended = live.ended(self._hooks.simulated_truth_pct(), self._hooks.seed)

    def _each_second(self) -> None:
        """Do what is done once a second: storage, clock, supply."""
        sensors, live = self._sensors, self.live
        clock_set = sensors.clock_set()
        self._low = sensors.under_voltage()
        self.live = self.writer.retry(live, clock_set)
        if self.live is not live:  # folded again from what is stored: what was judged before does not count
            live, self._judged = self.live, None
        if clock_set != self.clock_set:
            self.clock_set = clock_set
            self._log_event(ClockChecked(clock_set), "instrument")
        if live is not None and clock_set and (gap_s := live.gap_found_s()) is not None:
            self.command(GapLength(gap_s), "instrument")

    # a few times a second

    def _look(self, glance: Glance) -> None:
        newest = glance.samples[-1] if glance.samples else self.latest.newest if self.latest is not None else None
        self.looked(self._look_of(glance), newest)

    def looked(self, look: Observation, newest: Conversion | None) -> None:
        """Take a look: alarms, panel, and whoever asks something."""
        self.latest = LatestReadings(look, newest)
        self._changed(self.alarms.look(look))
        if self.panel is not None:
            for press in self.panel.presses():
                self._pressed(press)
            self.panel.feed(not self.alarms.interlock_open, self.alarms.sounding)
        self._hooks.poll()

    def _look_of(self, glance: Glance) -> Observation:
        sensors, live = self._sensors, self.live
        plan = live.pipeline.phases.plan if live is not None else None
        phase = live.phase if live is not None else None
        row = live.second if live is not None else None
        base_g = live.pipeline.phases.weighings.get(WeighingKind.M1) if live is not None else None
        rate = math.nan
        if row is not None and base_g is not None and phase is Phase.HOLD:
            rate = -row.drift_g_per_h / base_g.value.mean * 100.0
        return Observation(
            t_ns=glance.t_ns,
            bridge=tuple(s.status for s in glance.samples),
            oven=glance.oven,
            oven_c=celsius(glance.oven, sensors.oven),
            cell=glance.cell,
            cell_c=celsius(glance.cell, sensors.cell),
            gauge=glance.gauge,
            pressure_pa=self._pressure_pa(glance),
            mass_g=self._mass_g(glance),
            phase=phase,
            armed=phase is Phase.HOLD,
            hold_temp_c=plan.hold_temp_c if plan is not None else math.nan,
            hold_band_c=plan.hold_band_c if plan is not None else math.nan,
            pressure_limit_pa=plan.pressure_limit_pa if plan is not None and plan.pressure_needed else math.inf,
            loss_rate_pct_per_h=rate,
            storage_error=self.writer.error,
            clock_step_s=self._watch.step_s(),
            gap_s=self._gap_s,
            under_voltage=self._low,
        )

    def _mass_g(self, glance: Glance) -> float:
        """Get about what lies on the cell, for the alarms alone: the fold's row comes a frame late."""
        codes = sorted(s.code for s in glance.samples if s.status is Status.OK)
        if self.live is None or not codes:
            return math.nan
        told = self.live.pipeline.params[0]
        return float((codes[len(codes) // 2] - told["tare_code"]) / told["span_code_per_g"])

    def _pressure_pa(self, glance: Glance) -> float:
        gauge, vacuum = glance.gauge, self._sensors.vacuum
        if gauge is None or gauge.status is not Status.OK or vacuum is None:
            return math.nan
        return float(pascals([gauge.code], vacuum)[0])

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
            raise StationBusy(f"run {self.live.run_id} is being measured: wait for it, or halfpercent abort")

    def begin(self, definition: RunDefinition, uid: str, about: Mapping[str, object] | None = None) -> LiveRun:
        """Begin a run with the next frame. Raises ``StationBusy`` where one is going on, or the database's errors."""
        self.must_be_idle()
        t0_ns = max(self._frame_end_ns, self.clock.now_ns())
        settings: dict[str, object] = {"devices": self._instrument.describe(), **(about or {})}
        beginning = Beginning(uid, t0_ns, settings, self.writer.batch_s)
        live = begin_run(self.writer.journal, definition, self.clock, beginning)
        self.live = live
        self.clock_set = self._sensors.clock_set()
        self._log_event(ClockChecked(self.clock_set), "instrument")
        return live

    def take_up(self, run_id: int, clock_set: bool | None) -> bool:
        """Go on with a run that was interrupted. Returns False where the disk fails."""
        self.live = self.writer.resume(run_id, clock_set)
        return self.live is not None

    def leave(self, why: str) -> None:
        """End the run that was taken up, and judge it: it will never be gone on with."""
        live = self.live
        if live is None:
            return

        def end() -> None:
            live.close(why)
            live.save_result(self._judge(live.ended()).result())

        self.writer.write(end)
        self.live = None

    def command(self, command: Command, who: str) -> None:
        """Give the run a command. Raises ``NoRun`` where there is none, ``WrongPhase`` where it has no use for it."""
        live = self.live
        if live is None:
            raise NoRun(f"{as_text(command)}: no run is being measured: begin one first (halfpercent start)")
        self.writer.write(lambda: live.command(command, who))

    def note(self, text: str, who: str) -> None:
        """Write a person's note down, in the run or in the station's own log."""
        self._log_event(NoteWritten(text), who)

    def acknowledge(self, alarm: Alarm | None, who: str) -> int:
        """Acknowledge one alarm, or all that are open. Returns how many."""
        changes = self.alarms.acknowledge(alarm, who)
        self._changed(changes)
        return len(changes)


def at_once(judge: Callable[[EndedRun], Result]) -> Judge:
    """Have runs judged while nothing is measured, so that a simulated clock knows nothing of it."""

    def judged(ended: EndedRun) -> Future[Result]:
        done: Future[Result] = Future()
        try:
            done.set_result(judge(ended))
        except Exception as e:  # as a thread would
            done.set_exception(e)
        return done

    return judged


def celsius(reading: Reading | None, probe: ProbeConfig | None) -> float:
    """Get what a reading of a probe says, in °C, for the alarms alone; NaN where it says nothing."""
    if reading is None or probe is None or reading.status is not Status.OK:
        return math.nan
    return _celsius(reading.code, probe.ref_ohm, probe.nominal_ohm)


@lru_cache(maxsize=4096)
def _celsius(code: int, ref_ohm: float, nominal_ohm: float) -> float:
    ohm = code / 32768.0 * ref_ohm
    try:
        return temperature_c(ohm, nominal_ohm)
    except CalibrationError:
        return math.inf if ohm > nominal_ohm else math.nan
