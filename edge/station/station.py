"""The station: always sampling, a run or not; the only writer; what speaks, alarms and keeps the interlock closed.

One frame a second; a few looks in it, at each of which alarms are judged, the panel is fed and the control socket is
answered. This module must never draw or serve a page, never tare or calibrate by itself, and never stop measuring
because a disk, a client or a sensor fails.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from calibration.errors import CalibrationError
from calibration.iec60751 import temperature_c
from calibration.vacuum_gauge import VacuumGauge, pascals
from edge.errors import BadInput
from edge.instrument.acquisition import Glance, Instrument
from edge.instrument.config import ProbeConfig
from edge.records.frame import Frames
from edge.records.phase import Phase
from edge.run.definition import RunDefinition
from edge.run.live_run import LiveRun, Show, begin_run
from hw.clock import NS_PER_S, Clock
from hw.clock_sync import ClockWatch
from hw.panel import Panel, Press
from hw.protocols import Conversion, Reading, Status

from .alarm_rules import Alarm, Limits, Observation
from .alarms import Alarms, Change
from .retrying_writer import RetryingWriter

Words = Callable[[Phase, float], Iterable[str]]
"""What somebody beside the instrument says now, given the phase and the seconds since the run's start."""

Judge = Callable[[Callable[[], dict[str, Any]]], "Future[dict[str, Any]]"]
"""Has a run judged, at once or beside the measurement."""

_log = logging.getLogger("halfpercent")
LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """What the alarms need to read codes: the probes' settings, the gauge's, and the limits.

    ``trusted`` says whether the wall clock is set, ``under_voltage`` whether the supply is too low (None: not known).
    """

    oven: ProbeConfig
    cell: ProbeConfig | None = None
    vacuum: VacuumGauge | None = None
    limits: Limits = LIMITS
    trusted: Callable[[], bool | None] = lambda: None
    under_voltage: Callable[[], bool | None] = lambda: None


class LatestReadings(NamedTuple):
    """The newest look, and the newest sample of the bridge."""

    look: Observation
    newest: Conversion | None


