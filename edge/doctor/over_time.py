"""What a rig's own past says: charts that signal, a calibration that is due, a publisher or an escalation in trouble.

This module must never wait for a broker, and never look further than the rig's own files.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import msgspec

from calibration.bounded_file import NotReadable, read_regular_file
from edge.database.summaries import finished_runs
from edge.errors import HalfpercentError
from edge.trends.rig_trends import rig_trends

from .escalation_kept import escalation_kept
from .finding import Finding

PUBLISHED = Path("/var/lib/halfpercent-publish/position.json")
DUE_WITHIN_DAYS = 30
SILENT_S = 1800.0
"""A publisher at work writes its file three times as often, also where nothing moves."""


class _Published(msgspec.Struct, frozen=True, kw_only=True):
    """What the publisher leaves for whoever asks: '' where all is well."""

    trouble: str = ""
    told_utc: str = ""


def over_time(database: Path, now: datetime.datetime, published: Path = PUBLISHED) -> Iterator[Finding]:
    """Get what a rig's past says, nothing where it has none. ``now`` has its zone."""
    yield from _trends(database, now)
    yield from _publisher(published, now)
    yield from escalation_kept()


def its_past(database: Path, now: datetime.datetime) -> Iterator[Finding]:
    """Get what :func:`over_time` gives without what it says of the publisher: who publishes it is at work."""
    yield from _trends(database, now)
    yield from escalation_kept()


def _trends(database: Path, now: datetime.datetime) -> Iterator[Finding]:
    if not database.is_file():
        return
    try:
        told = rig_trends(finished_runs(database), now)
    except HalfpercentError:  # said of the database elsewhere
        return
    for trend in told.trends:
        if trend.signals or trend.leaves_on is not None:
            yield Finding("trend", "warn", trend.said, "halfpercent trends; check with a weight, or calibrate again")
    due = told.calibration_due
    if due is None or due.on is None:
        return
    days = (datetime.date.fromisoformat(due.on) - now.date()).days
    state, when = ("warn", "now") if days <= 0 else ("warn" if days <= DUE_WITHIN_DAYS else "ok", f"on {due.on}")
    do = "halfpercent calibrate span" if state == "warn" else ""
    yield Finding("calibration", "warn" if state == "warn" else "ok", f"due {when} ({due.rule}: {due.why})", do)


def _publisher(path: Path, now: datetime.datetime) -> Iterator[Finding]:
    try:
        told = msgspec.json.decode(read_regular_file(path, 4096), type=_Published)
        silent_s = now.timestamp() - path.stat().st_mtime
    except (NotReadable, OSError, msgspec.DecodeError):
        return
    safe = "rows wait in the database and none is lost"
    if silent_s > SILENT_S:
        found = f"nothing was heard of it for {silent_s / 3600.0:.1f} h"
        do = f"systemctl status halfpercent-publish, df; where it is off for good, remove {path}; {safe}"
        yield Finding("publisher", "warn", found, do)
    elif told.trouble:
        do = f"see journalctl -u halfpercent-publish; {safe}"
        yield Finding("publisher", "warn", f"since {told.told_utc}: {told.trouble}", do)
    else:
        yield Finding("publisher", "ok", "the broker takes what is sent")
