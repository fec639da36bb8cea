"""A load cell's certificate: the numbers that turn its codes into grams, each with its uncertainty.

A certificate is a TOML file, written by the guided calibration or by hand (``docs/calibration.md``). Its
hash goes into every run. One that a calibration wrote carries the record of it and its own hash, so that a change
by hand is seen. This module must never change or fill in a number that a person or a
calibration has stated; what a certificate does not state is not known.

What the numbers mean, in the order in which they are applied (T is the *cell's* temperature)::

    zeroed = code − tare − zero_counts_per_k·(T − t_ref_c)
    load_g = zeroed / (counts_per_g·(1 + span_per_k·(T − t_ref_c)))
    mass_g = load_g + linearity_per_g·load_g²

So a **positive** ``zero_counts_per_k`` means that the zero RISES with temperature, and a positive
``span_per_k`` that the same load gives more codes when the cell is warmer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from calibration.calibration_record import Placing, Record
from calibration.calibration_record import Table as _Table
from calibration.errors import BadCertificate
from calibration.toml_file import MAX_BYTES, Tables, Text, convert, parse, read_text

CONVERTER_CODES = 1 << 23
"""What a 24-bit converter has on either side of zero."""

GAINS = {"hx711": (128, 64, 32), "nau7802": (1, 2, 4, 8, 16, 32, 64, 128)}
"""The gains that the chips we drive have; of other chips nothing is known."""

# 20 times the span drift of the cheapest bar cells, and a tenth of the capacity: beyond is a slip of the pen.
_SPAN_PER_K_MAX = 1e-3
_BEND_MAX = 0.1

Dof = Annotated[float, Meta(ge=1, le=1e6, description="degrees of freedom, 1 to 1e6")]
Mass = Annotated[float, Meta(gt=0, le=1e6, description="a mass in g, above 0, at most 1e6")]
MassU = Annotated[float, Meta(ge=0, le=1e6, description="a half-width in g, 0 or more")]
Slope = Annotated[float, Meta(ge=-1e9, le=1e9, description="a number from -1e9 to 1e9 (not nan, not inf)")]
Sd = Annotated[float, Meta(ge=0, le=1e9, description="a standard deviation: a number from 0 to 1e9")]
SpanPerK = Annotated[
    float,
    Meta(
        ge=-_SPAN_PER_K_MAX,
        le=_SPAN_PER_K_MAX,
        description="a relative change per K, -0.001 to 0.001 (0.05 % in 10 K is 5e-5)",
    ),
]
TempC = Annotated[float, Meta(ge=-50, le=200, description="a temperature in °C, -50 to 200")]
TempU = Annotated[float, Meta(ge=0, le=50, description="a standard uncertainty in °C, 0 to 50")]
LagS = Annotated[float, Meta(gt=0, le=86400, description="a time in s, above 0, at most 86400")]
CreepPct = Annotated[float, Meta(ge=-5, le=5, description="a change in % of the load, -5 to 5")]
OffsetC = Annotated[float, Meta(ge=-200, le=200, description="a number in °C, -200 to 200")]
PerOven = Annotated[float, Meta(ge=0, le=1, description="a ratio from 0 to 1")]
Ohm = Annotated[float, Meta(gt=0, le=1e5, description="a resistance in Ω, above 0, at most 1e5")]
# From IEC 60751's platinum (3.9083e-3, -5.775e-7) to the purest there is, of a standard thermometer.
APerK = Annotated[float, Meta(ge=3.8e-3, le=4.0e-3, description="Callendar-Van Dusen's A in 1/K, 3.8e-3 to 4.0e-3")]
BPerK2 = Annotated[float, Meta(ge=-7e-7, le=-5e-7, description="Callendar-Van Dusen's B in 1/K², -7e-7 to -5e-7")]
Kept = Annotated[float, Meta(ge=-2, le=2, description="a share, -2 to 2")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}\\Z", description="a SHA-256, 64 hexadecimal digits")]

TareCounts = Annotated[
    float,
    Meta(ge=-CONVERTER_CODES, lt=CONVERTER_CODES, description="a code from -8388608 to 8388607"),
]


class Cell(_Table, frozen=True, kw_only=True):
    """Which load cell this is: rated ``capacity_g`` and its ``serial`` number."""

    capacity_g: Mass
    serial: Text


class BridgeChip(_Table, frozen=True, kw_only=True):
    """What it was read with: ``chip`` (``hx711``, ``nau7802`` or another) and its ``gain``."""

    chip: Text
    gain: Annotated[int, Meta(ge=1, le=1024, description="the chip's gain, a whole number from 1 to 1024")]

    def __post_init__(self) -> None:
        gains = GAINS.get(self.chip, ())
        if gains and self.gain not in gains:
            raise ValueError(f"gain = {self.gain}: the {self.chip} has {', '.join(map(str, gains))}")


class Span(_Table, frozen=True, kw_only=True):
    """Counts per gram at ``t_ref_c``: negative for a cell mounted or wired the other way round."""

    counts_per_g: Slope
    u_counts_per_g: Sd

    def __post_init__(self) -> None:
        if self.counts_per_g == 0.0:
            raise ValueError("counts_per_g = 0: give the codes that one gram adds (negative if it takes)")
        if self.u_counts_per_g >= abs(self.counts_per_g):
            raise ValueError(
                f"u_counts_per_g = {self.u_counts_per_g:g}: give less than counts_per_g itself "
                f"({abs(self.counts_per_g):g}), or calibrate again"
            )


class Linearity(_Table, frozen=True, kw_only=True):
    """The bend q in mass = load + q·load², per g."""

    linearity_per_g: Slope
    u_linearity_per_g: Sd


class Temperature(_Table, frozen=True, kw_only=True):
    """What the cell's own temperature does to it, and how that temperature is known.

    ``probe``: a thermometer sits on the cell. ``oven_lag``: the cell's temperature follows the oven's
    through a first-order lag of ``lag_s`` towards ``cell_offset_c + cell_per_oven·T_oven``.
    """

    t_ref_c: TempC
    zero_counts_per_k: Slope
    u_zero_counts_per_k: Sd
    span_per_k: SpanPerK
    u_span_per_k: Annotated[float, Meta(ge=0, le=_SPAN_PER_K_MAX, description="a number from 0 to 0.001")]
    cell_source: Literal["probe", "oven_lag"]
    u_cell_temp_c: TempU
    lag_s: LagS | None = None
    cell_offset_c: OffsetC | None = None
    cell_per_oven: PerOven | None = None

    def __post_init__(self) -> None:
        for name in ("lag_s", "cell_offset_c", "cell_per_oven"):
            given = getattr(self, name) is not None
            if self.cell_source == "oven_lag" and not given:
                raise ValueError(f'{name} is missing: cell_source = "oven_lag" needs it')
            if self.cell_source == "probe" and given:
                raise ValueError(f'{name} belongs to cell_source = "oven_lag": remove it, or change cell_source')


class Stability(_Table, frozen=True, kw_only=True):
    """What the cell does on its own: half-widths over a whole test, and the noise of one sample.

    ``creep_pct_fs`` is in percent of full scale at full load (with less load in proportion) and counts from the end
    of the dwell before M1;
    ``zero_drift_g`` is what the zero may move at constant temperature; ``noise_counts`` a standard deviation.
    ``zero_walk_g`` is the measured standard deviation of what the zero wanders in one hour (it grows with the square
    root of time), with ``zero_walk_dof`` degrees of freedom; 0 where it is within ``zero_drift_g``.

    Measured, and optional: ``zero_drift_g_per_h`` is by how much the zero drifted an hour in the calibration's nights
    (root mean square), ``zero_bound_g`` the standard deviation within which it stays over hours, however long (0: it
    walks). A load creeps ``creep_gained_pct`` of itself from M1 to M2, positive where the indication rises, with the
    standard uncertainty ``u_creep_gained_pct`` (0: only ``creep_pct_fs`` is known), and ``creep_whole_pct`` since it
    was put on; in the middle of M1 by ``creep_at_m1_pct_per_h``, which bends by ``creep_bend_at_m1_pct_per_h2``.
    When the load is taken off, the share ``creep_kept`` of what it crept does not come back, with the standard
    uncertainty ``u_creep_kept`` (0: not measured).
    ``zero_g_per_kpa`` is by how much the zero rises with the air's pressure (none: it was not measured).
    """

    creep_pct_fs: Annotated[float, Meta(ge=0, le=5, description="a half-width in % of capacity, 0 to 5")]
    zero_drift_g: MassU
    noise_counts: Sd
    zero_walk_g: MassU = 0.0
    zero_walk_dof: Dof = 1e6
    zero_drift_g_per_h: MassU = 0.0
    zero_drift_dof: Dof = 1e6
    zero_bound_g: MassU = 0.0
    zero_bound_dof: Dof = 1e6
    creep_gained_pct: CreepPct = 0.0
    u_creep_gained_pct: Annotated[float, Meta(ge=0, le=5, description="a standard uncertainty in %, 0 to 5")] = 0.0
    creep_whole_pct: CreepPct = 0.0
    creep_at_m1_pct_per_h: Slope = 0.0
    creep_bend_at_m1_pct_per_h2: Slope = 0.0
    creep_kept: Kept = 0.0
    u_creep_kept: Annotated[float, Meta(ge=0, le=2, description="a standard uncertainty of a share, 0 to 2")] = 0.0
    zero_g_per_kpa: Slope | None = None
    u_zero_g_per_kpa: Sd = 0.0

    @property
    def u_creep_pct(self) -> float:
        """Get the standard uncertainty of what a load creeps from M1 to M2, in % of it."""
        return self.u_creep_gained_pct or self.creep_pct_fs / math.sqrt(3.0)


class Rtd(_Table, frozen=True, kw_only=True):
    """A resistance thermometer: R = code/32768·ref_ohm − lead_ohm, then R = r0_ohm·(1 + A·t + B·t²).

    A and B are IEC 60751's, or the sensor's own ``a_per_k`` and ``b_per_k2``. ``lead_ohm`` is what of the leads is
    still in the reading (0 with three or four wires). ``u_temp_c`` is the standard uncertainty of the oven
    temperature, sensor, converter and place together.
    """

    ref_ohm: Ohm
    r0_ohm: Ohm
    lead_ohm: Annotated[float, Meta(ge=0, le=100, description="a resistance in Ω, 0 to 100")]
    wires: Literal[2, 3, 4]
    tolerance_class: Literal["AA", "A", "B", "C"]
    u_temp_c: TempU
    a_per_k: APerK | None = None
    b_per_k2: BPerK2 | None = None

    def __post_init__(self) -> None:
        if (self.a_per_k is None) != (self.b_per_k2 is None):
            raise ValueError("a_per_k and b_per_k2 belong together: give both, or neither for IEC 60751's")
        # At 120 °C the sensor has 1.46·r0, and the converter measures no more than ref_ohm.
        if self.ref_ohm <= 1.5 * self.r0_ohm:
            raise ValueError(
                f"ref_ohm = {self.ref_ohm:g}: give what the board's reference resistor has, more than 1.5 "
                f"times r0_ohm (430 or 400 for a Pt100, 4300 or 4000 for a Pt1000)"
            )


class Certificate(_Table, frozen=True, kw_only=True):
    """All that is known of one load cell with its bridge and thermometer. See the module for the formula.

    ``rtd`` is the oven's thermometer, and the load cell's too where there is no ``cell_rtd``. ``tare_counts`` is
    only for recordings that hold no tare of their own: the code of the empty holder. ``record`` and ``sha256`` are a
    guided calibration's; ``mount`` is what the cell was mounted by as it was calibrated,
    ``placing`` what it makes that a load is put on again.
    """

    format: Literal[1]
    name: Text
    made_by: Text
    made_at: dt.date
    cell: Cell
    bridge: BridgeChip
    span: Span
    linearity: Linearity
    temperature: Temperature
    stability: Stability
    rtd: Rtd
    valid_until: dt.date | None = None
    tare_counts: TareCounts | None = None
    cell_rtd: Rtd | None = None
    record: Record | None = None
    sha256: Sha256 | None = None
    mount: Text | None = None
    placing: Placing | None = None

    @property
    def recorded(self) -> bool:
        """Say whether a calibration wrote it and nobody has changed it since; else a person wrote it by hand."""
        return self.record is not None and self.sha256 == certificate_hash(self)

    @property
    def is_simulated(self) -> bool:
        """Say whether it is of a simulated load cell: it says so in its serial, or in who made it."""
        return self.cell.serial.startswith("simulated ") or self.made_by.startswith("halfpercent, simulated")

    def __post_init__(self) -> None:
        if self.valid_until is not None and self.valid_until < self.made_at:
            raise ValueError(f"valid_until = {self.valid_until}: give a day after made_at ({self.made_at})")
        full_scale = abs(self.span.counts_per_g) * self.cell.capacity_g
        if full_scale >= CONVERTER_CODES:
            raise ValueError(
                f"span.counts_per_g = {self.span.counts_per_g:g}: {full_scale:.3g} codes at cell.capacity_g"
                f", more than the converter's {CONVERTER_CODES}: give codes per gram, not per kg"
            )
        if abs(self.linearity.linearity_per_g) * self.cell.capacity_g > _BEND_MAX:
            raise ValueError(
                f"linearity.linearity_per_g = {self.linearity.linearity_per_g:g}: times cell.capacity_g "
                f"at most {_BEND_MAX:g} (give 0 where it was not measured)"
            )
        if self.stability.zero_drift_g > self.cell.capacity_g:
            raise ValueError(
                f"stability.zero_drift_g = {self.stability.zero_drift_g:g}: give less than cell.capacity_g"
            )


def loads(text: str, where: str = "certificate") -> Certificate:
    """Get the certificate that a TOML ``text`` holds; ``where`` names it in an error.

    Raises :class:`~calibration.errors.BadCertificate`, one line with the field and what would be right, or that it was
    changed after it was made.
    """
    certificate = convert(parse(text, where, BadCertificate), Certificate, where, BadCertificate)
    if certificate.sha256 is not None and certificate.sha256 != certificate_hash(certificate):
        raise BadCertificate(
            f"{where}: changed after it was made: put the original back or calibrate again; without its line sha256 it "
            "counts as written by hand"
        )
    return certificate


def load_certificate(path: str | Path, *, follow_links: bool = True, most_bytes: int = MAX_BYTES) -> Certificate:
    """Get the certificate in the TOML file at ``path``.

    ``follow_links`` and ``most_bytes`` are for a path of somebody else's (:func:`calibration.toml_file.read_text`).
    Raises :class:`~calibration.errors.BadCertificate`, one line with file, field and what would be right.
    """
    path = Path(path)
    return loads(read_text(path, BadCertificate, follow_links=follow_links, most_bytes=most_bytes), str(path))


def certificate_hash(certificate: Certificate) -> str:
    """Get the SHA-256 (hex) over what the certificate states, its own ``sha256`` aside.

    Layout and comments of the file do not count, and neither does the order of its fields: the hash is
    over the record as JSON, fields in the record's order, without what is not stated.
    """
    bare = msgspec.structs.replace(certificate, sha256=None)
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()


def sealed(certificate: Certificate) -> Certificate:
    """Get the certificate with its own hash in it."""
    return msgspec.structs.replace(certificate, sha256=certificate_hash(certificate))


HEAVIER = 1.1
"""A mass may be so many times the heaviest check weight, ..."""
WARMER_K = 2.0
"""... and the cell so far outside the temperatures at which it was calibrated."""


def out_of_range(certificate: Certificate, mass_g: float, cell_temp_c: float) -> str | None:
    """Say in one line what of a weighing lies outside what was calibrated; None where nothing does.

    ``mass_g`` is what lies on the holder; ``cell_temp_c`` as the certificate means it, NaN where not known. Of a
    certificate without a record only the capacity is known.
    """
    name, record = certificate.name, certificate.record
    if mass_g > certificate.cell.capacity_g:
        return (
            f"{mass_g:.1f} g is more than the cell's capacity of {certificate.cell.capacity_g:g} g: "
            f"certificate {name} does not hold there"
        )
    if record is None:
        return None
    heaviest_g = max((p.mass_g for p in record.points), default=0.0)
    if mass_g > HEAVIER * heaviest_g:
        return (
            f"{mass_g:.1f} g is more than certificate {name} was calibrated for (weights up to {heaviest_g:g} g): "
            "calibrate with a heavier weight"
        )
    slopes = [s for s in (record.zero_slope, record.loaded_slope) if s is not None]
    if slopes:
        low_c, high_c = min(s.low_c for s in slopes), max(s.high_c for s in slopes)
        if cell_temp_c < low_c - WARMER_K or cell_temp_c > high_c + WARMER_K:
            return (
                f"the load cell was at {cell_temp_c:.1f} °C, certificate {name} holds from {low_c:.1f} to "
                f"{high_c:.1f} °C: calibrate over a wider swing of temperature"
            )
    return None


def to_toml(certificate: Certificate) -> str:
    """Get the certificate as TOML text that :func:`loads` reads back as the same record."""
    return "\n".join([*_lines((), msgspec.to_builtins(certificate, builtin_types=(dt.date,))), ""])


def _lines(path: tuple[str, ...], table: Tables) -> Iterator[str]:
    """Get the lines of a table: its own values first, then its tables, then its lists of tables."""
    tables = {name: found for name, value in table.items() if (found := _tables(value))}
    yield from (f"{name} = {_shown(value)}" for name, value in table.items() if name not in tables)
    for name, each in tables.items():
        head = ".".join((*path, name))
        for one in each:
            yield from ("", f"[{head}]" if isinstance(table[name], dict) else f"[[{head}]]")
            yield from _lines((*path, name), one)


def _tables(value: object) -> list[Tables]:
    """Get the tables that a value is: itself, a list of them, or none."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    # JSON's escapes for text are TOML's; a control character never gets here (see `records.LINE`).
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
