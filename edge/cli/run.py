"""The commands that measure: ``station`` for systemd, ``run`` in a terminal. The same station does both.

This module must never measure: it puts the pieces together and shows what they say.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge.control import protocol

from .options import of_a_test
from .report import show_result
from .safety import show_until_said
from .say import log_here, say, say_wrapped
from .simulated import Simulate, may_be_simulated, own_socket, simulated_station

if TYPE_CHECKING:
    from types import FrameType

    from edge.control.protocol import Argument, Later, Start
    from edge.instrument.config import Config
    from edge.records.command import OperatorWord
    from edge.records.event import Event
    from edge.records.phase import Phase
    from edge.records.second import Second
    from edge.station.service import Service

EX_CONFIG = 78
"""sysexits.h: starting again would not help, a person must correct something."""

_path = click.Path(path_type=Path)
_config = click.option("--config", "config_file", type=_path, help="The settings [/etc/halfpercent].")
_db = click.option("--db", type=_path, envvar="HALFPERCENT_DB", help="The database [the settings'].")
_own_socket = click.option("--socket", type=_path, envvar="HALFPERCENT_SOCKET", help=f"[{protocol.SOCKET}]")


class Misconfigured(click.ClickException):
    """A mistake in the settings, for systemd to see that another start would not help."""

    exit_code = EX_CONFIG


@click.command()
@_config
@_db
@_own_socket
@may_be_simulated
def station(config_file: Path | None, db: Path | None, socket: Path | None, simulated: Simulate | None) -> None:
    """Run the station: what halfpercent.service starts."""
    from calibration.errors import CalibrationError
    from edge.errors import HalfpercentError

    log_here()
    if simulated is not None:
        _simulated_station(simulated, socket)
        return
    try:
        config = _settings(config_file)
    except (HalfpercentError, CalibrationError) as e:
        raise Misconfigured(str(e)) from e
    with _service(config, db, socket or protocol.SOCKET) as service:
        service.run()


@click.command(hidden=True)
@_config
def failed(config_file: Path | None) -> None:
    """Hold the relay open and the lamp lit, and say why: what halfpercent-failed.service starts."""
    from calibration.errors import CalibrationError
    from edge.errors import HalfpercentError
    from edge.instrument.drivers import make_panel
    from edge.station.given_up import hold_open, what_happened
    from hw.clock import BootClock

    log_here()
    over, panel = threading.Event(), None
    with stopped_by_signals(over.set):
        say(what_happened(os.environ), err=True)
        try:
            panel = make_panel(_settings(config_file).panel, BootClock())
        except (HalfpercentError, CalibrationError) as e:
            say(f"no lamp is lit: {e}", err=True)
        hold_open(panel, over)


@click.command()
@may_be_simulated
@of_a_test
@_config
@_db
@_own_socket
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run(
    config_file: Path | None,
    db: Path | None,
    socket: Path | None,
    as_json: bool,
    ordered: dict[str, Argument],
    simulated: Simulate | None,
) -> None:
    """Measure a sample here, in the foreground. Type tare, load, weigh, note TEXT, ack or abort, then Enter."""
    from calibration.toml_file import convert
    from edge.errors import BadInput

    order = convert(dict(ordered), protocol.Start, "run", BadInput)
    if simulated is not None:
        log_here()
        _simulated_run(simulated, socket, order, as_json)
        return
    config = _settings(config_file)
    said = show_until_said(order.operator, order.series or "")
    order = msgspec.structs.replace(order, safety_said=said)
    log_here()
    with _service(config, db, socket) as service:
        result = service.run(order, until_done=True, show=_Shown(as_json), words=_Typed(service, order))
        where = service.station.writer.journal.path
    if result is None:
        raise click.ClickException("stopped; what was measured is stored: the same command goes on with it")
    show_result(result, as_json, where)


def _simulated_station(asked: Simulate, socket: Path | None) -> None:
    """Run the station on the simulated rig until it is told to stop."""
    from edge.control.server import Control

    made, folder = simulated_station(asked)
    where = own_socket(folder, socket)
    say(f"A simulated station, in {folder}. Ask it: halfpercent status --socket {where}", err=True)
    with stopped_by_signals(made.stop):
        made.run(control=Control(where))


def _simulated_run(asked: Simulate, socket: Path | None, order: Start, as_json: bool) -> None:
    """Measure a sample on the simulated rig, here."""
    from edge.control.server import Control

    made, _ = simulated_station(asked)
    control = None if socket is None else Control(socket)
    with stopped_by_signals(made.stop):
        result = made.run(
            order,
            until_done=True,
            control=control,
            typed=lambda service: _Typed(service, order),
            show=_Shown(as_json),
        )
    if result is None:
        raise click.ClickException("stopped: a simulated run cannot be gone on with")
    show_result(result, as_json, made.database)


def _settings(config_file: Path | None) -> Config:
    from edge.errors import BadConfig
    from edge.instrument.config import config_path, load_config, oven_of
    from edge.instrument.consistency import disagreements

    path = config_path(config_file)
    config = load_config(path)
    oven_of(config, str(path))
    for line in disagreements(config, str(path)):
        raise BadConfig(line)
    return config


@contextlib.contextmanager
def _service(config: Config, db: Path | None, socket: Path | None) -> Iterator[Service]:
    """Put a service together on this machine's chips, and end it cleanly on SIGTERM and Ctrl-C."""
    from edge.control.server import Control
    from edge.instrument.drivers import make_barometer, make_instrument, make_panel
    from edge.station.service import LOOKS, Connections, Service, open_writer
    from hw.clock import BootClock
    from hw.stop_guard import StopGuard

    clock = BootClock()
    database = db or Path(config.storage.database)
    writer, aside = open_writer(database, config, clock, put_aside=db is None)
    with writer.journal:
        if aside is not None:
            say(f"{database}: {aside.why}: it is put aside as {aside.path.name}, and a new one is begun", err=True)
        control = None if socket is None else Control(socket)
        instrument, panel = make_instrument(config, clock, looks=LOOKS), make_panel(config.panel, clock)
        with contextlib.ExitStack() as held:
            barometer = make_barometer(config.barometer, clock)
            guard = None if config.panel.relay_pin is None else held.enter_context(StopGuard())
            service = Service(config, instrument, writer, clock, Connections(control, panel, guard, barometer))
            held.enter_context(stopped_by_signals(service.stop))
            yield held.enter_context(service)


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Have SIGTERM and Ctrl-C stop it cleanly."""

    def stopping(number: int, frame: FrameType | None) -> None:
        stop()

    before = {n: signal.signal(n, stopping) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Typed:
    """What the operator types: a line is a word, a note or an acknowledgement."""

    def __init__(self, service: Service, order: Start) -> None:
        self._service = service
        self._who = order.operator
        self._waiting = ""
        self._ended = False
        self._later: list[Later] = []

    def __call__(self, phase: Phase, t_s: float) -> list[OperatorWord]:
        """Take what was typed since the last second. Words are said here, with who said them; none is left over."""
        from edge.errors import HalfpercentError

        self._answers()
        while not self._ended and select.select([sys.stdin], [], [], 0.0)[0]:
            came = os.read(sys.stdin.fileno(), 4096).decode(errors="replace")
            self._ended = not came
            *lines, self._waiting = (self._waiting + came).split("\n")
            for line in filter(None, map(str.strip, lines)):
                try:
                    self._say(line)
                except HalfpercentError as e:
                    say_wrapped(f"  {e}", err=True)
        return []

    def _say(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        args: dict[str, dict[str, Argument]] = {"note": {"text": rest}, "ack": {"alarm": rest or None}, "abort": {}}
        if line in protocol.OPERATOR_STEPS:
            word = line
        elif word == "weigh":
            args[word] = _mass_typed(rest)
        answer = self._service.asked(protocol.Request(word, args.get(word, {}), self._who))
        if not isinstance(answer, Mapping):
            self._later.append(answer)

    def _answers(self) -> None:
        """Show what was refused of what takes a while: a balance that is being read."""
        from edge.errors import HalfpercentError

        for later in tuple(self._later):
            try:
                if later.answer() is None:
                    continue
            except HalfpercentError as e:
                say_wrapped(f"  {e}", err=True)
            self._later.remove(later)


def _mass_typed(rest: str) -> dict[str, Argument]:
    """Get the arguments of ``weigh m1 196.354``; without a mass the balance is read. Raises ``BadRequest``."""
    from edge.errors import BadRequest

    which, _, mass = rest.partition(" ")
    try:
        return {"which": which.lower(), "mass_g": float(mass) if mass else None}
    except ValueError:
        raise BadRequest(f"weigh: {mass[:40]!r} is no mass in g: type weigh m1 196.354") from None


class _Shown:
    """A line at each change of phase, and what is asked of the operator in it."""

    ASKED = {  # noqa: RUF012  # never changed
        "tare": "the holder empty? type tare",
        "check weight before": "put the check weight on, then type check",
        "rest": "take the check weight off, and leave the holder empty",
        "load": "put the sample on, then type load",
        "carried for m1": "weigh it, type weigh m1 and the mass, put it back, then type carry back",
        "carried for m2": "weigh it, then type weigh m2 and the mass",
        "zero": "take the sample off, then type zero",
        "check weight": "put the check weight on, then type check",
    }

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._phase = ""

    def __call__(self, second: Second, phase: str, events: Sequence[Event]) -> None:
        from edge.records.event import CommandRefused

        if self._quiet:
            return
        for event in events:
            if isinstance(event.what, CommandRefused):
                say_wrapped(f"  refused: {event.what.why}", err=True)
        if phase != self._phase:
            self._phase = phase
            asked = self.ASKED.get(phase)
            say_wrapped(f"{second.t_s / 3600.0:6.2f} h  {phase}" + (f": {asked}" if asked else ""), err=True)
