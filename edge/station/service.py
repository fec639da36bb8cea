"""The service: one station on this machine's chips, its database and its control socket, from start to stop.

What was being measured when the last process ended is taken up again by itself. This module must never begin a test
that nobody asked for, and never stop for a chip that does not answer: it alarms, and tries again.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from edge.control.protocol import Answer, Later, Request, Start
from edge.control.server import Control
from edge.database.codec import decode, encode
from edge.database.journal import Journal
from edge.database.maintenance import PutAside, quarantine_if_unusable
from edge.database.queries import MEASURED
from edge.errors import BadInput, DeviceInUse
from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config, oven_of
from edge.procedure.definition import EndedRun
from edge.records.frame import one_frame
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.station_event import StationStarted, StationStopped
from edge.run.live_run import LiveRun, Show
from edge.verdict.judge import judge_night
from hw.barometer import Barometer
from hw.clock import NS_PER_S, BootClock, Clock
from hw.clock_sync import clock_is_set
from hw.errors import HwError
from hw.panel import Panel
from hw.protocols import Conversion, Reading, Status
from hw.stop_guard import StopGuard
from hw.supply import under_voltage

from .alarm_rules import Limits, Observation
from .equipment import Equipment, Hooks, SensorSettings, at_once
from .request_desk import RequestDesk
from .retrying_writer import RetryingWriter
from .seal_ended import seal_ended
from .simulation import PowerLost, Simulation, not_known
from .station import Station, Words
from .systemd import notify
from .take_up import interrupted

LOOKS = 4
"""A second: so soon an alarm sees what happened."""
PATIENCE_S = 0.1
"""So long the loop waits for a commit that somebody's word caused; then it measures on meanwhile."""
LAST_COMMIT_S = 15.0
"""And so long as it ends, less than systemd waits for that."""
SWITCH_S = 0.001
"""So soon Python gives the loop its turn where a thread beside it works: by itself it would be five times that."""
RETRY_DEVICES_S = 5.0
"""So often devices that do not open are tried."""

_log = logging.getLogger("halfpercent")


@dataclass(frozen=True, slots=True)
class Connections:
    """What a service has besides chips and database: control socket, panel and barometer, where they are there.

    ``guard`` ends the process where somebody stops it, so that the relay opens.
    """

    control: Control | None = None
    panel: Panel | None = None
    guard: StopGuard | None = None
    barometer: Barometer | None = None


NOT_CONNECTED = Connections()


