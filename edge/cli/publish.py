"""The command that publishes what the station measured: ``publish``.

This module must never touch the station, and never import what only a publisher needs before it is asked to.
"""

from __future__ import annotations

from pathlib import Path

import click

from edge.errors import BadConfig, BadInput
from hw.refused_import import refused

from .run import Misconfigured, stopped_by_signals
from .say import log_here, say


@click.command()
@click.option("--settings", "settings_file", type=click.Path(path_type=Path), help="[/etc/halfpercent/publish.toml]")
@click.option("--state", "state_file", type=click.Path(path_type=Path), help="Where the position is kept.")
@click.option("--check", is_flag=True, help="Only say whether the settings are right and the broker answers.")
def publish(settings_file: Path | None, state_file: Path | None, check: bool) -> None:
    """Publish seconds, events and results to an MQTT broker, each row at least once (docs/fleet.md)."""
    try:
        from edge.publish.link import Link, LinkDown
    except ImportError as e:
        raise BadInput("paho-mqtt is not installed: pip install 'halfpercent[fleet]'") from e
    with refused("numpy"):  # sqlite-utils takes it where it is: a third of what a publisher would hold, all night
        from edge.publish.publisher import Publisher
    from edge.publish.settings import STATE, load_settings

    try:
        settings = load_settings(settings_file)
    except BadConfig as e:
        raise Misconfigured(str(e)) from e
    if check:
        link = Link(settings)
        try:
            link.open()
        except LinkDown as e:
            raise click.ClickException(str(e)) from e
        finally:
            link.close()
        say(f"{settings.host}:{settings.port} answers")
        return
    log_here()
    publisher = Publisher(settings, state_file or STATE)
    with stopped_by_signals(publisher.stop):
        publisher.run()
