"""Who the specimen is, how it was opened, and whether a liquid was seen: what people wrote down before the test.

The names are those of its TOML file (docs/specimen.md) and of the run's settings, which are hashed. Nothing here was
measured by the instrument. This module must never fill in what nobody wrote, and never read a clock.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from calibration.toml_file import LINE, Text
from edge.errors import BadSpecimen, BadValue

from .sample import OPENED_AT_MOST_S, Sample

Name = Annotated[str, Meta(pattern=LINE, max_length=200, description="one line of text, at most 200 characters")]
When = Annotated[datetime.datetime, Meta(description="a date with its time: 2026-11-26T09:40:00+08:00")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a SHA-256: 64 digits of 0-9 and a-f")]
MassG = Annotated[float, Meta(gt=0, le=10_000, description="a mass in g, above 0, at most 10000")]
UncertaintyG = Annotated[float, Meta(gt=0, le=10, description="a standard uncertainty in g, above 0, at most 10")]
LengthMm = Annotated[float, Meta(gt=0, le=5000, description="a length in mm, above 0, at most 5000")]
AreaMm2 = Annotated[float, Meta(gt=0, le=1e7, description="an area in mm², above 0, at most 10000000")]
Voltage = Annotated[float, Meta(ge=-10, le=1000, description="a voltage in V, -10 to 1000")]
ChargePct = Annotated[float, Meta(ge=0, le=100, description="a state of charge in %, 0 to 100")]
TempC = Annotated[float, Meta(ge=-50, le=100, description="a temperature in °C, -50 to 100")]
DewPointC = Annotated[float, Meta(ge=-120, le=60, description="a dew or frost point in °C, -120 to 60")]
SurroundingsKind = Literal["dry_room", "glove_box", "open_bench"]

U_MASS_ASSUMED_G = 0.01
"""Standard uncertainty of a mass before opening where nobody states it: a balance good to 0.01 g."""
AGREES = 2.0
"""Masses that differ by more than so many of their combined standard uncertainties contradict each other."""
KITCHEN = 0.99
"""A declared mass is a kitchen scale's: so much less than it M0 may be."""
SAME_TIME_S = 60.0
"""Two times of one opening may be so far apart."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A part of the record. A time without a zone is one of this machine's."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime.datetime) and value.tzinfo is None:
                msgspec.structs.force_setattr(self, name, value.astimezone())


class HandOver(_Part, frozen=True, kw_only=True):
    """The specimen went from one hand to another: when, and in what condition.

    ``because`` says why somebody else gave it than had taken it before.
    """

    at: When
    given_by: Name
    taken_by: Name
    condition: Text | None = None
    because: Text | None = None


class Seal(_Part, frozen=True, kw_only=True):
    """A seal on the specimen or its box, and how it was found. ``removed``: by who opened it, for the test.

    ``because`` says why it was broken.
    """

    number: Name
    found: Literal["intact", "broken", "removed"]
    where: Text | None = None
    because: Text | None = None


class Photograph(_Part, frozen=True, kw_only=True):
    """A photograph by the SHA-256 of its file: what it shows, and what the file is called."""

    sha256: Sha256
    shows: Text
    file: Name | None = None


class Surroundings(_Part, frozen=True, kw_only=True):
    """Where the specimen was opened: what kind of place, its temperature and dew (or frost) point in °C."""

    kind: SurroundingsKind
    temp_c: TempC | None = None
    dew_point_c: DewPointC | None = None


class Opening(_Part, frozen=True, kw_only=True):
    """How, where, how large and when the specimen was opened: the opening's area in mm²."""

    opened_at: When
    by: Name
    how: Text | None = None
    where: Text | None = None
    area_mm2: AreaMm2 | None = None
    surroundings: Surroundings | None = None