class Service:
    """A station with everything around it, and the judge. Use it as a context manager, then :meth:`run` it.

    ``writer`` writes. Raises as they do.
    """

    def __init__(
        self,
        config: Config,
        instrument: Instrument,
        writer: RetryingWriter,
        clock: Clock,
        connections: Connections = NOT_CONNECTED,
        simulation: Simulation | None = None,
    ) -> None:
        limits = Limits(
            over_temp_c=config.alarms.over_temp_c,
            cell_over_temp_c=config.alarms.cell_over_temp_c,
            loss_rate_pct_per_h=config.alarms.loss_rate_pct_per_h,
        )
        machine = (clock_is_set, under_voltage) if simulation is None else (simulation.clock_set, not_known)
        sensors = SensorSettings(
            oven_of(config), config.cell_probe, config.vacuum.fitted(), limits, machine[0], machine[1]
        )
        hooks = Hooks(alive=self._alive, poll=self._poll, start_pressed=self._start_by_button, ended=self._seal)
        if simulation is not None:
            hooks = replace(hooks, simulated_truth_pct=simulation.truth_pct, seed=simulation.seed, simulated=True)
        # A second thread compiles while devices open, and judges a run that has ended while this one goes on measuring.
        self._beside = ThreadPoolExecutor(1, "beside")
        self.station = Station(
            Equipment(instrument, sensors, writer, clock, connections.panel, connections.barometer),
            self._judge if isinstance(clock, BootClock) else at_once(self._judged),
            hooks,
        )
        self.stopping = False
        self._config = config
        self._instrument = instrument
        self._clock = clock
        self._control = connections.control
        self._panel = connections.panel
        self._guard = connections.guard
        self._simulation = simulation
        self._clock_set = machine[0]
        self._desk = RequestDesk(self.station, config, simulation, instrument.rate_sps, self._abort_waiting)
        self._ready = False
        self._opened = True
        self._warm: Future[None] = Future()

    def stop(self) -> None:
        """Stop measuring after the frame that is being measured."""
        self.stopping = True

    def _judge(self, ended: EndedRun) -> Future[Result]:
        return self._beside.submit(self._judged, ended)

    def _judged(self, ended: EndedRun) -> Result:
        result, simulation = judge_night(ended), self._simulation
        if simulation is None or simulation.night is None:
            return result
        return msgspec.structs.replace(result, night=simulation.night)

    def _seal(self, run_id: int) -> None:
        """Have a run sealed that has ended, while measuring goes on."""
        writer, wall_s = self.station.writer, self._clock.wall_s()
        if isinstance(self._clock, BootClock):
            self._beside.submit(seal_ended, writer, run_id, wall_s)
        else:
            seal_ended(writer, run_id, wall_s)

    def __enter__(self) -> Self:
        if isinstance(self._clock, BootClock):
            sys.setswitchinterval(SWITCH_S)
        self._warm = self._beside.submit(warm_up)
        try:
            if self._panel is not None:
                self._panel.open()
            if self._control is not None:
                self._control.open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        station = self.station
        live = station.live
        if kind is PowerLost:
            self._close()
            return
        commits = station.writer.journal.commits
        if commits.patience_s is not None:  # nothing is measured meanwhile
            commits.patience_s = LAST_COMMIT_S
        if live is not None:
            station.writer.write(lambda: live.journal.commit_all(self._clock.wall_s()))
        station.writer.finish()
        station.writer.log(StationStopped("told to" if kind is None else kind.__name__), "instrument")
        self._close()

    def _close(self) -> None:
        self._beside.shutdown()
        self.station.barometer.close()
        if self._control is not None:
            self._control.close()
        if self._panel is not None:
            self._panel.close()

    # the loop

    def run(
        self,
        order: Start | None = None,
        *,
        until_done: bool = False,
        words: Words | None = None,
        show: Show | None = None,
    ) -> Result | None:
        """Measure until told to stop, or with ``until_done`` until the run is. Returns the last run's result.

        A run that was interrupted is gone on with; else ``order`` begins one. Devices that do not open are tried again
        and again, but with ``until_done`` an ``HwError`` is raised.
        """
        station = self.station
        if order is not None and not self._interrupted():
            self._desk.definition(order)  # what is wrong with it is said before a chip is touched
        if until_done:
            self._instrument.open()  # somebody is there to read what is wrong
        elif not self._open():
            return None
        try:
            self._warm.result()
            station.writer.log(StationStarted(self._instrument.describe()), "instrument")
            self._take_up()
            if order is not None:
                self._begin_or_go_on(order)
            station.run(lambda: not self.stopping and not (until_done and station.live is None), words=words, show=show)
        finally:
            self._instrument.close()
        return station.last

    def _begin_or_go_on(self, order: Start) -> None:
        live = self.station.live
        if live is None:
            self.start(order, order.operator)
        elif live.definition.sample.sample_id != order.sample:
            name = live.definition.sample.sample_id
            raise BadInput(f"run {live.run_id} of {name} was interrupted: first go on with it, as sample {name}")

    def _open(self) -> bool:
        """Open the devices, however long it takes. False: told to stop before."""
        said, self._opened = "", False
        while not self.stopping:
            try:
                self._instrument.open()
                self._opened = True
                return True
            except (HwError, DeviceInUse) as e:
                if str(e) != said:
                    said = str(e)
                    _log.error("%s", said)
                    self.station.note(f"devices do not open: {said}", "instrument")
                self._wait(said)
        return False

    def _wait(self, why: str) -> None:
        """Alarm, answer and feed the watchdog until the devices are tried again."""
        end_ns = self._clock.now_ns() + round(RETRY_DEVICES_S * NS_PER_S)
        notify(STATUS=f"devices do not open: {why}", WATCHDOG=1, EXTEND_TIMEOUT_USEC=30_000_000)
        while self._clock.now_ns() < end_ns and not self.stopping:
            now_ns = self._clock.now_ns()
            self.station.looked(_closed(self._instrument.failed, now_ns), None)
            notify(WATCHDOG=1)
            self._clock.sleep_s(1.0 / LOOKS)

    def _take_up(self) -> None:
        """Go on with the newest run that was interrupted, and end those before it."""
        station, simulation = self.station, self._simulation
        clock_set = self._clock_set()
        if station.live is not None:  # it was taken up to be aborted, and is being judged
            return
        for run_id in self._interrupted():
            station.leave("another run was begun after it")  # an older one: it will never be gone on with
            if station.take_up(run_id, clock_set) and station.live is not None:
                _log.warning("run %d: gone on with, in phase %s", run_id, station.live.phase)
        if simulation is not None and not simulation.takes_up:
            station.leave("its simulated rig is no longer there")

    def _interrupted(self) -> list[int]:
        kinds = MEASURED if self._simulation is None else (RunKind.SIMULATED,)
        return interrupted(self.station.writer, self._clock, kinds)

    def _alive(self) -> None:
        station = self.station
        if self._guard is not None:
            with contextlib.suppress(OSError):  # it is tried again with the next frame
                self._guard.renew()
        if not self._ready and station.good_frames:
            self._ready = True
            notify(READY=1)
        live = station.live
        what = "idle" if live is None else f"run {live.run_id}, {live.definition.sample.sample_id}: {live.phase}"
        open_ = ", ".join(str(a.alarm) for a in station.alarms.standing if not a.closed)
        notify(WATCHDOG=1, STATUS=what + (f"; alarms: {open_}" if open_ else ""))

    # what it is asked

    def _poll(self) -> None:
        if self._simulation is not None:
            self._simulation.look()
        if self._control is not None:
            self._control.poll(self.asked)

    def handle(self, request: Request) -> dict[str, Any]:
        """Carry a command out and get the answer. Raises ``BadInput`` and the like with what to do instead."""
        return self._desk.handle(request)

    def asked(self, request: Request) -> Answer | Later:
        """Carry out what somebody asks over the socket. What a start names is read beside the measurement."""
        if request.command == "start" and isinstance(self._clock, BootClock):
            return self._desk.start_later(request)
        if request.command == "weigh" and isinstance(self._clock, BootClock):
            return self._desk.weigh_later(request)
        return self.handle(request)

    def start(self, order: Start, who: str) -> LiveRun:
        """Begin a run as ordered. Raises ``BadInput`` and the like where it could not be judged in the end."""
        return self._desk.start(order, who)

    def _abort_waiting(self) -> None:
        """Take up what waits for chips that do not open, so that it can be aborted."""
        if not self._opened:
            self._take_up()

    def _start_by_button(self) -> None:
        now = datetime.datetime.fromtimestamp(self._clock.wall_s(), datetime.UTC)
        self.start(Start(sample=f"panel {now:%Y-%m-%d %H:%M:%S}", operator="panel"), "panel")


