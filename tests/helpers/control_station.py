"""A station that is only asked: its control socket, polled by hand, and clients of it."""

from __future__ import annotations

import json
import os
import pwd
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from edge.control.peer import Peer
from edge.control.protocol import (
    PROTOCOL_VERSION,
    Answer,
    Later,
    Request,
    parse,
)
from edge.control.server import Control

ME = pwd.getpwuid(os.getuid()).pw_name


class Station:
    """Stands where the station will: it polls, and writes down what it was asked."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.path = path
        self.asked: list[Request] = []
        self.now_s = 0.0
        self.peers = count(100_000)
        self.uid = os.getuid()
        self.gids = frozenset({os.getgid()})
        self.control = Control(path, now_s=lambda: self.now_s, peer_of=self.peer, **more)
        self.answer: Callable[[Request], Answer | Later] = lambda request: {"order": type(parse(request)).__name__}

    def peer(self, connection: socket.socket) -> Peer:
        """Take each connection for that of another process."""
        return Peer(next(self.peers), self.uid, self.gids)

    def handle(self, request: Request) -> Answer | Later:
        self.asked.append(request)
        return self.answer(request)

    def poll(self, times: int = 3) -> None:
        for _ in range(times):
            self.control.poll(self.handle)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Poll as the loop of the station does, while the test asks from outside."""
        over = threading.Event()

        def loop() -> None:
            while not over.wait(0.002):
                self.poll(1)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2.0)
        connection.connect(str(path))
        yield connection


def said(station: Station, *sent: bytes) -> list[dict[str, Any]]:
    """Send bytes, let the station poll, and get all that it answers until it ends the connection or is silent."""
    with client(station.path) as connection:
        for part in sent:
            connection.sendall(part)
            station.poll()
        return answers(station, connection)


def answers(station: Station, connection: socket.socket) -> list[dict[str, Any]]:
    connection.setblocking(False)
    came = b""
    for _ in range(10):
        station.poll()
        try:
            came += connection.recv(1_000_000)
        except BlockingIOError:
            continue
        except ConnectionResetError:
            break
    assert came.endswith(b"\n") or not came
    return [json.loads(line) for line in came.splitlines()]


def line(command: str, **args: Any) -> bytes:
    return json.dumps({"version": 1, "command": command, "args": args}).encode() + b"\n"


def refusal(found: list[dict[str, Any]]) -> str:
    assert len(found) == 1, found
    assert found[0]["version"] == PROTOCOL_VERSION
    assert found[0]["ok"] is False
    error = found[0]["error"]
    assert error
    assert error.isprintable()
    assert len(error) <= 400
    return str(error)
