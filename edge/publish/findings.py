"""What the doctor finds where a publisher stands, from the station's answer; ``past`` has what the rig's own past says.

Chips, buses and the machine's own files are left alone: this process may not see them, and ``halfpercent doctor`` looks
at them. This module must never open a chip, and never take a reading that is another one for a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.doctor.finding import ROOM_BYTES, Finding
from edge.doctor.station import of_devices
from edge.errors import HalfpercentError
from edge.instrument.config import config_path, load_config
from edge.records.status import StationStatus


def what_changes(found: Sequence[Finding]) -> tuple[tuple[str, ...], ...]:
    """Get what makes findings others than before: each check's state, and of what is not well also what it says.

    A reading that is well is another one each time it is looked at: that is no change.
    """
    return tuple((f.check, f.state) if f.state in ("ok", "absent") else (f.check, f.state, f.found) for f in found)


def of_the_station(status: StationStatus | None) -> Iterator[Finding]:
    """Get what the station's answer says of its devices, disk and clock; ``status`` is None where it gave none."""
    if status is None:
        yield Finding("station", "warn", "it does not answer", "systemctl status halfpercent")
        return
    if (path := config_path(None)).is_file():  # a simulated station has none
        try:
            yield from of_devices(status, load_config(path))
        except HalfpercentError as e:
            yield Finding("config", "warn", str(e), "halfpercent check-config")
    if status.storage.error:
        yield Finding("disk", "fail", status.storage.error, "see journalctl -u halfpercent")
    elif (free := status.storage.free_bytes) is not None:
        little = free < ROOM_BYTES
        yield Finding("disk", "warn" if little else "ok", "little room" if little else f"{free / 1e9:.1f} GB free")
    if status.clock.synchronised is not None:
        told = "set by somebody who knows" if status.clock.synchronised else "not set: dates are only labels"
        yield Finding("clock", "ok" if status.clock.synchronised else "warn", told)
