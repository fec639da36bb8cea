"""Times that are no plain numbers: ISO 8601, local dates, names of months, ``hh:mm:ss``.

Elapsed time is all that is asked of them. This module must never choose between two dates that a cell may mean
(``03/04/2026``, ``03/04/26``) where they give different elapsed times.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from .notation import TwoReadings, has_other_digits, plain_signs

DAY_S = 86_400
MAX_CLOCK = 64
"""No time that we know is written with more characters."""
LONGEST_DAYS = 117
"""A recording lasts no longer (115.7 days): an order of day and month that makes it longer is none."""
_DATE = re.compile(
    r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|^(\d{1,2})([./-])(\d{1,2})\5(\d{4}|\d{2})(?!\d)(?![./:-]\d)", re.ASCII
)
_NAMED_DATE = re.compile(
    r"^(?:(\d{1,2})(?:\.\s?|[-/ ])([A-Za-zä]{3,9})\.?[-/ ](\d{4}|\d{2})|([A-Za-zä]{3,9})\.? (\d{1,2}),? (\d{4}))(?!\d)",
    re.ASCII,
)
_MONTHS = (
    ("jan", "january", "januar"),
    ("feb", "february", "februar"),
    ("mar", "march", "mär", "märz", "mrz"),
    ("apr", "april"),
    ("may", "mai"),
    ("jun", "june", "juni"),
    ("jul", "july", "juli"),
    ("aug", "august"),
    ("sep", "sept", "september"),
    ("oct", "october", "okt", "oktober"),
    ("nov", "november"),
    ("dec", "december", "dez", "dezember"),
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_TIME = re.compile(
    r"^(上午|下午|午前|午後)?\s*(\d{1,3}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?$",
    re.ASCII,
)
_AFTERNOON = ("p", "P", "下午", "午後")
Order = Literal["day", "month", "year"]
"""What comes first in a date of three numbers; ``year``: of two digits, as 26-03-14."""


class Moment(NamedTuple):
    """A cell's time: in s since 1970 or since midnight, whether it has a date, and whether it has a zone."""

    t_s: float
    dated: bool
    zoned: bool


class NoTime(ValueError):
    """What a cell is that is no time."""


def looks_like_clock(cell: str) -> bool:
    """Say whether a cell is written as a date or as hours and minutes."""
    text = plain_signs(cell.strip())
    if len(text) > MAX_CLOCK:
        return False
    if _named_day(text) is not None:
        return True
    return bool(_TIME.match(text) or _DATE.match(text)) and (
        "/" in text or ":" in text or "年" in text or text.count("-") == 2 or text.count(".") == 2
    )


def read_moment(cell: str, order: Order = "day") -> Moment:
    """Get a cell's time. ``order``: which comes first in ``03/04/2026``. Raises :class:`NoTime`."""
    text = plain_signs(cell.strip())
    if len(text) > MAX_CLOCK:
        raise NoTime(f"{text[:40]!r} is no time")
    day_s, rest, dated = 0, text, False
    if found := _DATE.match(text):
        day_s, dated = _day_s(found, order), True
        rest = text[found.end() :].lstrip("T ,").strip()
    elif (named := _named_day(text)) is not None:
        day_s, end = named
        rest, dated = text[end:].lstrip("T ,").strip(), True
    if dated and not rest:
        return Moment(float(day_s), dated=True, zoned=False)
    time = _TIME.match(rest)
    if time is None:
        if has_other_digits(text):
            raise NoTime(f"{text[:40]!r} is no time: it is in other digits than 0 to 9")
        raise NoTime(f"{text[:40]!r} is no time" if text else "is empty")
    before, hours, minutes, seconds, part, half, zone = time.groups()
    if seconds is None and not dated:
        raise NoTime(f"{text[:40]!r} may be hours and minutes or minutes and seconds: write hh:mm:ss")
    h, m, s = int(hours), int(minutes), int(seconds or 0)
    half = before or half
    if half is not None:
        if not 1 <= h <= 12:
            raise NoTime(f"{text[:40]!r} is no time")
        h = h % 12 + (12 if half.startswith(_AFTERNOON) else 0)
    if m > 59 or s > 60 or (dated and h > 23):
        raise NoTime(f"{text[:40]!r} is no time")
    fraction = int(part) / 10 ** len(part) if part else 0.0
    return Moment(day_s + h * 3600 + m * 60 + s - _zone_s(zone) + fraction, dated, zone is not None)


def _named_day(text: str) -> tuple[int, int] | None:
    """Get the day in s since 1970 of a date with a month's name, and where it ends; None where there is none."""
    found = _NAMED_DATE.match(text)
    if found is None:
        return None
    day, name, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
    month = MONTHS.get(name.lower())
    if month is None:
        return None
    return _since_1970_s(_full_year(year), month, int(day), found[0]), found.end()


def _day_s(found: re.Match[str], order: Order) -> int:
    year, month, day = found[1], found[2], found[3]
    if year is None:
        first, second, last = found[4], found[6], found[7]
        day, month, year = first, second, last
        if found[5] == ".":  # a German point is always behind the day
            pass
        elif order == "month":
            month, day = first, second
        elif order == "year":
            year, month, day = first, second, last
    return _since_1970_s(_full_year(year), int(month), int(day), found[0])


def _full_year(year: str) -> int:
    return int(year) if len(year) == 4 else 2000 + int(year)


def _since_1970_s(year: int, month: int, day: int, text: str) -> int:
    try:
        return (datetime.date(year, month, day).toordinal() - 719_163) * DAY_S
    except ValueError:
        raise NoTime(f"{text!r} is no date") from None


def _zone_s(zone: str | None) -> int:
    if zone is None or zone in ("Z", "z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def date_order(cells: Iterable[str]) -> Order:
    """Find what comes first in a column's dates. Raises :class:`TwoReadings` where two orders fit and differ."""
    dates: dict[str, re.Match[str]] = {}
    for cell in cells:
        found = _DATE.match(plain_signs(cell.strip()))
        if found and found[1] is None and found[5] != "." and found[0] not in dates:
            dates[found[0]] = found
            if len(dates) > 400:
                break
    fits: dict[Order, list[int]] = {}
    orders: tuple[Order, ...] = ("day", "month", "year")
    if any(len(found[7]) == 4 for found in dates.values()):
        orders = ("day", "month")
    for order in orders:
        try:
            days = [_day_s(found, order) for found in dates.values()]
        except NoTime:
            continue
        if days == sorted(days) and (not days or days[-1] - days[0] <= LONGEST_DAYS * DAY_S):
            fits[order] = [day - days[0] for day in days]
    if len({tuple(days) for days in fits.values()}) > 1:
        first = " or the ".join(f"{order} first" for order in fits)
        raise TwoReadings(f"{next(iter(dates))} to {list(dates)[-1]} may have the {first}: write dates as 2026-04-03")
    return next(iter(fits), "day")
