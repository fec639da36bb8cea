"""The short form of docs/safety.md: shown before a test on a real rig until the operator said yes, once per series.

Who said yes is remembered in the operator's own folder. This module must never begin a test, and never take silence for
a yes.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import click

from edge.errors import BadInput
from edge.report.safety_text import SHORT as SHORT  # what is shown, for whoever tests it

from .options import user_db
from .say import say, say_wrapped


def show_until_said(operator: str, series: str) -> bool:
    """Show the short form at a terminal unless this operator said yes in this series. Get whether they have said it.

    A no raises ``BadInput``: nothing is begun. Where nobody can be asked nobody said yes (:func:`show`).
    """
    mark = _mark(operator, series)
    if mark.exists():
        return True
    if not sys.stdin.isatty():
        return False
    show()
    if not click.confirm("Have you read docs/safety.md, and is all of it so?", err=True):
        raise BadInput("not begun: read docs/safety.md, and start again")
    _remember(mark, operator, series)
    return True


def show() -> None:
    """Show the short form on standard error."""
    for line in SHORT:
        say_wrapped(line, err=True)


def _mark(operator: str, series: str) -> Path:
    name = hashlib.sha256(f"{operator}\n{series}".encode()).hexdigest()[:16]
    return user_db().parent / "safety-said" / name


def _remember(mark: Path, operator: str, series: str) -> None:
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(f"{operator}\n{series}\n")
    except OSError as e:  # it will be asked again, and the test begins all the same
        say(f"that you said yes cannot be remembered ({e.strerror})", err=True)
