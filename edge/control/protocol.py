"""What a person may tell the station: the commands and their arguments, as they go over the control socket.

The protocol is in docs/control.md. This module must never act on a command, and never guess an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeAlias

import msgspec
from msgspec import Meta

from calibration.toml_file import LINE, Text, convert, one_line
from calibration.visible_text import NotAName, name_from
from edge.errors import BadRequest

SOCKET = Path("/run/halfpercent/control.sock")
PROTOCOL_VERSION = 1
MAX_LINE_BYTES = 16_384
"""Bytes of a request, without its newline."""

Name = Annotated[str, Meta(pattern=LINE, max_length=200, description="one line of text, at most 200 characters")]
RunNumber = Annotated[int, Meta(ge=1, lt=2**53, description="a run's number; halfpercent runs lists them")]
RunNumbers = Annotated[
    str,
    Meta(
        pattern="^[1-9][0-9]{0,14}(;[1-9][0-9]{0,14}){0,19}\\Z",
        description="runs' numbers with ; between them, at most 20: 5;7",
    ),
]
AgoS = Annotated[float, Meta(ge=0, le=2_592_000, description="a time in s, 0 or more, at most 30 days")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a SHA-256: 64 digits of 0-9 and a-f")]
MassG = Annotated[float, Meta(gt=0, le=10_000, description="a mass in g, above 0, at most 10000")]


Argument: TypeAlias = str | int | float | bool | None
"""What an argument's value may be as it goes over the wire: never a list, never an object."""

Answer: TypeAlias = Mapping[str, object]
"""What a command is answered with: plain JSON; NaN becomes null."""


class Later(Protocol):
    """An answer that is not known yet: it is asked for at each look, and never waited for."""

    def answer(self) -> Answer | None:
        """Get the answer; None where it is not known yet. Raises what the command is refused with."""

    def nobody_waits(self) -> None:
        """Take that who asked has gone: what has not begun is not to begin any more."""


class _Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every command's arguments have in common."""


class Start(_Args, frozen=True, kw_only=True):
    """Begin a run. What is left out comes from the config. ``blank`` is the number of a run to subtract
    (of several, the mean: ``more_blanks``),
    ``mass_g`` what the sample weighs by another scale; it was opened ``opened_ago_s`` before. ``specimen`` is the file
    of its record, ``balance`` that of the certificate of the laboratory's balance, ``series`` the series that the run
    belongs to; ``safety_said``: the operator said yes to docs/safety.md in it. ``nonce``: what somebody gave who wants
    to know that the run was not before. ``new_holder``: holder, mount or cabling are others than in the run before.
    ``weight`` is the file of a check weight's record, which is put on at the end; ``check_before``: and before the
    sample too. ``suitability`` is a test of the rig
    with something that loses ``known_loss_g`` (standard uncertainty ``known_loss_u_g``).
    Names are stored in their normal form (NFC)."""

    sample: Name
    operator: Name
    standard: Text | None = None
    certificate: Text | None = None
    kind: Literal["sample", "blank"] = "sample"
    blank: RunNumber | None = None
    more_blanks: RunNumbers | None = None
    claim: Name | None = None
    composition: Text | None = None
    density: Text | None = None
    air: Text | None = None
    zero_after: bool = False
    check_weight_g: MassG | None = None
    weight: Text | None = None
    check_before: bool = False
    mass_g: MassG | None = None
    opened_ago_s: AgoS | None = None
    empty_ago_s: AgoS | None = None
    """Since when the holder is empty."""
    specimen: Text | None = None
    balance: Text | None = None
    suitability: Literal["liquid", "hydrate", "inert"] | None = None
    known_loss_g: MassG | None = None
    known_loss_u_g: MassG | None = None
    series: Name | None = None
    safety_said: bool = False
    new_holder: bool = False
    mount: Name | None = None
    """What the load cell is mounted by."""
    moved: bool = False
    """The rig was carried since it was calibrated."""
    nonce: Name | None = None
    note: Text | None = None

    def __post_init__(self) -> None:
        if self.kind == "blank" and self.blank is not None:
            raise ValueError("blank is for a sample: a blank run subtracts no other")
        if self.more_blanks is not None and self.blank is None:
            raise ValueError("more_blanks are beside a blank: give that first")
        if self.weight is not None and self.check_weight_g is not None:
            raise ValueError("weight is the record of the check weight: leave check_weight_g out")
        if self.check_before and self.weight is None and self.check_weight_g is None:
            raise ValueError("check_before is when the check weight is put on: give check_weight_g or weight too")
        if self.suitability is not None and (self.kind == "blank" or self.specimen is not None):
            raise ValueError("suitability is a test of the rig: no blank, and no specimen")
        if (self.suitability in ("liquid", "hydrate")) != (self.known_loss_g is not None):
            raise ValueError(
                "known_loss_g is what a liquid or a hydrate loses in a test of the rig: give both or neither"
            )
        if self.known_loss_u_g is not None and self.known_loss_g is None:
            raise ValueError("known_loss_u_g belongs to known_loss_g: give that too")
        if self.kind == "blank" and self.specimen is not None:
            raise ValueError("specimen is for a sample: the dummy of a blank run is none")
        for name in ("sample", "operator", "claim", "composition", "series", "mount"):
            if (text := getattr(self, name)) is not None:
                try:
                    msgspec.structs.force_setattr(self, name, name_from(text))
                except NotAName as e:
                    raise ValueError(f"{name}: {e}") from e


