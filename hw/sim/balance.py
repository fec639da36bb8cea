"""A balance that speaks its protocol byte by byte (MT-SICS, KCP, SBI), unstable, overloaded and garbled answers too.

It shares no code with the driver. A pseudo-terminal cannot make a wrong parity, so ``garbled`` sends what one would
give: each byte with its highest bit set. This module must never know what the driver expects.
"""

from __future__ import annotations

from typing import Literal

State = Literal["stable", "unstable", "overload", "underload", "off"]


class SimulatedBalance:
    """A balance with ``mass_g`` on it. Feed it bytes; it gives the bytes that it answers.

    ``decimals`` are those of its display; ``unit`` is what it is set to, with ``per_g`` of them in a gram.
    """

    def __init__(self, protocol: Literal["mt-sics", "kcp", "sbi"], mass_g: float = 0.0, *, decimals: int = 3) -> None:
        self.protocol = protocol
        self.mass_g = mass_g
        self.decimals = decimals
        self.state: State = "stable"
        self.unit = "g"
        self.per_g = 1.0
        self.identified = False
        self.garbled = False
        self._line = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the line, and get what it sends."""
        out = b""
        for i in range(len(data)):
            self._line += data[i : i + 1]
            if self._line.endswith(b"\r\n"):
                out += self._sent(self._line[:-2])
                self._line = b""
        return bytes(b | 0x80 for b in out) if self.garbled else out

    def _sent(self, command: bytes) -> bytes:
        if self.state == "off":
            return b""
        answer = self._sbi(command) if self.protocol == "sbi" else self._sics(command)
        return b"" if answer is None else answer.encode("ascii") + b"\r\n"

    def _number(self) -> str:
        return f"{self.mass_g * self.per_g:.{self.decimals}f}"

    def _sics(self, command: bytes) -> str:
        if command == b"I4":
            return 'I4 A "B000000001"'
        if command not in (b"S", b"SI"):
            return "ES"
        if self.state == "overload":
            return "S +"
        if self.state == "underload":
            return "S -"
        if self.state == "unstable" and command == b"S":
            return "S I"
        return f"S {'D' if self.state == 'unstable' else 'S'} {self._number():>10} {self.unit}"

    def _sbi(self, command: bytes) -> str | None:
        if command != b"\x1bP":
            return None
        name = "N     " if self.identified else ""
        stat = "Stat  " if self.identified else ""
        if self.state == "overload":
            return stat + "    High      "
        if self.state == "underload":
            return stat + "    Low       "
        number = self._number()
        sign = "-" if number.startswith("-") else "+"
        unit = "" if self.state == "unstable" else self.unit
        return f"{name}{sign} {number.lstrip('-'):>8} {unit:<3}"
