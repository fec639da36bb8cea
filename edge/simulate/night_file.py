"""A night as a file: what happens in a simulated test, and when. TOML to frozen records, or one line for a mistake.

docs/nights.md describes the file. This module must never guess what a person meant, and never act a night out.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from calibration.toml_file import Tables, Text, convert, one_line, parse, read_text
from edge.errors import BadInput, BadValue
from edge.instrument.config import Config, usual
from edge.records.phase import Phase
from hw.sim.rig import SCENARIOS

from .instrument import BRIDGES

NIGHTS = Path(__file__).with_name("nights")
"""The nights that are shipped."""
MAX_BYTES = 64_000
MAX_EVENTS = 200

OffS = Annotated[float, Meta(ge=0, le=86_400, description="a time in s, 0 to 86400")]
ForS = Annotated[float, Meta(gt=0, le=86_400, description="a time in s, above 0, at most 86400")]
Mg = Annotated[float, Meta(ge=-1e6, le=1e6, description="a mass in mg, -1000000 to 1000000")]
MgPerH = Annotated[float, Meta(ge=-1e5, le=1e5, description="mg in an hour, -100000 to 100000")]
LossMgPerH = Annotated[float, Meta(gt=0, le=1e5, description="mg in an hour, above 0, at most 100000")]
Ohm = Annotated[float, Meta(ge=0, le=1e6, description="a resistance in Ω, 0 to 1000000")]
MassG = Annotated[float, Meta(gt=0, le=10_000, description="a mass in g, above 0, at most 10000")]


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all events have in common. ``WHAT`` is the event's name in the file."""

    WHAT: ClassVar[str]


class Restart(_Event, frozen=True, kw_only=True):
    """The service is stopped and started again ``off_s`` later; the chips keep their power."""

    WHAT = "restart"
    off_s: OffS


class PowerCut(_Event, frozen=True, kw_only=True):
    """Pi, chips and oven lose their power. ``clock_set``: after it somebody sets the wall clock."""

    WHAT = "power_cut"
    off_s: OffS
    clock_set: bool = True


class BrownOut(_Event, frozen=True, kw_only=True):
    """The chips' supply dips: each starts anew; the Pi notices nothing."""

    WHAT = "brown_out"


class Unplug(_Event, frozen=True, kw_only=True):
    """A plug is pulled: the load-cell chip's, the barometer's, or a thermometer's at its terminals."""

    WHAT = "unplug"
    device: Literal["bridge", "oven", "cell", "barometer"]
    for_s: ForS


class LiftSample(_Event, frozen=True, kw_only=True):
    """Somebody takes the sample off, and puts it back."""

    WHAT = "lift_sample"
    for_s: ForS


class DropSample(_Event, frozen=True, kw_only=True):
    """The sample falls off and stays off."""

    WHAT = "drop_sample"


class PlaceSample(_Event, frozen=True, kw_only=True):
    """Somebody puts the sample on, whether it is time or not."""

    WHAT = "place_sample"


class SwapWires(_Event, frozen=True, kw_only=True):
    """The bridge's signal wires are swapped."""

    WHAT = "swap_wires"


class Step(_Event, frozen=True, kw_only=True):
    """The indication moves at once and for good."""

    WHAT = "step"
    mg: Mg


class ZeroDrift(_Event, frozen=True, kw_only=True):
    """The zero drifts from now on."""

    WHAT = "zero_drift"
    mg_per_h: MgPerH


class Draught(_Event, frozen=True, kw_only=True):
    """Air moves the load: ``mg`` rms, with a memory of ``tau_s``."""

    WHAT = "draught"
    mg: Annotated[float, Meta(gt=0, le=1e6, description="a mass in mg, above 0, at most 1000000")]
    tau_s: Annotated[float, Meta(ge=1, le=86_400, description="a time in s, 1 to 86400")]
    for_s: ForS


class Regain(_Event, frozen=True, kw_only=True):
    """The sample takes up moisture as long as there is air around it."""

    WHAT = "regain"
    mg_per_h: LossMgPerH


