"""What the service tells systemd: that it is ready, what it is doing, that it is alive.

The protocol is one datagram to the socket that ``NOTIFY_SOCKET`` names (sd_notify(3)); without systemd nothing is said.
This module must never fail because nobody listens.
"""

from __future__ import annotations

import os
import socket
from functools import cache


@cache
def _wire() -> socket.socket:
    """Get a socket, made once: where no file descriptor is left, the watchdog is fed all the same."""
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    wire.settimeout(0.1)
    return wire


def notify(**what: str | int) -> bool:
    """Send ``READY=1``, ``STATUS=…``, ``WATCHDOG=1`` and the like. Returns whether somebody was told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    text = "\n".join(f"{name}={value}" for name, value in what.items())
    try:
        _wire().sendto(text.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
    except OSError:
        return False
    return True
