"""The commands that talk to the running station: start, tare, note, ack, abort and the like.

Each sends one question over the control socket and shows the answer. This module must never open a chip or the
database: what the station does not say, nobody here knows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.errors import Refused, SocketTrouble
from edge.records.status import StationStatus
from edge.report.language import Language
from edge.report.status_text import status_text

from .options import of_a_test, one_line
from .safety import show, show_until_said
from .say import say, say_json, say_lines, say_text, say_wrapped
from .simulated import simulated_socket

if TYPE_CHECKING:
    from edge.control.protocol import Answer, Argument

LONGEST_WAIT_S, LOOK_EVERY_S = 120.0, 0.5
"""A tare takes a minute of good seconds, and what lies there is looked at for half of one."""

as_json_answer = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


of_a_station = click.option(
    "--socket",
    type=click.Path(path_type=Path),
    envvar="HALFPERCENT_SOCKET",
    help="The service's control socket (or HALFPERCENT_SOCKET).",
)


def ask_station(socket: Path | None, command: str, **args: Argument) -> Answer:
    """Ask the station; what was not given is not sent."""
    from edge.control.client import ask
    from edge.control.protocol import SOCKET

    given = {name: value for name, value in args.items() if value is not None}
    try:
        return ask(socket or SOCKET, command, given)
    except SocketTrouble as e:
        simulated = simulated_socket()
        if socket is None and simulated.exists():
            raise SocketTrouble(f"{e}; a simulated one may listen at {simulated}: add --socket {simulated}") from e
        raise


def tell(answer: Answer, as_json: bool, line: str) -> None:
    """Show an answer: as JSON, or as one line."""
    if as_json:
        say_json(answer)
        return
    say_wrapped(line)
    if error := answer.get("not_written_yet"):
        say(f"Not on disk yet: {error}", err=True)


@click.command()
@of_a_test
@of_a_station
@as_json_answer
def start(socket: Path | None, as_json: bool, ordered: dict[str, Argument]) -> None:
    """Start a test on the running station; tare comes next."""
    said = show_until_said(str(ordered["operator"]), str(ordered.get("series", "")))
    answer = ask_station(socket, "start", **ordered, safety_said=said or None)
    if not said:  # nobody could be asked; a refusal is one line without it
        show()
    run = answer.get("run_id")
    tell(answer, as_json, f"Run {run} has begun. Leave the holder empty, then: halfpercent tare")
    if not as_json and isinstance(head := answer.get("checkpoint"), str):
        say("The rig's log, for whoever wants to hold it to that (halfpercent witness):")
        say_lines(head.rstrip("\n"))


@click.command()
@click.argument("text")
@of_a_station
@as_json_answer
def note(text: str, socket: Path | None, as_json: bool) -> None:
    """Write a remark into the record."""
    tell(ask_station(socket, "note", text=text), as_json, "Written down.")


@click.command("hand-over")
@click.argument("given_by", callback=one_line)
@click.argument("taken_by", callback=one_line)
@click.option("--condition", callback=one_line, help="In what condition it was taken.")
@click.option("--because", callback=one_line, help="Why another gave it than had taken it before.")
@of_a_station
@as_json_answer
def hand_over(
    given_by: str, taken_by: str, condition: str | None, because: str | None, socket: Path | None, as_json: bool
) -> None:
    """Say that the specimen went from one hand to another while it is tested: GIVEN_BY gave it to TAKEN_BY."""
    answer = ask_station(
        socket, "hand-over", given_by=given_by, taken_by=taken_by, condition=condition, because=because
    )
    tell(answer, as_json, f"{given_by} gave it to {taken_by}: written down.")


@click.command()
@click.argument("why")
@click.option("--hours", type=click.FloatRange(0.01, 744.0), required=True, help="For how long.")
@click.option("--in-hours", type=click.FloatRange(0.0, 744.0), default=0.0, show_default=True, help="From when on.")
@of_a_station
@as_json_answer
def maintenance(why: str, hours: float, in_hours: float, socket: Path | None, as_json: bool) -> None:
    """Declare beforehand that the rig will not measure for a time: else it counts as an outage."""
    answer = ask_station(socket, "maintenance", why=why, hours=hours, in_hours=in_hours)
    tell(answer, as_json, f"Declared: {hours:g} h of maintenance.")


@click.command()
@click.argument("alarm", required=False)
@of_a_station
@as_json_answer
def ack(alarm: str | None, socket: Path | None, as_json: bool) -> None:
    """Acknowledge an alarm by its name, or all of them."""
    answer = ask_station(socket, "ack", alarm=alarm)
    count = answer.get("acknowledged")
    before = answer.get("acknowledged_before")
    none = f"There was nothing to acknowledge: it was by {before}." if before else "There was nothing to acknowledge."
    tell(answer, as_json, f"{count} acknowledged." if count else none)


@click.command()
@click.option("--reason", help="Why, for the record.")
@of_a_station
@as_json_answer
def abort(reason: str | None, socket: Path | None, as_json: bool) -> None:
    """End the test now: it will be INVALID."""
    tell(ask_station(socket, "abort", reason=reason), as_json, "The test is ended: halfpercent report last")


def _waits(command: Callable[..., None]) -> Callable[..., None]:
    text = "Stay until it was taken or refused [stay in a terminal]."
    return click.option("--wait/--no-wait", default=None, help=text)(command)


def _said(socket: Path | None, word: str, as_json: bool, wait: bool | None, line: str) -> None:
    """Say a word to the station, and stay until it was taken or refused where somebody looks.

    A refusal ends the command with 1: it was not done.
    """
    answer = ask_station(socket, word)
    if as_json or wait is False or (wait is None and not sys.stdout.isatty()):
        tell(answer, as_json, line)
        return
    tell(answer, as_json, line)
    begun = _status(socket).run
    for _ in range(round(LONGEST_WAIT_S / LOOK_EVERY_S)):
        time.sleep(LOOK_EVERY_S)
        run = _status(socket).run
        if run is None or begun is None or run.run_id != begun.run_id:
            say("The test has ended: halfpercent report last")
            return
        if run.refused:
            raise Refused(f"{word}: refused: {run.refused}")
        if run.phase != word:
            say(f"Taken. The test is at {run.phase}" + (f": {run.asked}" if run.asked else ", which goes on by itself"))
            return
    say("It is not taken yet: halfpercent status says how far it is.")


def _status(socket: Path | None) -> StationStatus:
    from edge.control.client import status_told

    return status_told(ask_station(socket, "status"))


@click.command("tare")
@_waits
@of_a_station
@as_json_answer
def tell_tare(socket: Path | None, as_json: bool, wait: bool | None) -> None:
    """Take the zero of the empty holder."""
    line = "The zero is being taken, which takes a minute. Then put the sample on."
    _said(socket, "tare", as_json, wait, line)


@click.command("load")
@_waits
@of_a_station
@as_json_answer
def tell_load(socket: Path | None, as_json: bool, wait: bool | None) -> None:
    """Say that the sample is on."""
    _said(socket, "load", as_json, wait, "M1 is being weighed: leave it alone until it is taken.")


@click.command("vent")
@of_a_station
@as_json_answer
def tell_vent(socket: Path | None, as_json: bool) -> None:
    """Say that the air was let in after the hold: from here on a sample may take up water."""
    tell(ask_station(socket, "vent"), as_json, "Written down: what comes back from now on is looked for at M2.")


@click.command("zero")
@of_a_station
@as_json_answer
def tell_zero(socket: Path | None, as_json: bool) -> None:
    """Say that the holder is empty again after M2."""
    tell(ask_station(socket, "zero"), as_json, "The zero is being taken again: leave the holder alone.")


@click.command("check")
@of_a_station
@as_json_answer
def tell_check(socket: Path | None, as_json: bool) -> None:
    """Say that the check weight is on: after M2, or before the sample where it was announced."""
    answer = ask_station(socket, "check")
    line = "The check weight is being weighed: leave it alone."
    if isinstance(rests_s := answer.get("rests_s"), int):
        line += (
            f" Then take it off: the holder rests for about {rests_s / 60.0:.0f} min before the sample, for what the "
            "weight made the cell creep comes back slowly."
        )
    tell(answer, as_json, line)


@click.command()
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of the text.")
@of_a_station
@as_json_answer
def status(lang: str, socket: Path | None, as_json: bool) -> None:
    """Say how the running station and its test are."""
    if as_json:
        say_json(ask_station(socket, "status"))
    else:
        say_text(status_text(_status(socket), Language(lang)))


STATION_COMMANDS = (
    start,
    tell_tare,
    tell_load,
    tell_vent,
    tell_zero,
    tell_check,
    note,
    hand_over,
    maintenance,
    ack,
    abort,
    status,
)
