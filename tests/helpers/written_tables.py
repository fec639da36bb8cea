"""Tables written as other programs write them: encodings, separators, marks, headers, units, forms of time.

What is right is computed here from the decimal texts themselves, with the units' definitions, and never by the reader.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal

PER_UNIT = {
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "ms": Decimal("0.001"),
    "g": Decimal(1),
    "mg": Decimal("0.001"),
    "µg": Decimal("0.000001"),
    "kg": Decimal(1000),
}
"""A unit in s or in g."""
COUNTED = {"unix ms": 1_000, "unix µs": 1_000_000, "unix ns": 1_000_000_000}
"""Clocks that count since 1970, and what a second is of theirs."""
CLOCKS = (
    *("iso utc", "iso zone", "local", "german", "hh:mm:ss", "excel", "german 2", "ampm", "named", "chinese"),
    *COUNTED,
)
START = datetime.datetime(2026, 3, 14, 22, 59, 30, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Style:
    """How a table is written.

    ``unit_in_cells``: each mass and temperature has its unit behind it, and headers have none; ``behind_row``: there is
    a separator behind each row and none behind the header; ``between`` is a line between the rows, ``header`` for the
    header once more.
    """

    encoding: str = "utf-8"
    separator: str = ","
    mark: str = "."
    thousands: str = ""
    time: str = "s"
    mass: str = "g"
    temp: str = "°C"
    heading: str = "{} ({})"
    names: tuple[str, str, str] = ("Time", "Weight", "Temp.")
    units_row: bool = False
    preamble: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()
    line_end: str = "\n"
    extra: bool = False
    reverse: bool = False
    unit_in_cells: bool = False
    behind_row: bool = False
    between: str = ""


def to_celsius(value: Decimal, unit: str) -> Decimal:
    """Get a temperature in °C by the units' definitions."""
    if unit == "K":
        return value - Decimal("273.15")
    return (value - 32) * 5 / 9 if unit == "°F" else value


def number(value: Decimal, style: Style, unit: str = "") -> str:
    """Get a number's text, with the style's marks and a unit behind it; quoted where the separator is in it."""
    sign, digits = ("-", f"{-value:f}") if value < 0 else ("", f"{value:f}")
    whole, _, part = digits.partition(".")
    if style.thousands:
        whole = f"{int(whole):,}".replace(",", style.thousands)
    text = sign + whole + (style.mark + part if part else "") + unit
    return f'"{text}"' if style.separator in text else text


def moment(elapsed_s: Decimal, form: str) -> str:
    """Get a time's text in one of the forms ``CLOCKS``; those of whole seconds are given whole seconds."""
    at = START + datetime.timedelta(seconds=float(elapsed_s))
    if form == "iso utc":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if form == "iso zone":
        return at.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30))).isoformat()
    if form == "local":
        return at.strftime("%Y-%m-%d %H:%M:%S")
    if form == "german":
        return at.strftime("%d.%m.%Y %H:%M:%S")
    if form == "german 2":
        return at.strftime("%d.%m.%y %H:%M:%S")
    if form == "ampm":
        return at.strftime("%Y/%m/%d %I:%M:%S %p")
    if form == "named":
        return at.strftime("%d-%b-%Y %H:%M:%S")
    if form == "chinese":
        return at.strftime(f"%Y年%m月%d日 {'上午' if at.hour < 12 else '下午'}%I:%M:%S")
    if form in COUNTED:
        return str(int(at.timestamp()) * COUNTED[form])
    if form == "hh:mm:ss":
        return at.strftime("%H:%M:%S")
    raise ValueError(form)


def excel_days(elapsed_s: Decimal) -> Decimal:
    """Get a moment in days since the last of 1899, as spreadsheets count."""
    since = START - datetime.datetime(1899, 12, 30, tzinfo=datetime.UTC)
    return (Decimal(int(since.total_seconds())) + elapsed_s) / Decimal(86_400)


def write_table(style: Style, rows: list[tuple[Decimal, Decimal, Decimal]]) -> tuple[bytes, list[tuple[float, ...]]]:
    """Write rows of (time, mass, temperature), each in the style's units, as bytes; and get them in s, g and °C.

    A time of the style's clock is given in s.
    """
    clock = style.time in CLOCKS
    units = ("" if clock else style.time, style.mass, style.temp)
    names = ("Date" if style.time == "excel" else style.names[0], *style.names[1:])
    heads = [
        name if style.units_row or not unit or (style.unit_in_cells and i) else style.heading.format(name, unit)
        for i, (name, unit) in enumerate(zip(names, units, strict=True))
    ]
    table = [heads, *([list(units)] if style.units_row else [])]
    right = []
    for t, mass, temp in rows:
        if style.time == "excel":
            days = round(excel_days(t), 9)
            time, t_s = number(days, style), days * 86_400
        elif clock:
            time, t_s = moment(t, style.time), t
        else:
            time, t_s = number(t, style), t * PER_UNIT[style.time]
        units_behind = [f" {unit}" if style.unit_in_cells else "" for unit in units[1:]]
        table.append([time, number(mass, style, units_behind[0]), number(temp, style, units_behind[1])])
        grams = mass * PER_UNIT[style.mass]
        right.append((float(t_s), float(grams), float(to_celsius(temp, style.temp))))
    if style.extra:
        table = [[*row, "Note" if row is heads else "ok"] for row in table]
    if style.reverse:
        table = [row[::-1] for row in table]
    heads = table[0]
    quoted = [f'"{h}"' if style.separator in h else h for h in heads]
    written = [style.separator.join(row) for row in (quoted, *table[1:])]
    if style.behind_row:
        written[1:] = [row + style.separator for row in written[1:]]
    if style.between:
        written.append(written[0] if style.between == "header" else style.between)
        written[-2:] = written[:-3:-1]  # before the last row
    lines = [*style.preamble, *written, *style.footer]
    text = style.line_end.join(lines) + style.line_end
    first_s = right[0][0]
    return text.encode(style.encoding), [(t_s - first_s, grams, temp) for t_s, grams, temp in right]
