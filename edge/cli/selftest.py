"""The command ``selftest``: what only this machine can tell, measured into one JSON file.

This module must never measure by itself.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from .options import database_to_read, db_option
from .say import say, say_json

_path = click.Path(path_type=Path)


@click.command()
@click.option("--on-pi", is_flag=True, help="Measure this machine now; its service must be stopped.")
@click.option("--minutes", type=click.FloatRange(0.01, 60), default=9.0, show_default=True, help="About so long.")
@click.option("-o", "--output", type=_path, help="The new file [onto the screen].")
@click.option("--config", "config_file", type=_path, help="The settings [/etc/halfpercent].")
@db_option
def selftest(on_pi: bool, minutes: float, output: Path | None, config_file: Path | None, db: Path | None) -> None:
    """Measure what the pages say was measured elsewhere: start, fold, commits, late pulses, buses, chips, clock."""
    from edge.doctor.selftest import measure
    from edge.errors import BadInput
    from edge.instrument.config import config_path
    from edge.records.durable_file import new_file

    if not on_pi:
        raise click.UsageError("it keeps this machine busy for some minutes: add --on-pi (docs/first-pi.md)")
    if output is not None and output.exists():
        raise BadInput(f"{output}: is there already, and is left as it is: name a new file")
    found = measure(config_path(config_file), database_to_read(db), minutes, lambda line: say(line, err=True))
    if output is None:
        say_json(msgspec.to_builtins(found))
        return
    with new_file(output) as to:
        to.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    say(f"Written: {output}. It holds no name, no address and no serial number: send it back with an issue.")
