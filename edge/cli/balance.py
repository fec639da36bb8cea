"""The command ``balance read``: the laboratory's own balance, asked for a stable mass, with the wire shown if wanted.

This module must never put a mass into a run.
"""

from __future__ import annotations

import click

from .options import as_json_option
from .say import say, say_json


@click.group()
def balance() -> None:
    """The laboratory's own balance, over RS-232 or USB."""


@balance.command()
@click.option("--port", required=True, help="Its serial port, such as /dev/ttyUSB0.")
@click.option(
    "--protocol", type=click.Choice(["mt-sics", "kcp", "sbi"]), required=True, help="Mettler, Kern, Sartorius."
)
@click.option("--baud", type=click.IntRange(300, 115_200), default=9600, show_default=True)
@click.option("--parity", type=click.Choice(["N", "E", "O"]), default="N", show_default=True)
@click.option(
    "--patience", "patience_s", type=click.FloatRange(0.1, 60.0), default=10.0, show_default=True, help="In s."
)
@click.option("--wire", is_flag=True, help="Show each byte that goes and comes.")
@as_json_option
def read(port: str, protocol: str, baud: int, parity: str, patience_s: float, wire: bool, as_json: bool) -> None:
    """Read a stable mass. Nothing is stored."""
    from edge.instrument.balance import read_balance
    from hw.balance import BalanceProtocol

    def show(way: str, data: bytes) -> None:
        if wire:
            say(f"  {way} {data.hex(' ')}  {data!r}", err=True)

    found = read_balance(port, BalanceProtocol(protocol), show, baud=baud, parity=parity, patience_s=patience_s)
    if as_json:
        say_json({"mass_g": found.mass_g, "digit_g": found.digit_g, "raw_hex": found.raw.hex()})
        return
    say(f"{found.mass_g:.10g} g, stable, last digit {found.digit_g:g} g")
