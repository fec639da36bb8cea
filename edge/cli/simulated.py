"""What the commands on the simulated rig share: its options, the night they name, and the folder it is kept in.

This module must never touch a chip, and never let a simulated database be a real one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import DB_NAME, typed, user_db

if TYPE_CHECKING:
    from edge.simulate.night_file import Night
    from edge.simulate.simulated_station import SimulatedStation

SOCKET_NAME = "control.sock"
FASTEST = 1e6
NIGHT_HELP = "What happens: a TOML file (docs/nights.md), or the name of a shipped night."


@dataclass(frozen=True, slots=True)
class Simulate:
    """What was given of the simulated rig. None: not given."""

    seed: int | None = None
    scenario: str | None = None
    bridge: str | None = None
    speed: float | None = None
    night: str | None = None
    folder: Path | None = None

    def given(self) -> list[str]:
        """Get the options that were given, as they are typed."""
        return [f"--{name}" for name in self.__dataclass_fields__ if getattr(self, name) is not None]


_OPTIONS = (
    click.option("--simulate", is_flag=True, help="On the simulated rig, in a folder of its own."),
    click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Simulated: of all that is random [1]."),
    click.option("--scenario", help="Simulated: solid, hybrid, liquid, borderline or drift [solid]."),
    click.option("--bridge", help="Simulated: nau7802 or hx711 [nau7802]."),
    click.option("--speed", type=click.FloatRange(0, FASTEST), help="Simulated: times real time, 0 as it goes [60]."),
    click.option("--night", help=f"Simulated: {NIGHT_HELP}"),
    click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Simulated: its folder."),
)


def may_be_simulated(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the simulated rig; its ``simulated`` is then what was given, None without."""

    @functools.wraps(command)
    def choosing(simulate: bool, **given: Any) -> None:
        asked = Simulate(**{name: given.pop(name) for name in Simulate.__dataclass_fields__})
        if not simulate and asked.given():
            raise click.UsageError(f"{asked.given()[0]} is for the simulated rig: add --simulate")
        if simulate:
            for option in ("config_file", "db"):
                if given.get(option) is not None and typed(option):
                    name = "--config" if option == "config_file" else "--db"
                    raise click.UsageError(
                        f"{name} is for a real rig: a simulated one has a folder of its own: --folder"
                    )
        command(simulated=asked if simulate else None, **given)

    for option in reversed(_OPTIONS):
        choosing = option(choosing)
    return choosing


def night_of(asked: Simulate) -> Night:
    """Get the night that was named, with what was given besides. Raises ``BadInput`` or ``BadValue``, one line."""
    from edge.simulate.night_file import QUIET, load_night, redrawn

    night = QUIET if asked.night is None else load_night(asked.night)
    return redrawn(night, asked.scenario, asked.bridge, asked.seed)


def simulated_station(asked: Simulate) -> tuple[SimulatedStation, Path]:
    """Get the station on the simulated rig that was asked for, and its folder, made where it is missing."""
    from dataclasses import replace

    from edge.simulate.simulated_station import BY_A_PERSON, SimulatedStation

    folder = asked.folder or user_db().parent / "simulated"
    night = night_of(asked)
    folder.mkdir(parents=True, exist_ok=True)
    manner = BY_A_PERSON if asked.speed is None else replace(BY_A_PERSON, speed=asked.speed)
    return SimulatedStation(night, folder / DB_NAME, folder, manner), folder


def simulated_socket() -> Path:
    """Get where a simulated station listens that was given no folder."""
    return user_db().parent / "simulated" / SOCKET_NAME


def own_socket(folder: Path, socket: Path | None) -> Path:
    """Get the control socket of a simulated station: what was typed, else one in its folder, never the real one's."""
    return socket if socket is not None and typed("socket") else folder / SOCKET_NAME
