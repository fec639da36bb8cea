"""The commands that talk to the running station: start, tare, note, ack, abort and the like.

Each sends one question over the control socket and shows the answer. This module must never open a chip or the
database: what the station does not say, nobody here knows.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_socket = click.option(
    "--socket",
    type=click.Path(path_type=Path),
    envvar="HALFPERCENT_SOCKET",
    help="The service's control socket (or HALFPERCENT_SOCKET).",
)


def _ask(socket: Path | None, command: str, **args: Any) -> dict[str, Any]:
    """Ask the station; what was not given is not sent."""
    from edge.control.client import ask
    from edge.control.protocol import SOCKET

    return ask(socket or SOCKET, command, {name: value for name, value in args.items() if value is not None})


def _tell(answer: dict[str, Any], as_json: bool, line: str) -> None:
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(line)
    if error := answer.get("not_written_yet"):
        click.echo(f"Not on disk yet: {error}", err=True)


_OF_A_TEST = (
    click.option("--sample", required=True, help="The sample's name."),
    click.option("--operator", required=True, help="Who runs the test."),
    click.option("--standard", help="A standard's name or its TOML file [the config's]."),
    click.option("--certificate", type=click.Path(path_type=Path), help="The load cell's [the config's]."),
    click.option("--blank-run", is_flag=True, help="The sample is an inert dummy."),
    click.option("--blank", type=click.IntRange(min=1), help="Subtract this blank run (its number in the database)."),
    click.option("--claim", help='The name it is sold by, such as "semi-solid".'),
    click.option("--composition", help="What it is declared to be made of."),
    click.option("--density", help="Its density in g/cm³, or bounds: 2.5 or 1.8..3.5."),
    click.option("--air", multiple=True, help="The air at M1, and again at M2: hPa,°C,% (1013.25,23.5,45)."),
    click.option("--zero-after", is_flag=True, help="Take the zero again after M2."),
    click.option("--check-weight", "check_weight_g", type=float, help="Weigh a check weight of so many g at the end."),
    click.option("--note", help="A remark for the record."),
)


def of_a_test(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a start; its ``ordered`` are then the arguments of ``orders.Start``."""

    @functools.wraps(command)
    def ordering(
        blank_run: bool, air: tuple[str, ...], zero_after: bool, certificate: Path | None, **given: Any
    ) -> None:
        where = {name: given.pop(name) for name in ("config_file", "db", "socket", "as_json") if name in given}
        standard = given.pop("standard")
        # A station may have another working directory: a file is named by its whole path.
        named = standard is not None and Path(standard).is_file()
        ordered = given | {
            "standard": str(Path(standard).absolute()) if named else standard,
            "certificate": None if certificate is None else str(certificate.absolute()),
            "kind": "blank" if blank_run else None,
            "zero_after": zero_after or None,
            "air": ";".join(air) or None,
        }
        command(**where, ordered={name: value for name, value in ordered.items() if value is not None})

    for option in reversed(_OF_A_TEST):
        ordering = option(ordering)
    return ordering


@click.command()
@of_a_test
@_socket
@_json
def start(socket: Path | None, as_json: bool, ordered: dict[str, Any]) -> None:
    """Start a test on the running station; tare comes next."""
    answer = _ask(socket, "start", **ordered)
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


@click.command()
@_socket
@_json
def tare(socket: Path | None, as_json: bool) -> None:
    """Take the zero of the empty holder."""
    _tell(_ask(socket, "tare"), as_json, "The zero is being taken, which takes a minute. Then put the sample on.")


@click.command()
@_socket
@_json
def load(socket: Path | None, as_json: bool) -> None:
    """Say that the sample is on."""
    _tell(_ask(socket, "load"), as_json, "M1 is being weighed: leave it alone until it is taken.")


@click.command()
@_socket
@_json
def zero(socket: Path | None, as_json: bool) -> None:
    """Say that the holder is empty again after M2."""
    _tell(_ask(socket, "zero"), as_json, "The zero is being taken again: leave the holder alone.")


