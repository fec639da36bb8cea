"""The certificate of a laboratory's own balance: what it is good for in use, after EURAMET cg-18.

A TOML file that a person writes from the calibration laboratory's certificate, or `calibrate balance` asks for
(docs/balance.md). Its hash goes into every run that rests on it. What a certificate states of the uncertainty in use
counts; where it states only the parts, they are combined as cg-18 (version 4.0, 7.1.1 and 7.4) combines them.
This module must never fill in a number that nobody stated.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from calibration.calibration_record import Table
from calibration.errors import BadCertificate
from calibration.toml_file import LINE, MAX_BYTES, Text, convert, one_line, parse, read_text
from calibration.toml_text import fields_said, toml_value
from calibration.visible_text import NotAName, name_from

SQRT3 = math.sqrt(3.0)
LEAST_S = 0.41
"""Of the scale interval: a smaller standard deviation is rounding's own (USP 41 takes 0.41 d in its place)."""

Name = Annotated[str, Meta(pattern=LINE, max_length=200, description="one line of text, at most 200 characters")]
MassG = Annotated[float, Meta(gt=0, le=1e6, description="a mass in g, above 0, at most 1e6")]
DigitG = Annotated[float, Meta(gt=0, le=10, description="the scale interval d in g, above 0, at most 10")]
SpreadG = Annotated[float, Meta(ge=0, le=100, description="a number in g, 0 to 100")]
Relative = Annotated[float, Meta(ge=0, le=0.01, description="a relative number, 0 to 0.01 (1e-5 is 0.01 g in 1 kg)")]
Coverage = Annotated[float, Meta(ge=1, le=5, description="a coverage factor k, 1 to 5 (2 for 95 %)")]
Count = Annotated[int, Meta(ge=2, le=1000, description="how many weighings, 2 to 1000")]


class InUse(Table, frozen=True, kw_only=True):
    """The expanded uncertainty of a weighing in use: U(W) = √(alpha_g² + (beta·W)²), with its coverage factor k."""

    alpha_g: SpreadG
    beta: Relative = 0.0
    k: Coverage = 2.0


class InUsePoint(Table, frozen=True, kw_only=True):
    """The expanded uncertainty in use ``U_g`` of a mass, with its coverage factor; between points it is a line."""

    mass_g: MassG
    U_g: SpreadG
    k: Coverage = 2.0


class Repeatability(Table, frozen=True, kw_only=True):
    """The standard deviation of ``n`` weighings of one load."""

    s_g: SpreadG
    n: Count


class Eccentricity(Table, frozen=True, kw_only=True):
    """The largest difference from the middle that a load of ``at_g`` showed in the corners, without its sign."""

    largest_g: SpreadG
    at_g: MassG


class BalanceCertificate(Table, frozen=True, kw_only=True):
    """A balance, and what its calibration found.

    ``digit_g`` is its scale interval, ``nonlinearity_g`` the largest error that is left over its range (a half-width).
    Of its uncertainty in use at least one is stated: ``in_use``, ``points``, or ``repeatability``.
    """

    format: Literal[1] = 1
    name: Name
    model: Text
    serial: Name
    calibrated_by: Text
    certificate_number: Text | None = None
    calibrated_on: dt.date
    valid_until: dt.date | None = None
    capacity_g: MassG
    digit_g: DigitG
    nonlinearity_g: SpreadG | None = None
    in_use: InUse | None = None
    points: tuple[InUsePoint, ...] = ()
    repeatability: Repeatability | None = None
    eccentricity: Eccentricity | None = None

    def __post_init__(self) -> None:
        if self.in_use is None and not self.points and self.repeatability is None:
            raise ValueError("what is it good for? Give in_use (alpha_g, beta), points, or repeatability")
        if self.valid_until is not None and self.valid_until < self.calibrated_on:
            raise ValueError(f"valid_until {self.valid_until} is before calibrated_on {self.calibrated_on}")
        if any(b.mass_g <= a.mass_g for a, b in pairwise(self.points)):
            raise ValueError("points: the masses must rise from each point to the next")
        if self.digit_g > 0.01 * self.capacity_g:
            raise ValueError(f"digit_g = {self.digit_g:g}: is more than a hundredth of capacity_g: give both in g")

    @property
    def is_simulated(self) -> bool:
        """Get whether it is of a model of a balance."""
        return self.serial.startswith("simulated")


@dataclass(frozen=True, slots=True)
class InUsePart:
    """One part of what a single weighing leaves open: its standard uncertainty in g, with degrees of freedom."""

    name: Literal["in use", "repeatability", "rounding", "eccentricity", "linearity"]
    u_g: float
    why: str
    dof: float = math.inf
    rectangular: bool = False


