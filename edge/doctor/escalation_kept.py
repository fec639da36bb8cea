"""What the process that tells of alarms has left for whoever asks: whom it could not tell, and whether it is there.

This module must never speak to a contact.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from calibration.bounded_file import NotReadable, read_regular_file
from calibration.toml_file import one_line
from hw.clock import NS_PER_S, BootClock

from .finding import Finding

KEPT = Path("/run/halfpercent-escalate/state.json")
SILENT_S = 300.0
"""It writes at least each minute."""


class _Trouble(msgspec.Struct, frozen=True, kw_only=True):
    contact: str
    why: str
    since_utc: str


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    boot_id: str
    at_s: float
    contacts: tuple[str, ...]
    trouble: tuple[_Trouble, ...] = ()


def escalation_kept(path: Path = KEPT) -> Iterator[Finding]:
    """Get what it left, nothing where it does not run."""
    try:
        kept = msgspec.json.decode(read_regular_file(path, 262_144), type=_Kept)
    except (NotReadable, msgspec.DecodeError):
        return
    clock = BootClock()
    unheard_s = clock.now_ns() / NS_PER_S - kept.at_s
    if kept.boot_id != clock.boot_id or unheard_s > SILENT_S:
        why = f"nothing was written by it for {unheard_s / 60.0:.0f} min: nobody is told of alarms"
        if kept.boot_id != clock.boot_id:
            why = "nothing was written by it since this boot: nobody is told of alarms"
        yield Finding("escalation", "warn", why, "see journalctl -u halfpercent-escalate, and df /run")
        return
    for one in kept.trouble:
        said = one_line(f"{one.contact} was not told since {one.since_utc}: {one.why}")
        yield Finding("escalation", "warn", said, "send a trial with halfpercent escalate (docs/fleet.md)")
    if not kept.trouble:
        yield Finding("escalation", "ok", one_line(f"{', '.join(kept.contacts)}: told of what nobody acknowledges"))
