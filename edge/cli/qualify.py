"""The command ``qualify``: this software on this machine against what is published, and the record of it.

This module must never call a machine qualified: it shows what each check found, and ends with the answer's own status.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import as_json_option, database_to_read, db_option
from .say import say, say_json, say_wrapped

if TYPE_CHECKING:
    from edge.qualify.record import Check, Qualification

NOT_QUALIFIED = 3
_path = click.Path(path_type=Path)


@click.command()
@click.option("--quick", is_flag=True, help="Only what takes seconds: references, stored runs, one simulated test.")
@click.option("-o", "--output", type=_path, help="The record, a new file; its signature goes beside it, as FILE.sig.")
@click.option("--config", "config_file", type=_path, help="The settings [/etc/halfpercent].")
@db_option
@as_json_option
def qualify(quick: bool, output: Path | None, config_file: Path | None, db: Path | None, as_json: bool) -> None:
    """Hold this software on this machine against what is published, and write the record that a laboratory files.

    References (GUM H, JCGM 101 and 106, IEC 60751, NIST), stored runs computed anew, nights of the simulated rig,
    machine and chips. Exit status: 0 QUALIFIED, 3 NOT QUALIFIED; 1: it could not be said.
    """
    import msgspec

    from edge.errors import BadInput
    from edge.instrument.config import config_path
    from edge.qualify.qualify import file_record
    from edge.qualify.qualify import qualify as qualified

    signature = None if output is None else output.with_name(f"{output.name}.sig")
    for file in (output, signature):
        if file is not None and (file.exists() or file.is_symlink()):
            raise BadInput(f"{file}: is there already, and is left as it is: name a new file")
    database = database_to_read(db)
    record = qualified(config_path(config_file), database, quick=quick, tell=_nothing if as_json else _show)
    key = None if output is None else file_record(record, database, output)
    if as_json:
        say_json(msgspec.to_builtins(record))
    else:
        _show_answer(record)
    if output is not None and not as_json:
        beside = "no key signs it (halfpercent key new)" if key is None else f"signed by {key.name}: {signature}"
        say(f"Written: {output}; {beside}")
    raise click.exceptions.Exit(0 if record.qualified else NOT_QUALIFIED)


def _nothing(check: Check) -> None:
    """Say nothing."""


def _show(check: Check) -> None:
    expected = f", expected {_short(check.expected)}" if check.expected else ""
    say(f"{check.state:6} {check.what}: {_short(check.found)}{expected} ({check.source})")
    if check.do and check.state in ("warn", "fail"):
        say_wrapped(check.do, "       ")


def _short(text: str) -> str:
    """Get a hash by its first digits, and other text as it is."""
    return f"{text[:12]}…" if len(text) == 64 and text.isalnum() else text


def _show_answer(record: Qualification) -> None:
    failed = [check.what for check in record.checks if check.state == "fail"]
    absent = sum(check.state == "absent" for check in record.checks)
    said = f"{len(record.checks)} checks, {len(failed)} failed, {absent} with nothing here to make them on"
    say(f"{'QUALIFIED' if record.qualified else 'NOT QUALIFIED'}{' (quick)' if record.quick else ''}: {said}")
    v = record.versions
    say(f"halfpercent {v.software}, identification {v.identification}; {record.machine}; Python {v.python}, "
        f"numba {v.numba}, numpy {v.numpy}, scipy {v.scipy}, SQLite {v.sqlite}; {record.made_utc}")  # fmt: skip
    if record.clock_set is not True:
        say("Nobody says that this machine's clock is set: write the date on it by hand.")
