"""The connection to a broker: MQTT 5, each message at least once, and nothing is ever received.

What is not acknowledged when a connection ends is forgotten here: whoever sends knows from where to begin again. This
module must never subscribe, never queue beyond what it is told, and never wait without end.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import BadConfig

from .settings import PublishSettings, password
from .topics import OFFLINE, ONLINE, Topics

CONNECT_S = 10.0
"""How long a broker may take to answer."""
KEEPALIVE_S = 30
_MOST_BYTES = 256 * 1024


class LinkDown(Exception):
    """The broker cannot be reached, refused, or let go: why is its text."""


@dataclass
class Link:
    """One connection. After :class:`LinkDown` it is of no use any more; make another."""

    settings: PublishSettings
    acknowledged: set[int] = field(default_factory=set)
    """Numbers of messages that the broker has acknowledged and nobody has asked for yet."""
    _expected: set[int] = field(default_factory=set)
    _why: str = ""
    _up: bool = False

    def __post_init__(self) -> None:
        topics = Topics(self.settings)
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"halfpercent-{self.settings.rig_name}",
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(self.settings.most_in_flight)
        client.will_set(topics.availability, OFFLINE, qos=1, retain=True)
        if self.settings.user is not None:
            client.username_pw_set(self.settings.user, password(self.settings))
        if self.settings.tls:
            client.tls_set_context(_context(self.settings))
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._unasked
        self._client = client

    def open(self) -> None:
        """Connect, and say that the rig is there. Raises ``LinkDown``."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # its author gave it no types
        properties.MaximumPacketSize = _MOST_BYTES  # what a broker sends beyond it, it may not
        self._client.connect_timeout = CONNECT_S
        try:
            self._client.connect(
                self.settings.host, self.settings.port, KEEPALIVE_S, clean_start=True, properties=properties
            )
        except (OSError, ValueError) as e:
            raise LinkDown(f"{self.where}: {_said(e)}") from e
        waited_s = 0.0
        while not self._up and waited_s < CONNECT_S:
            self.work(0.1)
            waited_s += 0.1
        if not self._up:
            raise LinkDown(f"{self.where}: accepted the connection and does not answer")
        self.send(Topics(self.settings).availability, ONLINE.encode(), retain=True)

    def send(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> int:
        """Send a message and get its number. Raises ``LinkDown``."""
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise LinkDown(self._why or f"{self.where}: {paho.error_string(info.rc)}")
        if qos:
            self._expected.add(int(info.mid))
        return int(info.mid)

    def work(self, seconds: float) -> None:
        """Let the connection do its work for at most so many seconds. Raises ``LinkDown`` where it has ended."""
        done = self._client.loop(seconds)
        if self._why:
            raise LinkDown(self._why)
        if done != paho.MQTT_ERR_SUCCESS:
            raise LinkDown(f"{self.where}: {paho.error_string(done)}")

    def close(self) -> None:
        """Say that the rig leaves, and let go; a broker that does not listen is not waited for."""
        if self._up:
            self._client.publish(Topics(self.settings).availability, OFFLINE, qos=1, retain=True)
            self._client.loop(0.2)
        self._client.disconnect()
        self._client.loop(0.1)

    @property
    def where(self) -> str:
        """Get the broker's name and port."""
        return f"{self.settings.host}:{self.settings.port}"

    def _connected(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._why = f"{self.where}: the broker refused: {reason}"
        else:
            self._up = True

    def _disconnected(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self._up = False
        self._why = self._why or f"{self.where}: the connection ended: {reason}"

    def _unasked(self, _c: object, _u: object, _m: object) -> None:
        self._why = self._why or f"{self.where}: the broker sends messages, and none was asked for"

    def _published(self, _c: object, _u: object, number: int, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:  # it was not taken: over a quota, or not allowed
            self._why = self._why or f"{self.where}: the broker did not take a message: {reason}"
        elif number in self._expected:  # one that asks for no acknowledgement is "published" as soon as it has left
            self._expected.discard(number)
            self.acknowledged.add(number)


def _context(settings: PublishSettings) -> ssl.SSLContext:
    """Get the TLS context: the broker is checked against ``ca_file`` or the machine's own authorities."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.client_certificate is not None:
            context.load_cert_chain(settings.client_certificate, settings.client_key)
    except (OSError, ssl.SSLError) as e:
        named = ", ".join(f for f in (settings.ca_file, settings.client_certificate, settings.client_key) if f)
        raise BadConfig(f"publish settings: {named}: {_said(e)}: name PEM files that can be read") from e
    return context


def _said(e: Exception) -> str:
    return (getattr(e, "strerror", None) or str(e) or type(e).__name__).splitlines()[0]
