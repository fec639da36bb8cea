"""An MQTT 5 broker as small as a publisher needs, on a socket of its own: it keeps what came, and misbehaves as told.

Written from the standard's bytes (OASIS MQTT 5.0, 2.2, 3.1 to 3.4, 3.12, 3.14), not from the client's library.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from small_server import SmallServer

CONNECT, CONNACK, PUBLISH, PUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 12, 13, 14
UNASKED_MESSAGES = bytes((PUBLISH << 4, 6, 0, 1, ord("t"), 0, ord("x"), ord("y"))) * 1000
UNASKED_PONGS = bytes((PINGRESP << 4, 0)) * 4000
"""What a broker may flood a client with: messages on a topic that it never subscribed to, answers to no question."""


@dataclass
class SmallBroker(SmallServer):
    """A broker on a free port of this machine; use it in a ``with``.

    ``lets_go_after``: each connection is cut after so many messages. ``acknowledges``: False takes messages and says
    nothing. ``answers``: False accepts a connection and never says a word. ``refuses``: the reason code of its CONNACK.
    ``takes``: the reason code of its PUBACKs. ``floods``: what it sends without end once it has said CONNACK.
    ``certificate``: it speaks TLS, by a PEM file of key and certificate.
    """

    lets_go_after: int | None = None
    acknowledges: bool = True
    answers: bool = True
    refuses: int = 0
    takes: int = 0
    floods: bytes = b""
    certificate: Path | None = None
    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)
    connections: int = 0
    subscriptions: int = 0
    will: tuple[str, bytes] | None = None

    def serve(self, connection: socket.socket) -> None:
        """Speak MQTT, or misbehave."""
        self.connections += 1
        if self.certificate is not None:
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate)
                connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                connection.do_handshake()
            except OSError:
                connection.close()
                return
        stream, came = connection.makefile("rb"), 0
        try:
            while head := stream.read(1):
                body = stream.read(_length(stream))
                kind = head[0] >> 4
                if not self.answers:
                    continue
                if kind == CONNECT:
                    self._read_will(body)
                    connection.sendall(bytes((CONNACK << 4, 3, 0, self.refuses, 0)))
                    while self.floods:
                        connection.sendall(self.floods)
                elif kind == PUBLISH:
                    number = self._take(head[0], body)
                    came += 1
                    if self.lets_go_after is not None and came > self.lets_go_after:
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    if number is not None and self.acknowledges:
                        connection.sendall(bytes((PUBACK << 4, 3, *number, self.takes)))
                elif kind == PINGREQ:
                    connection.sendall(bytes((PINGRESP << 4, 0)))
                elif kind == DISCONNECT:
                    return
                else:
                    self.subscriptions += 1
        except OSError:
            return
        finally:
            stream.close()
            connection.close()

    def _take(self, head: int, body: bytes) -> bytes | None:
        n = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + n].decode(), body[2 + n :]
        number = None
        if head >> 1 & 3:
            number, rest = rest[:2], rest[2:]
        properties = rest[0]
        self.messages.append((topic, rest[1 + properties :], bool(head & 1)))
        return number

    def _read_will(self, body: bytes) -> None:
        flags, at = body[7], 10
        at += 1 + body[at]  # the connection's properties
        at += 2 + int.from_bytes(body[at : at + 2], "big")  # the client's name
        if flags & 4:
            at += 1 + body[at]
            n = int.from_bytes(body[at : at + 2], "big")
            topic, at = body[at + 2 : at + 2 + n].decode(), at + 2 + n
            n = int.from_bytes(body[at : at + 2], "big")
            self.will = topic, body[at + 2 : at + 2 + n]


def _length(stream: object) -> int:
    value = shift = 0
    while True:
        (byte,) = stream.read(1)  # type: ignore[attr-defined]  # a file of bytes
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value
