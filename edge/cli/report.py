"""The commands that show what is stored: ``runs`` and ``report``.

This module must never change what it shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    pass
from .options import as_json_option, database_to_read, db_option
from .say import say, say_json, say_lines

if TYPE_CHECKING:
    from edge.records.result import Result


def show_result(result: Result, as_json: bool, database: Path | None = None) -> None:
    """Print a result as text, or as one JSON object."""
    if as_json:
        from edge.records.result import as_json as as_json_object

        where = {} if database is None else {"database": str(database)}
        say_json(as_json_object(result) | where)
        return
    from edge.report.text import text

    say_lines(text(result))


# what is stored


@click.command()
@click.option("--before", type=click.IntRange(1, 2**53), metavar="RUN", help="Only runs before this one.")
@click.option("--most", type=click.IntRange(1, 1000), default=200, show_default=True, help="So many, the newest.")
@db_option
@as_json_option
def runs(before: int | None, most: int, db: Path | None, as_json: bool) -> None:
    """List the newest runs in the database, a page at a time."""
    from edge.database.queries import list_runs
    from edge.report.text import loss_and_expanded

    path = database_to_read(db)
    page = list_runs(path, before=before, most=most + 1)
    found = page[-most:]
    earlier = found[0].run_id if len(page) > most else None
    if as_json:
        more = {} if earlier is None else {"earlier_before": earlier}
        say_json({"database": str(path), "runs": msgspec.to_builtins(found)} | more)
        return
    say(f"{'run':>4}  {'verdict':12}  {'loss %':>9}  {'± %':>7}  {'kind':9}  {'started (UTC)':19}  sample")
    for run in found:
        loss, plus_minus = loss_and_expanded(run)
        say(
            f"{run.run_id:>4}  {run.verdict or run.state:12}  {loss:>9}  {plus_minus:>7}  {run.kind:9}  "
            f"{run.started_utc[:19]}  {run.sample_id}"
        )
    if earlier is not None:
        say(f"There are earlier ones: halfpercent runs --before {earlier}")


@click.command()
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@db_option
@as_json_option
def report(run: str, form: str, db: Path | None, as_json: bool) -> None:
    """Show a run's result. RUN is its number, or `last`."""
    from edge.database.queries import result_of_run

    show_result(result_of_run(database_to_read(db), run), as_json or form == "json")
