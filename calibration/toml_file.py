"""TOML text to a frozen record, or one line that says what would be right.

Certificates, standards and settings are files that people write, so every mistake is answered with file,
field, what was found and what to write instead. This module must never repair or guess a value.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import inspect

from calibration.bounded_file import NotReadable, read_regular_file
from calibration.visible_text import visible

Tables: TypeAlias = dict[str, object]
"""What a TOML text holds before it is a record: values, lists and tables by their names."""
RecordT = TypeVar("RecordT", bound=msgspec.Struct)

MAX_BYTES = 1_000_000
"""No certificate, standard or config is longer; something else was named by mistake."""
MAX_KEY_PARTS = 32
"""No key of ours has more than three parts."""
MAX_TABLES = 4000
"""Each table that a text names takes a kilobyte, and one part of a dotted name makes one: ours have some twenty."""

# Control characters and line separators would break a report's line and a one-line message.
LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\S[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"

Text = Annotated[str, msgspec.Meta(pattern=LINE, max_length=2000, description="one line of text, in quotes, not empty")]
"""One line of text for people."""


def one_line(message: str) -> str:
    """Get ``message`` as one line, with what cannot be seen shown as its code, cut to 400 characters."""
    clean = visible(" ".join(message.split()))
    return clean if len(clean) <= 400 else clean[:397] + "..."


def read_text(path: Path, error: type[Exception], *, follow_links: bool = True, most_bytes: int = MAX_BYTES) -> str:
    """Get the exact text of a UTF-8 file (at most ``most_bytes``); raise ``error`` with one line where that fails."""
    try:
        data = read_regular_file(path, most_bytes, follow_links=follow_links)
    except NotReadable as bad:
        raise error(one_line(f"{path}: {bad}: give the path of a TOML file that can be read")) from bad
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise error(
            one_line(f"{path}: not UTF-8 text (byte {bad.start}): save it as UTF-8, or give a TOML file")
        ) from bad


def parse(text: str, where: str, error: type[Exception]) -> Tables:
    """Get the tables of a TOML text; raise ``error`` with one line where it is not TOML, or is dear to read.

    The time that ``tomllib`` takes grows with the third power of a dotted key's length, its memory with the tables that
    are named: a text of such keys, of so many tables, or longer than a file may be (a database holds it) never gets
    there.
    """
    try:
        if len(text.encode("utf-8")) > MAX_BYTES:
            raise error(one_line(f"{where}: longer than {MAX_BYTES} bytes: give the text of one TOML file"))
        if dear := _dear_to_read(text):
            raise error(one_line(f"{where}: {dear}: write `name = value` lines"))
        # Windows editors put a byte-order mark first; it is part of the file, not of the TOML.
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, OverflowError) as bad:
        if isinstance(bad, error):
            raise
        raise error(one_line(f"{where}: not TOML: {bad}: write `name = value` lines")) from bad
    except RecursionError as bad:
        raise error(one_line(f"{where}: not usable TOML: nested too deeply")) from bad


_OF_INTEREST = re.compile(r"""[.,=\[{\n#]|\"{1,3}|'{1,3}""")
_ENDS = {'"': re.compile(r'[\\"\n]'), "'": re.compile(r"['\n]"), '"""': re.compile(r'\\|"""'), "'''": re.compile("'''")}


def _dear_to_read(text: str) -> str:
    """Say what of a text would be dear to read: a key without end, tables without end; '' for others. Linear in time.

    Counted are lines that begin with ``[`` and the dots of a name after its first: a number has one dot, ``[a.b]`` too.
    """
    at = dots = tables = 0
    begins = True  # a line, apart from spaces
    while found := _OF_INTEREST.search(text, at):
        what, begins, at = found[0], begins and not text[at : found.start()].strip(), found.end()
        if what == ".":
            dots += 1
            tables += dots > 1
        elif what[0] in "\"'":
            if len(what) != 2:  # two are an empty string
                at = _behind_string(text, at, what)
        elif what == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        else:
            tables += begins and what == "["
            dots = 0
        if dots >= MAX_KEY_PARTS:
            return f"line {_line(text, at)}: a key of more than {MAX_KEY_PARTS} parts"
        if tables > MAX_TABLES:
            return f"line {_line(text, at)}: the parts of its names are more than {MAX_TABLES} tables"
        begins = what == "\n"
    return ""


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _behind_string(text: str, at: int, quote: str) -> int:
    while found := _ENDS[quote].search(text, at):
        at = found.end()
        if found[0] != "\\":
            return at
        at += 1
    return len(text)


def convert(tables: Tables, record: type[RecordT], where: str, error: type[Exception]) -> RecordT:
    """Get ``tables`` as a ``record``; raise ``error`` with one line for the first field that is wrong.

    The line names ``where``, the field and what was found, and cites the ``description`` that the field's
    ``msgspec.Meta`` gives for what would be right.
    """
    try:
        return msgspec.convert(tables, record)
    except msgspec.ValidationError as bad:
        raise error(one_line(f"{where}: {_explain(str(bad), tables, record)}")) from bad
    except RecursionError as bad:
        raise error(one_line(f"{where}: not usable: nested too deeply")) from bad


def _explain(message: str, tables: Tables, record: type[msgspec.Struct]) -> str:
    """Get msgspec's message in the words of the file."""
    what, _, at = message.rpartition(" - at `$")
    if not what:
        what, at = message, ""
    path = at.rstrip("`").lstrip(".")
    if named := re.fullmatch(r"Object missing required field `(.*)`", what, re.DOTALL):
        path = f"{path}.{named[1]}".lstrip(".")
        return f"{path} is missing: add {_right(record, path) or 'it'}"
    if named := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        known = [field.name for field in getattr(_type_at(record, path), "fields", ())]
        near = difflib.get_close_matches(named[1], known, 1)
        there = f"{path}.{named[1]}".lstrip(".")
        return f"{there} is unknown: " + (f"did you mean {near[0]}?" if near else f"use {', '.join(known)}")
    if not path:
        return what
    right = _right(record, path)
    if right and what.startswith(("Expected", "Invalid enum", "Invalid RFC3339", "Number out of range")):
        return f"{path} = {_found(tables, path)}: give {right}"
    return f"{path}: {what.replace('`', '')}"


def _steps(path: str) -> list[str]:
    return [step for step in re.split(r"[.\[\]]+", path) if step]


def _found(tables: Tables, path: str) -> str:
    found: object = tables
    for step in _steps(path):
        if isinstance(found, list):
            found = found[int(step)]
        elif isinstance(found, dict):
            found = found[step]
    if isinstance(found, dict):
        return "a table"
    text = str(found).lower() if isinstance(found, bool) else repr(found)
    return text if len(text) <= 60 else text[:57] + "..."


def _type_at(record: type[msgspec.Struct], path: str) -> inspect.Type:
    at: inspect.Type = inspect.type_info(record)
    for step in _steps(path):
        at = _unwrapped(at)
        if isinstance(at, inspect.StructType):
            at = next(field.type for field in at.fields if field.name == step)
        elif isinstance(at, inspect.VarTupleType):
            at = at.item_type
    return _not_none(at)


def _not_none(at: inspect.Type) -> inspect.Type:
    """Get the type that ``… | None`` allows besides None."""
    if isinstance(at, inspect.UnionType):
        return next(kind for kind in at.types if not isinstance(kind, inspect.NoneType))
    return at


def _unwrapped(at: inspect.Type) -> inspect.Type:
    """Get the type inside ``… | None`` and an annotation."""
    at = _not_none(at)
    return at.type if isinstance(at, inspect.Metadata) else at


def _right(record: type[msgspec.Struct], path: str) -> str:
    """Get what would be right for a field, in plain words ('' where its type says nothing)."""
    at = _type_at(record, path)
    if isinstance(at, inspect.Metadata):
        return str((at.extra_json_schema or {}).get("description", ""))
    if isinstance(at, inspect.LiteralType):
        return " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in at.values)
    if isinstance(at, inspect.StructType):
        return "a table with " + ", ".join(field.name for field in at.fields if field.required)
    plain = {
        inspect.BoolType: "true or false",
        inspect.StrType: "text in quotes",
        inspect.DateType: "a date (2026-12-31)",
        inspect.VarTupleType: "a list in [ ]",
    }
    return plain.get(type(at), "")
