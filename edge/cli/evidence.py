"""The commands on evidence: ``verify`` and ``sign``.

This module must never call a run good: it shows what was found, and ends with the answer's own status.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .no_circles import no_circles
from .options import as_json_option, database_to_read, db_option, one_line
from .say import say, say_json, say_wrapped
from .witness import signers_option

if TYPE_CHECKING:
    from edge.evidence.people import Meaning
    from edge.evidence.verification import Verification
    from edge.seal.signers import Signers

_path = click.Path(path_type=Path)


@click.command()
@click.argument("what")
@signers_option
@db_option
@as_json_option
def verify(what: str, signers_file: Path | None, db: Path | None, as_json: bool) -> None:
    """Verify a package (a file), or a run in the database (its number, or `last`).

    Exit status: 0 VERIFIED, 3 ALTERED, 4 UNSIGNED, 5 UNKNOWN SIGNER, 6 OTHER SOFTWARE; 1: nothing could be said.
    """
    import msgspec

    from edge.evidence.verification import EXIT_STATUS, verification_text
    from edge.seal.signers import Signers

    signers = None if signers_file is None else Signers.load(signers_file)
    with no_circles():
        found = _verified(what, db, signers)
    if as_json:
        say_json(msgspec.to_builtins(found))
    else:
        for line in verification_text(found):
            say_wrapped(line)
    raise click.exceptions.Exit(EXIT_STATUS[found.answer])


def _verified(what: str, db: Path | None, signers: Signers | None) -> Verification:
    from edge.evidence.verify import verify_package, verify_run
    from edge.seal.signers import Signers

    if what == "last" or what.isdigit():
        return verify_run(database_to_read(db), what, signers)
    return verify_package(Path(what), signers or Signers())


@click.command()
@click.argument("file", type=_path)
@click.option("--as", "meaning", type=click.Choice(["authorship", "review", "release"]), required=True, help="As what.")
@click.option("--name", required=True, callback=one_line, help="Your name, as it is to be printed.")
@click.option(
    "--key", "key_file", type=_path, help="Your SSH key [~/.ssh/id_ed25519]; of a token or an agent: its .pub."
)
def sign(file: Path, meaning: Meaning, name: str, key_file: Path | None) -> None:
    """Sign a package with your own SSH key, bound to the run's manifest."""
    from calibration.bounded_file import NotReadable, read_regular_file
    from edge.errors import BadEvidence
    from edge.evidence.archive import MOST_BYTES
    from edge.evidence.package import read_package
    from edge.evidence.people import sign_package
    from edge.records.durable_file import write_beside

    try:
        package = read_package(read_regular_file(file, MOST_BYTES), str(file))
    except NotReadable as e:
        raise BadEvidence(f"{file}: {e}: give a file of halfpercent export") from e
    key = key_file or Path("~/.ssh/id_ed25519").expanduser()
    signed = sign_package(package, meaning, name, key, datetime.datetime.now(datetime.UTC))
    write_beside(file, signed.to_bytes()).replace(file)
    say(f"{file}: signed as {meaning} by {name}.")
