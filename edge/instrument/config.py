"""The instrument's settings: a TOML file that a person writes and the machine only reads.

Every mistake in it is found at once, one line each: where, what, what would be right. This module must never
write the file, and never run on with a setting that it had to guess.
"""

from __future__ import annotations

import difflib
import os
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from calibration.toml_file import Tables, Text, convert, one_line, parse, read_text
from calibration.vacuum_gauge import VacuumGauge
from edge.errors import BadConfig
from hw.nau7802 import LDO_V
from hw.vacuum_gauge import ADS1115_ADDRESSES, FULL_SCALE_V

ETC = Path("/etc/halfpercent/config.toml")
VAR = Path("/var/lib/halfpercent/halfpercent.db")

Bus = Annotated[int, Meta(ge=0, le=31, description="a bus number, 0 to 31 (the Pi's I²C pins are 1)")]
Pin = Annotated[
    str,
    Meta(
        # The header's power pins are no pins in this sense.
        pattern=r"^(GPIO([0-9]|1[0-9]|2[0-7])"
        r"|BOARD([3578]|1[0-35689]|2[1-46-9]|3[1-35-8]|40))\Z",
        description='a pin such as "GPIO5"',
    ),
]
Seconds = Annotated[float, Meta(ge=1, le=60, description="a time in s, 1 to 60")]
Address = Annotated[int, Meta(ge=0x08, le=0x77, description="an I²C address, 0x08 to 0x77 (0x2A)")]
ChipSelect = Annotated[int, Meta(ge=0, le=7, description="a chip-select number, 0 to 7")]


MOST_REF = 12.0
"""So many times the thermometer's resistance at 0 °C a reference resistor has at most: boards have 4 or 4.3."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every table of the config has in common."""


class BridgeConfig(_Table, frozen=True, kw_only=True):
    """Which load-cell chip, where it is wired, and how it is set."""

    chip: Literal["nau7802", "hx711", "hx711_spi"]
    gain: Literal[128, 64, 32] = 128
    rate_sps: Literal[10, 20, 40, 80, 320] = 10
    i2c_bus: Bus = 1
    address: Address = 0x2A
    ldo_v: Annotated[float, Meta(ge=2.4, le=4.5, description="the excitation in V, 2.4 to 4.5 in steps of 0.3")] = 3.0
    sck_pin: Pin | None = None
    dout_pin: Pin | None = None
    spi_bus: Bus = 1
    chip_select: ChipSelect = 0

    def __post_init__(self) -> None:
        if self.chip == "nau7802" and self.ldo_v not in LDO_V:
            raise ValueError(f"ldo_v = {self.ldo_v:g}: the NAU7802 has {', '.join(map(str, sorted(LDO_V)))}")
        if self.chip == "hx711":
            for name in ("sck_pin", "dout_pin"):
                if getattr(self, name) is None:
                    raise ValueError(f'{name} is missing: an HX711 needs the pin, such as "GPIO6"')
            if self.sck_pin == self.dout_pin:
                raise ValueError(f"sck_pin and dout_pin are both {self.sck_pin}: give two pins")
        if self.chip != "nau7802" and self.rate_sps not in (10, 80):
            raise ValueError(f"rate_sps = {self.rate_sps}: the HX711 has 10 or 80, as its RATE pin is wired")


