"""Questions at the terminal, one a value, asked until the answer can be used; and a file that is written once.

This module must never fill in what was not answered, and never write over a file.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import click

from .say import say

Parse = Callable[[str], object]
Question = tuple[str, str, Parse]
"""A field's name, what is asked, and what makes a value of the answer."""


def asked(question: str, parse: Parse, *, needed: bool) -> object:
    """Ask until the answer can be used; '' leaves it out where it is not needed."""
    while True:
        text = str(click.prompt(question, default="", show_default=False, err=True)).strip()
        if not text and not needed:
            return None
        try:
            if text:
                return parse(text)
            say("  this one is needed", err=True)
        except ValueError:
            say(f"  {text!r} cannot be used here: see the question's example", err=True)


def table(questions: tuple[Question, ...], needed: frozenset[str]) -> dict[str, object]:
    """Ask for the fields of a table; what was left out is not in it."""
    found: dict[str, object] = {}
    for name, question, parse in questions:
        value = asked(question, parse, needed=name in needed)
        if value is not None:
            found[name] = value
    return found


def a_date(text: str) -> datetime.date:
    """Get a date from 2026-03-01. Raises ``ValueError``."""
    return datetime.date.fromisoformat(text)


def must_be_new(file: Path) -> None:
    """Raise ``BadInput`` for a file that is there."""
    from edge.errors import BadInput

    if file.exists() or file.is_symlink():
        raise BadInput(f"{file}: is there already, and is left as it is: name a new file")


def write_new(file: Path, text: str) -> None:
    """Write a new file. Raises ``BadInput`` where it is there already, or cannot be written."""
    from edge.errors import BadInput

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as e:
        raise BadInput(f"{file}: is there already, and is left as it is: name a new file") from e
    except OSError as e:
        raise BadInput(f"{file}: cannot be written ({e.strerror}): name a file in a folder of yours") from e
