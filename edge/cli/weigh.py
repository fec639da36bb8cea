"""The commands about the laboratory's balance in a run: weigh, and carry out and back.

The station takes the mass and reads the port; a mass of a run that has ended is written here where no station runs.
This module must never measure, and never write beside a writer.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.errors import HalfpercentError

from .options import database_to_read, db_option, one_line, photograph_hash, user_name
from .say import say
from .station import as_json_answer, ask_station, of_a_station, tell

if TYPE_CHECKING:
    from edge.control.protocol import Answer, Argument


@click.command()
@click.argument("which", type=click.Choice(["m1", "m2"], case_sensitive=False))
@click.argument("mass_g", type=float, required=False)
@click.option(
    "--from-balance", is_flag=True, help="The station reads it, at the port in the settings; as without MASS_G."
)
@click.option("--balance", callback=one_line, help="The balance's name, as a check.")
@click.option("--who", callback=one_line, help="Who read the display [you].")
@click.option("--at", help="When it was weighed, if that is not now: 09:40, or 2026-11-26 09:40.")
@click.option(
    "--photo", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Of the display; it is kept."
)
@click.option("--run", "run", help="A run that has ended (its number, or last): its result is amended.")
@db_option
@of_a_station
@as_json_answer
def weigh(
    which: str,
    mass_g: float | None,
    from_balance: bool,
    balance: str | None,
    who: str | None,
    at: str | None,
    photo: Path | None,
    run: str | None,
    db: Path | None,
    socket: Path | None,
    as_json: bool,
) -> None:
    """Tell the run WHICH mass (M1 or M2) the laboratory's balance says: MASS_G as typed, or read without it.

    One that arrives after the run's end is told with --run: the result is amended, and both stay in the record.
    """
    from edge.records.sample import parse_opened

    if from_balance and mass_g is not None:
        raise click.UsageError("--from-balance reads the mass: give it, or MASS_G")
    ago_s = None if at is None else parse_opened(at, datetime.datetime.now().astimezone())
    args: dict[str, Argument] = {
        "which": which.lower(),
        "mass_g": mass_g,
        "balance": balance,
        "who": who,
        "weighed_ago_s": ago_s,
        "photograph_sha256": None if photo is None else photograph_hash(photo),
        "photograph": None if photo is None else str(photo.absolute()),
    }
    if run is not None:
        _amend(run, args, socket, db, as_json)
        return
    answer = ask_station(socket, "weigh", **args)
    said = f"{answer.get('mass_g')} g on balance {answer.get('balance')}, {answer.get('how')}"
    tell(answer, as_json, f"{which.upper()} is {said}: written down.")


def _amend(run: str, args: dict[str, Argument], socket: Path | None, db: Path | None, as_json: bool) -> None:
    """Have the result of a run that has ended amended: by the station where one runs, else here."""
    from edge.database import writer_lock
    from edge.database.correcting import run_to_correct

    path = database_to_read(db)
    args = args | {"run": run_to_correct(path, run)[0]}
    answer = ask_station(socket, "weigh", **args) if writer_lock.is_held(path) else _write(path, args)
    where = f"halfpercent report {answer.get('run_id')}"
    line = f"Run {answer.get('run_id')} is judged again with it: {answer.get('verdict')}. Both results stay: {where}"
    tell(answer, as_json, line)


def _write(path: Path, args: dict[str, Argument]) -> Answer:
    import time

    from edge.control.protocol import Request, Weigh, parse
    from edge.database.amending import amend
    from edge.database.attachments import keep
    from edge.database.journal import Journal
    from edge.errors import BadInput
    from edge.seal.sealing import seal_run
    from edge.station.late_mass import late_mass
    from edge.verdict.judge import judge_night

    who, wall_s = user_name(), time.time()
    order = parse(Request("weigh", {name: value for name, value in args.items() if value is not None}, who))
    assert isinstance(order, Weigh)  # what was asked for
    if order.mass_g is None:
        raise BadInput("weigh: the station reads the balance, and none runs: type the mass")
    late = late_mass(path, order, None, who, wall_s, judge_night)
    with Journal(path) as journal:
        told = amend(journal, late, who, wall_s)
    if order.photograph is not None and order.photograph_sha256 is not None:
        why = keep(path, Path(order.photograph), order.photograph_sha256)
        if why is not None:
            say(f"The photograph is not kept: {why}", err=True)
    try:
        seal_run(path, late.run_id, time.time())
    except HalfpercentError as e:
        say(f"Written, and not sealed: {e}", err=True)
    said = {"run_id": late.run_id, "which": str(late.said.which), "mass_g": late.said.mass_g}
    return said | {"balance": late.said.balance, "verdict": str(late.result.verdict), "amends": told.was_sha256}


@click.command()
@click.argument("way", type=click.Choice(["out", "back"]))
@of_a_station
@as_json_answer
def carry(way: str, socket: Path | None, as_json: bool) -> None:
    """Say that the sample is carried to the balance, before it is lifted, or that it is back on the rig."""
    line = (
        "It is off the rig: weigh it, and say the mass (halfpercent weigh)."
        if way == "out"
        else "It is back: it is weighed here anew; leave it alone."
    )
    tell(ask_station(socket, f"carry {way}"), as_json, line)


BALANCE_COMMANDS = (weigh, carry)