def _closed(device: str, now_ns: int) -> Observation:
    """Get what is seen while devices do not open: nothing of the load cell, and of a probe that it is not there."""
    look = Observation(t_ns=now_ns, bridge=(Status.BUS_ERROR,))
    absent = Reading(now_ns, 0, 0, Status.BUS_ERROR)
    match device:
        case "oven":
            return msgspec.structs.replace(look, oven=absent)
        case "cell":
            return msgspec.structs.replace(look, cell=absent)
        case "gauge":
            return msgspec.structs.replace(look, gauge=absent)
        case _:
            return look


def warm_up() -> None:
    """Compile what measures and what stores, or load it from the cache: before anything is measured."""
    probe = Reading(0, 9000, 0, Status.OK)
    samples = [Conversion(i * NS_PER_S // 10, 300_000 + i, Status.OK) for i in range(10)]
    frame = decode(encode(one_frame(0, 0, samples, probe, probe)))
    params = layout.new_params()
    state, _ = kernel.advance(layout.new_state(), params, block_from_frames(frame, 0))
    kernel.flush(state, params)


def open_writer(
    path: Path, config: Config, clock: Clock, *, put_aside: bool = False
) -> tuple[RetryingWriter, PutAside | None]:
    """Open the database for the station. Returns also where an unusable one went, if ``put_aside`` allows that.

    Only the database that the settings name is ever put aside, never one that a person typed.
    """
    aside = quarantine_if_unusable(path, clock.wall_s()) if put_aside else None
    backup = None if config.storage.backup is None else Path(config.storage.backup)
    patience_s = PATIENCE_S if isinstance(clock, BootClock) else None  # a simulated clock stands still meanwhile
    writer = RetryingWriter(Journal(path, patience_s), clock, round(config.storage.commit_every_s), backup)
    if aside is not None:
        writer.notice(f"{aside.why}: the database is put aside as {aside.path.name}, and a new one is begun")
    return writer, aside
