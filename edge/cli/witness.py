"""The commands on a rig's log: ``checkpoint`` on the rig, ``witness`` on an auditor's laptop.

This module must never sign for the rig: the station does.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import as_json_option, database_to_read, db_option, user_db
from .say import say, say_json, say_lines

if TYPE_CHECKING:
    from edge.evidence.witness import Shown

_path = click.Path(path_type=Path)
signers_option = click.option("--signers", "signers_file", type=_path, help="Whose keys are known: allowed_signers.")


@click.command()
@click.option("--since", type=click.IntRange(min=0), help="With the proof that it adds to so many runs.")
@click.option("-o", "--output", type=_path, help="Into this file.")
@db_option
@as_json_option
def checkpoint(since: int | None, output: Path | None, db: Path | None, as_json: bool) -> None:
    """Show the head of the rig's log as it was signed last: for a witness."""
    from edge.errors import SealFailed
    from edge.seal.key import seal_folder
    from edge.seal.rig_log import RigLog

    folder = seal_folder(database_to_read(db))
    log = RigLog(folder)
    head = log.last_signed()
    if head is None:
        raise SealFailed(f"{folder}: no run was sealed yet: make a key (halfpercent key new), and end a run")
    text = head.to_note() if since is None else log.since(since, head).to_text()
    if output is not None:
        output.write_text(text, encoding="utf-8", newline="\n")
    if as_json:
        say_json({"origin": head.origin, "runs": head.size, "text": text})
        return
    if output is not None:
        say(f"{head.size} runs: {output}")
        return
    say_lines(text.rstrip("\n"))
    if since is None:
        from edge.report.qr_text import qr_lines

        for row in qr_lines(text):
            say(row)


@click.command()
@click.argument("file", type=_path)
@signers_option
@click.option("--state", type=_path, help="What this witness remembers [beside your own runs].")
@click.option("-o", "--output", type=_path, help="The cosigned checkpoint, into this file.")
@as_json_option
def witness(file: Path, signers_file: Path | None, state: Path | None, output: Path | None, as_json: bool) -> None:
    """Look at a rig's checkpoint, or at a run's package: does its log only add to what was seen? Then cosign it."""
    from edge.evidence.witness import Witness
    from edge.seal.signers import Signers

    signers = Signers() if signers_file is None else Signers.load(signers_file)
    seen = Witness(state or user_db().parent / "witness").look(
        _shown(file), signers, datetime.datetime.now(datetime.UTC)
    )
    note = seen.cosigned.to_note()
    if output is not None:
        output.write_text(note, encoding="utf-8", newline="\n")
    if as_json:
        say_json({"rig": seen.rig, "runs": seen.cosigned.size, "seen_before": seen.before, "cosigned": note})
        return
    before = "the first that is seen of it" if seen.before is None else f"they add to the {seen.before} that were seen"
    say(f"{seen.rig}: {seen.cosigned.size} runs, {before}. Remembered and cosigned:")
    say_lines(note.rstrip("\n"))


def _shown(file: Path) -> Shown:
    from calibration.bounded_file import NotReadable, read_regular_file
    from edge.errors import BadEvidence
    from edge.evidence.archive import MOST_BYTES
    from edge.evidence.package import is_package, shown_log
    from edge.evidence.witness import Shown

    try:
        raw = read_regular_file(file, MOST_BYTES)
        if is_package(raw):
            checkpoint, leaves = shown_log(raw, str(file))
            return Shown(checkpoint, leaves=leaves)
        return Shown.from_text(raw.decode().replace("\r\n", "\n"), str(file))
    except (NotReadable, UnicodeDecodeError) as e:
        raise BadEvidence(f"{file}: {e}: give a checkpoint, or a file of halfpercent export") from e
