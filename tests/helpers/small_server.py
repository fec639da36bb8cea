"""A server on a free port of this machine: each connection has a thread of its own. Use it in a ``with``."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from typing import Self


class SmallServer(ABC):
    """What accepts; ``serve`` is what it does with a connection."""

    port: int

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # else the thread that accepts keeps it open
        self._listening.close()
        for connection in self._open:
            connection.close()

    @abstractmethod
    def serve(self, connection: socket.socket) -> None:
        """Do what this server does with a connection, and close it."""

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()
