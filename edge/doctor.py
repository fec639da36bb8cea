"""The doctor: what is wrong with this machine, and what to do. It works without any hardware.

It looks at buses, rights, chips, clock, disk and versions. It must never change anything, and never call a
check passed that it could not make.
"""

from __future__ import annotations

import grp
import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from calibration.iec60751 import temperature_c
from hw.bridge import CODE_MAX, Status
from hw.clock import NS_PER_S, BootClock
from hw.errors import HwError

from .config import Config, load_config
from .errors import BadConfig
from .fitting import disagreements

ROOM_BYTES = 200_000_000
PARTS = ("numba", "numpy", "gpiozero", "smbus2", "adafruit-circuitpython-max31865", "sqlite-utils", "msgspec")
RTD_CODES = 32768.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``ok``, ``warn`` (it will work, but), ``fail`` (it will not) or ``absent`` (not there)."""

    check: str
    state: Literal["ok", "warn", "fail", "absent"]
    found: str
    do: str = ""

    def as_json(self) -> dict[str, Any]:
        """Get the finding as plain JSON."""
        return asdict(self)


def examine(config_from: Path, database: Path) -> Iterator[Finding]:
    """Look at everything, one finding after another. Chips are looked for where the settings name them."""
    yield _python()
    yield from _parts()
    yield from _nodes()
    yield _disk(database)
    yield _clock()
    if not os.access(config_from, os.F_OK):
        do = f"write {config_from} (docs/config.md); without it, chips are not looked for"
        yield Finding("config", "absent", f"{config_from}: none", do)
        return
    try:
        config = load_config(config_from)
    except BadConfig as e:
        yield Finding("config", "fail", str(e), f"correct it, then: halfpercent check-config {config_from}")
        return
    wrong = disagreements(config, str(config_from))
    for line in wrong:
        yield Finding("config", "fail", line, f"correct it, then: halfpercent check-config {config_from}")
    if not wrong:
        yield Finding("config", "ok", str(config_from))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gpiozero tells of each pin library that is not there; the finding says it
        yield from _chips(config)


def _python() -> Finding:
    found = f"Python {platform.python_version()} on {platform.machine()}"
    if sys.maxsize < 2**32:
        return Finding("python", "fail", found, "install the 64-bit Raspberry Pi OS: numba has no 32-bit wheels")
    return Finding("python", "ok", found)


def _parts() -> Iterator[Finding]:
    versions = {}
    for part in PARTS:
        try:
            versions[part] = importlib.metadata.version(part)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(f"package {part}", "fail", "not installed", "install halfpercent again: make demo")
    yield Finding("packages", "ok", ", ".join(f"{k} {v}" for k, v in versions.items()))
    yield Finding("sqlite", "ok", sqlite3.sqlite_version)


def _nodes() -> Iterator[Finding]:
    for name, node, line, group in (
        ("I²C bus", "/dev/i2c-1", "dtparam=i2c_arm=on", "i2c"),
        ("SPI port", "/dev/spidev0.0", "dtparam=spi=on", "spi"),
        ("GPIO", "/dev/gpiochip0", "", "gpio"),
    ):
        path = Path(node)
        if not path.exists():
            do = f"add {line} to /boot/firmware/config.txt and reboot" if line else "run it on a Raspberry Pi"
            yield Finding(name, "absent", f"{node}: not there", do)
        elif not os.access(path, os.R_OK | os.W_OK):
            yield Finding(name, "fail", f"{node}: no right to use it", _join_group(group))
        else:
            yield Finding(name, "ok", node)


def _join_group(group: str) -> str:
    try:
        grp.getgrnam(group)
    except KeyError:
        return f"there is no group {group}: use Raspberry Pi OS, or a udev rule"
    return f"sudo usermod -aG {group} $USER, then log in again"


def _disk(database: Path) -> Finding:
    folder = next((p for p in (database.parent, *database.parent.parents) if p.is_dir()), Path("/"))
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free for {database}"
    if not os.access(folder, os.W_OK):
        return Finding("disk", "fail", f"{folder}: cannot be written", "choose another place with --db")
    if free < ROOM_BYTES:
        return Finding("disk", "fail", found, f"make room: a test wants {ROOM_BYTES / 1e6:.0f} MB")
    return Finding("disk", "ok", found)


def _clock() -> Finding:
    synced = Path("/run/systemd/timesync/synchronized").exists()
    if synced:
        return Finding("clock", "ok", "synchronised by NTP")
    return Finding(
        "clock",
        "warn",
        "no sign of NTP: dates in the record are only labels",
        "connect once to a network before a test; durations do not depend on it",
    )


def _chips(config: Config) -> Iterator[Finding]:
    from .devices import bridge_of, probe_of

    clock = BootClock()
    bridge = bridge_of(config.bridge, clock)
    try:
        bridge.open()
        good = [s for s in (bridge.read(clock.now_ns() + NS_PER_S // 2) for _ in range(20)) if s.status is Status.OK]
        if good:
            share = max(abs(s.code) for s in good) / CODE_MAX * 100.0
            yield Finding(bridge.name, "ok", f"{len(good)} of 20 conversions good, at most {share:.1f} % of full scale")
        else:
            yield Finding(bridge.name, "fail", "20 conversions, none good", "check the load cell's four wires")
    except (HwError, OSError, ImportError) as e:
        yield Finding(bridge.name, "fail", str(e), "check supply and wires (docs/first-test.md)")
    finally:
        bridge.close()
    for name, settings in (("oven probe", config.oven_probe), ("cell probe", config.cell_probe)):
        if settings is None:
            continue
        probe = probe_of(settings, clock)
        try:
            probe.open()
            reading = probe.read()
            until_ns = clock.now_ns() + 5 * NS_PER_S
            while reading.status is Status.SETTLING and clock.now_ns() < until_ns:
                clock.sleep_s(0.1)
                reading = probe.read()
            ohm = reading.code / RTD_CODES * settings.ref_ohm
            if reading.status is Status.OK:
                temp_c = temperature_c(ohm, settings.nominal_ohm)
                do = f"if that is wrong, look at the board's reference resistor: it must say {settings.ref_ohm:g} Ω"
                yield Finding(name, "ok", f"{ohm:.2f} Ω, {temp_c:.1f} °C", do)
            else:
                found = f"{reading.status.name.lower()}, fault register 0x{reading.fault:02X}"
                yield Finding(name, "fail", found, "check the thermometer's wires and the wires setting")
        except (HwError, OSError, ImportError, ValueError) as e:
            yield Finding(name, "fail", str(e), "check supply, wires and chip-select (docs/first-test.md)")
        finally:
            probe.close()