class Dry(_Event, frozen=True, kw_only=True):
    """The sample dries until the air is pumped away."""

    WHAT = "dry"
    mg_per_h: LossMgPerH


class Weather(_Event, frozen=True, kw_only=True):
    """The air's pressure becomes ``hpa``; the cell's zero moves by so many of its v_min for each kPa."""

    WHAT = "weather"
    hpa: Annotated[float, Meta(ge=500, le=1100, description="a pressure in hPa, 500 to 1100")]
    zero_effect_vmin_per_kpa: Annotated[float, Meta(ge=-100, le=100, description="a number, -100 to 100")] = 0.0


class Thermometer(_Event, frozen=True, kw_only=True):
    """Another element is in the oven thermometer's place, or the right one is half shorted."""

    WHAT = "thermometer"
    ohm: Ohm
    for_s: ForS | None = None


class Oven(_Event, frozen=True, kw_only=True):
    """The oven goes to another temperature: its door is open, or its controller is wrong."""

    WHAT = "oven"
    temp_c: Annotated[float, Meta(ge=-50, le=400, description="a temperature in °C, -50 to 400")]
    for_s: ForS


class ClockStep(_Event, frozen=True, kw_only=True):
    """Somebody moves the wall clock."""

    WHAT = "clock"
    step_s: Annotated[float, Meta(ge=-1e9, le=1e9, description="a time in s, -1e9 to 1e9")]


class DiskFull(_Event, frozen=True, kw_only=True):
    """There is no room on the disk."""

    WHAT = "disk_full"
    for_s: ForS


class ReadOnly(_Event, frozen=True, kw_only=True):
    """The disk cannot be written."""

    WHAT = "read_only"
    for_s: ForS


class Settings(_Event, frozen=True, kw_only=True):
    """Somebody edits the settings: they hold from the service's next start on."""

    WHAT = "settings"
    key: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\.[a-z0-9_]{1,40}\Z", description='a key such as "bridge.gain"')]
    value: str | int | float | bool


class SecondProgram(_Event, frozen=True, kw_only=True):
    """Another program opens the load-cell chip, reads it at ``gain``, and leaves it."""

    WHAT = "second_program"
    gain: Literal[128, 64] = 64


class Command(_Event, frozen=True, kw_only=True):
    """A command that nobody waits for, or (``skip``) one that from now on never comes."""

    WHAT = "command"
    command: Literal["tare", "load", "carry out", "carry back", "zero", "check", "abort"] | None = None
    skip: Literal["tare", "load", "zero", "check"] | None = None

    def __post_init__(self) -> None:
        if (self.command is None) == (self.skip is None):
            raise ValueError("give either command or skip")


class Weigh(_Event, frozen=True, kw_only=True):
    """The sample is weighed on the laboratory's balance: its display is typed, ``off_mg`` beside it, or read."""

    WHAT = "weigh"
    mass: Literal["m1", "m2"]
    how: Literal["typed", "read"] = "typed"
    off_mg: Mg = 0.0


class WrongBoard(_Event, frozen=True, kw_only=True):
    """The oven's thermometer hangs on a board with another reference resistor: 4300 Ω is a Pt1000's."""

    WHAT = "wrong_board"
    ref_ohm: Annotated[float, Meta(gt=0, le=1e5, description="a resistance in Ω, above 0: 4300 or 400")] = 4300.0


