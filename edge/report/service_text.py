"""How well rigs served, in words: as lines for a terminal, and as one HTML table that can be published.

``docs/service-metrics.md`` defines each figure. This module must never work one out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.trends.service_quality import ServiceQuality

from .contents import table
from .document import document
from .markup import Html, el, name, text

_HEADS = (
    "Rig",
    "Seen",
    "Available",
    "Outage (declared)",
    "Valid tests (aborted)",
    "Between faults",
    "Alarms",
    "Acknowledged, median",
    "Closed (again in a day)",
    "Calibration due",
)
_NOTHING = "\u2013"


def service_lines(one: ServiceQuality) -> Iterator[str]:
    """Get a rig's figures, a line each."""
    yield f"{one.rig}: {one.from_utc} to {one.until_utc}"
    of_it = f"(outage {time_text(one.outage_s)}, of it declared beforehand {time_text(one.excluded_s)})"
    yield f"  available         {_available(one) or 'not known'} {of_it}"
    share = "" if one.valid_share is None else f" ({one.valid_share:.0%})"
    yield f"  valid tests       {_valid(one)}{share}, {one.aborted_tests} aborted"
    yield f"  between faults    {_between(one) or 'no fault'} ({one.faults} faults)"
    if one.alarms:
        answered = one.acknowledge_median_s
        said = "none acknowledged" if answered is None else f"acknowledged within {time_text(answered)} (median)"
        yield f"  alarms            {one.alarms}, {said}"
        yield f"                    {one.closure_rate:.0%} closed, {one.recurrence_share:.0%} came again within a day"
    else:
        yield "  alarms            none"
    if one.calibration_due:
        yield f"  next calibration  {one.calibration_due}"
    if one.rows_left_out:
        yield f"  {_left_out(one)}"


def service_html(found: Sequence[ServiceQuality], days: int, software: str) -> str:
    """Get the figures of rigs over so many days as one HTML file: a row a rig."""
    title = f"How well {'a rig' if len(found) == 1 else f'{len(found)} rigs'} served"
    about = f"The last {days} days, cut to where a rig was seen. docs/service-metrics.md defines each figure."
    rows = [[name(one.rig), *map(text, _cells(one))] for one in found]
    heads: list[str | Html] = list(_HEADS)
    caption = text("All durations and dates are the wall clock's.")
    parts = [el("h1", title, id="title"), el("p", about), table(heads, rows, caption=caption, class_="breaks")]
    parts += [el("p", name(one.rig), ": ", _left_out(one)) for one in found if one.rows_left_out]
    body = el("main", el("section", *parts, class_="part", aria_labelledby="title"))
    return document(title, body, software=software, lang="en")


def time_text(seconds: float) -> str:
    """Get a duration as a person says it."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    if seconds < 7200.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.1f} h" if seconds < 172_800.0 else f"{seconds / 86_400.0:.1f} d"


def _left_out(one: ServiceQuality) -> str:
    return f"{one.rows_left_out} rows could not be read and are left out"


def _available(one: ServiceQuality) -> str:
    least = "at least " if one.outage_at_most else ""
    return "" if one.availability_pct is None else f"{least}{one.availability_pct:.2f} %"


def _valid(one: ServiceQuality) -> str:
    return f"{one.valid_tests} of {one.tests - one.aborted_tests}"


def _between(one: ServiceQuality) -> str:
    return "" if one.mean_time_between_faults_s is None else time_text(one.mean_time_between_faults_s)


def _cells(one: ServiceQuality) -> tuple[str, ...]:
    answered = one.acknowledge_median_s
    closed = "" if one.closure_rate is None else f"{one.closure_rate:.0%} ({one.recurrence_share or 0.0:.0%})"
    cells = (
        f"{one.from_utc[:10]} to {one.until_utc[:10]}",
        _available(one),
        f"{time_text(one.outage_s)} ({time_text(one.excluded_s)})",
        f"{_valid(one)} ({one.aborted_tests})",
        _between(one),
        str(one.alarms),
        "" if answered is None else time_text(answered),
        closed,
        one.calibration_due or "",
    )
    return tuple(cell or _NOTHING for cell in cells)
