"""A model of a laboratory's balance at the far end of a pseudo-terminal, and a certificate for it."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw.sim.balance import SimulatedBalance

CERTIFICATE = """
name = "B1"
model = "XS 420"
serial = "B-0042"
calibrated_by = "A calibration laboratory"
calibrated_on = 2026-03-01
capacity_g = 420.0
digit_g = 0.001
nonlinearity_g = 0.002
[repeatability]
s_g = 0.001
n = 10
[eccentricity]
largest_g = 0.002
at_g = 200.0
"""


def certificate_file(folder: Path, text: str = CERTIFICATE) -> Path:
    """Write the balance's certificate into a folder."""
    path = folder / "b1.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def at_a_terminal(balance: SimulatedBalance) -> Iterator[tuple[int, str]]:
    """Put a balance at the far end of a pseudo-terminal. Gives the near end's descriptor and its name."""
    far, near = os.openpty()
    tty.setraw(near)
    over_r, over_w = os.pipe()

    def answer() -> None:
        while far in select.select([far, over_r], [], [])[0]:
            for byte in balance.feed(os.read(far, 100)):
                os.write(far, bytes([byte]))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield near, os.ttyname(near)
    finally:
        os.write(over_w, b"x")
        thread.join()
        for fd in (far, near, over_r, over_w):
            os.close(fd)
