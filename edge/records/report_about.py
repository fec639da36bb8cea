"""What people say of a report: its number, for whom it is, what was received; and who signed it.

A person's TOML file (docs/report.md), given when the report is made. All of it may be left out, and what is left out is
"not stated". This module must never take anything from it into a result.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from calibration.toml_file import Text, convert, parse, read_text
from edge.errors import BadInput

Issue = Annotated[int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000")]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class ReportSaid(_Table, frozen=True, kw_only=True):
    """Of the report: its number, which issue it is, when issued, and which report it replaces and why."""

    number: Text | None = None
    issue: Issue = 1
    issued: datetime.date | None = None
    replaces: Text | None = None
    because: Text | None = None


class CustomerSaid(_Table, frozen=True, kw_only=True):
    """For whom the report is."""

    name: Text
    address: Text | None = None


class ItemSaid(_Table, frozen=True, kw_only=True):
    """Of what was received: its name, who sampled it, when it came and how, and what external providers did."""

    name: Text | None = None
    sampling: Text | None = None
    received: datetime.date | None = None
    condition: Text | None = None
    external_providers: Text | None = None
    surroundings: Text | None = None


class PeopleSaid(_Table, frozen=True, kw_only=True):
    """Who authorises and who has reviewed the report."""

    authorised_by: Text | None = None
    reviewed_by: Text | None = None


class About(_Table, frozen=True, kw_only=True):
    """The whole file."""

    report: ReportSaid = ReportSaid()
    customer: CustomerSaid | None = None
    item: ItemSaid = ItemSaid()
    people: PeopleSaid = PeopleSaid()


def load_about(path: Path) -> About:
    """Get what a TOML file says of a report. Raises ``BadInput``, one line."""
    where = str(path)
    return convert(parse(read_text(path, BadInput), where, BadInput), About, where, BadInput)


@dataclass(frozen=True, slots=True)
class SignatureTold:
    """A person's signature: in which role (``release``, ``review``, ...), whose, when (ISO 8601), by which key.

    ``known``: somebody is known to have that key.
    """

    role: str
    name: str
    at_utc: str
    key: str
    known: bool = False


@dataclass(frozen=True, slots=True)
class ProofTold:
    """What proves the report: signatures, the rig's checkpoint and key, the evidence package's name. None: not yet."""

    signatures: tuple[SignatureTold, ...] = ()
    checkpoint: str | None = None
    rig_key: str | None = None
    package: str | None = None


NOTHING_SAID = About()
NO_PROOF = ProofTold()
