"""The real service on a simulated rig, from life to life: what a night ends is begun again on the same database.

This module must never begin a test that nobody ordered, and never take up a run whose rig is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from calibration.balance_certificate import balance_toml
from calibration.certificate import to_toml
from edge.control.protocol import Request, Start, parse
from edge.control.server import Control
from edge.database.journal import Journal
from edge.errors import HalfpercentError, StorageFull
from edge.instrument.config import BarometerConfig, Config, usual
from edge.records.command import OperatorWord
from edge.records.phase import Phase
from edge.records.result import Result
from edge.run.live_run import Show
from edge.station.retrying_writer import RetryingWriter
from edge.station.service import LOOKS, Connections, Service
from edge.station.simulation import PowerLost, Simulation
from hw.clock import NS_PER_S

from .balance import simulated_balance
from .clocks import world_clock
from .night import Course, Say
from .night_file import Night
from .operator import SimulatedOperator
from .world import Drawn, build_world

CARRYING = (OperatorWord.CARRY_OUT, OperatorWord.CARRY_BACK)
COMMIT_BATCH_S = 60
"""Simulated time runs faster than a disk is written."""
LONGEST_S = 14 * 3600
"""A simulated operator who has waited so long ends the test."""

Typed = Callable[[Service], Callable[[Phase, float], Iterable[OperatorWord]]]
"""What somebody types in a terminal, given the service that is told."""


class HandledService(Service):
    """A service whose simulated rig obeys: what is said to be on the holder is put there, what not is taken off."""

    operator: SimulatedOperator

    def handle(self, request: Request) -> dict[str, Any]:
        """Carry a command out and get the answer, as the service does."""
        live = self.station.live
        if live is not None and request.command in set(OperatorWord):
            parse(request)  # what is wrong with it moves no hand
            word, phases = OperatorWord(request.command), live.pipeline.phases
            if phases.awaited is word or (word in CARRYING and not phases.refusal(word)):
                self.operator.told(word, live.pipeline.phases.plan.check_weight_g)
        return super().handle(request)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a simulated station is run: ``speed`` times as fast as time (0: as it goes), looking so often a second.

    ``person``: somebody gives the commands; else a simulated operator does, and the station stops when the run is done.
    """

    person: bool = False
    speed: float = 0.0
    looks: int = 1


BY_ITSELF = Manner()
BY_A_PERSON = Manner(person=True, speed=60.0, looks=LOOKS)


def _say_nothing(_line: str) -> None:
    """Say nothing."""


