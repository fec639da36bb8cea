"""How much people may have written down: so often, and so many bytes of a run, that nobody fills a disk with words.

What the instrument has to say of itself is never held back: it reaches the verdict. This module must never count time
by the wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.control.protocol import Ack, Correct, Handed, Maintenance, Note, OperatorStep, Order, Start, Weigh
from edge.errors import TooMuch

NS_PER_S = 1_000_000_000
RUN_TEXT_BYTES = 500_000
"""Of words in one run, and as many between two runs: some two hundred pages."""
ROW_BYTES = 400
"""What an event takes besides its words: chain, time, who, and its place in the index."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``at_once`` at a time, then one every ``every_s`` seconds."""

    at_once: int
    every_s: float


RATES: dict[type[object], Rate] = {
    Note: Rate(60, 10.0),
    Handed: Rate(60, 10.0),
    Ack: Rate(60, 10.0),
    Correct: Rate(20, 60.0),
    Maintenance: Rate(20, 60.0),
    OperatorStep: Rate(60, 10.0),
    Weigh: Rate(60, 10.0),
    Start: Rate(20, 60.0),  # a run that is begun and aborted takes tens of kB
}
"""Whoever does all of it all day writes less than 100 MB. An abort is never refused: no more runs end than begin."""


class Allowance:
    """What is left of a rate."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left = float(rate.at_once)
        self._at_ns: int | None = None

    def take(self, now_ns: int) -> bool:
        """Take one. False: none is left."""
        if self._at_ns is not None:
            passed_s = max(0, now_ns - self._at_ns) / NS_PER_S
            self._left = min(float(self._rate.at_once), self._left + passed_s / self._rate.every_s)
        self._at_ns = now_ns
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def give_back(self) -> None:
        """Give back one that was taken for nothing."""
        self._left += 1.0


class Quotas:
    """What people may still have written down."""

    def __init__(self) -> None:
        self._left = {kind: Allowance(rate) for kind, rate in RATES.items()}
        self._run_id: int | None = None
        self._bytes = 0

    def take(self, order: Order, text: str | None, run_id: int | None, now_ns: int) -> None:
        """Take an order's share; ``text`` is what of it would be written into run ``run_id`` (None: no run).

        Raises ``TooMuch`` where there is none: then nothing is written down.
        """
        if run_id != self._run_id:
            self._run_id, self._bytes = run_id, 0
        size = 0 if text is None else len(text.encode()) + ROW_BYTES
        where = "between two runs" if run_id is None else "in this run"
        if self._bytes + size > RUN_TEXT_BYTES:
            raise TooMuch(
                f"{RUN_TEXT_BYTES // 1000} kB of words are written down {where}, no more fit: not written down"
            )
        left = self._left.get(type(order))
        if left is not None and not left.take(now_ns):
            rate = RATES[type(order)]
            raise TooMuch(
                f"too often: one every {rate.every_s:g} s from now on; this one was not taken: wait, and repeat"
            )
        self._bytes += size

    def give_back(self, order: Order) -> None:
        """Give back what was taken for an order that was refused then: its words were not written down."""
        if (left := self._left.get(type(order))) is not None:
            left.give_back()
