"""The command ``init``: asks what is wired and writes the settings, onto the screen or into a new file.

It never writes over a file, and never writes a setting that nobody gave: what is not asked keeps its default. This
module must never touch a chip but through the doctor, once a file is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .say import say, say_lines, say_wrapped

if TYPE_CHECKING:
    from edge.doctor.finding import Finding

Given = dict[str, object]
CHIPS = {"1": "nau7802", "2": "hx711", "3": "hx711_spi"}
CONVERTERS = (
    "The load cell's converter: 1 a NAU7802 (four wires to I2C), 2 an HX711 (SCK and DOUT to two pins), 3 an HX711 "
    "clocked by an SPI port of its own. 1 is the quieter one."
)
BOARDS = {"Pt100": "430 or 400", "Pt1000": "4300 or 4000"}


@click.command("init")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--doctor/--no-doctor", "look", default=True, help="Look at the machine and its chips in the end [yes].")
def init(file: Path | None, look: bool) -> None:
    """Ask what is wired; write the settings into a new FILE, or onto the screen. Enter takes what is in brackets."""
    from edge.doctor.machine import examine
    from edge.errors import BadConfig, BadInput
    from edge.instrument.config import loads_config, mistakes
    from edge.instrument.wiring import conflicts, wiring_text

    from .options import database_to_read

    if file is not None and (file.exists() or file.is_symlink()):
        raise BadInput(f"{file}: is there already, and is left as it is: name a new file, or edit that one")
    text = settings_text(dict(_tables()))
    wrong = mistakes(text, "these answers") or [f"these answers: {c}" for c in conflicts(loads_config(text))]
    if wrong:
        raise BadConfig(f"{wrong[0]} (nothing was written: answer again)")
    say_lines("\n" + wiring_text(loads_config(text)).rstrip(), err=True)
    say("With colours: halfpercent wiring --svg wiring.svg (docs/wiring.md)", err=True)
    if file is None:
        say_lines(text.rstrip())
        return
    from edge.records.durable_file import new_file

    with new_file(file) as to:
        to.write(text.encode())
    say(f"Written: {file}. It is yours: edit it, then halfpercent check-config {file}")
    if look:
        show_findings(list(examine(file, database_to_read(None))))


def show_findings(found: list[Finding]) -> None:
    """Show what the doctor found: a line each, and what to do below."""
    for f in found:
        say_wrapped(f"{f.state:6}  {f.check}: {f.found}", hang=8)
        if f.do:
            say_wrapped(f"-> {f.do}", "        ", hang=3)


def settings_text(tables: dict[str, Given]) -> str:
    """Write tables of answers as the settings' TOML."""
    from calibration.toml_text import toml_value

    lines = ["# Settings of this instrument, as answered to halfpercent init. All that can be set: docs/config.md"]
    for name, values in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {toml_value(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _tables() -> Iterator[tuple[str, Given]]:
    """Ask, table by table; a table in which nothing is said is left out."""
    say_wrapped(CONVERTERS, err=True)
    chip = CHIPS[_asked("Which", "1", choices=CHIPS)]
    bridge: Given = {"chip": chip}
    if chip == "hx711":
        bridge |= {"sck_pin": _pin("SCK on", "GPIO6"), "dout_pin": _pin("DOUT on", "GPIO5")}
    yield "bridge", bridge
    say_wrapped(
        "Thermometers are Pt100 or Pt1000 on a MAX31865 board each. For a load cell alone, answer no twice.", err=True
    )
    mains_hz = None
    for name, where, select in (
        ("oven_probe", "in the oven (a test needs it)", 0),
        ("cell_probe", "on the load cell", 1),
    ):
        if not click.confirm(f"A thermometer {where}?", default=True, err=True):
            continue
        if mains_hz is None:
            mains_hz = int(_asked("Mains frequency in Hz: 50 or 60", "50", choices={"50": "", "60": ""}))
        yield name, _thermometer(mains_hz, select)
    gauge = _asked("Vacuum gauge: declared (none), mprls, or ads1115 (analogue)", "declared", choices=GAUGES)
    if gauge == "ads1115":
        yield "vacuum", {"gauge": gauge, "curve": _asked_as(_curve, "Its points, V:Pa", "1:0.1 9:100000")}
    elif gauge != "declared":
        yield "vacuum", {"gauge": gauge}
    chip = _asked("Barometer in the room: none, bmp280 or bme280", "none", choices=BAROMETERS)
    if chip != "none":
        yield "barometer", {"chip": chip}
    say_wrapped(
        "Lamp, buzzer, button, interlock relay: the pin that each is wired to, or Enter where it is not.", err=True
    )
    panel: Given = {f"{part}_pin": pin for part in PANEL if (pin := _pin(f"{part.capitalize()} on", ""))}
    if panel:
        yield "panel", panel
    if certificate := _asked("The load cell's certificate, a file (Enter: none yet)", ""):
        test: Given = {"certificate": str(Path(certificate).absolute())}
        yield "test", test


GAUGES = {"declared": "", "mprls": "", "ads1115": ""}
BAROMETERS = {"none": "", "bmp280": "", "bme280": ""}
PANEL = ("lamp", "buzzer", "button", "relay")


def _thermometer(mains_hz: int, chip_select: int) -> Given:
    kind = _asked("  Pt100 or Pt1000", "Pt100", choices=BOARDS)
    wires = int(_asked("  How many wires lead to it: 2, 3 or 4", "4", choices={"2": "", "3": "", "4": ""}))
    usual = BOARDS[kind].partition(" ")[0]
    ref_ohm = _asked_as(float, f"  The board's reference resistor in Ω, as printed beside it: {BOARDS[kind]}", usual)
    out: Given = {"wires": wires, "ref_ohm": ref_ohm, "mains_hz": mains_hz}
    if kind == "Pt1000":
        out["nominal_ohm"] = 1000.0
    select = int(_asked("  Its chip-select: CE0 or CE1 (0 or 1)", str(chip_select), choices={"0": "", "1": ""}))
    return out | ({"chip_select": select} if select else {})


def _asked(question: str, default: str, choices: dict[str, str] | None = None) -> str:
    """Ask until the answer is one of ``choices``, whatever its case; '' is an answer where it is the default."""
    by_lower = {choice.lower(): choice for choice in choices or {}}
    while True:
        answer = str(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()
        if choices is None:
            return answer
        if answer.lower() in by_lower:
            return by_lower[answer.lower()]
        say(f"  {answer!r} is none of {', '.join(choices)}", err=True)


def _asked_as(parse: Callable[[str], object], question: str, default: str) -> object:
    while True:
        answer = _asked(question, default)
        try:
            return parse(answer)
        except ValueError:
            say(f"  {answer!r} cannot be used: answer as in the brackets", err=True)


def _pin(question: str, default: str) -> str:
    """Ask for a pin: GPIO5, or its number on the header as BOARD29; '' where nothing is wired and that is allowed."""
    while True:
        answer = _asked(f"{question} (such as GPIO5, or BOARD29)", default).upper()
        pin = f"GPIO{answer}" if answer.isdigit() else answer
        if not pin and not default:
            return ""
        if pin.startswith(("GPIO", "BOARD")) and pin.removeprefix("GPIO").removeprefix("BOARD").isdigit():
            return pin
        say(f"  {answer!r} is no pin", err=True)


def _curve(text: str) -> tuple[tuple[float, float], ...]:
    pairs = (pair.split(":") for pair in text.split())
    return tuple((float(volts), float(pa)) for volts, pa in pairs)
