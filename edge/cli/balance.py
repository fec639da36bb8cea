"""The command ``balance read``: the laboratory's own balance, asked for a stable mass, with the wire shown if wanted.

This module must never put a mass into a run.
"""

from __future__ import annotations

from pathlib import Path

import click

from .options import as_json_option
from .say import say, say_json


@click.group()
def balance() -> None:
    """The laboratory's own balance, over RS-232 or USB."""


@balance.command()
@click.option("--port", help="Its serial port, such as /dev/ttyUSB0 [the settings'].")
@click.option("--protocol", type=click.Choice(["mt-sics", "kcp", "sbi"]), help="Mettler, Kern, Sartorius [settings'].")
@click.option("--baud", type=click.IntRange(300, 115_200), help="[9600, or the settings']")
@click.option("--parity", type=click.Choice(["N", "E", "O"]), help="[N, or the settings']")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@click.option(
    "--patience", "patience_s", type=click.FloatRange(0.1, 60.0), default=10.0, show_default=True, help="In s."
)
@click.option("--wire", is_flag=True, help="Show each byte that goes and comes.")
@as_json_option
def read(
    port: str | None,
    protocol: str | None,
    baud: int | None,
    parity: str | None,
    config_file: Path | None,
    patience_s: float,
    wire: bool,
    as_json: bool,
) -> None:
    """Read a stable mass. Nothing is stored: halfpercent weigh tells it to a run."""
    from msgspec.structs import replace

    from edge.instrument.balance import read_configured
    from edge.instrument.config import BalanceConfig, config_path, load_config

    settings = BalanceConfig() if port is not None else load_config(config_path(config_file)).balance
    given = {"port": port, "protocol": protocol, "baud": baud, "parity": parity}

    def show(way: str, data: bytes) -> None:
        if wire:
            say(f"  {way} {data.hex(' ')}  {data!r}", err=True)

    asked = replace(settings, **{name: value for name, value in given.items() if value is not None})
    found = read_configured(asked, show, patience_s)
    if as_json:
        say_json({"mass_g": found.mass_g, "digit_g": found.digit_g, "raw_hex": found.raw.hex()})
        return
    say(f"{found.mass_g:.10g} g, stable, last digit {found.digit_g:g} g")
