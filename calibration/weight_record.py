"""A check weight's record: its certificate's number, laboratory, dates, conventional mass, U, k, density and class.

A TOML file that a person copies from the weight's certificate, or that `halfpercent weight new` asks for. A calibration
and a check weight name it. This module must never take a weight whose certificate has run out for one that holds.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from calibration.calibration_record import Table, Weight
from calibration.errors import BadCertificate, OutOfDomain
from calibration.toml_file import LINE, MAX_BYTES, Text, convert, one_line, parse, read_text
from calibration.toml_text import fields_said, toml_value
from calibration.visible_text import NotAName, name_from
from calibration.weights import WEIGHT_DENSITY_G_CM3, mpe_g

Name = Annotated[str, Meta(pattern=LINE, max_length=200, description="one line of text, at most 200 characters")]
MassG = Annotated[float, Meta(gt=0, le=1e6, description="a conventional mass in g, above 0, at most 1e6")]
ExpandedG = Annotated[float, Meta(gt=0, le=100, description="an expanded uncertainty in g, above 0, at most 100")]
Coverage = Annotated[float, Meta(ge=1, le=5, description="a coverage factor k, 1 to 5 (2 for 95 %)")]
Density = Annotated[
    float,
    Meta(
        ge=WEIGHT_DENSITY_G_CM3[0], le=WEIGHT_DENSITY_G_CM3[1], description="a density in g/cm³, 1 to 25 (steel: 7.95)"
    ),
]


class WeightRecord(Table, frozen=True, kw_only=True):
    """A check weight as its certificate states it. ``U_g`` is of its conventional mass ``mass_g``, with its ``k``."""

    format: Literal[1] = 1
    name: Name
    mass_g: MassG
    U_g: ExpandedG
    k: Coverage = 2.0
    certificate_number: Text
    laboratory: Text
    calibrated_on: dt.date
    valid_until: dt.date
    density_g_cm3: Density | None = None
    weight_class: Literal["E2", "F1", "F2", "M1", "M2", "M3"] | None = None

    def __post_init__(self) -> None:
        if self.valid_until < self.calibrated_on:
            raise ValueError(f"valid_until {self.valid_until} is before calibrated_on {self.calibrated_on}")
        if self.U_g > 0.01 * self.mass_g:
            raise ValueError(f"U_g = {self.U_g:g}: is more than 1 % of mass_g = {self.mass_g:g}: give both in g")
        if self.weight_class is not None:
            try:
                most_g = mpe_g(float(round(self.mass_g)), self.weight_class)
            except OutOfDomain:
                return  # a size that the class's table has not
            off_g = abs(self.mass_g - round(self.mass_g))
            if off_g > most_g:
                raise ValueError(
                    f"mass_g = {self.mass_g:.7g}: a weight of class {self.weight_class} is within {most_g:g} g of its "
                    "nominal mass: correct mass_g or weight_class"
                )

    @property
    def u_g(self) -> float:
        """Get the standard uncertainty of its conventional mass in g."""
        return self.U_g / self.k

    def must_hold(self, on: dt.date) -> None:
        """Raise ``BadCertificate`` where its certificate has run out by the day ``on``."""
        if on > self.valid_until:
            raise BadCertificate(
                f"weight {self.name}: its certificate {self.certificate_number} was valid until {self.valid_until}: "
                "have it calibrated, or use another"
            )


def as_weight(record: WeightRecord) -> Weight:
    """Get the weight as a calibration takes it, with what names its certificate."""
    stated = one_line(
        f"weight {record.name}, certificate {record.certificate_number} of {record.laboratory}, "
        f"{record.calibrated_on}, valid until {record.valid_until}, SHA-256 {weight_hash(record)[:16]}"
    )
    if record.density_g_cm3 is None:
        return Weight(mass_g=record.mass_g, u_mass_g=record.u_g, stated=stated)
    density = record.density_g_cm3 * 1000.0
    # a stated density is taken to be good to 1 %, as a cylinder measured with a calliper is
    u_density = 0.01 * density / math.sqrt(3.0)
    return Weight(
        mass_g=record.mass_g, u_mass_g=record.u_g, stated=stated, density_kg_m3=density, u_density_kg_m3=u_density
    )


def loads_weight(text: str, where: str = "weight") -> WeightRecord:
    """Get the record that a TOML ``text`` holds. Raises ``BadCertificate``: file, field, what would be right."""
    record = convert(parse(text, where, BadCertificate), WeightRecord, where, BadCertificate)
    try:
        return msgspec.structs.replace(record, name=name_from(record.name))
    except NotAName as e:
        raise BadCertificate(one_line(f"{where}: name: {e}")) from e


def load_weight(path: str | Path, *, follow_links: bool = True, most_bytes: int = MAX_BYTES) -> WeightRecord:
    """Get the weight's record in a file. Raises as :func:`loads_weight`."""
    text = read_text(Path(path), BadCertificate, follow_links=follow_links, most_bytes=most_bytes)
    return loads_weight(text, str(path))


def weight_hash(record: WeightRecord) -> str:
    """Get the SHA-256 of what a record states, whatever its file looks like."""
    said = {name: str(value) for name, value in fields_said(record)}
    plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode("utf-8")).hexdigest()


def weight_toml(record: WeightRecord) -> str:
    """Get a record as the text of its file."""
    return "".join(f"{name} = {toml_value(value)}\n" for name, value in fields_said(record))
