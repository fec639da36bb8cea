"""Whom to tell of an alarm, how, and after how long: a TOML file of its own, so no mistake in it touches the station.

Secrets are named here and are elsewhere. This module must never write the file, and never show an address's path:
that of a webhook is often its secret.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from calibration.toml_file import Text, convert, parse, read_text
from edge.control.protocol import SOCKET
from edge.errors import BadConfig
from edge.records.rig_name import THIS_MACHINE, RigName, rig_name
from edge.records.secret_file import read_secret
from edge.station.alarm_rules import Alarm

ETC = Path("/etc/halfpercent/escalate.toml")
STATE = Path("/run/halfpercent-escalate/state.json")
SILENT = "station silent"
"""What is told where the station does not answer: no alarm of its own, since it says nothing."""

Seconds = Annotated[float, Meta(ge=0, le=86_400, description="a time in s, 0 to 86400")]
Port = Annotated[int, Meta(ge=1, le=65_535, description="a port, 1 to 65535")]
Address = Annotated[
    str, Meta(pattern=r"^[^\s@<>,;\x00-\x1f]{1,64}@[^\s@<>,;\x00-\x1f]{1,250}\Z", description="a mail address")
]


class Level(StrEnum):
    """How far an alarm has got. The first level, the lamp, is the station's own."""

    OPERATOR = "operator"
    ON_CALL = "on call"


AFTER_S = {Level.OPERATOR: 0.0, Level.ON_CALL: 900.0}
"""For so long nobody has acknowledged an alarm when a level is told, in s."""


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody to tell. ``after_s`` in s is the level's where not given; ``alarms`` are all where none is named."""

    name: Text
    level: Level = Level.OPERATOR
    after_s: Seconds | None = None
    alarms: tuple[str, ...] = ()
    ca_file: Text | None = None

    def __post_init__(self) -> None:
        known = [SILENT, *map(str, Alarm)]
        if unknown := [name for name in self.alarms if name not in known]:
            raise ValueError(f"alarms: {unknown[0]!r} is none: use {', '.join(known)}")

    @property
    def waits_s(self) -> float:
        """Get for how long an alarm must have stood unacknowledged, in s."""
        return AFTER_S[self.level] if self.after_s is None else self.after_s


class Posted(Contact, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody told by an HTTP POST. ``token_file`` is sent as a bearer token; ``url_file`` names a secret address."""

    url: Text | None = None
    url_file: Text | None = None
    token_file: Text | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give url, or url_file where the address is a secret, and not both")
        if self.url is not None:
            checked_url(self.url)

    @property
    def address(self) -> SplitResult:
        """Get where to post to. Raises ``BadConfig``."""
        try:
            return checked_url(self.url if self.url is not None else read_secret(str(self.url_file)))
        except ValueError as e:
            raise BadConfig(f"{self.url_file or 'url'}: {e}") from e

    @property
    def where(self) -> str:
        """Get the host that is posted to."""
        return str(self.address.hostname)


class Webhook(Posted, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A POST of ``docs/schema/notice-1.json`` to an address."""


class Ntfy(Posted, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A message to a topic of an ntfy server, published as JSON to its root."""

    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="letters, digits, - and _, at most 64")]


class Mail(Contact, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mail through a server. ``tls``: "starttls", "tls" from the first byte, or "none" on this machine alone."""

    host: Text
    port: Port | None = None
    tls: Annotated[str, Meta(pattern=r"^(starttls|tls|none)\Z", description='"starttls", "tls" or "none"')] = "starttls"
    user: Text | None = None
    password_file: Text | None = None
    sender: Address
    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=10, description="1 to 10 mail addresses")]

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file belong together: give both")
        if self.tls == "none" and self.host not in THIS_MACHINE:
            raise ValueError('tls = "none" would send it all in the clear: use "starttls" or "tls"')

    @property
    def where(self) -> str:
        """Get the server and its port."""
        return f"{self.host}:{self.at_port}"

    @property
    def at_port(self) -> int:
        """Get the port: the one given, else 587, 465 with TLS from the first byte, 25 on this machine."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.tls]


def checked_url(url: str) -> SplitResult:
    """Get the parts of an address that may be posted to. Raises ``ValueError``, without the address in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("no address that can be posted to: give https://HOST/PATH, the secret in token_file")
    if parts.port == 0 or any(c.isspace() or not c.isascii() for c in url):
        raise ValueError("an address has a port of 1 to 65535 and no blanks: give https://HOST/PATH")
    if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        raise ValueError("http would send it in the clear: use https")
    return parts


class EscalateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom to tell. ``silent_after_s``: a station that does not answer for so long is told of, 0 for never.

    ``pause_s``: a contact gets no more than one message in so long a time; what came meanwhile is in the next.
    """

    rig: RigName | None = None
    socket: Text = str(SOCKET)
    look_s: Annotated[float, Meta(ge=1, le=60, description="a time in s, 1 to 60")] = 5.0
    pause_s: Annotated[float, Meta(ge=1, le=3600, description="a time in s, 1 to 3600")] = 60.0
    silent_after_s: Seconds = 120.0
    webhook: tuple[Webhook, ...] = ()
    ntfy: tuple[Ntfy, ...] = ()
    mail: tuple[Mail, ...] = ()

    def __post_init__(self) -> None:
        names = [contact.name for contact in self.contacts]
        if not names or len(names) > MOST_CONTACTS or len(set(names)) < len(names):
            raise ValueError(f"name 1 to {MOST_CONTACTS} contacts, each once: [[webhook]], [[ntfy]] or [[mail]]")

    @property
    def contacts(self) -> tuple[Webhook | Ntfy | Mail, ...]:
        """Get all of them."""
        return (*self.webhook, *self.ntfy, *self.mail)

    @property
    def rig_name(self) -> str:
        """Get the rig's name: the one given, else this machine's."""
        return rig_name(self.rig)


MOST_CONTACTS = 8


def loads_settings(text: str, where: str = "escalate settings") -> EscalateSettings:
    """Get the settings that a TOML text holds. Raises ``BadConfig``, one line."""
    return convert(parse(text, where, BadConfig), EscalateSettings, where, BadConfig)


def load_settings(given: Path | None) -> EscalateSettings:
    """Get the settings in a file: what was given, else ``HALFPERCENT_ESCALATE``, else the one under ``/etc``.

    Raises ``BadConfig``, one line.
    """
    path = given or Path(os.environ.get("HALFPERCENT_ESCALATE") or ETC)
    return loads_settings(read_text(path, BadConfig), str(path))
