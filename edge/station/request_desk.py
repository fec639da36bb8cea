"""What the station is asked, carried out: the commands, their quotas, and a start from its order to its run.

This module must never read a file in the loop that measures for somebody who asks over the socket, and never begin a
run that could not be judged in the end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from edge.control.protocol import (
    Abort,
    Ack,
    Answer,
    Correct,
    Handed,
    Later,
    Maintenance,
    Note,
    OperatorStep,
    Order,
    Request,
    Start,
    Weigh,
    parse,
)
from edge.database.amending import LateMass
from edge.database.attachments import is_kept, keep
from edge.database.connection import SqliteError
from edge.database.correcting import Correction
from edge.database.maintenance import disk_space
from edge.errors import BadInput, HalfpercentError, NoRun, WrongPhase
from edge.instrument.balance import read_configured
from edge.instrument.config import Config
from edge.procedure.definition import RunDefinition
from edge.records.command import OperatorWord
from edge.records.event import HandedOver
from edge.records.phase import Phase
from edge.records.specimen import photographs_named
from edge.run.live_run import LiveRun
from edge.seal.sealing import shown_head
from hw.balance import BalanceReading
from hw.clock import NS_PER_S
from hw.errors import HwError

from .alarm_rules import Alarm
from .done_before import DoneBefore
from .late_mass import late_mass
from .quotas import Quotas
from .simulation import Simulation
from .start import definition_from_order, new_uid
from .start_beside import StartsBeside
from .station import Station
from .status import station_status
from .weighing import balance_said

LONGEST_H = 30.0
"""A run with all its waits is hardly ever longer: so much room is asked for."""

_log = logging.getLogger("halfpercent")


class RequestDesk:
    """Carries commands out on one station. ``take_up_waiting`` takes up a run that waits for chips, to be aborted."""

    def __init__(
        self,
        station: Station,
        config: Config,
        simulation: Simulation | None,
        rate_sps: float,
        take_up_waiting: Callable[[], None],
    ) -> None:
        self._station = station
        self._config = config
        self._simulation = simulation
        self._rate_sps = rate_sps
        self._take_up_waiting = take_up_waiting
        self._quotas = Quotas()
        self._starts = StartsBeside[RunDefinition]()
        self._weighings = StartsBeside[BalanceReading]()
        self._late = StartsBeside[LateMass]()
        self._before = DoneBefore()

    def handle(self, request: Request) -> dict[str, Any]:
        """Carry a command out and get the answer. Raises ``BadInput`` and the like with what to do instead."""
        with _disk_errors(request.command):
            order = parse(request)
            if isinstance(order, Start):
                return self._begun(self.start(order, request.who))
            return self._carry_out(order, request.who)

    def start_later(self, request: Request) -> Later:
        """Begin a run once all that its order names has been read, beside the measurement.

        Raises ``BadInput`` and the like for what is wrong already now.
        """
        order = parse(request)
        assert isinstance(order, Start)  # the caller has looked
        self._may_begin()
        taken = self._taken(order)

        def begin(definition: RunDefinition) -> Answer:
            with _disk_errors(request.command), taken:
                self._may_begin()
                return self._begun(self._begin(order, request.who, definition))

        return self._starts.ask(lambda: self._read(order, asked=True), begin)

    def weigh_later(self, request: Request) -> Answer | Later:
        """Take a mass of the balance: at once where it was typed, else once it has been read beside the measurement.

        Raises ``BadInput`` and the like for what is wrong already now.
        """
        order = parse(request)
        assert isinstance(order, Weigh)  # the caller has looked
        if order.run is not None:
            return self._late_later(order, request)
        if order.mass_g is not None:
            return self.handle(request)
        taken = self._taken(order)

        def take(reading: BalanceReading) -> Answer:
            with _disk_errors(request.command), taken:
                return self._weighed(order, reading, request.who)

        return self._weighings.ask(self._read_balance, take, "weigh")

    def _late_later(self, order: Weigh, request: Request) -> Later:
        """Take a mass of a run that has ended, once that is judged anew beside the measurement."""
        self._station.must_be_idle()
        taken = self._taken(order)

        def write(late: LateMass) -> Answer:
            with _disk_errors(request.command), taken:
                self._station.must_be_idle()
                self._keep_photograph(order)
                return self._amended(late, request.who)

        return self._late.ask(lambda: self._late_mass(order, request.who), write, "weigh")

    def _late_mass(self, order: Weigh, who: str) -> LateMass:
        station = self._station
        reading = self._read_balance() if order.mass_g is None else None
        return late_mass(station.writer.journal.path, order, reading, who, station.clock.wall_s(), station.judged_again)

    def _amended(self, late: LateMass, who: str) -> dict[str, Any]:
        told, said = self._station.amend(late, who), late.said
        _log.warning("run %d: its result is amended, by %s", late.run_id, who)
        return {
            "run_id": late.run_id,
            "which": str(said.which),
            "mass_g": said.mass_g,
            "balance": said.balance,
            "how": said.how,
            "verdict": str(late.result.verdict),
            "amends": told.was_sha256,
        }

    def _read_balance(self) -> BalanceReading:
        simulation = self._simulation
        try:
            if simulation is None:
                return read_configured(self._config.balance)
            if simulation.read_balance is None:
                raise BadInput("weigh: this simulated rig has no balance: type the mass")
            return simulation.read_balance()
        except HwError as e:
            raise BadInput(f"weigh: {e}") from e

    def _weighed(self, order: Weigh, reading: BalanceReading | None, who: str) -> dict[str, Any]:
        station = self._station
        live = station.live
        t_s = 0.0 if live is None else (station.clock.now_ns() - live.pipeline.t0_ns) / NS_PER_S
        said = balance_said(order, live, reading, who, t_s)
        station.weighed(said, who)
        self._keep_photograph(order)
        return {"which": str(said.which), "mass_g": said.mass_g, "balance": said.balance, "how": said.how}

    def _keep_photograph(self, order: Weigh) -> None:
        """Keep the photograph of a display beside the measurement: that it cannot be kept is a line in the log."""
        if order.photograph is None or order.photograph_sha256 is None:
            return
        database, file, sha256 = self._station.writer.journal.path, Path(order.photograph), order.photograph_sha256

        def keep_it() -> None:
            if why := keep(database, file, sha256, follow_links=False):
                _log.warning("photograph not kept: %s", why)

        threading.Thread(target=keep_it, name="photograph", daemon=True).start()

    def _carry_out(self, order: Order, who: str) -> dict[str, Any]:
        station = self._station
        with self._taken(order):
            match order:
                case OperatorStep():
                    rests = self._rests_after(order)
                    self._step(OperatorWord(order.word), who)
                    return rests | self._not_written()
                case Weigh(run=int()):
                    station.must_be_idle()
                    self._keep_photograph(order)
                    return self._amended(self._late_mass(order, who), who)
                case Weigh():
                    reading = self._read_balance() if order.mass_g is None else None
                    return self._weighed(order, reading, who)
                case Note():
                    station.note(order.text, who)
                case Handed():
                    station.handed(HandedOver(order.given_by, order.taken_by, order.condition, order.because), who)
                case Maintenance():
                    station.declare_maintenance(3600.0 * order.in_hours, 3600.0 * order.hours, order.why, who)
                case Ack():
                    return self._acknowledged(order, who)
                case Correct():
                    return self._correct(order, who)
                case Abort():
                    self._take_up_waiting()
                    if order.reason and station.live is not None:
                        station.note(order.reason, who)
                    self._step(OperatorWord.ABORT, who)
                case _:
                    return dict(msgspec.to_builtins(station_status(station)))
        return self._not_written()

    def _not_written(self) -> dict[str, Any]:
        error = self._station.writer.not_written
        return {"not_written_yet": error} if error else {}

    def _rests_after(self, order: OperatorStep) -> dict[str, Any]:
        """Get how long the holder will rest after a check weight that is said to be on before M1."""
        live = self._station.live
        if live is None or order.word != "check" or live.phase is not Phase.CHECK_BEFORE:
            return {}
        t_s, phases = (self._station.clock.now_ns() - live.pipeline.t0_ns) / NS_PER_S, live.pipeline.phases
        return {"rests_s": round(phases.check_before.rest_to_come_s(t_s, phases.plan))}

    def _step(self, word: OperatorWord, who: str) -> None:
        """Take an operator's step; where it is refused because another has taken it, say who did."""
        station = self._station
        now_ns, run_id = station.clock.now_ns(), None if station.live is None else station.live.run_id
        try:
            station.command(word, who)
        except (NoRun, WrongPhase) as e:
            raise type(e)(f"{e}{self._before.said(word, run_id, now_ns)}") from e
        if run_id is not None:
            self._before.took(word, who, run_id, now_ns)

    def _acknowledged(self, order: Ack, who: str) -> dict[str, Any]:
        """Acknowledge; where there was nothing left to acknowledge, say who has done it."""
        now_ns = self._station.clock.now_ns()
        count = self._station.acknowledge(_alarm(order.alarm), who)
        if count:
            self._before.acknowledged(who, now_ns)
            return {"acknowledged": count}
        done = self._before.who_acknowledged(now_ns)
        return {"acknowledged": count} | ({"acknowledged_before": done} if done else {})

    def _correct(self, order: Correct, who: str) -> dict[str, Any]:
        """Write a correction of the declared facts of a run that has ended."""
        asked = Correction(order.run, order.uid, order.field, order.value, order.reason)
        told = self._station.correct(asked, who)
        _log.warning("run %d: %s is corrected, by %s", order.run, order.field, who)
        return dict(told.data())

    @contextmanager
    def _taken(self, order: Order) -> Iterator[None]:
        """Take an order's share of what may be written down, and give it back where it is refused then."""
        live = self._station.live
        text = _words(order)
        self._quotas.take(order, text, None if live is None else live.run_id, self._station.clock.now_ns())
        try:
            yield
        except HalfpercentError:
            self._quotas.give_back(order)
            raise

    def start(self, order: Start, who: str) -> LiveRun:
        """Begin a run as ordered. Raises ``BadInput`` and the like where it could not be judged in the end."""
        self._may_begin()
        with self._taken(order):
            return self._begin(order, who, self._read(order))

    def _may_begin(self) -> None:
        station = self._station
        station.must_be_idle()
        station.must_be_well("start")
        if station.writer.error:
            raise BadInput(f"nothing can be written: {station.writer.error}")

    def definition(self, order: Start, *, asked: bool = False) -> RunDefinition:
        """Get what a run would go by. Raises as :func:`edge.station.start.definition_from_order`."""
        database, simulated = self._station.writer.journal.path, self._simulation is not None
        now_s = self._station.clock.wall_s()
        return definition_from_order(order, self._config, database, simulated=simulated, asked=asked, now_s=now_s)

    def _read(self, order: Start, *, asked: bool = False) -> RunDefinition:
        """Read what an order names. Raises ``BadInput`` also where there is no room for a run."""
        database = self._station.writer.journal.path
        definition = self.definition(order, asked=asked)
        found = disk_space(database, LONGEST_H, self._rate_sps)
        if not found.enough:
            raise BadInput(
                f"{database}: a run may need {found.needed_bytes / 1e6:.0f} MB, {found.free_bytes / 1e6:.0f} MB are "
                "free: make room"
            )
        if definition.specimen is not None and order.specimen is not None:
            folder = Path(order.specimen).parent
            for photo in photographs_named(definition.specimen):
                if photo.file is not None:
                    keep(database, folder / Path(photo.file).name, photo.sha256, follow_links=not asked)
        return definition

    def _begun(self, live: LiveRun) -> dict[str, Any]:
        """Get the answer to a start: the run's number, and the head of the rig's log, for who writes it down."""
        head = shown_head(self._station.writer.journal.path)
        return {"run_id": live.run_id} | ({"checkpoint": head} if head else {})

    def _begin(self, order: Start, who: str, definition: RunDefinition) -> LiveRun:
        about: dict[str, Any] = {"started_by": who}
        if order.series is not None:
            about["series"] = order.series
        if order.new_holder:
            about["new_holder"] = True
        if order.mount is not None:
            about["mount"] = order.mount
        if order.safety_said:
            about["safety_said"] = True
        if order.nonce is not None:
            about["nonce"] = order.nonce
        if log_head := shown_head(self._station.writer.journal.path):
            about["log_head"] = log_head
        if self._config.laboratory is not None:
            about["laboratory"] = msgspec.to_builtins(self._config.laboratory)
        if self._simulation is not None:
            about |= self._simulation.settings() | {"blank_run": definition.is_blank}
        live = self._station.begin(definition, new_uid(), about)
        if order.note:
            self._station.note(order.note, who)
        for photo in () if definition.specimen is None else photographs_named(definition.specimen):
            if photo.file is not None and not is_kept(self._station.writer.journal.path, photo.sha256):
                self._station.note(f"photograph not kept, its file is not there or another: {photo.file}", "instrument")
        _log.warning("run %d: %s, by %s", live.run_id, order.sample, who)
        return live


@contextmanager
def _disk_errors(command: str) -> Iterator[None]:
    """Answer a disk's error with one line: it is no reason to stop measuring."""
    try:
        yield
    except (OSError, SqliteError) as e:
        raise BadInput(f"{command}: {e}: check the disk") from e


def _words(order: Order) -> str | None:
    """Get what of an order would be written down as it was said."""
    match order:
        case Note():
            return order.text
        case Correct():
            return order.reason
        case Handed():
            return f"{order.given_by}{order.taken_by}{order.condition or ''}{order.because or ''}"
        case Maintenance():
            return order.why
        case _:
            return None


def _alarm(name: str | None) -> Alarm | None:
    if name is None:
        return None
    try:
        return Alarm(name)
    except ValueError:
        raise BadInput(f"ack: there is no alarm {name!r}: {', '.join(Alarm)}") from None
