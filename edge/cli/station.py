"""The commands that talk to the running station: start, tare, note, ack, abort and the like.

Each sends one question over the control socket and shows the answer. This module must never open a chip or the
database: what the station does not say, nobody here knows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.toml_file import convert
from edge.errors import BadRequest
from edge.records.status import StationStatus
from edge.report.status_text import status_text

from .options import of_a_test
from .safety import show, show_until_said
from .say import say, say_json, say_lines

if TYPE_CHECKING:
    from edge.control.protocol import Answer, Argument

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


_socket = click.option(
    "--socket",
    type=click.Path(path_type=Path),
    envvar="HALFPERCENT_SOCKET",
    help="The service's control socket (or HALFPERCENT_SOCKET).",
)


def _ask(socket: Path | None, command: str, **args: Argument) -> Answer:
    """Ask the station; what was not given is not sent."""
    from edge.control.client import ask
    from edge.control.protocol import SOCKET

    return ask(socket or SOCKET, command, {name: value for name, value in args.items() if value is not None})


def _tell(answer: Answer, as_json: bool, line: str) -> None:
    if as_json:
        say_json(answer)
        return
    say(line)
    if error := answer.get("not_written_yet"):
        say(f"Not on disk yet: {error}", err=True)


@click.command()
@of_a_test
@_socket
@_json
def start(socket: Path | None, as_json: bool, ordered: dict[str, Argument]) -> None:
    """Start a test on the running station; tare comes next."""
    said = show_until_said(str(ordered["operator"]), str(ordered.get("series", "")))
    answer = _ask(socket, "start", **ordered, safety_said=said or None)
    if not said:  # nobody could be asked; a refusal is one line without it
        show()
    run = answer.get("run_id")
    _tell(answer, as_json, f"Run {run} has begun. Leave the holder empty, then: halfpercent tare")


@click.command()
@click.argument("text")
@_socket
@_json
def note(text: str, socket: Path | None, as_json: bool) -> None:
    """Write a remark into the record."""
    _tell(_ask(socket, "note", text=text), as_json, "Written down.")


@click.command()
@click.argument("alarm", required=False)
@_socket
@_json
def ack(alarm: str | None, socket: Path | None, as_json: bool) -> None:
    """Acknowledge an alarm by its name, or all of them."""
    answer = _ask(socket, "ack", alarm=alarm)
    count = answer.get("acknowledged")
    _tell(answer, as_json, f"{count} acknowledged." if count else "There was nothing to acknowledge.")


@click.command()
@click.option("--reason", help="Why, for the record.")
@_socket
@_json
def abort(reason: str | None, socket: Path | None, as_json: bool) -> None:
    """End the test now: it will be INVALID."""
    _tell(_ask(socket, "abort", reason=reason), as_json, "The test is ended: halfpercent report last")


@click.command("tare")
@_socket
@_json
def tell_tare(socket: Path | None, as_json: bool) -> None:
    """Take the zero of the empty holder."""
    _tell(_ask(socket, "tare"), as_json, "The zero is being taken, which takes a minute. Then put the sample on.")


@click.command("load")
@_socket
@_json
def tell_load(socket: Path | None, as_json: bool) -> None:
    """Say that the sample is on."""
    _tell(_ask(socket, "load"), as_json, "M1 is being weighed: leave it alone until it is taken.")


@click.command("vent")
@_socket
@_json
def tell_vent(socket: Path | None, as_json: bool) -> None:
    """Say that the air was let in after the hold: from here on a sample may take up water."""
    _tell(_ask(socket, "vent"), as_json, "Written down: what comes back from now on is looked for at M2.")


@click.command("zero")
@_socket
@_json
def tell_zero(socket: Path | None, as_json: bool) -> None:
    """Say that the holder is empty again after M2."""
    _tell(_ask(socket, "zero"), as_json, "The zero is being taken again: leave the holder alone.")


@click.command("check")
@_socket
@_json
def tell_check(socket: Path | None, as_json: bool) -> None:
    """Say that the check weight is on."""
    _tell(_ask(socket, "check"), as_json, "The check weight is being weighed: leave it alone.")


@click.command()
@_socket
@_json
def status(socket: Path | None, as_json: bool) -> None:
    """Say how the running station and its test are."""
    answer = _ask(socket, "status")
    if as_json:
        say_json(answer)
    else:
        say_lines(status_text(convert(dict(answer), StationStatus, "the station's answer", BadRequest)))


STATION_COMMANDS = (start, tell_tare, tell_load, tell_vent, tell_zero, tell_check, note, ack, abort, status)
