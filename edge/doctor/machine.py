"""The doctor: what is wrong with this machine, and what to do. It works without any hardware.

It looks at buses, rights, clock, power, disk and versions; :mod:`edge.doctor.chips` looks at the chips. It must
never change anything, and never call a check passed that it could not make.

Clock and supply are asked where the station asks them, in ``hw``. Source: ``life_time`` of an eMMC or of the few cards
that have it, Linux' ``mmc-dev-attrs``.
"""

from __future__ import annotations

import datetime
import grp
import importlib.metadata
import os
import platform
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from edge.database.connection import sqlite_version
from edge.errors import BadConfig
from edge.instrument.config import load_config
from edge.instrument.consistency import disagreements
from hw.balance import Wire, tell_nobody
from hw.clock import BootClock
from hw.clock_sync import synchronised
from hw.compiled import why_python
from hw.rtc import kept_by_rtc
from hw.supply import ask_supply

from .balance import balance
from .chips import chips
from .finding import ROOM_BYTES, Finding
from .over_time import over_time
from .station import what_the_station_sees

PARTS = ("numba", "numpy", "gpiozero", "smbus2", "adafruit-circuitpython-max31865", "sqlite-utils", "msgspec")
SOUND_SQLITE = (3, 51, 3)
"""Source: SQLite's release notes for 3.51.3."""
SYS = Path("/sys")
DEVICE_TREE_MODEL = Path("/proc/device-tree/model")
WORN_TENTHS = 0x09
"""``life_time`` counts in tenths of the memory's life: 0x09 is 80 to 90 %."""


def examine(config_from: Path, database: Path, wire: Wire = tell_nobody) -> Iterator[Finding]:
    """Look at everything, one finding after another. Chips are looked for where the settings name them.

    ``wire`` is told the bytes to and from the laboratory's balance.
    """
    model = pi_model()
    yield _machine(model)
    yield _python()
    yield from _parts()
    yield from _nodes(is_pi=bool(model))
    yield _disk(database)
    yield from _wear(is_pi=bool(model))
    yield _power(is_pi=bool(model))
    yield _clock()
    yield from over_time(database, datetime.datetime.now(datetime.UTC))
    if not os.access(config_from, os.F_OK):
        do = f"halfpercent init asks what is wired and writes {config_from}; without it, chips are not looked for"
        if not model:
            do = f"none are needed here; on the Pi, halfpercent init asks what is wired and writes {config_from}"
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
    yield from balance(config.balance, wire)
    seen, asked = what_the_station_sees(config)
    yield from seen
    if asked:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gpiozero tells of each pin library that is not there; the finding says it
        yield from chips(config, BootClock())


def pi_model() -> str:
    """Get which Raspberry Pi this is, as its firmware says it; '' where it is none."""
    try:
        model = DEVICE_TREE_MODEL.read_bytes()[:100].rstrip(b"\0").decode("ascii", "replace")
    except OSError:
        return ""
    return model if model.startswith("Raspberry Pi") else ""


def _machine(model: str) -> Finding:
    if model:
        return Finding("machine", "ok", model)
    do = "demo, station (simulated), replay, report, export and verify work here; chips are read on a Pi"
    return Finding("machine", "absent", f"no Raspberry Pi ({platform.system()} on {platform.machine()})", do)


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
            state: Literal["warn", "fail"] = "warn" if part == "numba" else "fail"
            yield Finding(f"package {part}", state, "not installed", "install halfpercent again: make demo")
    yield Finding("packages", "ok", ", ".join(f"{k} {v}" for k, v in versions.items()))
    if why := why_python():
        yield Finding(
            "kernels", "warn", f"in Python, not compiled ({why})", "install halfpercent again: it measures, slower"
        )
    else:
        yield Finding("kernels", "ok", "compiled")
    yield _sqlite()


