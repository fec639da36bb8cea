"""Headers as people and instruments write them: ``Temp./°C``, ``Weight (mg)``, ``Time [min]``, ``TG/%``, ``m_mg``.

A header gives a quantity only where its name *and* its unit do. A name without a unit gives none: whether ``Time`` is
in seconds or minutes is for whoever replays the file to say. This module must never look at a value.
"""

from __future__ import annotations

import re
import unicodedata

from .layout import ColumnHead


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TIME_NAMES = _words(
    "time t elapsed elapsedtime timestamp date datetime zeit dauer uhrzeit zeitpunkt datum temps heure tempo tiempo "
    "fecha 时间 時間 日時 日付 経過時間 日期 日期时间 时刻 timeutc timestamputc"
)
DATE_NAMES = _words("date datetime timestamp datum zeitpunkt fecha 日期 日期时间 timestamputc")
"""Names of a column that holds a moment, not a length of time: a number there is a day or a second of a calendar."""
MASS_NAMES = _words(
    "mass m weight w tg tga masse gewicht poids peso massa sampleweight samplemass unsubtractedweight 质量 重量 質量 "
    "重さ netweight net"
)
TEMP_NAMES = _words(
    "temp temperature t ts tsample sampletemp sampletemperature oventemp oventemperature temperatur probentemperatur "
    "ofentemperatur température temperatura 温度 样品温度 溫度 試料温度"
)
PRESSURE_NAMES = _words("pressure p vacuum druck pression presión pressione 压力 壓力 圧力 真空度")

SAME_BEHIND = _words("tg tga raw sample measured mean average elapsed sincestart")
"""What may stand behind a unit and leave the quantity what it is; with anything else there it is another."""

MAX_HEADING = 200
"""No header of ours is longer; the patterns below would take long over one that is."""
TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "秒"), "t_s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "分", "分钟"), "t_min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "小时"), "t_h"),
    **dict.fromkeys(("ms", "msec", "毫秒", "ミリ秒"), "t_ms"),
    **dict.fromkeys(("µs", "us", "usec", "微秒"), "t_us"),
    **dict.fromkeys(("ns", "nsec"), "t_ns"),
}
MASS_UNITS = {
    **dict.fromkeys(("g", "gram", "grams", "gramm", "克"), "mass_g"),
    **dict.fromkeys(("mg", "毫克"), "mass_mg"),
    **dict.fromkeys(("µg", "ug", "mcg", "微克"), "mass_ug"),
    **dict.fromkeys(("kg", "千克", "公斤"), "mass_kg"),
    **dict.fromkeys(("%", "wt%", "wt.%", "wt-%", "pct", "percent"), "mass_pct"),
}
TEMP_UNITS = {
    **dict.fromkeys(("°c", "c", "degc", "deg c", "celsius", "ºc", "oc"), "temp_c"),
    **dict.fromkeys(("K", "kelvin", "°k"), "temp_k"),
    **dict.fromkeys(("°f", "f", "degf", "deg f", "fahrenheit", "ºf"), "temp_f"),
}
PRESSURE_UNITS = {
    "pa": "pressure_pa",
    "hpa": "pressure_hpa",
    "mbar": "pressure_hpa",
    "kpa": "pressure_kpa",
}
OTHER_UNITS = _words("oz lb lbs ct gr n mn ng t °r")
"""Units of a mass, a weight or a temperature that are not read: a column in one of them is said to be."""
_UNIT_WORDS = frozenset((*TIME_UNITS, *MASS_UNITS, *TEMP_UNITS, *PRESSURE_UNITS, "k"))

_BRACKETED = re.compile(r"^(?P<name>.*?)\s*[\[(（](?P<unit>[^\[\]()（）]*)[\])）]\s*(?P<rest>.*)$")
_SLASHED = re.compile(r"^(?P<name>[^/]+?)\s*/\s*\(?(?P<unit>[^,;/()]+?)\)?\s*(?P<rest>[,;].*)?$")
_COMMA = re.compile(r"^(?P<name>[^,]+?)\s*,\s*(?P<unit>[^,]+)$")
_UNDERSCORED = re.compile(r"^(?P<name>.+)_(?P<unit>[^_]+)$")


def split_heading(text: str, unit: str = "") -> ColumnHead:
    """Get a header's name and unit: ``Temp./°C`` is ``Temp.`` in ``°C``. ``unit`` is that of a row of units."""
    shown = text.strip().lstrip("#").strip()
    if unit:
        plain = unit.strip().strip("[]()（）").strip()
        return ColumnHead(f"{shown} [{plain}]", shown, plain)
    if len(shown) > MAX_HEADING:
        return ColumnHead(shown, shown, "")
    if (found := _with_unit(shown)) is None:
        return ColumnHead(shown, shown, "")
    name, behind = found["name"].strip(), _behind(found)
    return ColumnHead(shown, f"{name} {behind}" if behind else name, found["unit"].strip())


