"""The commands on a specimen's record: ``specimen new`` asks and writes a file, ``specimen show`` reads one.

This module must never write over a file, and never fill in what was not answered.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from .asking import Parse, asked
from .options import photograph_hash
from .say import say, say_json


@click.group()
def specimen() -> None:
    """Who the specimen is, how it was opened, and whether a liquid was seen."""


@specimen.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Check a specimen's FILE and show it as JSON."""
    from edge.records.specimen_file import load_specimen

    say_json(load_specimen(file).as_settings())


@specimen.command()
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> None:
    """Ask for what is to be recorded, and write it into a new FILE. Enter alone leaves a question out."""
    from edge.errors import BadSpecimen
    from edge.records.specimen_file import from_answers, write_new

    if file.exists() or file.is_symlink():
        raise BadSpecimen(f"{file}: is there already, and is left as it is: name a new file")
    answers: dict[str, object] = {}
    for name, question, parse in _ABOUT:
        _put(answers, name, asked(question, parse, needed=name in _NEEDED))
    _put(answers, "hand_overs", _list(_HAND_OVER, "Another hand-over"))
    _put(answers, "seals", _list(_SEAL, "Another seal"))
    _put(answers, "photographs", [_photograph(path) for path in _paths("A photograph's file")])
    if click.confirm("Was it opened?", err=True):
        opening = _table(_OPENING)
        if (place := _table(_SURROUNDINGS)) and "kind" in place:
            opening["surroundings"] = place
        answers["opening"] = opening
    if click.confirm("Was a liquid looked for at the opening?", err=True):
        check: dict[str, object] = {"liquid_seen": click.confirm("Was a liquid seen?", err=True)}
        check |= _table(_CHECK)
        check["turned_over"] = click.confirm("Was it turned over?", err=True)
        for path in _paths("The photograph of the opening, its file", once=True):
            check |= {"photograph_sha256": photograph_hash(path), "photograph_file": path.name}
        answers["visual_check"] = check
    write_new(file, from_answers(answers, str(file)))
    say(f"Written: {file}. What you left out can be added there. Then: halfpercent start --specimen {file}")


def _number(text: str) -> float:
    return float(text)


def _when(text: str) -> datetime.datetime:
    at = datetime.datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.astimezone()


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _dimensions(text: str) -> list[float]:
    length, width, height = (float(part) for part in text.replace("x", " ").replace("×", " ").split())
    return [length, width, height]


_ABOUT: tuple[tuple[str, str, Parse], ...] = (
    ("maker", "Maker", str),
    ("model", "Model", str),
    ("serial", "Serial number", str),
    ("claim", "Name that it is sold by", str),
    ("claimed_class", "Class that it is sold as", str),
    ("subclasses", 'Sub-classes, as declared ("sulfide, lithium-ion, energy")', _names),
    ("chemistry", "Chemistry, as declared", str),
    ("composition", 'What carries its ions, as declared ("oxide, liquid 3 %")', str),
    ("dimensions_mm", "Dimensions in mm (60 x 40 x 5)", _dimensions),
    ("m0_g", "Mass before the opening in g (M0)", _number),
    ("u_m0_g", "Standard uncertainty of M0 in g", _number),
    ("open_circuit_v", "Open-circuit voltage in V", _number),
    ("state_of_charge_pct", "State of charge in %", _number),
    ("activation", "Activation (cycles, rates, dates)", str),
)
_NEEDED = ("maker", "model", "serial", "by", "at", "opened_at", "given_by", "taken_by", "number", "found")
_TIME = "2026-11-26 09:40"
_HAND_OVER: tuple[tuple[str, str, Parse], ...] = (
    ("at", f"Handed over when ({_TIME})", _when),
    ("given_by", "By whom", str),
    ("taken_by", "To whom", str),
    ("condition", "In what condition", str),
)
_SEAL: tuple[tuple[str, str, Parse], ...] = (
    ("number", "Seal's number", str),
    ("found", "Found intact, broken or removed", str),
    ("where", "Where it is", str),
)
_OPENING: tuple[tuple[str, str, Parse], ...] = (
    ("opened_at", f"Opened when ({_TIME})", _when),
    ("by", "By whom", str),
    ("how", "How (tool)", str),
    ("where", "Where on the cell", str),
    ("area_mm2", "How large, in mm²", _number),
)
_SURROUNDINGS: tuple[tuple[str, str, Parse], ...] = (
    ("kind", "In what surroundings (dry_room, glove_box or open_bench)", str),
    ("temp_c", "Temperature there in °C", _number),
    ("dew_point_c", "Dew point there in °C", _number),
)
_CHECK: tuple[tuple[str, str, Parse], ...] = (
    ("by", "Who looked", str),
    ("at", f"When ({_TIME})", _when),
    ("remark", "Remark", str),
)


def _table(questions: tuple[tuple[str, str, Parse], ...]) -> dict[str, object]:
    table: dict[str, object] = {}
    for name, question, parse in questions:
        needed = name in _NEEDED and not (questions is _CHECK and name == "at")
        _put(table, name, asked(question, parse, needed=needed))
    return table


def _list(questions: tuple[tuple[str, str, Parse], ...], another: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while click.confirm(
        f"{another}?" if found else f"{another.removeprefix('Another ').capitalize()} to record?", err=True
    ):
        found.append(_table(questions))
    return found


def _paths(question: str, *, once: bool = False) -> list[Path]:
    found: list[Path] = []
    while not (once and found) and (text := str(click.prompt(question, default="", show_default=False, err=True))):
        path = Path(text)
        if path.is_file():
            found.append(path)
        else:
            say(f"  {text}: no such file", err=True)
    return found


def _photograph(path: Path) -> dict[str, object]:
    return {
        "sha256": photograph_hash(path),
        "shows": asked(f"What does {path.name} show", str, needed=True),
        "file": path.name,
    }


def _put(table: dict[str, object], name: str, value: object) -> None:
    if value is not None and value != []:
        table[name] = value
