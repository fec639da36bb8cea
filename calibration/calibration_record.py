"""What a calibration leaves behind in its certificate: what was put on, what was read, what was fitted, what was taken.

Records only. They let a stranger fit the coefficients again. This module must never decide anything.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from calibration.toml_file import Text

Number = Annotated[float, Meta(ge=-1e12, le=1e12, description="a number (not nan, not inf)")]
Positive = Annotated[float, Meta(ge=0, le=1e12, description="a number, 0 or more (not nan, not inf)")]
Origin = Literal["declared", "assumed"]
ThermometerPlace = Literal["oven", "cell"]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every table of a certificate has in common."""


class Air(Table, frozen=True, kw_only=True):
    """The air in which weights were put on: its density with standard uncertainty, and how that is known.

    ``temp_c``, ``pressure_pa`` and ``humidity_pct`` are what was declared.
    """

    density_kg_m3: Positive
    u_density_kg_m3: Positive
    origin: Origin
    temp_c: Number | None = None
    pressure_pa: Positive | None = None
    humidity_pct: Positive | None = None


class Weight(Table, frozen=True, kw_only=True):
    """A check weight: conventional mass, its standard uncertainty and where that is from, and its density."""

    mass_g: Positive
    u_mass_g: Positive
    stated: Text
    density_kg_m3: Positive = 7950.0
    u_density_kg_m3: Positive = 70.0


class Point(Table, frozen=True, kw_only=True):
    """What the cell read under a weight of ``mass_g`` (0: the empty holder): the mean code of some steady seconds.

    ``noise_code`` is the standard deviation of single samples, ``n`` the seconds in the mean, ``cell_c`` and ``oven_c``
    the temperatures (left out where not measured). Codes of one ``piece`` were read without a power-up in between.
    """

    mass_g: Positive
    code: Number
    u_code: Positive
    rising: bool
    noise_code: Positive
    n: int
    wall_s: Number
    piece: int = 0
    cell_c: Number | None = None
    oven_c: Number | None = None


class Slope(Table, frozen=True, kw_only=True):
    """What temperature did to the code with ``weight_g`` on: codes per K, and over what it was found.

    ``low_c`` to ``high_c`` is the swing of the cell's temperature; ``residual`` in codes, of a minute.
    """

    weight_g: Positive
    per_k: Number
    u_per_k: Positive
    low_c: Number
    high_c: Number
    minutes: int
    residual: Positive
    drift_per_h: Number
    inflation: Positive


class SpanRecord(Table, frozen=True, kw_only=True):
    """The fit code = zero + S·load (+ c·load²) and its covariance, in codes and g of load."""

    zero_code: Number
    quadratic: bool
    residual_g: Positive
    covariance: tuple[tuple[Number, ...], ...]
    hysteresis_g: Positive | None = None


class RtdCheck(Table, frozen=True, kw_only=True):
    """A thermometer's converter against something known: what it was, and what it read.

    ``resistor``: in place of the thermometer, at the end of its leads; ``short``: a piece of wire there; ``ice``: the
    thermometer itself at 0 °C. ``ohm`` and ``u_ohm`` are what it is stated to be (of ice: 0 °C and ``u_ohm`` in °C).
    """

    kind: Literal["resistor", "short", "ice"]
    probe: ThermometerPlace
    ohm: Number
    u_ohm: Positive
    code: Positive
    u_code: Positive
    wall_s: Number


class SelfHeating(Table, frozen=True, kw_only=True):
    """A resting thermometer's code with the current always on, and with it on for a share ``duty`` of the time."""

    probe: ThermometerPlace
    always_code: Positive
    u_always_code: Positive
    rarely_code: Positive
    u_rarely_code: Positive
    duty: Positive
    wall_s: Number


class Lag(Table, frozen=True, kw_only=True):
    """How long the cell's temperature takes to follow the oven's, with its standard uncertainty, in s."""

    lag_s: Positive
    u_lag_s: Positive


class PressureRecord(Table, frozen=True, kw_only=True):
    """The empty holder in air, under vacuum, and in air again; both pressures with the standard uncertainty of one."""

    air_hpa: Positive
    vacuum_hpa: Positive
    u_hpa: Positive
    before: Point
    vacuum: Point
    after: Point


class WeatherRecord(Table, frozen=True, kw_only=True):
    """What the air's pressure did to the zero in the nights: g per kPa, and between which pressures that was found."""

    g_per_kpa: Number
    u_g_per_kpa: Positive
    low_hpa: Positive
    high_hpa: Positive


class Placing(Table, frozen=True, kw_only=True):
    """What it makes that ``weight_g`` is put on again, in g.

    ``repeatability_g`` is the standard deviation of ``repeatability_n`` placings in the middle, ``eccentricity_g`` the
    largest difference of one near an edge.
    """

    weight_g: Positive
    repeatability_g: Positive
    repeatability_n: int
    eccentricity_g: Positive


class Record(Table, frozen=True, kw_only=True):
    """Everything a calibration recorded: conditions, weights, points, fits; ``assumed`` is what nobody measured."""

    software: Text
    begun: dt.date
    air: Air
    weights: tuple[Weight, ...]
    span: SpanRecord
    points: tuple[Point, ...]
    zero_slope: Slope | None = None
    loaded_slope: Slope | None = None
    lag: Lag | None = None
    rtd_checks: tuple[RtdCheck, ...] = ()
    assumed: tuple[Text, ...] = ()
    pressure: PressureRecord | None = None
    self_heating: tuple[SelfHeating, ...] = ()
    placings: tuple[Point, ...] = ()
    weather: WeatherRecord | None = None
