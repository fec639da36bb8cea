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

from .options import database_to_read
from .say import say, say_json, say_lines

if TYPE_CHECKING:
    from edge.trends.service_quality import ServiceQuality


@click.command("service-report")
@click.argument("databases", nargs=-1, type=click.Path(path_type=Path), metavar="[DB]...")
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="Up to now.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
def service_report(databases: tuple[Path, ...], days: int, form: str) -> None:
    """How well rigs served: availability, valid tests, faults, alarms (docs/service-metrics.md). DB is a rig's."""
    from edge.database.station_log import station_log
    from edge.database.summaries import finished_runs
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
    else:
        for one in found:
            _show(one)


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


def _show(one: ServiceQuality) -> None:
    say(f"{one.rig}: {one.from_utc} to {one.until_utc}")
    least = "at least " if one.outage_at_most else ""
    up = "not known" if one.availability_pct is None else f"{least}{one.availability_pct:.2f} %"
    say(f"  available         {up} (outage {_time(one.outage_s)}, of it declared beforehand {_time(one.excluded_s)})")
    share = "" if one.valid_share is None else f" ({one.valid_share:.0%})"
    say(f"  valid tests       {one.valid_tests} of {one.tests - one.aborted_tests}{share}, {one.aborted_tests} aborted")
    between = "no fault" if one.mean_time_between_faults_s is None else _time(one.mean_time_between_faults_s)
    say(f"  between faults    {between} ({one.faults} faults)")
    if one.alarms:
        answered = one.acknowledge_median_s
        said = "none acknowledged" if answered is None else f"acknowledged within {_time(answered)} (median)"
        say(f"  alarms            {one.alarms}, {said}")
        say(f"                    {one.closure_rate:.0%} closed, {one.recurrence_share:.0%} came again within a day")
    else:
        say("  alarms            none")
    if one.calibration_due:
        say(f"  next calibration  {one.calibration_due}")
    if one.rows_left_out:
        say(f"  {one.rows_left_out} rows could not be read and are left out")


def _time(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    if seconds < 7200.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.1f} h" if seconds < 172_800.0 else f"{seconds / 86_400.0:.1f} d"