class ProbeConfig(_Table, frozen=True, kw_only=True):
    """A MAX31865. Wires, reference resistor and mains have no default: a wrong one gives plausible nonsense."""

    wires: Literal[2, 3, 4]
    ref_ohm: Annotated[float, Meta(gt=0, le=1e5, description="what the board's reference resistor says: 430 or 400")]
    mains_hz: Literal[50, 60]
    nominal_ohm: Annotated[float, Meta(ge=10, le=1e4, description="100.0 for a Pt100, 1000.0 for a Pt1000")] = 100.0
    spi_bus: Bus = 0
    chip_select: ChipSelect = 0
    plausible_c: Annotated[tuple[float, float], Meta(description="two temperatures in °C, [-30, 400]")] | None = None
    """What it can show; a value outside is a fault, for no thermometer in its place shows it."""

    def __post_init__(self) -> None:
        if self.plausible_c is not None and not -200.0 <= self.plausible_c[0] < self.plausible_c[1] <= 850.0:
            raise ValueError("plausible_c: give two temperatures in °C, from -200 to 850, the lower one first")
        if self.ref_ohm <= 1.5 * self.nominal_ohm:
            raise ValueError(
                f"ref_ohm = {self.ref_ohm:g}: must be more than 1.5 times nominal_ohm = {self.nominal_ohm:g}: "
                "430 or 400 for a Pt100, 4300 or 4000 for a Pt1000"
            )
        if self.ref_ohm > MOST_REF * self.nominal_ohm:
            raise ValueError(
                f"ref_ohm = {self.ref_ohm:g} is not for nominal_ohm = {self.nominal_ohm:g}: a Pt100's board has 430 or "
                "400, a Pt1000's 4300 or 4000: look at both, and set both"
            )


class VacuumConfig(_Table, frozen=True, kw_only=True):
    """How the pressure is known: declared by whoever runs the test, or measured.

    ``curve`` is an analogue gauge's: pairs of V at the gauge's output and Pa, volts rising. ``divider`` is how
    many times smaller the ADS1115's input is. ``zero_pa`` is what an MPRLS shows where the pressure is
    next to nothing.
    """

    gauge: Literal["declared", "mprls", "ads1115"] = "declared"
    i2c_bus: Bus = 1
    address: Address | None = None
    zero_pa: Annotated[float, Meta(ge=-5000, le=5000, description="a pressure in Pa, -5000 to 5000")] = 0.0
    channel: Annotated[int, Meta(ge=0, le=3, description="an input of the ADS1115, 0 to 3")] = 0
    full_scale_v: float = 4.096
    divider: Annotated[float, Meta(ge=1, le=100, description="a ratio, 1 to 100")] = 1.0
    curve: Annotated[tuple[tuple[float, float], ...], Meta(description="pairs such as [[1.0, 0.1], [9.0, 1e5]]")] = ()

    def __post_init__(self) -> None:
        if self.gauge != "ads1115":
            return
        if self.full_scale_v not in FULL_SCALE_V:
            ranges = ", ".join(f"{v:g}" for v in sorted(FULL_SCALE_V))
            raise ValueError(f"full_scale_v = {self.full_scale_v:g}: the ADS1115 has {ranges}")
        if self.address is not None and self.address not in ADS1115_ADDRESSES:
            raise ValueError(f"address = 0x{self.address:02X}: the ADS1115 has 0x48 to 0x4B")
        if not all(-100.0 <= volts <= 100.0 and 0.0 < pa <= 1e6 for volts, pa in self.curve):
            raise ValueError("curve: give volts from -100 to 100, and pressures in Pa above 0, at most 1e6")
        if len(self.curve) < 2:
            raise ValueError("curve is missing: give the gauge's points, such as [[1.0, 0.1], [9.0, 1e5]]")
        if any(a[0] >= b[0] for a, b in pairwise(self.curve)):
            raise ValueError("curve: the volts must rise from each point to the next")
        if len({a[1] < b[1] for a, b in pairwise(self.curve)}) > 1 or any(
            a[1] == b[1] for a, b in pairwise(self.curve)
        ):
            raise ValueError("curve: the pressures must all rise or all fall from each point to the next")

    def fitted(self) -> VacuumGauge | None:
        """Get the gauge that these settings describe; None where the pressure is declared."""
        if self.gauge == "declared":
            return None
        return VacuumGauge(**{name: getattr(self, name) for name in VacuumGauge.__struct_fields__})


class BarometerConfig(_Table, frozen=True, kw_only=True):
    """A barometer in the room: what the weather did between M1 and M2. It is an aid, and never asked for."""

    chip: Literal["bmp280", "bme280"]
    i2c_bus: Bus = 1
    address: Literal[0x76, 0x77] = 0x76


