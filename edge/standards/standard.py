"""A test standard as data: limit, exposure, weighing and decision rule, each with where it was read.

Two standards ship with the package, and a person may write another (``docs/standards.md``). Nothing of a
standard is in code: this module must never decide a question that a standard's file leaves open without
marking the answer as assumed, and it must never call anything verified that the file does not.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from calibration.toml_file import MAX_BYTES, Tables, Text, convert, one_line, parse, read_text
from edge.errors import BadStandard
from edge.records.standard_used import designation

T = TypeVar("T")

FOLDER = Path(__file__).parent

THIS_FILE = "this file"
"""The source of a value that is written plainly (``limit_pct = 0.5``)."""

DEFAULT = "default of halfpercent"
"""The source of a value that the file leaves out: assumed, not from the standard."""


class Field(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A value, where it was read, whether a person checked it there, and whether it is only assumed.

    ``assumed`` is printed as "assumed, not from the standard"; ``verified_by`` and ``verified_on`` say who checked it.
    """

    value: T
    source: Text
    verified: bool = False
    assumed: bool = False
    verified_by: Text | None = None
    verified_on: datetime.date | None = None

    def __post_init__(self) -> None:
        if self.verified and self.assumed:
            raise ValueError("verified and assumed cannot both be true: set one of them to false")
        if not self.verified and (self.verified_by is not None or self.verified_on is not None):
            raise ValueError("verified_by and verified_on belong to verified = true")


def _default(value: T) -> Field[T]:
    return Field(value=value, source=DEFAULT, assumed=True)


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A name in use for cells, and what to answer a report's reader who meets it."""

    name: Text
    answer: Text
    source: Text


class Carrier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names of what may carry the ions, and what kind of carrier each is (``solid``, ``liquid``)."""

    kind: Text
    names: tuple[Text, ...]
    source: Text


class Composition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to answer somebody who declares that a sample holds just these kinds of carriers."""

    carriers: tuple[Text, ...]
    answer: Text
    source: Text


