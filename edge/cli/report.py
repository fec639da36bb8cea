"""The commands that show what is stored: ``runs`` and ``report``.

This module must never change what it shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import as_json_option, database_to_read, db_option
from .say import say, say_json, say_lines

if TYPE_CHECKING:
    from edge.records.result import Result


def show_result(result: Result, as_json: bool, database: Path | None = None) -> None:
    """Print a result as text, or as one JSON object; where it is stored also what is said of its seal."""
    if as_json:
        from edge.records.result import as_json as as_json_object
        from edge.report.seal_text import seal_json

        where = {} if database is None else {"database": str(database)} | seal_json(database, result)
        say_json(as_json_object(result) | where)
        return
    from edge.report.seal_text import seal_lines
    from edge.report.text import text

    say_lines("\n".join((text(result), *(() if database is None else seal_lines(database, result)))))


# what is stored


@click.command()
@click.option("--before", type=click.IntRange(1, 2**53), metavar="RUN", help="Only runs before this one.")
@click.option("--most", type=click.IntRange(1, 1000), default=200, show_default=True, help="So many, the newest.")
@db_option
@as_json_option
def runs(before: int | None, most: int, db: Path | None, as_json: bool) -> None:
    """List the newest runs in the database, a page at a time."""
    from edge.database.shown_runs import page_of_runs
    from edge.report.run_list import HEAD, as_json_list, run_lines

    path = database_to_read(db)
    page = page_of_runs(path, before=before, most=most + 1)
    found = page[-most:]
    earlier = found[0].listed.run_id if len(page) > most else None
    if as_json:
        more = {} if earlier is None else {"earlier_before": earlier}
        say_json({"database": str(path), "runs": as_json_list(found)} | more)
        return
    say(HEAD)
    for run in found:
        for line in run_lines(run):
            say(line)
    unchecked = sum(not run.checked for run in found)
    if unchecked:
        say(f"{unchecked} of them were not held against their chains, for want of time: report RUN does that for one.")
    if earlier is not None:
        say(f"There are earlier ones: halfpercent runs --before {earlier}")


@click.command()
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@db_option
@as_json_option
def report(run: str, form: str, db: Path | None, as_json: bool) -> None:
    """Show a run's result. RUN is its number, or `last`."""
    from edge.database.shown_runs import shown_run
    from edge.records.result import as_json as as_json_object
    from edge.report.run_list import checked_lines
    from edge.report.seal_text import seal_json, seal_lines
    from edge.report.text import text

    path = database_to_read(db)
    shown = shown_run(path, run)
    if as_json or form == "json":
        altered = None if shown.altered is None else str(shown.altered)
        found = {"altered": altered, "not_in_chain": shown.not_in_chain}
        say_json(found | as_json_object(shown.result) | seal_json(path, shown.result))
        return
    say_lines("\n".join((*checked_lines(shown), text(shown.result), *seal_lines(path, shown.result))))