class PanelConfig(_Table, frozen=True, kw_only=True):
    """What of the panel is wired; a pin that is not given is not there."""

    lamp_pin: Pin | None = None
    buzzer_pin: Pin | None = None
    button_pin: Pin | None = None
    relay_pin: Pin | None = None
    relay_within_s: Seconds = 3.0


class StorageConfig(_Table, frozen=True, kw_only=True):
    """Where the database is, and how often it is committed."""

    database: Text = str(VAR)
    commit_every_s: Seconds = 5.0
    backup: Text | None = None
    """A folder, on a stick or elsewhere, into which each run is copied when it has ended."""


class AlarmConfig(_Table, frozen=True, kw_only=True):
    """The limits beyond which an alarm is raised. Over-temperature opens the interlock."""

    over_temp_c: Annotated[float, Meta(ge=30, le=400, description="an oven temperature in °C, 30 to 400")] = 130.0
    cell_over_temp_c: Annotated[float, Meta(ge=20, le=150, description="a temperature in °C, 20 to 150")] = 60.0
    loss_rate_pct_per_h: Annotated[float, Meta(gt=0, le=1e4, description="a rate in %/h, above 0")] = 20.0


class RunConfig(_Table, frozen=True, kw_only=True):
    """The standard and the certificate of a run that names none, and whether the rig must have been shown fit."""

    standard: Text = "gbt-48093-1-2026"
    certificate: Text | None = None
    suitability: Literal["if_tested", "required"] = "if_tested"


