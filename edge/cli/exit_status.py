"""How the command ends: with its output, or with one line on standard error and a status.

The domain speaks of values by their names; here they become the options of a command. Exit status 0: it did its job,
whatever the verdict; 1: it could not; 2: wrong use. What a person, a disk or a chip did is never shown as a traceback;
a mistake of our own is, since hiding it would help nobody.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from calibration.errors import BadFit
from edge.errors import (
    BadDatabase,
    BadEvidence,
    BadRecording,
    BadValue,
    CalibrationRefused,
    HalfpercentError,
    NoCalibration,
    NoCertificate,
    SocketTrouble,
)


@dataclass(frozen=True, slots=True)
class Hint:
    """The option that does what a line of this class of errors advises in words that match ``advice``."""

    error: type[Exception]
    advice: re.Pattern[str]
    option: str


_ANOTHER = re.compile(r"\b(name|choose) (another|its)\b")
_AGAIN = re.compile(r"\bbegin again\b")
HINTS = (
    Hint(BadDatabase, _ANOTHER, "--db"),
    Hint(NoCalibration, _ANOTHER, "--db"),
    Hint(BadEvidence, re.compile(r"checkpoint since"), "--since"),
    Hint(BadEvidence, re.compile(r"key show"), "--signers"),
    Hint(SocketTrouble, _ANOTHER, "--socket"),
    Hint(NoCertificate, re.compile("certificate"), "--certificate"),
    Hint(CalibrationRefused, _AGAIN, "--restart"),
    Hint(BadFit, _AGAIN, "--restart"),
)


class Commands(click.Group):
    """Answers for itself what click would answer with an empty line or another status."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Parse the arguments; ``--help`` is answered here."""
        with _errors_answered():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _errors_answered():
            return super().invoke(ctx)


@contextmanager
def _errors_answered() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as e:
        raise click.ClickException("stopped by the keyboard; what was committed is safe") from e
    except click.Abort as e:
        raise click.ClickException("nobody answered: nothing was written") from e
    except BrokenPipeError as e:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from e


def run_command(cli: click.Group) -> NoReturn:
    """Run a command and end the process with its exit status."""
    _fill_standard_streams()
    atexit.register(gc.disable)  # no last search for circles: what is held goes with the process
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may lack the minus sign, a path may be no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as e:
        where = f" (try: {e.ctx.command_path} --help)" if isinstance(e, click.UsageError) and e.ctx else ""
        _stop(e.format_message() + where, e.exit_code)
    except Exception as e:
        if not _is_known(e):
            raise
        _stop(error_line(e, cli), 1)


def _fill_standard_streams() -> None:
    """Give a process that was started without standard streams such as are empty and keep nothing.

    Else the next file that is opened, a database say, has the number of standard output or error, and whatever a
    library writes there is written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, io.TextIOWrapper(io.FileIO(os.devnull, mode), encoding="utf-8"))


def _is_known(e: Exception) -> bool:
    """Say whether an error is one that a person, a disk or a chip can cause."""
    if isinstance(e, HalfpercentError | OSError | MemoryError):
        return True
    from calibration.errors import CalibrationError
    from edge.database.connection import SqliteError
    from hw.errors import HwError

    return isinstance(e, SqliteError | HwError | CalibrationError)


def error_line(e: Exception, cli: click.Group) -> str:
    """Get what a person at a terminal is told of an error: one line, in the words and options of the command."""
    from edge.database.connection import SqliteError

    if type(e).__module__ == "builtins" and isinstance(e, OSError):
        where = f"{e.filename}: " if e.filename else ""
        if isinstance(e, FileExistsError):
            return f"{where}is there already: name another"
        return f"{where}{e.strerror or e}: check the path, its rights and the room on the disk"
    if isinstance(e, MemoryError):
        return "not enough memory: close other programs, or cut the recording"
    if isinstance(e, SqliteError):
        return f"the database gives an error ({e}): check the disk, or name another (--db)"
    return _with_options(e, str(e) or type(e).__name__, cli)


def _with_options(e: Exception, line: str, cli: click.Group) -> str:
    """Get the line of an error with the names of values as the options that they are given by."""
    if isinstance(e, BadValue):
        option = f"--{e.what.replace('_', '-')}"
        return option + line.removeprefix(e.what) if option in _options(cli) else line
    if isinstance(e, BadRecording):
        options = [f"--{remedy}" for remedy in e.remedies]
    else:
        options = [hint.option for hint in HINTS if isinstance(e, hint.error) and hint.advice.search(line)][:1]
        options = [option for option in options if option not in line]
    return line + (f" ({' or '.join(options)})" if options else "")


def _options(command: click.Command) -> set[str]:
    own = {name for param in command.params for name in param.opts}
    return own.union(*map(_options, command.commands.values())) if isinstance(command, click.Group) else own


def _stop(line: str, status: int) -> NoReturn:
    from calibration.toml_file import one_line

    from .say import for_terminal

    click.echo(for_terminal(f"halfpercent: {one_line(line)}", err=True), err=True)
    sys.exit(status)