def meaning_but_for(head: ColumnHead) -> tuple[str, str]:
    """Get what a header would say if nothing stood behind its unit, and what stands there; ('', '') where nothing does.

    ``Time (s) since hold``: ``t_s``, but for ``since hold``.
    """
    found = _with_unit(head.text) if len(head.text) <= MAX_HEADING else None
    if found is None or not (behind := _behind(found)):
        return "", ""
    return meaning_of(ColumnHead(head.text, found["name"].strip(), found["unit"].strip())), behind


def _with_unit(shown: str) -> re.Match[str] | None:
    """Get the name, the unit and the rest of a header that has one of our units."""
    matches = (pattern.match(shown) for pattern in (_BRACKETED, _SLASHED, _COMMA, _UNDERSCORED))
    return next((found for found in matches if found and is_unit(found["unit"])), None)


def _behind(found: re.Match[str]) -> str:
    """Get what stands behind a header's unit and makes it another quantity (``x10``, ``setpoint``, ``sd``), or ''."""
    behind = (found.groupdict().get("rest") or "").strip(" .:;,*")
    return "" if plain_name(behind) in SAME_BEHIND else behind


def plain_unit(unit: str) -> str:
    """Get a unit in the one way in which it is compared: ``[µg]`` with the micro sign, ``℃`` as ``°c``, no brackets."""
    text = unit.strip().strip("[]()（）").strip()
    text = unicodedata.normalize("NFC", text.replace("℃", "°C").replace("℉", "°F").replace("μ", "µ").replace("％", "%"))
    if text in ("K", "Mg", "k"):  # a megagram is no milligram
        return text
    return text.lower()


def is_unit(unit: str) -> bool:
    """Say whether a text is a unit that some quantity may have, or a calendar's (``UTC``)."""
    return plain_unit(unit) in _UNIT_WORDS or unit.strip().lower() == "utc"


def plain_name(name: str) -> str:
    """Get a name as it is compared: small letters, without blanks, points, dashes and underscores."""
    return re.sub(r"[\s._\-:]+", "", unicodedata.normalize("NFC", name)).lower()


def is_time(head: ColumnHead) -> bool:
    """Say whether a column is called a time, whatever its unit."""
    return plain_name(head.name) in TIME_NAMES or plain_name(head.name + head.unit) in TIME_NAMES


def is_moment(head: ColumnHead) -> bool:
    """Say whether a column is called a date or a time stamp: a number in it counts from a calendar's beginning."""
    return plain_name(head.name) in DATE_NAMES


def meaning_of(head: ColumnHead) -> str:
    """Get what a header says that its column is: ``mass_mg``, ``t_min``, ``temp_c``; '' where it does not say it."""
    name, unit = plain_name(head.name), plain_unit(head.unit)
    if head.name == "T" and unit in TIME_UNITS:  # T_min is a lowest temperature
        return ""
    for names, units in (
        (TIME_NAMES, TIME_UNITS),
        (MASS_NAMES, MASS_UNITS),
        (TEMP_NAMES, TEMP_UNITS),
        (PRESSURE_NAMES, PRESSURE_UNITS),
    ):
        if name in names and unit in units:
            return units[unit]
    return ""


def unit_is_of(unit: str) -> tuple[str, ...]:
    """Get the names that a unit alone may stand for: ``mass_mg`` of ``mg``, ``t_min`` of ``min``; () where none."""
    plain = plain_unit(unit)
    every = (TIME_UNITS, MASS_UNITS, TEMP_UNITS, PRESSURE_UNITS)
    return tuple(units[plain] for units in every if plain in units)


def meaning_of_unit(unit: str) -> str:
    """Get what a value in this unit is where nothing else is said, for masses and temperatures; '' for others."""
    plain = plain_unit(unit)
    return "" if plain == "%" else MASS_UNITS.get(plain, TEMP_UNITS.get(plain, ""))


def may_be(head: ColumnHead) -> tuple[str, ...]:
    """Get what a column may be by its name alone, whatever unit stands beside it."""
    return lacks_unit(ColumnHead(head.text, written_name(head.text), ""))


def written_unit(text: str) -> str:
    """Get the unit that a header has behind its name, known or not: ``oz`` of ``Mass/oz``; '' where there is none."""
    found = _split(text)
    return found["unit"].strip() if found else ""


def written_name(text: str) -> str:
    """Get a header's name without what stands behind it as its unit, known or not."""
    found = _split(text)
    return found["name"].strip() if found else text.strip()


def _split(text: str) -> re.Match[str] | None:
    shown = text.strip()
    if len(shown) > MAX_HEADING:
        return None
    return next((found for p in (_BRACKETED, _SLASHED, _COMMA, _UNDERSCORED) if (found := p.match(shown))), None)


def lacks_unit(head: ColumnHead) -> tuple[str, ...]:
    """Get what a column may be whose name is known and whose unit is not given; () where that is not so."""
    if head.unit:
        return ()
    name = plain_name(head.name)
    if name in MASS_NAMES:
        return ("mass_g", "mass_mg", "mass_pct")
    if name in TEMP_NAMES - {"t", "ts"}:
        return ("temp_c", "temp_k", "temp_f")
    if name in TIME_NAMES:
        return ("t_s", "t_min", "t_h")
    return ()
