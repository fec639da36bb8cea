"""Times that are no plain numbers: ISO 8601, local dates, ``hh:mm:ss``.

Elapsed time is all that is asked of them. This module must never choose between two dates that a cell may mean
(``03/04/2026``) where they give different elapsed times.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from .notation import TwoReadings

DAY_S = 86_400
MAX_CLOCK = 64
"""No time that we know is written with more characters."""
_DATE = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|^(\d{1,2})([./-])(\d{1,2})[./-](\d{4})")
_TIME = re.compile(
    r"^(\d{1,3}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$"
)
Order = Literal["day", "month"]


class Moment(NamedTuple):
    """A cell's time: in s since 1970 or since midnight, whether it has a date, and whether it has a zone."""

    t_s: float
    dated: bool
    zoned: bool


class NoTime(ValueError):
    """What a cell is that is no time."""


def looks_like_clock(cell: str) -> bool:
    """Say whether a cell is written as a date or as hours and minutes."""
    text = cell.strip()
    return (
        len(text) <= MAX_CLOCK
        and bool(_TIME.match(text) or _DATE.match(text))
        and ("/" in text or ":" in text or text.count("-") == 2)
    )


def read_moment(cell: str, order: Order = "day") -> Moment:
    """Get a cell's time. ``order``: which comes first in ``03/04/2026``. Raises :class:`NoTime`."""
    text = cell.strip()
    if len(text) > MAX_CLOCK:
        raise NoTime(f"{text[:40]!r} is no time")
    day_s, rest, dated = 0, text, False
    if found := _DATE.match(text):
        day_s, dated = _day_s(found, order), True
        rest = text[found.end() :].lstrip("T ,").strip()
        if not rest:
            return Moment(float(day_s), dated=True, zoned=False)
    time = _TIME.match(rest)
    if time is None:
        raise NoTime(f"{text[:40]!r} is no time" if text else "is empty")
    hours, minutes, seconds, part, half, zone = time.groups()
    if seconds is None and not dated:
        raise NoTime(f"{text[:40]!r} may be hours and minutes or minutes and seconds: write hh:mm:ss")
    h, m, s = int(hours), int(minutes), int(seconds or 0)
    if half is not None:
        if not 1 <= h <= 12:
            raise NoTime(f"{text[:40]!r} is no time")
        h = h % 12 + (12 if half[0] in "pP" else 0)
    if m > 59 or s > 60 or (dated and h > 23):
        raise NoTime(f"{text[:40]!r} is no time")
    fraction = int(part) / 10 ** len(part) if part else 0.0
    return Moment(day_s + h * 3600 + m * 60 + s - _zone_s(zone) + fraction, dated, zone is not None)


def _day_s(found: re.Match[str], order: Order) -> int:
    year, month, day = found[1], found[2], found[3]
    if year is None:
        year, month, day = found[7], found[6], found[4]
        if order == "month" and found[5] != ".":  # a German point is always behind the day
            month, day = day, month
    try:
        return (datetime.date(int(year), int(month), int(day)).toordinal() - 719_163) * DAY_S
    except ValueError:
        raise NoTime(f"{found[0]!r} is no date") from None


def _zone_s(zone: str | None) -> int:
    if zone is None or zone in ("Z", "z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def date_order(cells: Iterable[str]) -> Order:
    """Find whether days or months come first in a column's dates. Raises :class:`TwoReadings` where both fit."""
    dates: dict[str, re.Match[str]] = {}
    for cell in cells:
        found = _DATE.match(cell.strip())
        if found and found[1] is None and found[5] != "." and found[0] not in dates:
            dates[found[0]] = found
            if len(dates) > 400:
                break
    fits: dict[Order, list[int]] = {}
    orders: tuple[Order, Order] = ("day", "month")
    for order in orders:
        try:
            days = [_day_s(found, order) for found in dates.values()]
        except NoTime:
            continue
        if days == sorted(days):
            fits[order] = [day - days[0] for day in days]
    if len(fits) == 2 and fits["day"] != fits["month"]:
        raise TwoReadings(
            f"{next(iter(dates))} to {list(dates)[-1]} may have the day first or the month first: write dates as "
            "2026-04-03"
        )
    return next(iter(fits), "day")
