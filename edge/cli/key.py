"""The commands on the rig's key, ``key new`` and ``key show``, and on the token of its page.

This module must never show the private half.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import as_json_option, database_to_read, db_option, one_line
from .say import say, say_json

if TYPE_CHECKING:
    from edge.seal.key import RigKey


@click.group()
def key() -> None:
    """The key by which this rig seals its runs, and the token of its page."""


@key.command()
@click.option("--name", callback=one_line, help="What the rig is called [its host name].")
@db_option
@as_json_option
def new(name: str | None, db: Path | None, as_json: bool) -> None:
    """Make the key, beside the database: once, as who measures (the installer does it for the service)."""
    from edge.errors import SealFailed
    from edge.seal.key import make_key, seal_folder
    from edge.seal.sealing import begin_log

    made = make_key(seal_folder(database_to_read(db)), name)
    try:
        begin_log(made)
    except SealFailed as e:
        say(f"its log has no signed head yet: {e}", err=True)
    _show(made, as_json)


@key.command()
@db_option
@as_json_option
def show(db: Path | None, as_json: bool) -> None:
    """Show what an auditor notes: fingerprint, line for allowed_signers, QR code."""
    from edge.errors import SealFailed
    from edge.seal.key import find_key, seal_folder

    folder = seal_folder(database_to_read(db))
    found = find_key(folder)
    if found is None:
        raise SealFailed(f"{folder}: there is no key, so runs are not sealed: make one with halfpercent key new")
    _show(found, as_json)


@key.command()
@click.option("--token-file", type=click.Path(path_type=Path), envvar="HALFPERCENT_TOKEN", help="Where it is.")
@db_option
@as_json_option
def token(token_file: Path | None, db: Path | None, as_json: bool) -> None:
    """Show the token that lets somebody act on the page; make one where there is none."""
    from edge.web.token import make_token, read_token
    from edge.web.token import token_file as where_token

    file = where_token(token_file, database_to_read(db), of_service=db is None)
    found = read_token(file) if file.exists() else make_token(file)
    if as_json:
        say_json({"token": found, "file": str(file)})
        return
    say(found)


def _show(found: RigKey, as_json: bool) -> None:
    line = found.allowed_signers_line
    if as_json:
        say_json({"fingerprint": found.public.fingerprint, "allowed_signers": line, "file": str(found.file)})
        return
    from edge.report.qr_text import qr_lines

    say(f"{found.name}, {found.public.fingerprint}")
    say()
    say("Whoever checks its seals keeps this line (a file for ssh-keygen -f, or halfpercent verify --signers):")
    say(line)
    for row in qr_lines(line):
        say(row)
