"""The command that looks along a rig's runs: ``trends``.

This module must never change what it shows.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from .options import as_json_option, database_to_read, db_option
from .say import say_json, say_wrapped

if TYPE_CHECKING:
    from edge.trends.rig_trends import Trend


@click.command()
@db_option
@as_json_option
def trends(db: Path | None, as_json: bool) -> None:
    """Control charts over a rig's runs: what jumped, what drifts, and when the next calibration is due.

    Also how likely tonight's test is to end without a verdict, and how well such odds were kept so far.
    """
    from edge.database.summaries import finished_runs
    from edge.trends.night_risk import night_risk
    from edge.trends.rig_trends import rig_trends

    path = database_to_read(db)
    found = finished_runs(path)
    told, risk = rig_trends(found, datetime.datetime.now(datetime.UTC)), night_risk(found.runs)
    if as_json:
        say_json(msgspec.to_builtins(told) | {"tonight": msgspec.to_builtins(risk), "database": str(path)})
        return
    say_wrapped(f"{told.runs} finished runs" + (f", certificate {told.certificate}" if told.certificate else ""))
    if told.left_out:
        say_wrapped(f"{told.left_out} runs cannot be read, or are not as their chains say, and are left out")
    for trend in told.trends:
        say_wrapped(f"  {_mark(trend)} {trend.said}")
    due = told.calibration_due
    if due is not None:
        say_wrapped(f"Next calibration: {due.on} ({due.rule}: {due.why})")
    say_wrapped(risk.said)


def _mark(trend: Trend) -> str:
    return "!" if trend.signals or trend.leaves_on else "-"