Happens: TypeAlias = (
    Restart | PowerCut | BrownOut | Unplug | LiftSample | DropSample | PlaceSample | SwapWires | Step | ZeroDrift
    | Draught | Regain | Dry | Weather | Thermometer | Oven | ClockStep | DiskFull | ReadOnly | Settings
    | SecondProgram | Command | Weigh | WrongBoard
)  # fmt: skip
"""What may happen."""
EVENTS: dict[str, type[Happens]] = {
    kind.WHAT: kind
    for kind in (
        Restart, PowerCut, BrownOut, Unplug, LiftSample, DropSample, PlaceSample, SwapWires, Step, ZeroDrift,
        Draught, Regain, Dry, Weather, Thermometer, Oven, ClockStep, DiskFull, ReadOnly, Settings,
        SecondProgram, Command, Weigh, WrongBoard,
    )
}  # fmt: skip
_CALLED = {
    Phase.CHECK_BEFORE: "checkbefore",
    Phase.CHECK: "check",
    Phase.CARRY_M1: "carrym1",
    Phase.CARRY_M2: "carrym2",
}
PHASES = {_CALLED.get(phase, str(phase)): phase for phase in Phase if phase is not Phase.DONE}
"""Phases by the words that a night calls them."""


@dataclass(frozen=True, slots=True)
class NightEvent:
    """Something that happens ``after_s`` seconds after a phase has begun."""

    phase: Phase
    after_s: float
    happens: Happens

    def __str__(self) -> str:
        fields = ((name, getattr(self.happens, name)) for name in self.happens.__struct_fields__)
        about = ", ".join(f"{name} {value}" for name, value in fields if value is not None)
        return self.happens.WHAT + (f" ({about})" if about else "")


class NightHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of a night's file but its events. ``loss_pct`` is what the sample loses [the scenario's].

    ``barometer`` is the chip that the settings name [none].
    """

    title: Text = "a night"
    scenario: Literal[tuple(SCENARIOS)] = "solid"  # type: ignore[valid-type]  # its values are data
    seed: Annotated[int, Meta(ge=0, lt=2**31, description="a whole number, 0 to 2147483647")] = 1
    bridge: Literal[BRIDGES] = "nau7802"  # type: ignore[valid-type]
    loss_pct: Annotated[float, Meta(ge=0, le=50, description="a loss in %, 0 to 50")] | None = None
    zero_after: bool = False
    check_weight_g: MassG | None = None
    check_before: bool = False
    barometer: Literal["bmp280", "bme280"] | None = None
    accepted: tuple[Literal["PASS", "FAIL", "INCONCLUSIVE", "INVALID"], ...] = ()


@dataclass(frozen=True, slots=True)
class Night:
    """A night: its name, its head, and what happens in it in the order of the file."""

    name: str
    head: NightHead
    events: tuple[NightEvent, ...] = ()


QUIET = Night("quiet", NightHead())
"""A night in which nothing happens."""


def redrawn(night: Night, scenario: str | None, bridge: str | None, seed: int | None) -> Night:
    """Get a night with another rig (None: its own). Raises ``BadValue`` for a scenario or bridge that is not there."""
    head = night.head
    if scenario is not None and scenario not in SCENARIOS:
        raise BadValue("scenario", scenario, f"unknown: use {', '.join(SCENARIOS)}")
    if bridge is not None and bridge not in BRIDGES:
        raise BadValue("bridge", bridge, f"unknown: use {', '.join(BRIDGES)}")
    head = msgspec.structs.replace(
        head,
        scenario=head.scenario if scenario is None else scenario,
        bridge=head.bridge if bridge is None else bridge,
        seed=head.seed if seed is None else seed,
    )
    return Night(night.name, head, night.events)


def load_night(given: str) -> Night:
    """Get a night by its file's path, or a shipped one by its name. Raises ``BadInput``, one line."""
    path = Path(given)
    if path.suffix != ".toml" and not path.exists():
        path = NIGHTS / f"{given}.toml"
        if given not in shipped_nights():
            near = difflib.get_close_matches(given, shipped_nights(), 1)
            shipped = f"use a TOML file, or one of the {len(shipped_nights())} in docs/nights.md, such as step-in-hold"
            right = f"did you mean {near[0]}?" if near else shipped
            raise BadInput(one_line(f"{given}: no such night: {right}"))
        return loads_night(read_text(path, BadInput), f"{given}.toml", given)
    return loads_night(read_text(path, BadInput), str(path), path.stem)


