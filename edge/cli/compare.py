"""The command ``compare``: runs beside each other.

This module must never change what it shows.
"""

from __future__ import annotations

from pathlib import Path

import click

from .options import as_json_option, database_to_read, db_option
from .report import give, give_bytes
from .say import say


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@click.option("--format", "form", type=click.Choice(["text", "html", "json", "csv"]), default="text", show_default=True)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of html.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it into this file.")
@db_option
@as_json_option
def compare(runs: tuple[str, ...], form: str, lang: str, output: Path | None, db: Path | None, as_json: bool) -> None:
    """Show 2 to 12 runs beside each other: verdicts, the loss by the hour, curves, and in what they differ."""
    import json

    import msgspec

    from calibration.visible_text import visible_json
    from edge import __version__
    from edge.database.compared import runs_to_compare
    from edge.report.seal_text import sealed_head
    from edge.trends.comparison import compare_runs

    path = database_to_read(db)
    found = runs_to_compare(path, runs, lambda run_id: sealed_head(path, run_id))
    told = compare_runs(found)
    form = "json" if as_json else form
    if form == "html":
        from edge.report.compare_page import compare_html
        from edge.report.language import Language

        give_bytes(compare_html(told, found, Language(lang), __version__).encode(), output)
    elif form == "csv":
        from edge.report.compare_text import compare_csv

        give_bytes(compare_csv(found).encode(), output)
    elif form == "json":
        whole = {"database": str(path)} | msgspec.to_builtins(told)
        give(visible_json(json.dumps(whole, ensure_ascii=False, allow_nan=False)), output)
    else:
        from edge.report.compare_text import compare_text

        give(compare_text(told), output)
    for run in told.runs:
        if run.altered is not None and form in ("html", "csv"):
            say(f"run {run.run_id} is ALTERED: {run.altered}: nothing is drawn of it", err=True)
