"""The command ``watch``: the running test in the terminal.

This module must never act on what it shows.
"""

from __future__ import annotations

from pathlib import Path

import click

from .options import database_to_read, db_option


@click.command()
@click.option("--once", is_flag=True, help="Print it once, and end.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    envvar="HALFPERCENT_SOCKET",
    help="The service's control socket (or HALFPERCENT_SOCKET).",
)
@db_option
def watch(once: bool, lang: str, socket: Path | None, db: Path | None) -> None:
    """Show the running test in the terminal, until q or Ctrl-C."""
    from edge.control.protocol import SOCKET
    from edge.report.language import Language, Words
    from edge.watch import loop

    console = loop.terminal()
    given = None if db is None else database_to_read(db)
    watcher, words = loop.Watcher(given, socket or SOCKET, database_to_read(None)), Words(Language(lang))
    if once:
        loop.once(watcher, words, console)
        return
    try:
        loop.watch(watcher, words, console)
    except KeyboardInterrupt:
        return
