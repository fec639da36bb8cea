"""The publisher's settings: a TOML file of its own, so that no mistake in it touches the station.

A password is in a file of its own that is named here, and is never shown. This module must never write the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from calibration.toml_file import Text, convert, parse, read_text
from edge.control.protocol import SOCKET
from edge.errors import BadConfig
from edge.instrument.config import VAR
from edge.records.rig_name import THIS_MACHINE, RigName, rig_name
from edge.records.secret_file import read_secret

ETC = Path("/etc/halfpercent/publish.toml")
STATE = Path("/var/lib/halfpercent-publish/position.json")

Topic = Annotated[str, Meta(pattern=r"^[^+#\x00/$][^+#\x00]{0,99}\Z", description="a topic without + and #")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port, 1 to 65535 (8883 with TLS, 1883 without)")]


class PublishSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where to publish, as whom, and what.

    ``every_s``: of the seconds of a run each so-manieth; ``doctor_every_s``: so often the doctor looks,
    and what it finds is told where it changed. ``discovery`` is Home Assistant's prefix, '' for none.
    ``most_in_flight`` bounds what waits for the broker's acknowledgement, and so the memory.
    """

    host: Text
    port: Port = 8883
    tls: bool = True
    ca_file: Text | None = None
    client_certificate: Text | None = None
    client_key: Text | None = None
    user: Text | None = None
    password_file: Text | None = None
    rig: RigName | None = None
    topic: Topic = "halfpercent"
    every_s: Annotated[int, Meta(ge=1, le=3600, description="a whole number of seconds, 1 to 3600")] = 10
    state_every_s: Annotated[float, Meta(ge=1, le=3600, description="a time in s, 1 to 3600")] = 10.0
    doctor_every_s: Annotated[float, Meta(ge=60, le=86400, description="a time in s, 60 to 86400")] = 3600.0
    discovery: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_/-]{0,99}\Z", description="a topic's beginning")] = (
        "homeassistant"
    )
    most_in_flight: Annotated[int, Meta(ge=1, le=1000, description="a whole number, 1 to 1000")] = 20
    database: Text = str(VAR)
    socket: Text = str(SOCKET)

    def __post_init__(self) -> None:
        if self.password_file is not None and not self.tls and self.host not in THIS_MACHINE:
            raise ValueError("password_file with tls = false would send the password in the clear: use TLS")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key belong together: give both")
        if self.client_certificate is not None and not self.tls:
            raise ValueError("client_certificate needs tls = true")

    @property
    def rig_name(self) -> str:
        """Get the rig's name in topics: the one given, else this machine's."""
        return rig_name(self.rig)


def loads_settings(text: str, where: str = "publish settings") -> PublishSettings:
    """Get the settings that a TOML text holds. Raises ``BadConfig``, one line."""
    return convert(parse(text, where, BadConfig), PublishSettings, where, BadConfig)


def load_settings(given: Path | None) -> PublishSettings:
    """Get the settings in a file: what was given, else ``HALFPERCENT_PUBLISH``, else the one under ``/etc``.

    Raises ``BadConfig``, one line.
    """
    path = given or Path(os.environ.get("HALFPERCENT_PUBLISH") or ETC)
    return loads_settings(read_text(path, BadConfig), str(path))


def password(settings: PublishSettings) -> str | None:
    """Get the password from the credential or the file that is named. Raises ``BadConfig``."""
    return None if settings.password_file is None else read_secret(settings.password_file)
