"""What a rig is called to others, in topics and messages: the name that settings give it, else its machine's.

This module must never give a name that a topic or an address could not hold.
"""

from __future__ import annotations

import socket
from typing import Annotated

from msgspec import Meta

MOST_CHARS = 64
RigName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="letters, digits, - and _, at most 64")]
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
"""Hosts to which nothing leaves this machine, so that it may go there in the clear."""


def rig_name(given: str | None) -> str:
    """Get the rig's name: the one given, else this machine's."""
    return given or "".join(c if c.isalnum() or c in "-_" else "-" for c in socket.gethostname())[:MOST_CHARS] or "rig"
