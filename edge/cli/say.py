"""What the command says: the one door to the terminal, behind which nothing is shown as it is not.

Whatever came from a file, a socket or an argument passes here on its way out. This module must never let a control,
format or bidirectional character through, and never change what is said otherwise.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import sys

import click

from calibration.visible_text import visible, visible_json, visible_lines


def say(line: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Say one line, on standard output or on standard error: a line break that a name holds is shown as its code."""
    click.echo(visible(line), err=err, nl=nl)


def say_lines(text: str, *, err: bool = False) -> None:
    """Say a text of several lines, of which whoever made it has seen to it that each is ours."""
    click.echo(visible_lines(text), err=err)


def say_wrapped(line: str, indent: str = "", *, hang: int = 4, err: bool = False) -> None:
    """Say a sentence, broken between words where a terminal is narrower; into a file or a pipe it stays one line.

    What somebody copies whole (a key, a setting) is said by :func:`say`.
    """
    click.echo(for_terminal(indent + visible(line), hang=hang, err=err), err=err)


def say_text(text: str) -> None:
    """Say a text of several lines as :func:`say_lines` does, for reading: broken as :func:`say_wrapped` breaks one."""
    click.echo(for_terminal(visible_lines(text)))


def for_terminal(text: str, *, hang: int = 4, err: bool = False) -> str:
    """Get lines no wider than the terminal, what follows ``hang`` in; a file or a pipe gets them whole."""
    from edge.report.wrap import wrapped

    stream = sys.stderr if err else sys.stdout
    if not stream or not stream.isatty():  # none: a process that was started without
        return text
    return wrapped(text, shutil.get_terminal_size().columns, hang)


def say_json(data: object) -> None:
    """Say one JSON object on one line. NaN and infinity, which JSON has not and only a forged row holds, are null."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(data), ensure_ascii=False, allow_nan=False)
    click.echo(visible_json(text))


def _finite(data: object) -> object:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data


class _Shown(logging.Formatter):
    """Shows what is logged: one line each, and tracebacks of ours with theirs."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # its base's name
        return visible(super().formatMessage(record))


def log_here() -> None:
    """Show what the station has to say on standard error: under systemd that is its log."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Shown("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
