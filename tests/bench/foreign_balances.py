"""Our balance drivers on somebody else's simulator, and somebody else's clients on our models of balances.

Their packages live in an environment of their own, made once in ``--cache`` (it needs a network):
``mt-sics-emulator``, ``mettler-toledo-device`` (with ``serial-interface`` below 2) and ``sartorius``. ``make
foreign-balances`` prints what each said and fails where they do not understand each other;
``tests/bench/test_foreign_balances.py`` is the small form.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from balance_at_a_terminal import at_a_terminal

from hw.balance import Balance, BalanceProtocol
from hw.errors import HwError
from hw.sim.balance import SimulatedBalance

PACKAGES = ("mt-sics-emulator==0.1.1", "mettler-toledo-device==1.5.0", "serial-interface<2", "sartorius==0.7.1")
MASSES_G = (0.0, 12.5, 196.354, 199.999)
THEIR_EMULATOR = """
import sys
from mtsics.core.state import ScaleState
from mtsics.profiles import load
from mtsics.protocol.engine import MTSICSEngine
state = ScaleState(config=load("mt-xs204"))
engine = MTSICSEngine(state)
for line in sys.stdin.buffer:
    if line.startswith(b"WEIGHT"):
        words = line.decode().split()
        state.set_weight(float(words[1]), stable=len(words) < 3)
        continue
    answer = engine.handle(line.decode("ascii", "replace").rstrip("\\r\\n"))
    sys.stdout.buffer.write(answer.rstrip("\\r\\n").encode() + b"\\r\\n")
    sys.stdout.buffer.flush()
"""
THEIR_METTLER = """
import sys
from mettler_toledo_device import MettlerToledoDevice
device = MettlerToledoDevice(port=sys.argv[1])
print(device.get_weight_stable(), device.get_weight())
"""
THEIR_SARTORIUS = """
import asyncio, sys
from sartorius import Scale
async def get():
    async with Scale(address=sys.argv[1]) as scale:
        print(await scale.get())
asyncio.run(get())
"""


def environment(cache: Path) -> Path:
    """Make the environment of their packages, where it is missing, and get its Python."""
    python = cache / "bin" / "python"
    if not (cache / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        pip = [str(python), "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, *PACKAGES], check=True)
        (cache / "made").touch()
    return python


class Pipes:
    """A process that answers lines, as a serial line for our driver."""

    def __init__(self, process: subprocess.Popen[bytes], patience_s: float = 5.0) -> None:
        self._process = process
        self._patience_s = patience_s

    def write(self, data: bytes, /) -> int:
        """Send bytes."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()
        return len(data)

    def read(self, size: int = 1, /) -> bytes:
        """Get bytes, or none where the time is out."""
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        return os.read(fd, size) if select.select([fd], [], [], self._patience_s)[0] else b""

    def reset_input_buffer(self) -> None:
        """Nothing comes unasked."""


@contextmanager
def over_tcp(balance: SimulatedBalance) -> Iterator[str]:
    """Put a model of ours at a TCP port. Gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(100):
                    connection.sendall(balance.feed(data))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def ours_on_theirs(python: Path) -> Iterator[tuple[str, bool]]:
    """Read somebody else's MT-SICS emulator with our driver: stable masses, and one that is not at rest."""
    with subprocess.Popen([python, "-c", THEIR_EMULATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        line = Pipes(process)
        for mass_g in MASSES_G:
            line.write(f"WEIGHT {mass_g}\n".encode())
            read = Balance(line, BalanceProtocol.MT_SICS).read()
            yield f"our driver on mt-sics-emulator: {read.raw!r} is {read.mass_g:g} g", abs(read.mass_g - mass_g) < 5e-5
        line.write(b"WEIGHT 12.5 UNSTABLE\n")
        try:
            Balance(line, BalanceProtocol.MT_SICS).read()
            yield "our driver on mt-sics-emulator: took an unstable mass", False
        except HwError as e:
            yield f"our driver on mt-sics-emulator, unstable: {e}", "not stable" in str(e)
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe


def _client(python: Path, code: str, address: str) -> str:
    done = subprocess.run([python, "-c", code, address], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or (done.stderr.strip().splitlines() or ["nothing"])[-1]


def theirs_on_ours(python: Path) -> Iterator[tuple[str, bool]]:
    """Read our models with somebody else's clients: stable masses, and one that is not at rest."""
    for state, right in (("stable", "[196.354, 'g'] [196.354, 'g', 'S']"), ("unstable", "None [196.354, 'g', 'D']")):
        model = SimulatedBalance("mt-sics", 196.354)
        model.state = state  # type: ignore[assignment]  # one of them
        with at_a_terminal(model) as (_, port):
            said = _client(python, THEIR_METTLER, port)
        yield f"mettler-toledo-device on our MT-SICS model, {state}: {said}", said == right
    for state in ("stable", "unstable"):
        model = SimulatedBalance("sbi", 196.354)
        model.identified, model.state = True, state  # type: ignore[assignment]  # one of them
        with over_tcp(model) as address:
            said = _client(python, THEIR_SARTORIUS, address)
        right = "'mass': 196.354" in said and f"'stable': {state == 'stable'}" in said
        yield f"sartorius on our SBI model, {state}: {said}", right


def compared(python: Path, say: Callable[[str], None]) -> bool:
    """Say what each said, and whether all understood each other."""
    right = True
    for line, understood in (*ours_on_theirs(python), *theirs_on_ours(python)):
        say(("ok    " if understood else "WRONG ") + line)
        right = right and understood
    return right


def main() -> int:
    """Compare all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "halfpercent-foreign-balances")
    args = parser.parse_args()
    return 0 if compared(environment(args.cache), print) else 1


if __name__ == "__main__":
    sys.exit(main())
