"""A record's values as TOML writes them, for files that the machine makes: certificates have their own writer.

This module must never write what nobody said: None and an empty list are left out.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator

import msgspec


def fields_said(part: msgspec.Struct) -> Iterator[tuple[str, object]]:
    """Get (name, value) of each field of a record that holds something, in its order."""
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if value is not None and value != ():
            yield name, value


def toml_value(value: object) -> str:
    """Write a value: a record as an inline table, a tuple as a list; text, number, true or false, a date or a time."""
    if isinstance(value, msgspec.Struct):
        return "{ " + ", ".join(f"{name} = {toml_value(v)}" for name, v in fields_said(value)) + " }"
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False)  # TOML's strings, numbers and booleans are written as JSON's
