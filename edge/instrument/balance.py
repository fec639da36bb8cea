"""The laboratory's balance at a serial port, opened by pyserial, which only who has one needs.

This module must never keep the port longer than it reads.
"""

from __future__ import annotations

import contextlib

from edge.errors import BadInput
from hw.balance import Balance, BalanceProtocol, BalanceReading, Wire, tell_nobody

from .config import BalanceConfig

try:
    import termios
except ImportError:  # of POSIX alone
    termios = None  # type: ignore[assignment]  # there are no such errors then

_NO_PORT: tuple[type[Exception], ...] = (OSError, ValueError, *(() if termios is None else (termios.error,)))
"""What is raised for a port that is none, or is gone; ``termios.error`` is no ``OSError``."""
PATIENCE_S = 10.0
"""So long a balance may take to be at rest, before it is asked again by a person."""
ASKED_PATIENCE_S = 6.0
"""And so long where somebody waits at the control socket."""


def read_configured(
    config: BalanceConfig, wire: Wire = tell_nobody, patience_s: float = ASKED_PATIENCE_S
) -> BalanceReading:
    """Ask the balance that the settings name for a stable mass. Raises as :func:`read_balance`."""
    if config.port is None:
        raise BadInput("the balance has no port: name it in the settings, [balance] port, or type the mass")
    protocol = BalanceProtocol(config.protocol)
    return read_balance(config.port, protocol, wire, baud=config.baud, parity=config.parity, patience_s=patience_s)


def read_balance(
    port: str,
    protocol: BalanceProtocol,
    wire: Wire,
    *,
    baud: int = 9600,
    parity: str = "N",
    patience_s: float = PATIENCE_S,
) -> BalanceReading:
    """Ask the balance at ``port`` (``/dev/ttyUSB0``) for a stable mass. ``parity`` is N, E or O.

    Raises ``BadInput`` where the port cannot be opened, and the errors of :class:`hw.balance.Balance`.
    """
    try:
        import serial
    except ImportError as e:
        raise BadInput("a balance needs pyserial: install halfpercent with its extra, balance") from e
    try:
        bits = serial.EIGHTBITS if parity == "N" else serial.SEVENBITS
        line = serial.Serial(port, baud, bits, parity, timeout=patience_s, write_timeout=patience_s, exclusive=True)
    except _NO_PORT as e:
        raise BadInput(f"{port}: cannot be opened ({e}): name the balance's port, such as /dev/ttyUSB0") from e
    try:
        return Balance(line, protocol, wire).read()
    finally:
        with contextlib.suppress(*_NO_PORT):  # it was unplugged: what was read is read
            line.close()
