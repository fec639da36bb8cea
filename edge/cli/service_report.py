"""The command that says how well rigs served: ``service-report``, of one database or of many.

This module must never change what it shows.
"""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge import __version__

from .options import database_to_read
from .say import say, say_json, say_lines

if TYPE_CHECKING:
    from edge.trends.service_quality import ServiceQuality


@click.command("service-report")
@click.argument("databases", nargs=-1, type=click.Path(path_type=Path), metavar="[DB]...")
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="Up to now.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv", "html"]), default="text", show_default=True)
def service_report(databases: tuple[Path, ...], days: int, form: str) -> None:
    """How well rigs served: availability, valid tests, faults, alarms (docs/service-metrics.md). DB is a rig's."""
    from edge.database.station_log import station_log
    from edge.database.summaries import finished_runs
    from edge.report.service_text import service_html, service_lines
    from edge.trends.rig_trends import rig_trends
    from edge.trends.service_quality import service_quality

    now = datetime.datetime.now(datetime.UTC)
    span = (now - datetime.timedelta(days=days), now)
    found = []
    for path in databases or (database_to_read(None),):
        runs = finished_runs(path)
        due = rig_trends(runs, now).calibration_due
        found.append(service_quality(str(path), station_log(path), runs.runs, span, None if due is None else due.on))
    if form == "json":
        say_json({"days": days, "rigs": msgspec.to_builtins(found)})
    elif form == "csv":
        say_lines(_csv(found))
    elif form == "html":
        say_lines(service_html(found, days, __version__).rstrip("\n"))
    else:
        for one in found:
            for line in service_lines(one):
                say(line)


def _csv(found: list[ServiceQuality]) -> str:
    out = io.StringIO()
    names = msgspec.structs.asdict(found[0])
    writer = csv.DictWriter(out, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_harmless(msgspec.structs.asdict(one)) for one in found)
    return out.getvalue().rstrip("\n")


def _harmless(row: dict[str, object]) -> dict[str, object]:
    """Keep a spreadsheet from taking a path for a formula (OWASP, CSV injection)."""
    return {k: f"'{v}" if isinstance(v, str) and v[:1] in "=+-@\t\r" else v for k, v in row.items()}