class Station:
    """One instrument and one database. ``run`` it; ask it between two frames.

    ``alive`` is called once a frame, by the loop that measures. ``judge`` runs what takes seconds: by default at once,
    so that a simulated clock knows nothing of it.
    """

    def __init__(
        self,
        instrument: Instrument,
        keeper: RetryingWriter,
        clock: Clock,
        sensing: SensorSettings,
        *,
        panel: Panel | None = None,
        alive: Callable[[], None] = lambda: None,
        judge: Judge | None = None,
    ) -> None:
        self.live: LiveRun | None = None
        self.alarms = Alarms(sensing.limits)
        self.last: dict[str, Any] | None = None
        """The result of the run that ended last."""
        self.good_frames = 0
        self.keeper = keeper
        self.clock = clock
        self.panel = panel
        self.seen: LatestReadings | None = None
        self.trusted: bool | None = None
        """Whether the wall clock is set (None: not known)."""
        self._instrument = instrument
        self._sensing = sensing
        self._alive = alive
        self.poll: Callable[[], None] = lambda: None
        """Called at each look: whoever answers questions does it then."""
        self.pressed_start: Callable[[], None] = lambda: None
        """What a long press of the button does: whoever knows how to start a run sets it."""
        self.truth: Callable[[], float | None] = lambda: None
        """What a simulated sample truly lost, in %."""
        self._watch = ClockWatch(clock)
        self._frame_end_ns = 0
        self._gap_s = 0.0
        self._low: bool | None = None
        self._judge = judge or _at_once
        self._judged: Future[dict[str, Any]] | None = None

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
                self._take(live, frames, words, show)
            self._tend()
            self._alive()

    def _take(self, live: LiveRun, frames: Frames, words: Words | None, show: Show | None) -> None:
        if words is not None:
            for word in words(live.phase, float(live.next_seq)):
                self.say(word, "operator")
        if not live.done:
            self.keeper.write(lambda: live.take(frames, show))
        if live.done:
            self._end(live)

    def _end(self, live: LiveRun) -> None:
        """End the run, a step a frame: close it, judge it beside the measurement, write it; what fails is retried."""
        if self._judged is None:
            if not self.keeper.write(live.close):
                return
            self._judged = self._judge(live.result)
        if not self._judged.done():
            return
        try:
            result = self._judged.result()
        except Exception as e:  # a mistake of ours must not cost what is measured next
            _log.exception("run %d cannot be judged", live.run_id)
            result = live.not_judged(
                f"it could not be judged ({type(e).__name__}: {e}): report this, with the database"
            )
        if (true_pct := self.truth()) is not None:
            result |= {"true_loss_pct": true_pct}
        if self.keeper.write(lambda: live.record(result)):
            self.live, self.last, self._judged = None, result, None
            self.keeper.back_up(live.run_id)
            _log.warning("run %d: %s", live.run_id, result["verdict"])

    def _tend(self) -> None:
        """What is done once a second: storage, clock, supply."""
        sensing, live = self._sensing, self.live
        trusted = sensing.trusted()
        self._low = sensing.under_voltage()
        self.live = self.keeper.tend(live, trusted)
        if self.live is not live:  # folded again from what is stored: what was judged before does not count
            live, self._judged = self.live, None
        if trusted != self.trusted:
            self.trusted = trusted
            self._happened("clock", {"clock_set": trusted}, "instrument")
        if live is not None and trusted and (gap_s := live.gap_found_s()) is not None:
            self.say(f"gap {gap_s:.0f}", "instrument")

    # a few times a second

    def _look(self, glance: Glance) -> None:
        newest = glance.samples[-1] if glance.samples else self.seen.newest if self.seen is not None else None
        self.looked(self._look_of(glance), newest)

    def looked(self, look: Observation, newest: Conversion | None) -> None:
        """Take a look: alarms, panel, and whoever asks something."""
        self.seen = LatestReadings(look, newest)
        self._changed(self.alarms.look(look))
        if self.panel is not None:
            for press in self.panel.presses():
                self._pressed(press)
            self.panel.feed(not self.alarms.interlock_open, self.alarms.sounding)
        self.poll()

    def _look_of(self, glance: Glance) -> Observation:
        sensing, live = self._sensing, self.live
        plan = live.course.phases.plan if live is not None else None
        phase = live.phase if live is not None else None
        row = live.row if live is not None else None
        base_g = live.course.phases.weighings.get("m1") if live is not None else None
        rate = math.nan
        if row is not None and base_g is not None and phase is Phase.HOLD:
            rate = -row.drift_g_per_h / base_g.value.mean * 100.0
        return Observation(
            t_ns=glance.t_ns,
            bridge=tuple(s.status for s in glance.samples),
            oven=glance.oven,
            oven_c=celsius(glance.oven, sensing.oven),
            cell=glance.cell,
            cell_c=celsius(glance.cell, sensing.cell),
            gauge=glance.gauge,
            pressure_pa=self._pressure_pa(glance),
            mass_g=self._mass_g(glance),
            phase=phase,
            armed=phase is Phase.HOLD,
            hold_temp_c=plan.hold_temp_c if plan is not None else math.nan,
            hold_band_c=plan.hold_band_c if plan is not None else math.nan,
            pressure_limit_pa=plan.pressure_limit_pa if plan is not None and plan.pressure_needed else math.inf,
            loss_rate_pct_per_h=rate,
            storage_error=self.keeper.error,
            clock_step_s=self._watch.step_s(),
            gap_s=self._gap_s,
            under_voltage=self._low,
        )

    def _mass_g(self, glance: Glance) -> float:
        """Get about what lies on the cell, for the alarms alone: the fold's row comes a frame late."""
        codes = sorted(s.code for s in glance.samples if s.status is Status.OK)
        if self.live is None or not codes:
            return math.nan
        told = self.live.course.params[0]
        return float((codes[len(codes) // 2] - told["tare_code"]) / told["span_code_per_g"])

    def _pressure_pa(self, glance: Glance) -> float:
        gauge, vacuum = glance.gauge, self._sensing.vacuum
        if gauge is None or gauge.status is not Status.OK or vacuum is None:
            return math.nan
        return float(pascals([gauge.code], vacuum)[0])

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            _log.warning("%s: %s: %s", change.kind.replace("_", " "), change.alarm, change.why)
            self._happened(change.kind, {"alarm": str(change.alarm), "why": change.why}, change.who)

    def _happened(self, kind: str, data: dict[str, Any], who: str) -> None:
        live = self.live
        if live is None:
            self.keeper.log(kind, data, who)
        else:
            self.keeper.write(lambda: live.happened(kind, data, who))

    def _pressed(self, press: Press) -> None:
        try:
            if press is Press.ACKNOWLEDGE:
                self.acknowledge(None, "panel")
            elif press is Press.TARE:
                self.say("tare", "panel")
            else:
                self.pressed_start()
        except BadInput as e:
            _log.warning("panel: %s", e)

    # what it is asked

    def must_be_idle(self) -> None:
        """Raise ``BadInput`` where a run is going on."""
        if self.live is not None:
            raise BadInput(f"run {self.live.run_id} is being measured: wait for it, or halfpercent abort")

    def begin(self, given: RunDefinition, *, uid: str, settings: dict[str, Any] | None = None) -> LiveRun:
        """Begin a run with the next frame. Raises ``BadInput`` where one is going on, or the database's errors."""
        self.must_be_idle()
        t0_ns = max(self._frame_end_ns, self.clock.now_ns())
        about = {"devices": self._instrument.describe()} | (settings or {})
        live = begin_run(
            self.keeper.journal, given, self.clock, t0_ns, uid=uid, settings=about, batch_s=self.keeper.batch_s
        )
        self.live = live
        self.trusted = self._sensing.trusted()
        self._happened("clock", {"clock_set": self.trusted}, "instrument")
        return live

    def say(self, word: str, who: str) -> None:
        """Say a word into the run. Raises ``BadInput`` where there is none, or its phase has no use for it."""
        if self.live is None:
            raise BadInput(f"{word}: no run is being measured: halfpercent start --sample ID --operator NAME")
        live = self.live
        self.keeper.write(lambda: live.say(word, who))

    def note(self, text: str, who: str) -> None:
        """Write a person's note down, in the run or in the station's own log."""
        self._happened("note", {"text": text}, who)

    def acknowledge(self, alarm: Alarm | None, who: str) -> int:
        """Acknowledge one alarm, or all that are open. Returns how many."""
        changes = self.alarms.acknowledge(alarm, who)
        self._changed(changes)
        return len(changes)


def _at_once(work: Callable[[], dict[str, Any]]) -> Future[dict[str, Any]]:
    done: Future[dict[str, Any]] = Future()
    try:
        done.set_result(work())
    except Exception as e:  # as a thread would
        done.set_exception(e)
    return done


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