@click.command()
@_socket
@_json
def check(socket: Path | None, as_json: bool) -> None:
    """Say that the check weight is on."""
    _tell(_ask(socket, "check"), as_json, "The check weight is being weighed: leave it alone.")


@click.command()
@_socket
@_json
def status(socket: Path | None, as_json: bool) -> None:
    """Say how the running station and its test are."""
    answer = _ask(socket, "status")
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else status_text(answer))


COMMANDS = (start, tare, load, zero, check, note, ack, abort, status)


def status_text(answer: dict[str, Any]) -> str:
    """Get the station's answer to ``status`` (docs/control.md) as text of several lines."""
    return "\n".join(f"{name:12}{value}".rstrip() for name, value in _status(answer))


def _status(s: dict[str, Any]) -> Iterator[tuple[str, str]]:
    run, readings = s.get("run"), s.get("readings") or {}
    if run is None:
        yield "station", "idle: halfpercent start --sample ID --operator NAME"
        last = s.get("last_run")
        if last is not None:
            yield "last run", f"{last.get('run_id')}: {last.get('sample_id')}: {last.get('verdict')}"
    else:
        dummy = " (blank)" if run.get("kind") == "blank" else ""
        yield "run", f"{run.get('run_id')}: sample {run.get('sample_id')}{dummy}, operator {run.get('operator')}"
        yield "phase", f"{run.get('phase')}, {_hours(run.get('elapsed_s'))} since the start"
        yield "hold", f"{_hours(run.get('hold_s'))} of {_hours(run.get('hold_required_s'))}"
        yield "mass", _number(run.get("mass_g"), ".4f", "g")
        yield "loss so far", _number(run.get("loss_pct"), ".4f", "%")
    yield "oven", _number(readings.get("temp_c"), ".2f", "°C")
    yield "load cell", f"{_number(readings.get('cell_temp_c'), '.2f', '°C')}, {_bridge(readings)}"
    yield "pressure", _number(readings.get("pressure_pa"), ".3g", "Pa")
    alarms = s.get("alarms") or []
    yield "alarms", "none" if not alarms else str(len(alarms))
    for alarm in alarms:
        state = "closed" if alarm.get("closed") else "open"
        seen = "acknowledged" if alarm.get("acknowledged") else "halfpercent ack"
        yield "", f"{alarm.get('alarm')}: {alarm.get('why')} ({state}, since {_time(alarm.get('opened_utc'))}; {seen})"
    interlock = s.get("interlock")
    held = " until its alarms are closed and acknowledged" if interlock == "open" else ""
    yield "interlock", ("not wired" if interlock == "none" else str(interlock or "unknown")) + held
    storage = s.get("storage") or {}
    free = storage.get("free_bytes")
    room = "unknown room" if free is None else f"{free / 1e9:.1f} GB free"
    yield "storage", f"{room} for {storage.get('database')}, {storage.get('pending_s') or 0:.0f} s not on disk yet"
    if storage.get("error"):
        yield "", str(storage["error"])
    synchronised = (s.get("clock") or {}).get("synchronised")
    if synchronised is None:
        yield "clock", "unknown"
    else:
        yield "clock", "synchronised" if synchronised else "not synchronised: dates are only labels"
    yield "up", f"{_hours(s.get('uptime_s'))}, halfpercent {s.get('software')}"


def _number(value: float | None, form: str, unit: str) -> str:
    return "unknown" if value is None else f"{value:{form}} {unit}"


def _hours(seconds: float | None) -> str:
    """Write seconds as hours, rounded down: a clock never shows time that it has not had."""
    return "unknown" if seconds is None else f"{math.floor(seconds / 36.0 + 1e-9) / 100.0:.2f} h"


def _bridge(readings: dict[str, Any]) -> str:
    status, code = readings.get("bridge_status"), readings.get("code")
    return "no sample yet" if status is None else f"{status}" + ("" if code is None else f", code {code}")


def _time(utc: str | None) -> str:
    return "unknown" if utc is None else f"{utc[:19].replace('T', ' ')} UTC"
