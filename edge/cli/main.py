"""The command ``halfpercent`` and its commands; one line where something is wrong.

Each command is loaded when it is asked for, and imports what it needs when it runs: ``--help`` and ``runs`` load no
compiler. Exit status 0: the command did its job, whatever the verdict; 1: it could not; 2: wrong use. No traceback is
ever shown for what a person, a disk or a chip did.
"""

from __future__ import annotations

import shutil
from typing import NoReturn

import click

from edge import __version__
from edge.seal.identification import IDENTIFICATION

from . import exit_status
from .commands import CommandsByName
from .say import say_lines

CLICKS_LEAST, LEAST_COLUMNS = 52, 36
"""Columns: below the first click writes help for 50 all the same, below the second a command's words have no room."""


def _narrow() -> int | None:
    """Get how wide help is in a terminal that is narrower than click believes any to be; None: as click has it."""
    columns = shutil.get_terminal_size().columns
    return max(LEAST_COLUMNS, columns) - 1 if columns < CLICKS_LEAST else None


@click.group(
    cls=exit_status.Commands,
    commands=CommandsByName(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": _narrow()},
)
@click.version_option(
    __version__,
    prog_name="halfpercent",
    message=f"%(prog)s, version %(version)s\nidentification of the legally relevant part: {IDENTIFICATION}",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Is this battery really solid-state? Mass loss after 6 h at 120 °C under vacuum, with its uncertainty."""
    if ctx.invoked_subcommand is None:
        say_lines(ctx.get_help())


def main() -> NoReturn:
    """Run the command and end the process with its exit status."""
    exit_status.run_command(cli)
