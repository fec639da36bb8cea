"""A laboratory's own balance over a serial line: Mettler MT-SICS, Kern KCP, Sartorius SBI.

One question, one answer, and the bytes of both for whoever looks at the wire. Only a stable mass in grams is a reading.
This module must never take another unit for grams, an unstable value for a stable one, or guess at a garbled byte.

Sources: MT-SICS as Mettler's operating instructions list it (``S``: ``S S`` stable, ``S I`` not executable or not
stable in time, ``S +`` overload, ``S -`` underload; ``ES``, ``ET``, ``EL`` for errors). From memory, to be checked at a
balance: that its masses have ten characters or more, that KCP asks and answers in the same way, and SBI (ESC P; 16
characters, or 22 with an identification; no unit while it is not stable).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hw.errors import BusError, ChipNotReady, NotAMass

MOST_BYTES = 80
"""Of an answer: the longest of ours has 24."""
GRAMS = {"g": 1.0, "mg": 1e-3, "kg": 1e3}


class BalanceProtocol(StrEnum):
    """How a balance is asked."""

    MT_SICS = "mt-sics"
    KCP = "kcp"
    SBI = "sbi"


ASK: dict[BalanceProtocol, bytes] = {
    BalanceProtocol.MT_SICS: b"S\r\n",
    BalanceProtocol.KCP: b"S\r\n",
    BalanceProtocol.SBI: b"\x1bP\r\n",
}
"""The question for a stable mass."""


class Port(Protocol):
    """An open serial line: what :class:`serial.Serial` is, with its time-out set."""

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""

    def read(self, size: int = 1, /) -> bytes:
        """Get at most ``size`` bytes; fewer where the time is out."""

    def reset_input_buffer(self) -> None:
        """Forget what came unasked."""


@dataclass(frozen=True, slots=True)
class BalanceReading:
    """A stable mass in g, with the last digit's weight in g, and the bytes that said so."""

    mass_g: float
    digit_g: float
    raw: bytes


Wire = Callable[[str, bytes], None]
"""Called with ``>`` or ``<`` and the bytes that went or came."""


def tell_nobody(_way: str, _data: bytes) -> None:
    """Tell nobody."""


class Balance:
    """A balance at an open port. ``wire`` is told all bytes. :meth:`read` raises errors of :mod:`hw.errors`."""

    def __init__(self, port: Port, protocol: BalanceProtocol, wire: Wire = tell_nobody) -> None:
        self._port = port
        self._protocol = protocol
        self._wire = wire

    def read(self) -> BalanceReading:
        """Ask for a stable mass and get it.

        Raises ``BusError`` where the line fails, ``ChipNotReady`` where nothing comes or it is not stable, ``NotAMass``
        for what is no mass in grams: one line, with what to do.
        """
        question = ASK[self._protocol]
        try:
            self._port.reset_input_buffer()
            self._port.write(question)
            self._wire(">", question)
            answer = self._answer()
        except NotAMass:
            raise
        except Exception as e:  # the port's own: pyserial's, termios', the system's
            raise BusError(f"balance: the line failed ({type(e).__name__}: {e}): check its plug and the port") from e
        return parse(answer, self._protocol)

    def _answer(self) -> bytes:
        came = bytearray()
        while not came.endswith(b"\n") and len(came) < MOST_BYTES:
            more = self._port.read(1)
            if not more:
                break
            came += more
        self._wire("<", bytes(came))
        return bytes(came)


def parse(answer: bytes, protocol: BalanceProtocol) -> BalanceReading:
    """Get the stable mass that an answer says. Raises as :meth:`Balance.read`."""
    if not answer:
        raise ChipNotReady(
            "balance: nothing came: switch it on, check cable, port, baud rate and parity, and that its interface is "
            f"set to {protocol}"
        )
    if not answer.endswith(b"\r\n") or not all(0x20 <= b < 0x7F for b in answer[:-2]):
        raise NotAMass(f"balance: garbled ({answer[:24]!r}): set baud rate and parity as on the balance")
    text = answer[:-2].decode("ascii")
    return _parse_sbi(text, answer) if protocol is BalanceProtocol.SBI else _parse_sics(text, answer)


_SICS_REFUSALS = {
    "S I": "is not stable, or busy: close its doors, wait, and ask again",
    "S +": "is overloaded: take something off",
    "S -": "is below its range: put the pan on, and tare it",
    "ES": "does not know the question: set its interface to this protocol",
    "ET": "got a garbled question: set baud rate and parity as on the balance",
    "EL": "cannot do it now: leave its menu",
}
_NOT_STABLE = ("S I", "EL")
_SICS = re.compile(r"S ([SD])  *(-?[0-9]+(?:\.[0-9]+)?) ([A-Za-z]{1,5}) *")
_MASS_FROM = len("S S ")
LEAST_WIDTH = 10
"""Of a mass in MT-SICS and KCP, with the blanks before it: a byte that was lost makes it shorter."""


def _parse_sics(text: str, answer: bytes) -> BalanceReading:
    refusal = text.rstrip()
    if refusal in _SICS_REFUSALS:
        kind = ChipNotReady if refusal in _NOT_STABLE else NotAMass
        raise kind(f"balance: it {_SICS_REFUSALS[refusal]}")
    found = _SICS.fullmatch(text)
    if found is None or found.end(2) - _MASS_FROM < LEAST_WIDTH:
        raise NotAMass(f"balance: {text[:24]!r} is no mass: set its interface to this protocol, and look at the cable")
    if found[1] == "D":
        raise ChipNotReady(f"balance: it {_SICS_REFUSALS['S I']}")
    return _in_grams(found[2], found[3], answer)


_SBI = re.compile(r"(?:.{6})?([+\- ]) *([0-9]+(?:\.[0-9]+)?) *(?: ([A-Za-z]{1,3}) *)?")
_SBI_WORDS = {"high": "is overloaded: take something off", "low": "is below its range: put the pan on, and tare it"}


def _parse_sbi(text: str, answer: bytes) -> BalanceReading:
    said = text.removeprefix("Stat").strip().lower()
    if said in _SBI_WORDS:
        raise NotAMass(f"balance: it {_SBI_WORDS[said]}")
    if said.startswith("err"):
        raise NotAMass(f"balance: it says {text.strip()[:24]}: look it up in its manual")
    found = _SBI.fullmatch(text) if len(text) in (14, 20) else None
    if found is None:
        raise NotAMass(f"balance: {text[:24]!r} is no mass: set its interface to SBI, 16 or 22 characters")
    if found[3] is None:
        raise ChipNotReady("balance: it is not stable: close its doors, wait, and ask again")
    return _in_grams(found[1].strip() + found[2], found[3], answer)


def _in_grams(number: str, unit: str, answer: bytes) -> BalanceReading:
    """Get the mass in g and the weight of its last digit. Raises ``NotAMass`` for another unit."""
    if unit not in GRAMS:
        raise NotAMass(f"balance: it answers in {unit}: set its unit to g")
    decimals = len(number.partition(".")[2])
    return BalanceReading(float(number) * GRAMS[unit], 10.0**-decimals * GRAMS[unit], answer)
