"""A specimen's record as a TOML file: read with one line for a mistake, and written once, never over an old one.

This module must never change a file that a person wrote.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from calibration.toml_file import MAX_BYTES, convert, one_line, parse, read_text
from calibration.toml_text import fields_said, toml_value
from calibration.visible_text import NotAName, name_from
from edge.errors import BadSpecimen

from .durable_file import sync_folder, write_beside
from .specimen import Specimen

NAMES = ("maker", "model", "serial", "claim", "claimed_class", "composition")
"""What is stored in its normal form (NFC), as all names are."""


def load_specimen(path: Path, *, follow_links: bool = True, most_bytes: int = MAX_BYTES) -> Specimen:
    """Get the specimen that a file describes. Raises ``BadSpecimen``: file, field, and what would be right.

    ``follow_links`` and ``most_bytes`` are for a path of somebody else's (:func:`calibration.toml_file.read_text`).
    """
    return loads_specimen(read_text(path, BadSpecimen, follow_links=follow_links, most_bytes=most_bytes), str(path))


def loads_specimen(text: str, where: str = "specimen") -> Specimen:
    """Get the specimen that a TOML ``text`` describes. Raises as :func:`load_specimen`."""
    specimen = convert(parse(text, where, BadSpecimen), Specimen, where, BadSpecimen)
    names = {name: getattr(specimen, name) for name in NAMES if getattr(specimen, name) is not None}
    for name, given in names.items():
        try:
            names[name] = name_from(given)
        except NotAName as e:
            raise BadSpecimen(one_line(f"{where}: {name}: {e}")) from e
    return msgspec.structs.replace(specimen, **names)


def to_toml(specimen: Specimen) -> str:
    """Get a specimen as the text of its file: what nobody said is not in it."""
    plain = dict(fields_said(specimen))
    tables = {name: value for name, value in plain.items() if isinstance(value, msgspec.Struct)}
    lists = {
        name: value
        for name, value in plain.items()
        if isinstance(value, tuple) and all(isinstance(part, msgspec.Struct) for part in value)
    }
    lines = [f"{name} = {toml_value(v)}" for name, v in plain.items() if name not in tables and name not in lists]
    for name, parts in lists.items():
        for part in parts:
            lines += ["", f"[[{name}]]", *(f"{key} = {toml_value(v)}" for key, v in fields_said(part))]
    for name, part in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {toml_value(v)}" for key, v in fields_said(part))]
    return "\n".join(lines) + "\n"


def write_new(path: Path, specimen: Specimen) -> None:
    """Write a specimen's file, whole and down to the disk. Raises ``BadSpecimen`` where there is one already."""
    try:
        beside = write_beside(path, to_toml(specimen).encode("utf-8"))
        try:
            os.link(beside, path)  # fails where the name is taken, also in this very moment
        finally:
            beside.unlink()
        sync_folder(path.parent)
    except FileExistsError as e:
        raise BadSpecimen(f"{path}: is there already, and is left as it is: name a new file") from e
    except OSError as e:
        raise BadSpecimen(f"{path}: cannot be written ({e.strerror}): name a file in a folder of yours") from e


def from_answers(answers: Mapping[str, object], where: str) -> Specimen:
    """Get a specimen from plain values as a file has them. Raises ``BadSpecimen``."""
    return convert(dict(answers), Specimen, where, BadSpecimen)
