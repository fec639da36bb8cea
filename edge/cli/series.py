"""The command ``series``: what the cells of a series come to.

This module must never change what it shows.
"""

from __future__ import annotations

from pathlib import Path

import click

from .options import as_json_option, database_to_read, db_option, one_line
from .say import say_json, say_text


@click.command()
@click.argument("name", callback=one_line)
@db_option
@as_json_option
def series(name: str, db: Path | None, as_json: bool) -> None:
    """Show the cells of the series NAME: each verdict, mean, scatter, an outlier; and what they come to."""
    import msgspec

    from edge.database.series import runs_of_series
    from edge.report.series_text import series_text
    from edge.standards.standard import loads_standard
    from edge.trends.series import series_told

    path = database_to_read(db)
    runs = runs_of_series(path, name)
    told = series_told(name, runs, loads_standard(runs[-1].standard_toml, f"run {runs[-1].run_id}: its standard"))
    if as_json:
        say_json({"database": str(path)} | msgspec.to_builtins(told))
    else:
        say_text(series_text(told))
