"""One client's connection as the station sees it: bytes to lines, and one answer at a time.

It holds at most one answer that is not taken, and no line longer than it may be. This module must never wait.
"""

from __future__ import annotations

import contextlib
import select
import socket

from .peer import Peer
from .protocol import MAX_LINE_BYTES, Later

TAKES_WITHIN_S = 2.0
"""A client that has not taken its answer after so long may be let go for another."""


class Client:
    """One connection. ``since_s`` is when it last ended a line or took an answer, ``later`` the answer it waits for.

    ``closed``: it was let go.
    """

    def __init__(self, connection: socket.socket, peer: Peer, now_s: float) -> None:
        connection.setblocking(False)
        self.peer = peer
        self.who = peer.name
        self.since_s = now_s
        self.later: Later | None = None
        self.closed = False
        self._connection = connection
        self._came = bytearray()
        self._to_send = bytearray()
        self._ended = False
        self._lost = False

    @property
    def gone(self) -> bool:
        """Get whether nothing more can be said to it, or it has nothing more to say."""
        if self._lost:
            return True
        return self._ended and not self._to_send and self.later is None and b"\n" not in self._came

    @property
    def has_left(self) -> bool:
        """Get whether the other end is closed: no answer can reach it. Who only sends no more is still there."""
        look = select.poll()
        look.register(self._connection, 0)
        return any(event & select.POLLHUP for _, event in look.poll(0))

    @property
    def asks(self) -> bool:
        """Get whether a whole line can be answered now, or one that is too long."""
        if self._to_send or self.later is not None:
            return False
        return b"\n" in self._came or len(self._came) > MAX_LINE_BYTES

    def is_owed(self, now_s: float) -> bool:
        """Say whether it waits for an answer, or has not had the time to take one."""
        if self.later is not None:
            return True
        if self._to_send:
            return now_s - self.since_s <= TAKES_WITHIN_S
        return self.asks

    def receive(self) -> None:
        """Take what came, unless a whole line is waiting to be answered."""
        if self._ended or b"\n" in self._came:
            return
        try:
            got = self._connection.recv(MAX_LINE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._lost = True
            return
        self._ended = not got
        self._came += got

    def line(self) -> bytes:
        """Get the next whole line, where it asks. One too long ends the connection."""
        line, _, rest = self._came.partition(b"\n")
        if len(line) > MAX_LINE_BYTES:
            self._came.clear()
            self._ended = True
        else:
            self._came = rest
        return bytes(line)

    def answer(self, line: bytes, now_s: float) -> None:
        """Send an answer, as much as the client takes now."""
        self.since_s = now_s
        self._to_send += line
        self.send()

    def send(self) -> None:
        """Send on what the client has not taken yet."""
        if not self._to_send:
            return
        try:
            del self._to_send[: self._connection.send(self._to_send)]
        except BlockingIOError:
            pass
        except OSError:
            self._lost = True

    def close(self) -> None:
        """Let it go; an answer that it waited for is nobody's any more."""
        self.closed = True
        if self.later is not None:
            self.later.nobody_waits()
        with contextlib.suppress(OSError):
            self._connection.close()
