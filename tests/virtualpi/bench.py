"""The installed service on a virtual Pi that has booted systemd, and the hand that does things to it, as root there.

The service sees the same as on a Pi: its own unit, its own account, the Pi's device nodes. This module must never
import what it tests but to write a certificate of the simulated load cell.
"""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from calibration.certificate import to_toml
from edge.simulate.instrument import calibrated, rig_of
from virtualpi.instrument import CONFIG, far_end

SCENARIO, BRIDGE, SEED = "solid", "nau7802", 1
UNIT, FAILED = "halfpercent.service", "halfpercent-failed.service"
ETC = Path("/etc/halfpercent")
STATE = Path("/var/lib/halfpercent")
SOCKET = Path("/run/halfpercent/control.sock")
DATABASE = STATE / "halfpercent.db"
RELAY, LAMP = 25, 22
SETTINGS = f"""{CONFIG % BRIDGE}
[panel]
lamp_pin = "GPIO{LAMP}"
relay_pin = "GPIO{RELAY}"

[test]
certificate = "{ETC}/certificate.toml"
"""
# Both units have a /proc of their own, on which this machine still has to look like a Pi.
DISGUISE = "[Service]\nBindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo\n"


def configure() -> None:
    """Write the settings and the certificate, as a person would."""
    (ETC / "config.toml").write_text(SETTINGS, encoding="utf-8")
    certificate = calibrated(rig_of(SCENARIO, SEED).truth, BRIDGE, SEED)
    # A real station takes no simulated load cell's.
    cell = msgspec.structs.replace(certificate.cell, serial="LC-1")
    certificate = msgspec.structs.replace(certificate, made_by="Ada", cell=cell)
    (ETC / "certificate.toml").write_text(to_toml(certificate), encoding="utf-8")
    for unit in (UNIT, FAILED):
        drop_in = Path(f"/run/systemd/system/{unit}.d")
        drop_in.mkdir(parents=True)
        (drop_in / "disguise.conf").write_text(DISGUISE, encoding="utf-8")
    do("systemctl", "daemon-reload")


@contextmanager
def measuring() -> Iterator[None]:
    """Have the chips connected and the service running, and a test begun on it, for as long as the block runs."""
    configure()
    with far_end(SCENARIO, BRIDGE, SEED, "--real-time"):
        do("systemctl", "start", UNIT)
        begin()
        yield
        do("systemctl", "stop", UNIT)


def begin() -> None:
    """Begin a test as soon as no alarm stands in its way, and wait until its first seconds are stored."""
    wait(lambda: all(alarms().values()), "the alarms closed", 90.0)
    do("halfpercent", "start", "--sample", "S-1", "--operator", "vpi")
    wait(lambda: status()["run"]["elapsed_s"] > 5.0, "seconds of a run")


def do(*argv: str, ok: bool = True) -> str:
    """Run a command and get what it printed. Raises ``RuntimeError`` where it fails, unless ``ok`` is False."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ok and done.returncode:
        log = subprocess.run(
            ["journalctl", "-q", "-u", UNIT, "-n", "40", "--no-pager"], capture_output=True, text=True, check=False
        )
        raise RuntimeError(f"{argv}: exit status {done.returncode}: {done.stdout}\n{log.stdout}")
    return done.stdout


def show(*names: str) -> dict[str, str]:
    """Get properties of the unit."""
    lines = do("systemctl", "show", UNIT, *(f"-p{name}" for name in names)).splitlines()
    return dict(line.split("=", 1) for line in lines)


def status() -> dict[str, Any]:
    """Ask the service how it is, over its socket: starting the command takes this machine a second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(60.0)
        wire.connect(str(SOCKET))
        wire.sendall(b'{"version": 1, "command": "status"}\n')
        with wire.makefile("rb") as answers:
            answer: dict[str, Any] = json.loads(answers.readline())
    result: dict[str, Any] = answer["result"]
    return result


def wait(what: Callable[[], object], name: str, within_s: float = 60.0) -> float:
    """Wait until ``what`` is true; get how long it took, in s. Raises ``RuntimeError`` where it does not come true."""
    began_s = time.monotonic()
    said = ""
    while time.monotonic() - began_s < within_s:
        try:
            if what():
                return round(time.monotonic() - began_s, 1)
        except (RuntimeError, OSError, ValueError, KeyError, TypeError) as e:  # no service yet, or no run
            said = f": {e}"
        time.sleep(0.25)
    log = do("journalctl", "-q", "-u", UNIT, "-u", FAILED, "-n", "40", "--no-pager", ok=False)
    raise RuntimeError(f"{name}: not within {within_s:g} s{said}\n{log}")


def alarms() -> dict[str, bool]:
    """Get the alarms that stand, and whether each is closed."""
    return {a["alarm"]: a["closed"] for a in status()["alarms"]}


def driven(line: int) -> str:
    """Get what the kernel drives a line with: "hi" or "lo"; "" where nobody drives it."""
    lines = Path("/sys/kernel/debug/gpio").read_text(encoding="ascii").splitlines()
    found = [re.search(r" out (hi|lo)", text) for text in lines if f"GPIO{line} " in text]
    return found[0][1] if found and found[0] else ""


def relay_energised() -> bool:
    """Get whether the relay's line is driven high."""
    return driven(RELAY) == "hi"


def memory_mb() -> dict[str, float]:
    """Get what the station's process has of memory in MB, and had at most; and all of the unit's processes together."""
    status = Path(f"/proc/{show('MainPID')['MainPID']}/status").read_text(encoding="ascii")
    mb = {name: int(kb) / 1000 for name, kb in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE)}
    group = Path("/sys/fs/cgroup" + show("ControlGroup")["ControlGroup"])
    for name in ("memory.current", "memory.peak"):
        if (group / name).exists():
            mb[name] = int((group / name).read_text(encoding="ascii")) / 1e6
    return {name: round(value, 1) for name, value in mb.items()}


def query(sql: str) -> list[tuple[Any, ...]]:
    """Look something up in the service's database, read-only, as anyone may."""
    db = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def seconds_missing() -> list[int]:
    """Get the seconds of the run that were not stored, between its first and its last."""
    stored = [second for (second,) in query("select second from seconds order by second")]
    return sorted(set(range(stored[0], stored[-1] + 1)) - set(stored))


def gaps() -> list[tuple[float, float]]:
    """Get the stops that the run's record tells of, each from its first second missing to its end."""
    told = [json.loads(data) for (data,) in query("select data_json from events where kind = 'resumed' order by event")]
    return [(gap["from_s"], gap["from_s"] + (gap["gap_s"] or gap["at_least_s"])) for gap in told]


def not_said() -> list[int]:
    """Get the seconds of the run that are missing and that no stop in its record holds."""
    told = gaps()
    return [second for second in seconds_missing() if not any(a <= second <= b for a, b in told)]
