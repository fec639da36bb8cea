"""A value of a standard's file in a reader's words: what it is, with its unit, instead of the file's key.

Text, printed report and page say it alike. This module must never know where a value is from.
"""

from __future__ import annotations

from .language import Words

NB = "\u00a0"
_UNITS = (("_c", "°C"), ("_s", "s"), ("_pa", "Pa"), ("_mm2", "mm²"), ("_pct", "%"), ("_g", "g"))


def assumed_name(field: str, w: Words) -> str:
    """Get what a field of a standard's file is called; its key where there are no words for it."""
    return w(f"field_{field}") if w.has(f"field_{field}") else field


def assumed_value(field: str, value: object, w: Words) -> str:
    """Write a field's value: a number with its unit, a word or a list of words in the language."""
    if isinstance(value, list | tuple):
        return w("list_comma").join(_in_words(str(v), w) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _in_words(str(value), w)
    unit = next((f"{NB}{u}" for end, u in _UNITS if field.endswith(end)), "")
    sign = "±" if field.endswith(("_band_c", "tolerance_c")) else ""
    return f"{sign}{value:g}{unit}".replace("-", "−")


def _in_words(value: str, w: Words) -> str:
    return w(f"value_{value}") if w.has(f"value_{value}") else value
