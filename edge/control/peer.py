"""Who sits at the other end of a socket, as the kernel knows it: process, user, and all groups.

The kernel notes it as the connection is made (unix(7), SO_PEERCRED; socket(7), SO_PEERGROUPS), so nothing
that the other side says or becomes afterwards changes it. This module must never take a name from the other side for
who it is.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("iII")
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it
MOST_GROUPS = 256
"""Python hands no more of them over: of an account that is in more, only the first one counts."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process at the other end, the user that it runs as, and that user's groups, the supplementary ones too."""

    pid: int
    uid: int
    gids: frozenset[int]

    @property
    def name(self) -> str:
        """Get the user's name; ``uid 12345`` where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except (KeyError, OverflowError, OSError):
            return f"uid {self.uid}"


def peer_of(connection: socket.socket) -> Peer:
    """Get who is at the other end. Raises ``OSError`` where the kernel does not say."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(credentials)
    return Peer(pid, uid, frozenset((gid, *_supplementary(connection))))


def _supplementary(connection: socket.socket) -> tuple[int, ...]:
    try:
        found = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * MOST_GROUPS)
    except OSError:
        return ()
    return struct.unpack(f"{len(found) // 4}I", found)


@dataclass(frozen=True, slots=True)
class Operators:
    """Who may act: root, the station's own user, and the members of a group (None: there is none)."""

    gid: int | None

    def include(self, peer: Peer) -> bool:
        """Say whether this peer may act."""
        return peer.uid in (0, os.geteuid()) or (self.gid is not None and self.gid in peer.gids)


def operators(group: str | None) -> Operators:
    """Get who may act where ``group`` is the operators'. A group that is not there has no members."""
    if group is None:
        return Operators(None)
    try:
        return Operators(grp.getgrnam(group).gr_gid)
    except (KeyError, OSError):
        return Operators(None)
