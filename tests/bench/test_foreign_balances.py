"""Somebody else's balances, in small: our end of the bench, with this Python and a model of ours in their place."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from foreign_balances import Pipes, over_tcp

from hw.balance import Balance, BalanceProtocol
from hw.errors import ChipNotReady
from hw.sim.balance import SimulatedBalance

ANSWERS = """
import sys
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(b"S S    196.354 g\\r\\n" if line == b"S\\r\\n" else b"S I\\r\\n")
    sys.stdout.buffer.flush()
    if line != b"S\\r\\n":
        break
"""


def test_a_process_is_a_line_for_our_driver_and_one_that_has_ended_says_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ANSWERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        line = Pipes(process)
        assert Balance(line, BalanceProtocol.MT_SICS).read().mass_g == 196.354
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10.0)
        assert line.read(1) == b""
    model = SimulatedBalance("mt-sics", 1.0)
    model.state = "unstable"
    with pytest.raises(ChipNotReady, match="not stable"):
        Balance(Fed(model), BalanceProtocol.MT_SICS).read()


class Fed:
    """A line whose far end is our model."""

    def __init__(self, model: SimulatedBalance) -> None:
        self._model, self._came = model, b""

    def write(self, data: bytes, /) -> int:
        self._came += self._model.feed(data)
        return len(data)

    def read(self, size: int = 1, /) -> bytes:
        out, self._came = self._came[:size], self._came[size:]
        return out

    def reset_input_buffer(self) -> None:
        self._came = b""


def test_a_model_of_ours_answers_over_tcp() -> None:
    model = SimulatedBalance("sbi", 196.354)
    with over_tcp(model) as address:
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=5.0) as connection:
            connection.sendall(b"\x1bP\r\n")
            assert b"196.354" in connection.recv(100)