class _Said(_Args, frozen=True, kw_only=True):
    """What somebody says who may say who they are: ``operator`` goes into the record before the user's name."""

    operator: Name | None = None


class OperatorStep(_Args, frozen=True, kw_only=True):
    """The operator has done what the phase waits for."""

    word: Literal["tare", "load", "vent", "carry out", "carry back", "zero", "check"]


class Weigh(_Args, frozen=True, kw_only=True):
    """The laboratory's balance has weighed the sample: ``mass_g`` as somebody typed it, or left out, to be read now.

    ``balance`` is its name, as a check; it was weighed ``weighed_ago_s`` before. ``run`` is one that has ended, whose
    result is to be amended by it; without it, it is the run that is measured. ``photograph`` is the file that has
    ``photograph_sha256``, to be kept beside the database.
    """

    which: Literal["m1", "m2"]
    mass_g: MassG | None = None
    balance: Name | None = None
    who: Name | None = None
    weighed_ago_s: AgoS | None = None
    photograph_sha256: Sha256 | None = None
    run: RunNumber | None = None
    photograph: Text | None = None


class Note(_Said, frozen=True, kw_only=True):
    """A remark for the run's record."""

    text: Text


class Handed(_Said, frozen=True, kw_only=True):
    """The specimen went from one hand to another; ``because`` says why another gave it than had taken it before."""

    given_by: Name
    taken_by: Name
    condition: Name | None = None
    because: Name | None = None


class Correct(_Args, frozen=True, kw_only=True):
    """Correct a declared fact of a run that has ended; ``uid`` is the run's unique name, ``operator`` who says so."""

    run: RunNumber
    uid: Name
    field: Name
    value: Name
    reason: Text
    operator: Name | None = None


class Maintenance(_Args, frozen=True, kw_only=True):
    """The rig will not measure for ``hours``, from ``in_hours`` on; what was not declared beforehand is an outage."""

    why: Text
    hours: Annotated[float, Meta(gt=0, le=24 * 31, description="a time in h, above 0, at most 744")]
    in_hours: Annotated[float, Meta(ge=0, le=24 * 31, description="a time in h, 0 to 744")] = 0.0


class Ack(_Said, frozen=True, kw_only=True):
    """Acknowledge an alarm by its name, or all of them."""

    alarm: Name | None = None


class Abort(_Said, frozen=True, kw_only=True):
    """End the run now; it will be INVALID."""

    reason: Text | None = None


class Status(_Args, frozen=True, kw_only=True):
    """Ask how things are."""


class _None(_Said, frozen=True, kw_only=True):
    """No arguments but who says it."""


Order = Start | OperatorStep | Weigh | Note | Handed | Correct | Maintenance | Ack | Abort | Status
_ORDERS: dict[str, type[Start | Weigh | Note | Handed | Correct | Maintenance | Ack | Abort | Status]] = {
    "start": Start,
    "weigh": Weigh,
    "note": Note,
    "hand-over": Handed,
    "correct": Correct,
    "maintenance": Maintenance,
    "ack": Ack,
    "abort": Abort,
    "status": Status,
}
OPERATOR_STEPS = ("tare", "load", "vent", "carry out", "carry back", "zero", "check")
COMMAND_NAMES = (*_ORDERS, *OPERATOR_STEPS)
LOOKING = frozenset({"status"})
"""What whoever may use the socket at all may ask; all else is for those who may act."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it came: ``who`` is the peer's user name, after the operator's name where ``args`` give one."""

    command: str
    args: Mapping[str, Argument]
    who: str


def parse(request: Request) -> Order:
    """Get a request's arguments as a record. Raises ``BadRequest``: which argument, what was found, what is right."""
    if request.command in OPERATOR_STEPS:
        convert(dict(request.args), _None, request.command, BadRequest)
        return OperatorStep(word=request.command)  # type: ignore[arg-type]  # one of OPERATOR_STEPS
    record = _ORDERS.get(request.command)
    if record is None:
        raise BadRequest(one_line(f"{request.command} is no command: use {', '.join(COMMAND_NAMES)}"))
    return convert(dict(request.args), record, request.command, BadRequest)
