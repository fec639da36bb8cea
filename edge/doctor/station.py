"""What the running station says of its chips: whoever reads them is asked, and they are left alone.

This module must never open a chip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge.control.client import ask_status
from edge.control.protocol import SOCKET
from edge.errors import HalfpercentError, SocketTrouble
from edge.instrument.config import Config
from edge.records.status import StationStatus

from .finding import Finding

PATIENCE_S = 3.0
_NOBODY = (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)


def what_the_station_sees(config: Config) -> tuple[list[Finding], bool]:
    """Get a finding for each device that the running station reads, and whether one runs that was asked.

    A station that may not be asked is a finding too: the locks of its chips keep them from being opened.
    """
    try:
        status = ask_status(Path(os.environ.get("HALFPERCENT_SOCKET") or SOCKET), timeout_s=PATIENCE_S)
    except SocketTrouble as e:
        if isinstance(e.__cause__, _NOBODY):
            return [], False
        return [Finding("station", "warn", str(e), "then run this again")], False
    except HalfpercentError as e:
        return [Finding("station", "warn", str(e), "see journalctl -u halfpercent")], False
    return list(of_devices(status, config)), True


def of_devices(status: StationStatus, config: Config) -> Iterator[Finding]:
    """Get a finding for the station and for each device that the settings name, from what it answered."""
    do = "for noise and mains hum stop it first: sudo systemctl stop halfpercent"
    yield Finding("station", "ok", "it runs and reads the chips, so it was asked instead of them", do)
    readings, alarms = status.readings, {a.alarm: a.why for a in status.alarms if not a.closed}
    code = "" if readings.code is None else f"code {readings.code}, "
    yield _of_device(
        config.bridge.chip, alarms.get("load cell"), readings.bridge_status, f"{code}{readings.bridge_status}"
    )
    if config.oven_probe is not None:
        yield _of_device("oven probe", alarms.get("oven probe"), readings.temp_c, f"{readings.temp_c or 0.0:.1f} °C")
    if config.cell_probe is not None:
        value_c = readings.cell_temp_c
        yield _of_device("cell probe", alarms.get("cell probe"), value_c, f"{value_c or 0.0:.1f} °C")
    if config.vacuum.fitted() is not None:
        value_pa = readings.pressure_pa
        yield _of_device("gauge", alarms.get("gauge"), value_pa, f"{value_pa or 0.0:.3g} Pa")
    if config.barometer is not None:
        yield _of_device("barometer", alarms.get("barometer"), True, "it gives pressures that a place can have")


def _of_device(name: str, alarm: str | None, value: object, found: str) -> Finding:
    if alarm is not None:
        return Finding(name, "fail", alarm, "check supply and wires (docs/wiring.md)")
    if value is None:
        return Finding(name, "absent", "the station has no reading of it", "ask again: halfpercent status")
    return Finding(name, "ok", found)