class VisualCheck(_Part, frozen=True, kw_only=True):
    """Whether a liquid was seen at the opening, by whom, and whether it was turned over for that."""

    liquid_seen: bool
    by: Name
    at: When | None = None
    turned_over: bool | None = None
    photograph_sha256: Sha256 | None = None
    photograph_file: Name | None = None
    remark: Text | None = None


class Specimen(_Part, frozen=True, kw_only=True):
    """A specimen as it is described before its test. ``m0_g`` is its mass before it was opened, in g.

    ``claim`` is the name, ``claimed_class`` the class and ``subclasses`` those within it that it is sold by;
    ``composition`` what carries its ions, as declared; ``chemistry`` its electrodes and electrolyte.
    ``differs_because`` says why a serial that was seen before has another mass now.
    """

    format: Literal[1] = 1
    maker: Name
    model: Name
    serial: Name
    claim: Name | None = None
    claimed_class: Name | None = None
    subclasses: tuple[Name, ...] = ()
    chemistry: Text | None = None
    composition: Name | None = None
    dimensions_mm: tuple[LengthMm, LengthMm, LengthMm] | None = None
    m0_g: MassG | None = None
    u_m0_g: UncertaintyG | None = None
    open_circuit_v: Voltage | None = None
    state_of_charge_pct: ChargePct | None = None
    activation: Text | None = None
    differs_because: Text | None = None
    hand_overs: tuple[HandOver, ...] = ()
    seals: tuple[Seal, ...] = ()
    photographs: tuple[Photograph, ...] = ()
    opening: Opening | None = None
    visual_check: VisualCheck | None = None

    @property
    def u_m0_or_assumed_g(self) -> float:
        """Get the standard uncertainty of ``m0_g`` in g, assumed where nobody states it."""
        return U_MASS_ASSUMED_G if self.u_m0_g is None else self.u_m0_g

    def as_settings(self) -> dict[str, object]:
        """Get it as the plain JSON that is stored and hashed."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        return plain

    @staticmethod
    def from_settings(settings: object) -> Specimen:
        """Get it back from :meth:`as_settings`. Raises ``msgspec.ValidationError``."""
        return msgspec.convert(settings, Specimen)


class SeenBefore(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run of the same serial; ``agrees``: maker, model and M0 are the same, as far as they are known.

    ``m1_g`` and ``m2_g`` are what it weighed in that run (None: not known).
    """

    run_id: int
    sample_id: str
    maker: str
    model: str
    m0_g: float | None
    agrees: bool
    m1_g: float | None = None
    m2_g: float | None = None


def masses_agree(a_g: float, u_a_g: float, b_g: float, u_b_g: float) -> bool:
    """Say whether two masses of one thing can be the same, with their standard uncertainties."""
    return abs(a_g - b_g) <= AGREES * math.hypot(u_a_g, u_b_g)


def same_name(a: str, b: str) -> bool:
    """Say whether two names or serials are one, but for case and blanks."""
    return "".join(a.split()).casefold() == "".join(b.split()).casefold()


def with_specimen(
    sample: Sample,
    specimen: Specimen,
    now: datetime.datetime,
    *,
    mass_g: float | None = None,
    begins_now: bool = True,
) -> Sample:
    """Get a sample with what its specimen's record says of it. ``now`` has its zone.

    ``mass_g`` is what it is said to weigh now. Where the run does not begin now (a recording) it is not known how long
    before it the specimen was opened. Raises ``BadSpecimen`` where the record contradicts the clock or itself,
    ``BadValue`` where it contradicts what was said otherwise.
    """
    for name in ("claim", "composition"):
        said, written = getattr(sample, name), getattr(specimen, name)
        if said is not None and written is not None and said != written:
            raise BadValue(name, said, f"the specimen's record says {written!r}: leave one of them out")
    _in_order(specimen, now)
    m0_g = specimen.m0_g
    if mass_g is not None and m0_g is not None and m0_g < KITCHEN * mass_g:
        raise BadSpecimen(
            f"m0_g {m0_g:g}: the sample weighs {mass_g:g} g now, more than before it was opened: correct one of them"
        )
    return replace(
        sample,
        claim=sample.claim or specimen.claim,
        composition=sample.composition or specimen.composition,
        opened_ago_s=_opened_ago_s(sample, specimen, now) if begins_now else sample.opened_ago_s,
    )


