"""The command ``read``: the load cell live, for wiring and tapping.

It opens the chips only with their locks: beside a running station it shows what the station says and ends. This module
must never begin a test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from .options import typed
from .say import say, say_json, say_text, say_wrapped

if TYPE_CHECKING:
    from calibration.certificate import Certificate
    from edge.doctor.live_reading import LiveSecond
    from edge.instrument.acquisition import Instrument
    from edge.instrument.config import Config
    from hw.clock import Clock

LONGEST_S = 7 * 86_400.0
WIDE = 60
"""Columns from which on all of a second is on its line."""
_path = click.Path(path_type=Path)


@click.command()
@click.option("--for", "for_s", type=click.FloatRange(1, LONGEST_S), help="So many s [until Ctrl-C].")
@click.option("--config", "config_file", type=_path, help="The settings [/etc/halfpercent].")
@click.option("--certificate", "certificate_path", type=_path, help="The load cell's [config's]; without one, codes.")
@click.option("--simulate", is_flag=True, help="A simulated rig that somebody wires: what a tap, a finger … look like.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, help="Simulated: of all that is random [1].")
@click.option("--bridge", type=click.Choice(["nau7802", "hx711"]), default="nau7802", help="Simulated [nau7802].")
@click.option(
    "--speed", type=click.FloatRange(0, 1e6), default=1.0, help="Simulated: times real time, 0 as it goes [1]."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a second.")
def read(
    for_s: float | None,
    config_file: Path | None,
    certificate_path: Path | None,
    simulate: bool,
    seed: int,
    bridge: str,
    speed: float,
    as_json: bool,
) -> None:
    """Read the load cell live: grams (codes without a certificate), degrees, noise, rate, and what touches it."""
    from edge.doctor.live_reading import LiveReading
    from edge.errors import DeviceInUse

    for option in ("seed", "bridge", "speed"):
        if typed(option) and not simulate:
            raise click.UsageError(f"--{option} is for the simulated rig: add --simulate")
    try:
        with _opened(config_file, certificate_path, simulate, (bridge, seed, speed)) as of:
            reading = LiveReading(of.instrument, of.config, of.certificate, of.clock)
            if not as_json:
                _say_legend(of.certificate is not None, simulate)
            with closing(reading.seconds(for_s or LONGEST_S)) as seconds:
                for second in seconds:
                    say_json(msgspec.to_builtins(second)) if as_json else _say_second(second)
    except KeyboardInterrupt:
        return
    except DeviceInUse:
        _show_station(as_json)
        raise


@dataclass(frozen=True, slots=True)
class Opened:
    """What is read: open chips, their settings, what makes grams of their codes (None: nothing), and their clock."""

    instrument: Instrument
    config: Config
    certificate: Certificate | None
    clock: Clock


@contextmanager
def _opened(
    config_file: Path | None, certificate_path: Path | None, simulate: bool, drawn: tuple[str, int, float]
) -> Iterator[Opened]:
    """Open what is to be read: the chips that the settings name, or a simulated rig's."""
    from calibration.certificate import load_certificate

    certificate = None if certificate_path is None else load_certificate(certificate_path)
    if simulate:
        from edge.simulate.touched import simulated_reading

        if config_file is not None:
            raise click.UsageError("--config is for a real rig: leave it out, or --simulate")
        made = simulated_reading(*drawn)
        made.instrument.open()
        with closing(made.instrument):
            yield Opened(made.instrument, made.config, certificate or made.certificate, made.clock)
        return
    from edge.instrument.config import config_path, load_config
    from hw.clock import BootClock

    config = load_config(config_path(config_file))
    if certificate is None and config.test.certificate is not None:
        certificate = load_certificate(config.test.certificate)
    clock = BootClock()
    instrument, config = _with_what_answers(config, clock)
    with closing(instrument):
        yield Opened(instrument, config, certificate, clock)


def _with_what_answers(config: Config, clock: Clock) -> tuple[Instrument, Config]:
    """Open the load cell's chip, and of the others those that answer: each that does not is said."""
    from edge.instrument.config import VacuumConfig
    from edge.instrument.drivers import make_instrument
    from hw.errors import HwError

    config = msgspec.structs.replace(config, vacuum=VacuumConfig())  # its pressure is shown by doctor
    while True:
        instrument = make_instrument(config, clock, looks=1)
        try:
            instrument.open()
        except (HwError, OSError, ImportError) as e:
            if instrument.failed not in ("oven", "cell"):
                raise
            say(f"Without the thermometer of the {instrument.failed}: {e}", err=True)
            config = msgspec.structs.replace(config, **{f"{instrument.failed}_probe": None})
        else:
            return instrument, config


def _show_station(as_json: bool) -> None:
    """Show what the station says of itself, where one reads the chips and may be asked."""
    from edge.control.client import ask, status_told
    from edge.control.protocol import SOCKET
    from edge.errors import HalfpercentError
    from edge.report.status_text import status_text

    try:
        answer = ask(Path(os.environ.get("HALFPERCENT_SOCKET") or SOCKET), "status", {}, timeout_s=3.0)
        status = status_told(answer)
    except HalfpercentError:
        return
    say_json(answer) if as_json else say_text(status_text(status))


def _say_legend(in_grams: bool, simulated: bool) -> None:
    from edge.doctor.touch import LEGEND

    if simulated:
        say_wrapped("Simulated: somebody taps the cell, presses it, loads it, pulls at a wire and swaps two.")
    for line in LEGEND:
        say_wrapped(line)
    if in_grams:
        say_wrapped("Grams are those that came on since the reading began. Leave the cell alone for five seconds.")
    else:
        say_wrapped("No certificate: codes. Leave the cell alone for five seconds.")


def _say_second(second: LiveSecond) -> None:
    """Show a second on a line, shorter where the terminal is narrow, and what was seen on the next."""
    wide = shutil.get_terminal_size((80, 24)).columns >= WIDE
    parts = [f"{second.t_s:4.0f} s" if wide else f"{second.t_s:4.0f}", _load(second, wide)]
    for name, value_c in (("oven", second.oven_c), ("cell", second.cell_c)):
        if value_c is not None:
            parts.append(f"{name} {value_c:.1f} °C" if wide else f"{value_c:.1f} °C")
    if wide and second.rate_sps is not None:
        parts.append(f"{second.rate_sps:.1f}/s")
    bad = {name: n for name, n in second.statuses.items() if name != "ok"}
    parts.append(", ".join(f"{n} {name.replace('_', ' ')}" for name, n in bad.items()) or "ok")
    say(("  " if wide else " ").join(parts))
    for seen in second.seen:
        say_wrapped(seen.say, "       ")


def _load(second: LiveSecond, wide: bool) -> str:
    n_ok = second.statuses.get("ok", 0)
    if sum(second.statuses.values()) > 2 * n_ok:  # what came through a loose wire is no number
        return "         -"
    if second.mass_g is not None:
        noise = "" if second.noise_g is None or not wide else f" ± {second.noise_g:.4f}"
        return f"{second.mass_g:+10.4f}{noise} g"
    if second.code is None:
        return "         -"
    noise = "" if second.noise_code is None or not wide else f" ± {second.noise_code:.0f}"
    return f"{second.code:10.0f}{noise} codes"
