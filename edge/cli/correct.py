"""The command ``correct``: a declared fact of a run that has ended, put right in the open.

The station writes it where one runs, this command where none does. It must never write beside a writer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.errors import HalfpercentError

from .options import as_json_option, database_to_read, db_option, one_line, user_name
from .say import say, say_json

if TYPE_CHECKING:
    from edge.control.protocol import Answer
    from edge.database.correcting import Correction


@click.command()
@click.argument("run")
@click.argument("field")
@click.argument("value")
@click.option("--reason", required=True, callback=one_line, help="Why, for the record.")
@click.option("--who", callback=one_line, help="Your name [default: your user name].")
@click.option(
    "--socket", type=click.Path(path_type=Path), envvar="HALFPERCENT_SOCKET", help="The service's control socket."
)
@db_option
@as_json_option
def correct(
    run: str, field: str, value: str, reason: str, who: str | None, socket: Path | None, db: Path | None, as_json: bool
) -> None:
    """Correct what was declared of a run that has ended, such as sample, operator, customer or specimen.serial.

    Both values stay; the report shows the new one and names the old. What enters the result cannot be corrected.
    """
    from edge.database import writer_lock
    from edge.database.correcting import Correction, run_to_correct
    from edge.records.correction import corrected_value

    path = database_to_read(db)
    corrected_value(field, value)  # what cannot be corrected is said first
    run_id, uid = run_to_correct(path, run)
    asked = Correction(run_id, uid, field, value, reason)
    told = _ask_station(asked, who, socket) if writer_lock.is_held(path) else _write(path, asked, who)
    if as_json:
        say_json({"run_id": run_id} | dict(told))
        return
    was = "not stated" if told.get("was") is None else told.get("was")
    say(f"Run {run_id}: {field} was {was}, is {told.get('now')}. Both stay in the record: halfpercent report {run_id}")


def _ask_station(asked: Correction, who: str | None, socket: Path | None) -> Answer:
    from edge.control.client import ask
    from edge.control.protocol import SOCKET

    args: dict[str, str | int | float | bool | None] = {
        "run": asked.run_id, "uid": asked.run_uid, "field": asked.field, "value": asked.value, "reason": asked.reason
    }  # fmt: skip
    return ask(socket or SOCKET, "correct", args | ({} if who is None else {"operator": who}))


def _write(path: Path, asked: Correction, who: str | None) -> Answer:
    import time

    from edge.database.correcting import correct as write_correction
    from edge.database.journal import Journal
    from edge.seal.sealing import seal_run

    user = user_name()
    with Journal(path) as journal:
        told = write_correction(journal, asked, user if who is None else f"{who} ({user})", time.time()).data()
    try:
        seal_run(path, asked.run_id, time.time())
    except HalfpercentError as e:
        say(f"Written, and not sealed: {e}", err=True)
    return told