def shipped_nights() -> list[str]:
    """Get the names of the nights that are shipped."""
    return sorted(path.stem for path in NIGHTS.glob("*.toml"))


def loads_night(text: str, where: str = "night", name: str = "night") -> Night:
    """Get the night that a TOML text holds. Raises ``BadInput`` with the first mistake, one line."""
    if len(text.encode()) > MAX_BYTES:
        raise BadInput(f"{where}: longer than {MAX_BYTES} bytes: a night is a page of events")
    _refuse_dotted(text, where)
    tables = parse(text, where, BadInput)
    given = tables.pop("event", [])
    if "events" in tables:
        raise BadInput(f"{where}: events is unknown: write each as a table [[event]]")
    head = convert(tables, NightHead, where, BadInput)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise BadInput(f"{where}: event is no list of tables: write each as [[event]] with at and what")
    if len(given) > MAX_EVENTS:
        raise BadInput(f"{where}: {len(given)} events: a night has at most {MAX_EVENTS}")
    night = Night(name, head, tuple(_event(one, f"{where}: event {i}") for i, one in enumerate(given, 1)))
    _check_settings(night, where)
    return night


_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*')
_DOTTED = re.compile(r"[A-Za-z_\"'-]\s*\.|\.\s*[A-Za-z_\"'-]|\d\s*\.\s*\d+\s*\.")


def _refuse_dotted(text: str, where: str) -> None:
    """Raise ``BadInput`` for a dotted key: a night has none, and many of them take a parser long."""
    if '"""' in text or "'''" in text:
        raise BadInput(f"{where}: a text of several lines: write it as one line")
    for number, line in enumerate(text.split("\n"), 1):
        if _DOTTED.search(_STRING.sub('""', line)):
            raise BadInput(f"{where}: line {number} has a dotted key: write [[event]] and its values below it")


_AT = re.compile(r"([a-z0-9]+)\+([0-9]{1,6}(?:\.[0-9]{1,3})?)s")


def _event(given: Tables, where: str) -> NightEvent:
    given = dict(given)
    at, what = given.pop("at", None), given.pop("what", None)
    if not isinstance(what, str):
        raise BadInput(f"{where}: what is missing: add one of {', '.join(EVENTS)}")
    kind = EVENTS.get(what)
    if kind is None:
        near = difflib.get_close_matches(what, EVENTS, 1)
        right = f"did you mean {near[0]}?" if near else f"use {', '.join(EVENTS)}"
        raise BadInput(one_line(f"{where}: what = {what[:40]!r} is unknown: {right}"))
    where = f"{where} ({what})"
    found = _AT.fullmatch(at) if isinstance(at, str) else None
    if found is None:
        said = "is missing: add" if at is None else f"= {str(at)[:40]!r}: give"
        raise BadInput(one_line(f'{where}: at {said} a phase and the seconds since it began, such as "hold+600s"'))
    if found[1] not in PHASES:
        raise BadInput(one_line(f"{where}: at = {at!r}: {found[1]} is no phase: use {', '.join(PHASES)}"))
    return NightEvent(PHASES[found[1]], float(found[2]), convert(given, kind, where, BadInput))


def _check_settings(night: Night, where: str) -> None:
    """Raise ``BadInput`` for an edit of the settings that no instrument could be started with."""
    config = usual(night.head.bridge)
    for i, event in enumerate(night.events, 1):
        if isinstance(event.happens, Settings):
            config = edited(config, event.happens, f"{where}: event {i} (settings)")


def edited(config: Config, edit: Settings, where: str = "settings") -> Config:
    """Get settings with one value changed. Raises ``BadInput`` where they are then no settings any more."""
    tables: Tables = msgspec.to_builtins(config)
    table, _, key = edit.key.partition(".")
    there = tables.get(table)
    if not isinstance(there, dict) or key not in there:
        raise BadInput(f'{where}: key = "{edit.key}" is no setting: see docs/config.md')
    there[key] = edit.value
    return convert(tables, Config, where, BadInput)