def _sqlite() -> Finding:
    """Look whether SQLite is one that can damage a database which two connections checkpoint at once."""
    version = sqlite_version()
    if tuple(int(part) for part in version.split(".")) < SOUND_SQLITE:
        sound = ".".join(map(str, SOUND_SQLITE))
        found = f"SQLite {version}: before {sound}, two programs that write to one database at once can damage it"
        do = "open it with nothing but halfpercent and readers (sqlite3 -readonly) while the station runs"
        return Finding("sqlite", "warn", found, do)
    return Finding("sqlite", "ok", version)


def _nodes(*, is_pi: bool) -> Iterator[Finding]:
    """Look for buses and pins. Where they are missing on another machine, that is no news."""
    for name, node, line, group in (
        ("I²C bus", "/dev/i2c-1", "dtparam=i2c_arm=on", "i2c"),
        ("SPI port", "/dev/spidev0.0", "dtparam=spi=on", "spi"),
        ("GPIO", "/dev/gpiochip0", "", "gpio"),
    ):
        path = Path(node)
        if not path.exists() and not is_pi:
            yield Finding(name, "absent", f"{node}: not there", "nothing: chips are read on a Pi")
        elif not path.exists():
            do = (
                f"add {line} to /boot/firmware/config.txt and reboot"
                if line
                else "see that the kernel has its GPIO driver"
            )
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
        return Finding("disk", "fail", f"{folder}: cannot be written", "choose another place for the database")
    if free < ROOM_BYTES:
        return Finding("disk", "fail", found, f"make room: a test wants {ROOM_BYTES / 1e6:.0f} MB")
    return Finding("disk", "ok", found)


def _wear(*, is_pi: bool) -> Iterator[Finding]:
    """Look at what memory cards and file systems say of themselves."""
    worn = {}
    for path in SYS.glob("block/mmcblk*/device/life_time"):
        tenths = [int(word, 16) for word in _read(path).split()]
        worn[path.parts[-3]] = max(tenths, default=0)
    errors = {p.parts[-2]: int(_read(p) or 0) for p in SYS.glob("fs/ext4/*/errors_count")}
    for name, tenths_used in worn.items():
        found = f"{name}: {max(0, tenths_used - 1) * 10} to {tenths_used * 10} % of its life used"
        if tenths_used >= WORN_TENTHS:
            yield Finding("card wear", "warn", found, "copy the database away and replace the card before a test")
        elif tenths_used:
            yield Finding("card wear", "ok", found)
    if not any(worn.values()) and (is_pi or worn):
        do = "most cards cannot: keep a copy of the database elsewhere, and replace the card every few years"
        yield Finding("card wear", "absent", "no memory card that says how worn it is", do)
    broken = [name for name, count in errors.items() if count]
    if broken:
        do = "copy the database away, then check the file system: sudo touch /forcefsck and reboot"
        yield Finding("file system", "fail", f"errors recorded on {', '.join(broken)}", do)


def _power(*, is_pi: bool) -> Finding:
    """Look at what firmware and kernel say of the supply voltage."""
    supply = ask_supply()
    if supply.under_voltage is None:
        do = _join_group("video") if is_pi else "only a Raspberry Pi does"
        return Finding("power", "absent", "nothing that tells of the supply voltage", do)
    do = "use the Pi's own supply and a short cable; if too hot, cool it"
    if now := supply.now():
        return Finding("power", "fail", f"now: {', '.join(now)}", do)
    if before := supply.since_start():
        return Finding("power", "warn", f"since it started: {', '.join(before)}", do)
    if supply.firmware_bits is None:
        return Finding("power", "ok", "not under-voltage now; before, only the firmware knows", _join_group("video"))
    return Finding("power", "ok", "never under-voltage or throttled since it started")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _clock() -> Finding:
    """Look whether something (timesyncd, chrony, ntpd, a clock with a battery) keeps the time, as the station does."""
    if synchronised():
        return Finding("clock", "ok", "synchronised by NTP")
    if kept_by_rtc(time.time()):
        return Finding("clock", "ok", "kept by a real-time clock with a battery")
    return Finding(
        "clock",
        "warn",
        "no sign of NTP: dates in the record are only labels",
        "connect once to a network before a test; durations do not depend on it",
    )