class Subclasses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names by which cells are told apart within a class, and by what (``electrolyte``): declared, never found here."""

    by: Text
    names: tuple[Text, ...]
    source: Text


LimitPct = Annotated[float, Meta(gt=0, le=100, description="a mass loss in %, above 0, at most 100")]
TempC = Annotated[float, Meta(ge=-50, le=850, description="a temperature in °C, -50 to 850")]
BandC = Annotated[float, Meta(gt=0, le=50, description="a half-width in °C, above 0, at most 50")]
HoldS = Annotated[float, Meta(gt=0, le=2_592_000, description="a time in s, above 0, at most 2592000 (30 d)")]
GapS = Annotated[float, Meta(gt=0, le=86_400, description="a time in s, above 0, at most 86400")]
PressurePa = Annotated[float, Meta(gt=0, le=110_000, description="a pressure in Pa, above 0, at most 110000")]
Guard = Annotated[float, Meta(ge=0, le=3, description="the guard band in units of U, 0 to 3 (1 is usual)")]
Coverage = Annotated[float, Meta(ge=0.5, le=0.9999, description="a probability from 0.5 to 0.9999 (0.9545)")]
BalanceG = Annotated[float, Meta(gt=0, le=1000, description="a mass in g, above 0, at most 1000")]
AreaMm2 = Annotated[float, Meta(gt=0, le=1e6, description="an area in mm², above 0, at most 1000000")]
DewPointC = Annotated[float, Meta(ge=-120, le=60, description="a dew or frost point in °C, -120 to 60")]
Asks = Literal["required", "none"]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a SHA-256: 64 digits of 0-9 and a-f")]
Replicates = Annotated[int, Meta(ge=1, le=100, description="how many samples, a whole number from 1 to 100")]
Id = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z",
        description="a short name of a-z, 0-9, '.', '_' and '-', such as \"my-test-1\"",
    ),
]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a standard's TOML file may hold, in the order of the report. See ``docs/standards.md``."""

    format: Literal[1] = 1
    id: Id
    checked_from: Sha256 | None = None
    title: Field[Text]
    edition: Field[Text] = _default("not stated")
    published: Field[Text] = _default("not stated")
    effective: Field[Text] = _default("not stated")

    limit_pct: Field[LimitPct]
    comparator: Field[Literal["<=", "<"]] = _default("<=")

    temp_c: Field[TempC]
    temp_band_c: Field[BandC] = _default(2.0)
    hold_s: Field[HoldS]
    hold_starts: Field[Literal["first_in_band"]] = _default("first_in_band")
    excursion: Field[Literal["pause", "restart"]] = _default("pause")
    max_gap_s: Field[GapS] = _default(600.0)
    vacuum: Field[Literal["required", "none"]] = _default("none")
    pressure_limit_pa: Field[PressurePa] = _default(1000.0)

    weigh: Field[Literal["cold", "hot"]] = _default("cold")
    reference: Field[Literal["start", "m1", "hold_start"]] = _default("start")
    cold_temp_tolerance_c: Field[BandC] = _default(2.0)
    balance_max_uncertainty_g: Field[BalanceG] | None = None
    replicates: Field[Replicates] = _default(1)
    replicates_combine: Field[Literal["each", "mean"]] | None = None

    # What is asked of the specimen; a file that leaves one of these out does not ask for it.
    visual_check: Field[Asks] | None = None
    visual_check_within_s: Field[HoldS] | None = None
    turned_over: Field[Asks] | None = None
    photograph: Field[Asks] | None = None
    opening: Field[Asks] | None = None
    opening_min_mm2: Field[AreaMm2] | None = None
    surroundings: Field[tuple[Literal["dry_room", "glove_box", "open_bench"], ...]] | None = None
    surroundings_temp_c: Field[TempC] | None = None
    surroundings_band_c: Field[BandC] | None = None
    dew_point_max_c: Field[DewPointC] | None = None
    activation: Field[Asks] | None = None
    state_of_charge: Field[Asks] | None = None
    mass_before_opening: Field[Asks] | None = None
    m1_within_s: Field[HoldS] | None = None

    decision_rule: Field[Literal["guarded", "simple"]] = _default("guarded")
    guard_factor: Field[Guard] = _default(1.0)
    coverage_probability: Field[Coverage] = _default(0.9545)

    classes: Field[tuple[Text, ...]] = _default(())
    blind_spot: Field[Text] = _default(
        "A liquid that does not evaporate in this test is not found by it: "
        "the criterion is met, which does not say that the sample holds no liquid."
    )
    aliases: tuple[Alias, ...] = ()
    subclasses: tuple[Subclasses, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    compositions: tuple[Composition, ...] = ()
    notes: tuple[Field[Text], ...] = ()


class Standard(_File, frozen=True, kw_only=True):
    """A test standard: every value is a :class:`Field`, and ``text`` the exact text it was read from."""

    text: str

    @property
    def sha256(self) -> str:
        """Get the SHA-256 (hex) of the file's bytes."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @property
    def designation(self) -> str:
        """Get what people call it."""
        return designation(self.title.value, self.id)

    def fields(self) -> Iterator[tuple[str, Field[object]]]:
        """Get (name, field) of every value that bears on the test, in the report's order.

        Left out is what has no bearing: the pressure limit where no vacuum is required, the guard factor
        of a rule without a guard band. ``aliases`` and ``notes`` are lists of their own.
        """
        idle = set()
        if self.vacuum.value == "none":
            idle.add("pressure_limit_pa")
        if self.decision_rule.value == "simple":
            idle.add("guard_factor")
        for name in self.__struct_fields__:
            field = getattr(self, name)
            if isinstance(field, Field) and name not in idle:
                yield name, field

    def asks(self, name: str) -> bool:
        """Say whether it asks for ``name`` of the specimen: one of the fields that are "required" or "none"."""
        field = getattr(self, name)
        return isinstance(field, Field) and field.value == "required"

    def answer_to_name(self, claimed: str) -> str:
        """Get one sentence on a name that someone gave the cell: a class, an alias, or neither."""
        asked = _plain_name(claimed)
        for known in self.classes.value:
            if _plain_name(known) == asked:
                return f'"{known}" is a class of {self.designation}.'
        for alias in self.aliases:
            if _plain_name(alias.name) == asked:
                return alias.answer
        classes = ", ".join(self.classes.value)
        listed = f"its classes are: {classes}" if classes else "its file lists no classes"
        return one_line(f'"{claimed}" is not a class of {self.designation}; {listed}.')

    def answer_to_subclass(self, declared: str) -> str:
        """Get one sentence on a sub-class that someone declares: by what it is one, or that the file has none such."""
        for subclasses in self.subclasses:
            if _plain_name(declared) in map(_plain_name, subclasses.names):
                by = subclasses.by
                return f'By declaration, not by this test: "{declared}" is a sub-class by {by} of {self.designation}.'
        known = "; ".join(f"by {s.by} {', '.join(s.names)}" for s in self.subclasses)
        listed = f"it has: {known}" if known else "its file lists none"
        return one_line(f'"{declared}" is no sub-class of {self.designation}; {listed}.')

    def answer_to_composition(self, declared: str) -> str:
        """Get one sentence on a declared composition, such as ``oxide, liquid 3 %``: never a verdict.

        Parts are separated by commas, each with its share if that is known; a share of 0 % is not there.
        """
        kinds = set()
        for part in declared.split(","):
            found = _CARRIER_SHARE.fullmatch(part.strip())
            name, share = (found[1], found[2]) if found else (part.strip(), None)
            if share is not None and float(share) == 0.0:
                continue
            kind = next((c.kind for c in self.carriers if _plain_name(name) in map(_plain_name, c.names)), None)
            if kind is None:
                known = ", ".join(known for c in self.carriers for known in c.names)
                listed = f"it knows: {known}" if known else "its file lists none"
                return one_line(f'"{name}" is no carrier of ions that {self.designation} knows; {listed}.')
            kinds.add(kind)
        for composition in self.compositions:
            if set(composition.carriers) == kinds:
                return f"By declaration, not by this test: {composition.answer}"
        return one_line(f'{self.designation} has no answer to "{declared}".')


def loads_standard(text: str, where: str = "standard") -> Standard:
    """Get the standard that a TOML ``text`` holds; ``where`` names it in an error.

    Raises :class:`~edge.errors.BadStandard`, one line with the field and what would be right.
    """
    tables = _with_shorthand(parse(text, where, BadStandard))
    file = convert(tables, _File, where, BadStandard)
    return Standard(text=text, **msgspec.structs.asdict(file))


def load_standard(name_or_path: str | Path, *, follow_links: bool = True, most_bytes: int = MAX_BYTES) -> Standard:
    """Get a standard by the name of one that ships (``gbt-48093-1-2026``) or by the path of a TOML file.

    ``follow_links`` and ``most_bytes`` are for a path of somebody else's (:func:`calibration.toml_file.read_text`).
    Raises :class:`~edge.errors.BadStandard`, one line with file, field and what would be right.
    """
    names = available_standards()
    if str(name_or_path) in names:
        path = FOLDER / f"{name_or_path}.toml"
        return loads_standard(read_text(path, BadStandard), path.name)
    path = Path(name_or_path)
    if path.suffix != ".toml" and "/" not in str(name_or_path) and not path.is_file():
        raise BadStandard(
            one_line(f"standard {str(name_or_path)!r} is unknown: give {', '.join(names)} or a .toml file")
        )
    text = read_text(path, BadStandard, follow_links=follow_links, most_bytes=most_bytes)
    return loads_standard(text, str(path))


def available_standards() -> tuple[str, ...]:
    """Get the names of the standards that ship with the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def _with_shorthand(tables: Tables) -> Tables:
    """Get ``tables`` with each plain value as ``{ value = …, source = "this file" }``."""

    def full(value: object) -> object:
        return value if isinstance(value, dict) else {"value": value, "source": THIS_FILE}

    out: Tables = {}
    for name, value in tables.items():
        if name == "notes" and isinstance(value, list):
            out[name] = [full(note) for note in value]
        elif name in ("format", "id", "checked_from", "aliases", "subclasses", "carriers", "compositions", "notes"):
            out[name] = value
        else:
            out[name] = full(value)
    return out


_CARRIER_SHARE = re.compile(r"(.*?)\s*([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")


def _plain_name(name: str) -> str:
    """Get a cell's or an electrolyte's name without case, hyphens, and the words "battery" and "electrolyte"."""
    words = name.casefold().replace("-", " ").replace("_", " ").replace("–", " ").split()
    return " ".join(word for word in words if word not in ("battery", "batteries", "cell", "electrolyte"))
