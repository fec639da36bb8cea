"""A server over HTTP or SMTP, as small as one contact needs: it keeps what came, and misbehaves as told."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from small_server import SmallServer


@dataclass
class SmallListener(SmallServer):
    """A server on a free port of this machine; use it in a ``with``.

    ``kind``: "http" or "smtp". ``answers``: False accepts and says nothing. ``status``: of its answer. ``drips``: it
    answers a byte at a time and never ends. ``certificate``: it speaks TLS, by a PEM file of key and certificate.
    """

    kind: str = "http"
    status: int = 200
    answers: bool = True
    drips: bool = False
    certificate: Path | None = None
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()

    def __exit__(self, *ended: object) -> None:
        self._ended.set()
        super().__exit__(*ended)

    def serve(self, connection: socket.socket) -> None:
        """Speak HTTP or SMTP, or misbehave."""
        try:
            if self.certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate)
                connection = context.wrap_socket(connection, server_side=True)
            if not self.answers:
                self._ended.wait(20.0)
            elif self.kind == "smtp":
                self._smtp(connection)
            else:
                self._http(connection)
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def _http(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.readline()
        length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if b"content-length" in line)
        self.bodies.append(stream.read(length))
        self.heads.append(head.decode())
        connection.sendall(b"HTTP/1.1 ")
        while self.drips and not self._ended.wait(0.05):
            connection.sendall(b"2")
        connection.sendall(f"{self.status} as told\r\nContent-Length: 0\r\n\r\n".encode())

    def _smtp(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        connection.sendall(b"220 small\r\n")
        while line := stream.readline():
            self.heads.append(line.decode().strip())
            word = line[:4].upper()
            if word == b"EHLO":
                connection.sendall(b"250-small\r\n250 AUTH PLAIN\r\n")
            elif word == b"AUTH":
                connection.sendall(b"235 ok\r\n" if self.status == 200 else b"535 hunter2 is wrong\r\n")
            elif word == b"DATA":
                connection.sendall(b"354 go on\r\n")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += stream.readline()
                self.bodies.append(body)
                connection.sendall(b"250 taken\r\n")
            else:
                connection.sendall(b"250 ok\r\n")


def certificate(folder: Path, name: str) -> Path:
    """Make a self-signed certificate for ``name`` with its key, in one PEM file, by the openssl command."""
    pem, key = folder / "both.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(pem)]
    subprocess.run(argv + names, check=True, capture_output=True)
    pem.write_text(pem.read_text(encoding="ascii") + key.read_text(encoding="ascii"), encoding="ascii")
    return pem