def _opened_ago_s(sample: Sample, specimen: Specimen, now: datetime.datetime) -> float | None:
    opening, said_s = specimen.opening, sample.opened_ago_s
    if opening is None:
        return said_s
    ago_s = (now - opening.opened_at).total_seconds()
    at = f"{opening.opened_at:%Y-%m-%d %H:%M %z}"
    if ago_s > OPENED_AT_MOST_S:
        raise BadSpecimen(
            f"opening.opened_at {at}: is more than {OPENED_AT_MOST_S / 86_400.0:.0f} days ago: correct it"
        )
    if said_s is not None and abs(ago_s - said_s) > SAME_TIME_S:
        raise BadValue("opened_at", "", f"the specimen's record says {at}: leave one of them out")
    return ago_s


def _in_order(specimen: Specimen, now: datetime.datetime) -> None:
    """Raise ``BadSpecimen`` for a time that is still to come, and for a visual check before the opening."""
    opening, check = specimen.opening, specimen.visual_check
    times: dict[str, datetime.datetime | None] = {
        f"hand_overs[{i}].at": handed.at for i, handed in enumerate(specimen.hand_overs)
    }
    times["opening.opened_at"] = None if opening is None else opening.opened_at
    times["visual_check.at"] = None if check is None else check.at
    for name, at in times.items():
        if at is not None and at > now:
            raise BadSpecimen(
                f"{name} {at:%Y-%m-%d %H:%M %z}: is still to come: correct it, or set this machine's clock"
            )
    if opening is not None and check is not None and check.at is not None and check.at < opening.opened_at:
        raise BadSpecimen(f"visual_check.at {check.at:%Y-%m-%d %H:%M %z}: is before the opening: correct one of them")


def recognised(specimen: Specimen, earlier: Mapping[int, tuple[str, Specimen]]) -> tuple[SeenBefore, ...]:
    """Get the earlier runs of the same serial, oldest first. ``earlier`` has sample and specimen by the run's number.

    Raises ``BadSpecimen`` where one of them had another mass, maker or model, and nobody says why.
    """
    seen = tuple(
        _seen(run_id, sample_id, was, specimen)
        for run_id, (sample_id, was) in sorted(earlier.items())
        if same_name(was.serial, specimen.serial)
    )
    other = next((s for s in seen if not s.agrees), None)
    if other is not None and specimen.differs_because is None:
        had = f"{other.maker} {other.model}, M0 " + ("not recorded" if other.m0_g is None else f"{other.m0_g:g} g")
        raise BadSpecimen(
            f"serial {specimen.serial}: run {other.run_id} had it on {had}: look at the serial and at m0_g, or say why "
            "in differs_because"
        )
    return seen


def _seen(run_id: int, sample_id: str, was: Specimen, now: Specimen) -> SeenBefore:
    agrees = same_name(was.maker, now.maker) and same_name(was.model, now.model)
    if was.m0_g is not None and now.m0_g is not None:
        agrees = agrees and masses_agree(was.m0_g, was.u_m0_or_assumed_g, now.m0_g, now.u_m0_or_assumed_g)
    return SeenBefore(
        run_id=run_id, sample_id=sample_id, maker=was.maker, model=was.model, m0_g=was.m0_g, agrees=agrees
    )


def photographs_named(specimen: Specimen) -> tuple[Photograph, ...]:
    """Get all photographs that a specimen's record names, that of the visual check too."""
    check = specimen.visual_check
    if check is None or check.photograph_sha256 is None:
        return specimen.photographs
    of_check = Photograph(sha256=check.photograph_sha256, shows="the visual check", file=check.photograph_file)
    return (*specimen.photographs, of_check)