class BalanceConfig(_Table, frozen=True, kw_only=True):
    """The laboratory's own balance: its certificate's file, and the port at which it is asked (None: it is typed).

    ``contradiction``: what becomes of a run whose balance and rig contradict each other beyond their uncertainties.
    """

    certificate: Text | None = None
    port: Text | None = None
    protocol: Literal["mt-sics", "kcp", "sbi"] = "mt-sics"
    baud: Literal[300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    contradiction: Literal["invalid", "warning"] = "invalid"


class LaboratoryConfig(_Table, frozen=True, kw_only=True):
    """Whose report it is: the laboratory's name and address, and where the test is made if that is elsewhere."""

    name: Text
    address: Text | None = None
    place: Text | None = None


class Config(_Table, frozen=True, kw_only=True):
    """All settings of one instrument. A load cell alone can be read and calibrated; a test needs ``oven_probe``."""

    bridge: BridgeConfig
    oven_probe: ProbeConfig | None = None
    cell_probe: ProbeConfig | None = None
    vacuum: VacuumConfig = VacuumConfig()
    barometer: BarometerConfig | None = None
    panel: PanelConfig = PanelConfig()
    storage: StorageConfig = StorageConfig()
    alarms: AlarmConfig = AlarmConfig()
    test: RunConfig = RunConfig()
    balance: BalanceConfig = BalanceConfig()
    laboratory: LaboratoryConfig | None = None

    def __post_init__(self) -> None:
        a, b = self.oven_probe, self.cell_probe
        if a is not None and b is not None and (a.spi_bus, a.chip_select) == (b.spi_bus, b.chip_select):
            raise ValueError(
                f"oven_probe and cell_probe share spi_bus {a.spi_bus}, chip_select {a.chip_select}: give each its own"
            )


_CONFIG_TABLES: dict[str, tuple[type[_Table], bool]] = {
    "bridge": (BridgeConfig, True),
    "oven_probe": (ProbeConfig, False),
    "cell_probe": (ProbeConfig, False),
    "vacuum": (VacuumConfig, False),
    "barometer": (BarometerConfig, False),
    "panel": (PanelConfig, False),
    "storage": (StorageConfig, False),
    "alarms": (AlarmConfig, False),
    "test": (RunConfig, False),
    "balance": (BalanceConfig, False),
    "laboratory": (LaboratoryConfig, False),
}


NO_OVEN = (
    "the table [oven_probe] is missing: a test needs the oven's temperature (a reading of the load cell, its tare and "
    "its span do not)"
)


def oven_of(config: Config, where: str = "settings") -> ProbeConfig:
    """Get the oven's thermometer, which every test needs. Raises ``BadConfig`` where the settings name none."""
    if config.oven_probe is None:
        raise BadConfig(f"{where}: {NO_OVEN}")
    return config.oven_probe


def config_path(given: Path | None) -> Path:
    """Get the config's path: what was given, else ``HALFPERCENT_CONFIG``, else the one under ``/etc``."""
    return given or Path(os.environ.get("HALFPERCENT_CONFIG") or ETC)


MOST_UNKNOWN = 20
"""Of the names that a table has and should not: what has more is another file."""


def mistakes(text: str, where: str) -> list[str]:
    """Get one line for each mistake in a config's text: where, what, what would be right. None: it is right."""
    try:
        tables = parse(text, where, BadConfig)
    except BadConfig as e:
        return [str(e)]
    out = _unknown(tables, list(_CONFIG_TABLES), where, "")
    for name, (table, required) in _CONFIG_TABLES.items():
        if name in tables:
            out += _in_table(name, tables[name], table, where)
        elif required:
            out.append(f"{where}: the table [{name}] is missing: add it")
    if not out:
        out += _tried({k: v for k, v in tables.items() if k in _CONFIG_TABLES}, Config, where)
    return out


def loads_config(text: str, where: str = "config") -> Config:
    """Get the settings that a TOML text holds. Raises ``BadConfig`` with the first mistake."""
    wrong = mistakes(text, where)
    if wrong:
        more = f" (and {len(wrong) - 1} more: run halfpercent check-config)" if len(wrong) > 1 else ""
        raise BadConfig(wrong[0] + more)
    return convert(parse(text, where, BadConfig), Config, where, BadConfig)


def load_config(path: Path) -> Config:
    """Get the settings in the TOML file at ``path``. Raises ``BadConfig``, one line."""
    if not path.exists() and not path.is_symlink():
        raise BadConfig(
            f"{path}: there are no settings: halfpercent init asks what is wired and writes them, or name others"
        )
    return loads_config(read_text(path, BadConfig), str(path))


def _in_table(name: str, given: object, table: type[_Table], where: str) -> list[str]:
    if not isinstance(given, dict):
        return [f"{where}: {name} is not a table: write [{name}] and its settings below it"]
    fields = {f.name: f for f in msgspec.structs.fields(table)}
    out = _unknown(given, list(fields), where, f"{name}.")
    for key, value in given.items():
        if key not in fields:
            continue
        one = msgspec.defstruct("One", [(key, fields[key].type)], forbid_unknown_fields=True)
        out += _tried({name: {key: value}}, msgspec.defstruct("Table", [(name, one)]), where)
    out += [f"{where}: {name}.{key} is missing: add it" for key, f in fields.items() if f.required and key not in given]
    return out or _tried({name: given}, msgspec.defstruct("Table", [(name, table)]), where)


def _tried(tables: Tables, record: type[msgspec.Struct], where: str) -> list[str]:
    try:
        convert(tables, record, where, BadConfig)
    except BadConfig as e:
        return [str(e)]
    return []


def _unknown(given: Tables, known: list[str], where: str, before: str) -> list[str]:
    """Get a line for each name that is none of those which are known, for at most ``MOST_UNKNOWN`` of them."""
    names = [name for name in given if name not in known]
    out = [one_line(f"{where}: {before}{name} is unknown: " + _instead(name, known)) for name in names[:MOST_UNKNOWN]]
    more = len(names) - len(out)
    return out + ([f"{where}: {more} more of its names are unknown: is it another file?"] if more else [])


def _instead(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"use {', '.join(known)}"


def usual(chip: str) -> Config:
    """Get the settings of a usual rig with this bridge and two thermometers: for a first look at its wiring."""
    pins = 'sck_pin = "GPIO6"\ndout_pin = "GPIO5"\n' if chip == "hx711" else ""
    probe = "wires = 4\nref_ohm = 430\nmains_hz = 50\n"
    return loads_config(
        f'[bridge]\nchip = "{chip}"\n{pins}[oven_probe]\n{probe}[cell_probe]\n{probe}chip_select = 1\n', "usual rig"
    )
