"""The commands on a test standard's file: ``standard show`` and ``standard verify``.

This module must never write over a file that a person wrote.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from .options import as_json_option, one_line
from .say import say, say_json

if TYPE_CHECKING:
    from edge.standards.standard import Field


@click.group()
def standard() -> None:
    """What a test standard's file says, and who has checked it against the official text."""


@standard.command()
@click.argument("name")
@as_json_option
def show(name: str, as_json: bool) -> None:
    """Show each value of a standard, NAME or a TOML file, with its source and who checked it."""
    from edge.standards.standard import load_standard

    found = load_standard(name)
    fields = dict(found.fields())
    if as_json:
        values = {field: msgspec.to_builtins(value) for field, value in fields.items()}
        say_json({"id": found.id, "sha256": found.sha256, "checked_from": found.checked_from, "values": values})
        return
    say(f"{found.id}, SHA-256 {found.sha256}")
    if found.checked_from is not None:
        say(f"a checked copy, made from SHA-256 {found.checked_from}")
    for field, value in fields.items():
        shown = ", ".join(map(str, value.value)) if isinstance(value.value, tuple) else str(value.value)
        say(f"  {field} = {shown}")
        say(f"      {_standing(value)}: {value.source}")
    verified = sum(value.verified for value in fields.values())
    say(f"Of {len(fields)} values checked against the official text: {verified or 'none'}.")


def _standing(field: Field[object]) -> str:
    if field.assumed:
        return "assumed, not from the standard"
    if not field.verified:
        return "not checked"
    on = "" if field.verified_on is None else f" on {field.verified_on}"
    return f"checked{on}" + ("" if field.verified_by is None else f" by {field.verified_by}")


@standard.command()
@click.argument("name")
@click.argument("field")
@click.option("--source", required=True, callback=one_line, help='Where it stands in the official text: "clause 4.2".')
@click.option("--who", required=True, callback=one_line, help="Who has compared it.")
@click.option("--out", type=click.Path(path_type=Path), help="The copy [NAME.checked.toml; a copy itself].")
def verify(name: str, field: str, source: str, who: str, out: Path | None) -> None:
    """Say that WHO has compared FIELD of a standard with the official text: a copy of its file says so.

    NAME is a standard that ships, or a TOML file. A value that differs there is to be corrected in a file of your own
    first. A file that you wrote is never written to.
    """
    from edge.standards.standard import load_standard
    from edge.standards.verified_copy import verify_field, write_copy

    found = load_standard(name)
    path = out or (Path(name) if found.checked_from is not None else Path(f"{found.id}.checked.toml"))
    copy = verify_field(found, field, source=source, who=who, on=datetime.datetime.now().astimezone().date())
    write_copy(path, copy)
    say(f"{field} is verified by {who} in {path}, SHA-256 {copy.sha256}. Use it: --standard {path}")