def parts_in_use(certificate: BalanceCertificate, mass_g: float) -> tuple[InUsePart, ...]:
    """Get what a weighing of ``mass_g`` (g) leaves open: the certificate's word in use, else its parts after cg-18.

    The parts are those of cg-18, 7.1.1: rounding of zero and of the load, d/√12 each; repeatability s; eccentricity
    W·Δ/(2·L·√3); and what is left of the linearity, as a rectangle.
    """
    of = f"balance {certificate.name}"
    if certificate.in_use is not None:
        use = certificate.in_use
        u_g = math.hypot(use.alpha_g, use.beta * mass_g) / use.k
        why = f"{of}: U(W) = √(({use.alpha_g:g} g)² + ({use.beta:g}·W)²) in use, k = {use.k:g}"
        return (InUsePart("in use", u_g, why),)
    if certificate.points:
        return (InUsePart("in use", _between_points(certificate.points, mass_g), f"{of}: U in use, by its table"),)
    d, repeats, corners = certificate.digit_g, certificate.repeatability, certificate.eccentricity
    assert repeats is not None  # one of the three is stated
    s_g = max(repeats.s_g, LEAST_S * d)
    parts = [
        InUsePart("repeatability", s_g, f"{of}: s of {repeats.n} weighings", repeats.n - 1.0),
        InUsePart("rounding", d / math.sqrt(6.0), f"{of}: {d:g} g, of zero and of load", rectangular=True),
    ]
    if corners is not None:
        u_g = u_eccentricity_g(mass_g, corners.largest_g, corners.at_g)
        why = f"{of}: {corners.largest_g:g} g in the corners with {corners.at_g:g} g on, half of it here"
        parts.append(InUsePart("eccentricity", u_g, why, rectangular=True))
    if certificate.nonlinearity_g is not None:
        why = f"{of}: ±{certificate.nonlinearity_g:g} g over its range"
        parts.append(InUsePart("linearity", certificate.nonlinearity_g / SQRT3, why, rectangular=True))
    return tuple(parts)


def u_in_use_g(certificate: BalanceCertificate, mass_g: float) -> float:
    """Get the standard uncertainty in g of one weighing of ``mass_g`` in use."""
    return math.sqrt(math.fsum(part.u_g**2 for part in parts_in_use(certificate, mass_g)))


def u_eccentricity_g(mass_g: float, largest_g: float, at_g: float) -> float:
    """Get the standard uncertainty in g by a load's place on the pan: W·|Δ|max/(2·L·√3). cg-18 v4.0, 7.1.1-10."""
    return mass_g * largest_g / (2.0 * at_g * SQRT3)


def u_buoyancy_rel(mpe_g: float, nominal_g: float) -> float:
    """Get the relative standard uncertainty that air leaves to a weight's conventional mass in a calibration.

    (0.1·ρ0/ρc + mpe/(4·m))/√3, for a balance that was not adjusted just before. cg-18 v4.0, 7.1.2-5d.
    """
    return (0.1 * 1.2 / 8000.0 + mpe_g / (4.0 * nominal_g)) / SQRT3


def minimum_weight_g(alpha_g: float, beta: float, k: float, required: float, safety: float) -> float | None:
    """Get the smallest mass in g of which a weighing is good to ``required`` (relative), ``safety`` times over.

    The mass W where safety·U(W) = required·W, with U(W) = √(alpha² + (beta·W)²) for the factor ``k`` = 1 and k·u else;
    None where no mass is. cg-18 v4.0, 7.5 and appendix G.3, with the root in place of its straight line.
    """
    room = required**2 - (safety * k * beta) ** 2
    return safety * k * alpha_g / math.sqrt(room) if room > 0.0 else None


def minimum_weight_in_use_g(certificate: BalanceCertificate, required: float, safety: float) -> float | None:
    """Get the smallest mass in g that a balance weighs to ``required`` (relative, k = 2), ``safety`` times over.

    By bisection over its range, for a table has no formula. None where none is up to its capacity.
    """

    def good(mass_g: float) -> bool:
        return safety * 2.0 * u_in_use_g(certificate, mass_g) <= required * mass_g

    low, high = certificate.digit_g, certificate.capacity_g
    if not good(high):
        return None
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if good(middle) else (middle, high)
    return high


def loads_balance(text: str, where: str = "balance") -> BalanceCertificate:
    """Get the certificate that a TOML ``text`` states. Raises ``BadCertificate``: file, field, what would be right."""
    certificate = convert(parse(text, where, BadCertificate), BalanceCertificate, where, BadCertificate)
    try:
        return msgspec.structs.replace(certificate, name=name_from(certificate.name))
    except NotAName as e:
        raise BadCertificate(one_line(f"{where}: name: {e}")) from e


def load_balance(path: str | Path, *, follow_links: bool = True, most_bytes: int = MAX_BYTES) -> BalanceCertificate:
    """Get the balance's certificate in a file. Raises as :func:`loads_balance`."""
    text = read_text(Path(path), BadCertificate, follow_links=follow_links, most_bytes=most_bytes)
    return loads_balance(text, str(path))


def balance_hash(certificate: BalanceCertificate) -> str:
    """Get the SHA-256 of what a certificate states, whatever its file looks like."""
    plain = json.dumps(_plain(certificate), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode("utf-8")).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(part) for name, part in fields_said(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def balance_toml(certificate: BalanceCertificate) -> str:
    """Get a certificate as the text of its file."""
    plain, tables = [], []
    for name, value in fields_said(certificate):
        if isinstance(value, msgspec.Struct):
            tables += ["", f"[{name}]", *(f"{key} = {toml_value(v)}" for key, v in fields_said(value))]
        elif isinstance(value, tuple):
            for point in value:
                tables += ["", f"[[{name}]]", *(f"{key} = {toml_value(v)}" for key, v in fields_said(point))]
        else:
            plain.append(f"{name} = {toml_value(value)}")
    return "\n".join((*plain, *tables)) + "\n"


def _between_points(points: tuple[InUsePoint, ...], mass_g: float) -> float:
    """Get u in g between two points on a line, and beyond them in proportion to the mass, never less than a point's."""
    us = [(p.mass_g, p.U_g / p.k) for p in points]
    if mass_g <= us[0][0]:
        return us[0][1]
    for (low_g, u_low), (high_g, u_high) in pairwise(us):
        if mass_g <= high_g:
            return u_low + (u_high - u_low) * (mass_g - low_g) / (high_g - low_g)
    return us[-1][1] * mass_g / us[-1][0]
