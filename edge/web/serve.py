"""The page served: on loopback unless told otherwise, and then with TLS, or it says what is missing.

This module must never listen where a token would cross a network in clear, unless a person said so in so many words.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from edge.errors import BadInput

from .app import WebSettings, build_app

PORT = 8080
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Binding:
    """Where the page listens, and with which certificate (None: in clear)."""

    host: str = LOOPBACK
    port: int = PORT
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False

    def require_safe(self) -> None:
        """Raise ``BadInput`` where a token would be seen on the way."""
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise BadInput("TLS takes a certificate and its key: name both, in PEM")
        for file in (self.tls_certificate, self.tls_key):
            if file is not None and not file.is_file():
                raise BadInput(f"{file}: no such file: name the certificate and the key of TLS, in PEM")
        if self.tls_certificate is None and not self.behind_proxy and not is_loopback(self.host):
            raise BadInput(
                f"{self.host}: beyond this machine the token would cross the network in clear: give TLS a certificate "
                "and a key, leave the page on 127.0.0.1 and come by ssh -L, or say that a proxy with TLS is before it"
            )

    @property
    def url(self) -> str:
        """Get where to look."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self.tls_certificate is None else 'https'}://{host}:{self.port}/"


def is_loopback(host: str) -> bool:
    """Say whether only this machine itself can reach a name or an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(settings: WebSettings, binding: Binding) -> None:
    """Serve the page until told to stop. Raises ``BadInput`` where it may not listen there."""
    binding.require_safe()
    config = uvicorn.Config(
        build_app(settings),
        host=binding.host,
        port=binding.port,
        ssl_certfile=binding.tls_certificate,
        ssl_keyfile=binding.tls_key,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=10,
        limit_concurrency=400,
        loop="asyncio",
        http="h11",
        ws="none",
    )
    uvicorn.Server(config).run()
