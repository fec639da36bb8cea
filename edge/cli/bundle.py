"""The command that makes one file for whoever is asked for help: ``bundle``.

This module must never write over a file.
"""

from __future__ import annotations

from pathlib import Path

import click

from .options import database_to_read, db_option
from .say import say


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@click.option("-o", "--out", "out", type=click.Path(path_type=Path), required=True, help="A new file.")
@db_option
def bundle(config_file: Path | None, out: Path, db: Path | None) -> None:
    """Put what a helper asks for into one file: findings, versions, last events, runs, settings. No secret."""
    from edge.doctor.bundle import write_bundle
    from edge.doctor.machine import examine
    from edge.instrument.config import config_path
    from edge.records.durable_file import new_file

    config, database = config_path(config_file), database_to_read(db)
    with new_file(out) as file:
        write_bundle(file, list(examine(config, database)), database, (config, config.with_name("publish.toml")))
    say(f"{out}: look into it before you send it; it has samples' names and people's, and no raw codes")
