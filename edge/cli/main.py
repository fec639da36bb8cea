"""The command ``halfpercent`` and its commands; one line where something is wrong.

Each command is loaded when it is asked for, and imports what it needs when it runs: ``--help`` and ``runs`` load no
compiler. Exit status 0: the command did its job, whatever the verdict; 1: it could not; 2: wrong use. No traceback is
ever shown for what a person, a disk or a chip did.
"""

from __future__ import annotations

from typing import NoReturn

import click

from edge import __version__
from edge.seal.identification import IDENTIFICATION

from . import exit_status
from .commands import CommandsByName
from .balance import balance
from .bundle import bundle
from .calibrate import calibrate
from .certificates import weight
from .compare import compare
from .correct import correct
from .demo import demo
from .evidence import sign, verify
from .export import export
from .init import init
from .instrument import INSTRUMENT_COMMANDS
from .key import key
from .manual import completion, manual
from .metrics import metrics
from .publish import publish
from .qualify import qualify
from .read import read
from .replay import replay_recording
from .report import report, runs
from .run import failed, run, station
from .say import say_lines


@click.group(
    cls=exit_status.Commands,
    commands=CommandsByName(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
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


for command in (
    demo,
    replay_recording,
    runs,
    report,
    correct,
    export,
    init,
    *INSTRUMENT_COMMANDS,
    read,
    selftest,
    completion,
    manual,
    run,
    station,
    failed,
    calibrate,
    compare,
    series,
    specimen,
    balance,
    weight,
    standard,
    key,
    verify,
    sign,
    checkpoint,
    witness,
    qualify,
    trends,
    publish,
    service_report,
    bundle,
    metrics,
    *STATION_COMMANDS,
    *BALANCE_COMMANDS,
    watch,
    web,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command and end the process with its exit status."""
    exit_status.run_command(cli)
