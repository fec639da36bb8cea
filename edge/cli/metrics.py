"""The command that gives a rig's figures to a scraper: ``metrics``.

This module must never wait for the station longer than a scraper does.
"""

from __future__ import annotations

from pathlib import Path

import click

from edge.errors import BadInput, HalfpercentError

from .options import database_to_read, db_option
from .say import say_lines

ASK_S = 3.0


@click.command()
@click.option("--textfile", type=click.Path(path_type=Path), help="Write it for node_exporter instead.")
@click.option("--socket", type=click.Path(path_type=Path), envvar="HALFPERCENT_SOCKET", help="The station's.")
@db_option
def metrics(textfile: Path | None, socket: Path | None, db: Path | None) -> None:
    """Print a rig's figures in the OpenMetrics format (docs/fleet.md)."""
    try:
        from edge.report.openmetrics import openmetrics_text, prometheus_text
    except ImportError as e:
        raise BadInput("prometheus-client is not installed: pip install 'halfpercent[fleet]'") from e
    from edge.control.client import ask_status
    from edge.control.protocol import SOCKET
    from edge.records.durable_file import write_beside
    from edge.station.alarm_rules import Alarm

    try:
        status = ask_status(socket or SOCKET, timeout_s=ASK_S)
    except HalfpercentError:
        status = None
    known = tuple(map(str, Alarm))
    if textfile is None:
        say_lines(openmetrics_text(status, database_to_read(db), known).decode().rstrip("\n"))
        return
    try:
        write_beside(textfile, prometheus_text(status, database_to_read(db), known)).replace(textfile)
        textfile.chmod(0o644)
    except OSError as e:
        raise BadInput(f"{textfile}: cannot be written ({e.strerror}): name a file in a folder that is yours") from e
