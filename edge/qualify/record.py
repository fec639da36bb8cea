"""What qualifying this machine came to: checks, each with what was expected and what was found, and the answer.

Everything is text, so that the record is written in canonical JSON and signed (docs/evidence.md). This module must
never call a check passed that was not made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

import msgspec

from edge.seal import canonical_json
from edge.seal.versions import Versions

FORMAT: Literal["halfpercent-qualification/1"] = "halfpercent-qualification/1"


class State(StrEnum):
    """How a check came out; ``absent``: there was nothing here to make it on."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    ABSENT = "absent"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: who publishes (``source``) what is ``expected`` ('' where that is not one value); what to ``do``."""

    what: str
    source: str
    expected: str
    found: str
    state: State
    do: str = ""


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, with when, on what and by which rig's key (None: nobody signs it).

    ``quick``: only what takes seconds was looked at. ``clock_set``: the wall clock is known to be set (None: nobody
    says).
    """

    format: Literal["halfpercent-qualification/1"] = FORMAT
    qualified: bool
    quick: bool
    made_utc: str
    clock_set: bool | None
    machine: str
    signed_by: str | None
    fingerprint: str | None
    versions: Versions
    checks: tuple[Check, ...]

    def to_bytes(self) -> bytes:
        """Write it in the form that is signed."""
        return canonical_json.to_bytes(msgspec.to_builtins(self))


def is_qualified(checks: Sequence[Check]) -> bool:
    """Say whether no check failed."""
    return all(check.state is not State.FAIL for check in checks)


def compared(what: str, source: str, published: float, found: float, within: float, unit: str = "") -> Check:
    """Compare a figure with a published one; ``within`` is what its last digit leaves open."""
    unit = f" {unit}" if unit else ""
    good = math.isfinite(found) and abs(found - published) <= within
    return Check(
        what=what,
        source=source,
        expected=f"{published:.12g}{unit} within {within:.2g}",
        found=f"{found:.12g}{unit}",
        state=State.OK if good else State.FAIL,
        do="" if good else "another version of a library? install what is locked, and send this record with an issue",
    )