class SimulatedStation:
    """A station on a simulated rig, with its database and certificate in a folder.

    ``hold_s`` is the hold that the sample's loss is meant for; ``say`` is told what happens.
    """

    def __init__(
        self,
        night: Night,
        database: Path,
        folder: Path,
        manner: Manner = BY_ITSELF,
        *,
        hold_s: float = 21_600.0,
        say: Say = _say_nothing,
    ) -> None:
        head = night.head
        drawn = Drawn(
            head.scenario, head.bridge, head.seed, head.loss_pct, hold_s, barometer=head.barometer or "bmp280"
        )
        world = build_world(drawn, world_clock(manner.speed), f"simulated {secrets.token_hex(4)}")
        self.database = database
        self.certificate = folder / f"{world.certificate.name}.toml"
        self.certificate.write_text(to_toml(world.certificate), encoding="utf-8")
        self.balance = folder / f"simulated-balance-{head.seed}.toml"
        self.balance.write_text(balance_toml(simulated_balance(head.seed)), encoding="utf-8")
        self.stopping = False
        self._night = night
        self._manner = manner
        self._world = world
        self._operator = SimulatedOperator(
            world.rig, head.check_weight_g or 0.0, lambda: world.disturbances.dry_mass_g, hands_only=manner.person
        )
        self._course = Course(night, world, self._operator, self._settings(), say)
        self._begun_ns: int | None = None
        self._result: Result | None = None

    def _settings(self) -> Config:
        config = usual(self._night.head.bridge)
        storage = msgspec.structs.replace(config.storage, database=str(self.database))
        # A run that names its certificate goes by it, whatever is edited in the settings.
        test = msgspec.structs.replace(config.test, certificate=str(self.certificate) if self._manner.person else None)
        balance = msgspec.structs.replace(config.balance, certificate=str(self.balance))
        chip = self._night.head.barometer
        barometer = None if chip is None else BarometerConfig(chip=chip)
        return msgspec.structs.replace(config, storage=storage, test=test, balance=balance, barometer=barometer)

    @property
    def config(self) -> Config:
        """Get the settings that the service has when it starts next."""
        return self._course.config

    def stop(self) -> None:
        """Stop after the frame that is being measured, for good."""
        self.stopping = True
        if self._course.service is not None:
            self._course.service.stop()

    def run(
        self,
        order: Start | None = None,
        *,
        until_done: bool = False,
        control: Control | None = None,
        typed: Typed | None = None,
        show: Show | None = None,
    ) -> Result | None:
        """Measure, life after life, until told to stop, or with ``until_done`` until the run is. Returns its result.

        Raises as a service does where ``order`` is wrong, and ``StorageFull`` where nothing more can be written.
        """
        life = 0
        while not self.stopping:
            life += 1
            error = self._live(order if life == 1 else None, life, until_done, control, typed, show)
            if self._course.stop is None:
                if until_done and self._result is None and error:
                    raise StorageFull(error)
                break
            self._course.off()
        return self._result

    def _live(
        self,
        order: Start | None,
        life: int,
        until_done: bool,
        control: Control | None,
        typed: Typed | None,
        show: Show | None,
    ) -> str:
        """Be one service from its start to its end. Returns what the disk said last."""
        world, course, config = self._world, self._course, self._course.config
        instrument = world.instrument(config, self._manner.looks)
        batch_s = 5 if 0.0 < self._manner.speed <= 60.0 else COMMIT_BATCH_S
        with Journal(self.database) as journal:
            writer = RetryingWriter(journal, world.machine, batch_s)
            simulation = Simulation(
                seed=self._night.head.seed,
                truth_pct=self._truth_pct,
                look=lambda: self._look(until_done),
                clock_set=lambda: world.machine.is_set,
                night=self._night.name if self._night.events else None,
                takes_up=life > 1,
                read_balance=world.balance.read,
            )
            service = HandledService if self._manner.person else Service
            connections = Connections(control, barometer=world.barometer(config.barometer))
            made = service(config, instrument, writer, world.machine, connections, simulation)
            if isinstance(made, HandledService):
                made.operator = self._operator
            course.attach(made)
            words = self._words(made, typed)
            try:
                with made:
                    self._result = made.run(order, words=words, show=show) or self._result
            except PowerLost:
                pass
            return writer.error

    def _words(self, service: Service, typed: Typed | None) -> Callable[[Phase, float], list[OperatorWord]]:
        types = None if typed is None else typed(service)

        def words(phase: Phase, t_s: float) -> list[OperatorWord]:
            said = self._operator.words(phase, t_s)
            return said if types is None else [*said, *types(phase, t_s)]

        return words

    def _truth_pct(self) -> float | None:
        self._operator.words(Phase.DONE, 0.0)
        return self._operator.true_loss_pct

    def _look(self, until_done: bool) -> None:
        course, now_ns = self._course, self._world.clock.now_ns()
        service = course.service
        assert service is not None  # it looks
        if service.station.live is not None and self._begun_ns is None:
            self._begun_ns = now_ns
        if until_done and self._begun_ns is not None:
            waited_s = (now_ns - self._begun_ns) / NS_PER_S
            if service.station.live is None or waited_s > LONGEST_S + 3600.0:
                service.stop()
            elif waited_s > LONGEST_S and not self._manner.person:
                self._give_up(service)
        course.look()

    def _give_up(self, service: Service) -> None:
        try:
            service.handle(Request("abort", {"reason": "nobody waits any longer"}, "simulated"))
        except HalfpercentError:
            return  # the disk's fault; an hour later nobody asks it any more
