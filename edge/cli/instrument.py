"""The commands about the instrument itself: ``budget``, ``wiring``, ``check-config`` and ``doctor``.

This module must never begin a test.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from edge.errors import NoCertificate

from .init import show_findings
from .options import NATIONAL, as_json_option, database_to_read, db_option, standard_option
from .say import say, say_json, say_lines, say_text


@click.command()
@click.option("--sample-mass", "sample_g", type=float, required=True, help="The sample's mass in g.")
@click.option("--certificate", "certificate_path", type=click.Path(path_type=Path), help="The load cell's [config's].")
@click.option("--balance", "balance_path", type=click.Path(path_type=Path), help="And with the laboratory's.")
@click.option("--safety-factor", type=click.FloatRange(1.0, 20.0), default=2.0, show_default=True, help="cg-18's.")
@standard_option
@as_json_option
def budget(
    sample_g: float,
    certificate_path: Path | None,
    balance_path: Path | None,
    safety_factor: float,
    standard_name: str | None,
    as_json: bool,
) -> None:
    """Say what uncertainty to expect, the smallest sample that can be judged, and the minimum weight."""
    from calibration.balance_certificate import load_balance
    from calibration.certificate import load_certificate
    from edge.instrument.config import config_path, load_config
    from edge.report.text import forecast_text
    from edge.standards.standard import load_standard
    from edge.uncertainty.forecast import forecast

    pressure_read = False
    if certificate_path is None:
        path = config_path(None)
        config = load_config(path) if path.exists() else None
        pressure_read = config is not None and config.barometer is not None
        named = None if config is None else config.test.certificate
        if named is None:
            raise NoCertificate(
                "no certificate of the load cell, which states its noise and drift: name one, or make one (halfpercent "
                "calibrate tare, then calibrate span; both can be tried without parts, docs/calibration.md)"
            )
        certificate_path = Path(named)
    certificate = load_certificate(certificate_path)
    standard = load_standard(NATIONAL if standard_name is None else standard_name)
    balance = None if balance_path is None else load_balance(balance_path)
    found = forecast(
        certificate, standard, sample_g, balance=balance, safety=safety_factor, pressure_read=pressure_read
    )
    if as_json:
        say_json(msgspec.to_builtins(found))
    else:
        say_text(forecast_text(found))


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@click.option("--bridge", type=click.Choice(["nau7802", "hx711", "hx711_spi"]), help="Another bridge, usual pins.")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw it into this file.")
def wiring(config_file: Path | None, bridge: str | None, svg: Path | None) -> None:
    """Say which pin goes where, for these settings."""
    from edge.instrument.config import config_path, load_config, usual
    from edge.instrument.wiring import wiring_svg, wiring_text

    path = config_path(config_file)
    known = config_file is not None or (bridge is None and path.exists())
    config = load_config(path) if known else usual(bridge or "nau7802")
    if config_file is not None and bridge is not None and bridge != config.bridge.chip:
        raise click.UsageError(f"--bridge {bridge}: {path} says {config.bridge.chip}: give one of the two")
    if svg is not None:
        svg.write_text(wiring_svg(config), encoding="utf-8")
    say_lines(wiring_text(config).rstrip())


# the machine


@click.command("check-config")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@as_json_option
def check_config(file: Path | None, as_json: bool) -> None:
    """Check the instrument's settings: one line per mistake."""
    from calibration.toml_file import read_text
    from edge.errors import BadConfig
    from edge.instrument.config import NO_OVEN, config_path, loads_config, mistakes
    from edge.instrument.consistency import disagreements

    path = config_path(file)
    text = read_text(path, BadConfig)
    wrong, note = mistakes(text, str(path)), ""
    if not wrong:
        config = loads_config(text, str(path))
        wrong = disagreements(config, str(path))
        note = f", as far as it goes: {NO_OVEN}" if config.oven_probe is None else ""
    if as_json:
        say_json({"config": str(path), "mistakes": wrong})
    elif wrong:
        for line in wrong:
            say(line, err=True)
    else:
        say(f"{path}: right{note}")
    if wrong:
        sys.exit(1)


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@click.option("--wire", is_flag=True, help="Show the bytes to and from the laboratory's balance.")
@db_option
@as_json_option
def doctor(config_file: Path | None, wire: bool, db: Path | None, as_json: bool) -> None:
    """Look at buses, rights, chips, clock, disk, versions: what is wrong, and what to do. A fault ends it with 1."""
    from edge.doctor.machine import examine
    from edge.instrument.config import config_path

    def show(way: str, data: bytes) -> None:
        if wire:
            say(f"  {way} {data.hex(' ')}  {data!r}", err=True)

    found = list(examine(config_path(config_file), database_to_read(db), show))
    if as_json:
        say_json({"findings": [asdict(f) for f in found]})
    else:
        show_findings(found)
    if any(f.state == "fail" for f in found):
        sys.exit(1)


INSTRUMENT_COMMANDS = (budget, wiring, check_config, doctor)
