"""A standard's file checked by a named person against the official text, value by value, as a copy that says so.

The copy is the machine's: it names the hash of the file that it was made from, and only such a copy is ever written
again. This module must never write over a file that a person wrote, and never change a value.
"""

from __future__ import annotations

import datetime
import difflib
import os
from pathlib import Path

import msgspec

from calibration.toml_file import one_line, read_text
from calibration.toml_text import fields_said, toml_value
from edge.errors import BadStandard
from edge.records.durable_file import sync_folder, write_beside

from .standard import DEFAULT, Field, Standard, loads_standard

_TABLES = ("aliases", "subclasses", "carriers", "compositions", "notes")


def verify_field(standard: Standard, name: str, *, source: str, who: str, on: datetime.date) -> Standard:
    """Get a copy of a standard in which ``who`` has compared the field ``name`` with the official text ``on`` that day.

    ``source`` is where it stands there. The copy's ``checked_from`` is the hash of what it was made from. Raises
    ``BadStandard`` for a field that it has not, or words that are no line of text.
    """
    found = getattr(standard, name, None) if name in standard.__struct_fields__ else None
    if not isinstance(found, Field):
        names = [n for n in standard.__struct_fields__ if isinstance(getattr(standard, n), Field)]
        near = difflib.get_close_matches(name, names, 1)
        right = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
        raise BadStandard(one_line(f"{standard.id}: {name[:60]} is no field of it that can be verified: {right}"))
    checked: Field[object] = Field(value=found.value, source=source, verified=True, verified_by=who, verified_on=on)
    copy = msgspec.structs.replace(standard, **{name: checked, "checked_from": standard.sha256})
    return loads_standard(to_toml(copy), f"{standard.id}, {name}")


def to_toml(standard: Standard) -> str:
    """Get a standard as the text of a file: what it leaves to a default is left out."""
    lines = ["# Written by halfpercent standard verify. Values are checked one by one; none is changed here."]
    for name, value in fields_said(standard):
        if name == "text" or (isinstance(value, Field) and value.source == DEFAULT):
            continue
        if name in _TABLES and isinstance(value, tuple):
            lines += [f"{name} = [", *(f"    {toml_value(part)}," for part in value), "]"]
        else:
            lines.append(f"{name} = {toml_value(value)}")
    return "\n".join(lines) + "\n"


def write_copy(path: Path, copy: Standard) -> None:
    """Write a verified copy, whole and down to the disk: a new file, or over the copy that it was made from.

    Raises ``BadStandard`` where something else is there.
    """
    try:
        beside = write_beside(path, copy.text.encode("utf-8"))
        try:
            if path.exists() and _made_from(path, copy):
                beside.replace(path)
            else:
                os.link(beside, path)  # fails where the name is taken
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError as e:
        raise BadStandard(f"{path}: is there already, and not the copy that was verified: name a new file") from e
    except OSError as e:
        raise BadStandard(f"{path}: cannot be written ({e.strerror}): name a file in a folder of yours") from e


def _made_from(path: Path, copy: Standard) -> bool:
    """Say whether a file is the very copy that ``copy`` was made from, and a copy itself."""
    try:
        there = loads_standard(read_text(path, BadStandard, follow_links=False))
    except BadStandard:
        return False
    return there.checked_from is not None and there.sha256 == copy.checked_from
