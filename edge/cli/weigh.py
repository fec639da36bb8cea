"""The commands about the laboratory's balance in a run: weigh, and carry out and back.

The station takes the mass and reads the port; this module must never measure, and never keep a photograph: it sends the
photograph's hash.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from .options import one_line, photograph_hash
from .station import as_json_answer, ask_station, of_a_station, tell


@click.command()
@click.argument("which", type=click.Choice(["m1", "m2"], case_sensitive=False))
@click.argument("mass_g", type=float, required=False)
@click.option(
    "--from-balance", is_flag=True, help="The station reads it, at the port in the settings; as without MASS_G."
)
@click.option("--balance", callback=one_line, help="The balance's name, as a check.")
@click.option("--who", callback=one_line, help="Who read the display [you].")
@click.option("--at", help="When it was weighed, if that is not now: 09:40, or 2026-11-26 09:40.")
@click.option("--photo", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Of the display; its hash.")
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
    socket: Path | None,
    as_json: bool,
) -> None:
    """Tell the run WHICH mass (M1 or M2) the laboratory's balance says: MASS_G as typed, or read without it."""
    from edge.records.sample import parse_opened

    if from_balance and mass_g is not None:
        raise click.UsageError("--from-balance reads the mass: give it, or MASS_G")
    ago_s = None if at is None else parse_opened(at, datetime.datetime.now().astimezone())
    answer = ask_station(
        socket,
        "weigh",
        which=which.lower(),
        mass_g=mass_g,
        balance=balance,
        who=who,
        weighed_ago_s=ago_s,
        photograph_sha256=None if photo is None else photograph_hash(photo),
    )
    said = f"{answer.get('mass_g')} g on balance {answer.get('balance')}, {answer.get('how')}"
    tell(answer, as_json, f"{which.upper()} is {said}: written down.")


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
