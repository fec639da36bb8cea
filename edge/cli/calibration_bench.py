"""On what a calibration's commands are done: chips or the simulated rig, with who is asked, and where it is kept.

This module must never answer for a person, but where it was told to by ``--yes``.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from edge.errors import CalibrationRefused

from .options import user_db
from .say import say

if TYPE_CHECKING:
    from calibration.calibration_record import Weight
    from edge.guided_calibration.place import Place
    from edge.instrument.config import Config


class BenchOptions(TypedDict):
    """What :func:`of_a_bench` gives a command."""

    config_file: Path | None
    db: Path | None
    name: str
    seed: int | None
    bridge: str | None
    yes: bool
    ask: bool
    restart: bool


_BENCH_OPTIONS = (
    click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent]."),
    click.option("--db", type=click.Path(path_type=Path), envvar="HALFPERCENT_DB", help="Beside it all is kept."),
    click.option("--name", default="cell", show_default=True, help="What you call this load cell."),
    click.option("--simulate", "seed", type=click.IntRange(0, 2**31 - 1), metavar="SEED", help="On the simulated rig."),
    click.option("--bridge", type=click.Choice(["nau7802", "hx711"]), help="The simulated rig's [config's, nau7802]."),
    click.option("--yes", is_flag=True, help="Do not wait for Enter: everything is as it is asked for."),
    click.option("--ask", is_flag=True, help="Simulated: ask as on a real rig, and wait for Enter."),
    click.option("--restart", is_flag=True, help="Begin this step again."),
)


def of_a_bench(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say on what a calibration is made, and where it is kept."""
    for option in reversed(_BENCH_OPTIONS):
        command = option(command)
    return command


@contextmanager
def open_place(options: BenchOptions) -> Iterator[Place]:
    """Open chips or rig, with the writer's lock: whoever measures at this time keeps the chips."""
    from edge.database import writer_lock
    from edge.guided_calibration.bench import real_bench
    from edge.guided_calibration.place import Place
    from edge.guided_calibration.session import session_path
    from edge.instrument.config import config_path, load_config, usual
    from edge.simulate.bench import SimulatedBench

    seed, bridge = options["seed"], options["bridge"]
    if bridge is not None and seed is None:
        raise click.UsageError("--bridge belongs to --simulate: the config says what is really there")
    if options["ask"] and (seed is None or options["yes"]):
        raise click.UsageError("--ask belongs to --simulate, without --yes: on a real rig you are asked anyway")
    file = options["config_file"]
    config = usual(bridge or "nau7802") if seed is not None and file is None else load_config(config_path(file))
    database = _database(options["db"], config, simulated=seed is not None)
    path = session_path(database.parent, options["name"])
    database.parent.mkdir(parents=True, exist_ok=True)
    held = writer_lock.take(database)
    try:
        if seed is None:
            bench = real_bench(config, _say_yes if options["yes"] else ask_at_terminal)
        else:
            bench = SimulatedBench(config, seed, ask_at_terminal if options["ask"] else None)
        with bench:
            yield Place(database.parent, path, config, bench, seed)
    finally:
        writer_lock.drop(database, held)


def ask_at_terminal(text: str) -> str:
    """Show what is to be done and wait for a line. Raises ``CalibrationRefused`` where nobody answers."""
    say(text, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        say()
        raise CalibrationRefused("nobody answered: what was read so far is kept, run the same command again to go on")
    return answer.strip()


def _say_yes(text: str) -> str:
    """Say that it was done, without waiting for a person."""
    say(f"{text} (yes)")
    return ""


def _database(db: Path | None, config: Config, *, simulated: bool) -> Path:
    return db or (user_db() if simulated else Path(config.storage.database))


def weight_named(text: str) -> Weight:
    """Get a weight as it is typed, or from the TOML file of its record; one that has run out is refused."""
    from calibration.weight_record import as_weight, load_weight
    from calibration.weights import parse_weight

    if not text.endswith(".toml"):
        return parse_weight(text)
    record = load_weight(text)
    record.must_hold(datetime.datetime.now().astimezone().date())
    return as_weight(record)
