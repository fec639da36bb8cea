"""Numbers in a column of times that count from a calendar's beginning: since 1970, or as Excel, MATLAB and astronomers
count.

What one counts is known by its size, and only where the column is called a time. This module must never take a number
that may be a length of time for a moment.
"""

from __future__ import annotations

from .notation import plain_signs

EXCEL_DAYS = (20_000.0, 80_000.0)
"""Days since 1900 of the years 1954 to 2119: a date that a spreadsheet wrote as a number."""
UNIX_S = (1.2e9, 2.5e9)
UNIX_FINE = (("t_ms", 1e3), ("t_us", 1e6), ("t_ns", 1e9))
"""Since 1970, of the years 2008 to 2049, and how many there are in a second."""
DATENUM_DAYS, DATENUM_OF_1970 = (730_000.0, 755_000.0), 719_529.0
"""Days since the year 0 of the years 1998 to 2067, as MATLAB counts."""
JULIAN_DAYS, JULIAN_OF_1970 = (2_450_000.0, 2_475_000.0), 2_440_587.5


def calendar_unit(cell: str, is_date: bool) -> str:
    """Get what a number in a column of times counts since a calendar's beginning: ms, µs or ns since 1970; '' for none.

    In one of dates (``is_date``) also seconds since 1970, and days as Excel, MATLAB or astronomers count them.
    """
    try:
        value = loose_number(cell)
    except ValueError:
        return ""
    for name, per_s in UNIX_FINE:
        if UNIX_S[0] * per_s <= value <= UNIX_S[1] * per_s:
            return name
    if is_date and UNIX_S[0] <= value <= UNIX_S[1]:
        return "t_s"
    days = any(low <= value <= high for low, high in (EXCEL_DAYS, DATENUM_DAYS, JULIAN_DAYS))
    return "t_days" if is_date and days else ""


def days_before_1970(cell: str) -> float:
    """Get what is to be added to days whose first is this, that they may count from 1970; 0 for days of no calendar."""
    try:
        value = loose_number(cell)
    except ValueError:
        return 0.0
    for (low, high), of_1970 in ((DATENUM_DAYS, DATENUM_OF_1970), (JULIAN_DAYS, JULIAN_OF_1970)):
        if low <= value <= high:
            return -of_1970
    return 0.0


def loose_number(cell: str) -> float:
    """Get a number, with a point or a comma. Raises ``ValueError`` for what is none, or in other digits than 0 to 9."""
    text = plain_signs(cell.strip())
    if not text.isascii():
        raise ValueError(text)
    return float(text.replace(",", "."))
