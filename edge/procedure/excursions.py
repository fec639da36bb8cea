"""What of the hold did not count: stretches out of limits, and stretches that nobody saw.

A stretch that was not seen may be no longer than the standard allows, and one of unknown length cannot be shown to have
been short enough. This module must never let time count that was not seen, nor forget a stretch that did not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from edge.records.event import Event, ExcursionEnded
from edge.records.formatting import known
from edge.records.invalid import Invalid, InvalidReason
from edge.records.second import Second
from edge.records.weighing import Excursion

from .plan import Plan

UNKNOWN_GAP = "nothing was recorded, for a time that is not known"
UNSEEN = ("nothing was recorded", "no temperature", "too few good samples", UNKNOWN_GAP)


class Excursions:
    """The excursions of one hold. ``too_long`` says why the run cannot be judged any more (None where it can)."""

    def __init__(self, plan: Plan) -> None:
        self.listed: list[Excursion] = []
        self.too_long: Invalid | None = None
        self._plan = plan
        self._since: Second | None = None
        self._worst_c = math.nan
        self._why = ""
        self._counted_s = self._counted_t_s = math.nan
        self._gap_unknown = False

    def gap(self, length_s: float | None, in_hold: bool) -> None:
        """Take the length of a stop in s (None: nobody knows it yet)."""
        if length_s is None:
            self._gap_unknown = self._gap_unknown or in_hold
            return
        if self._gap_unknown and in_hold:
            self._judge(UNSEEN[0], length_s)
        self._gap_unknown = False

    def at_the_end(self) -> Invalid | None:
        """Say why a hold that is complete cannot be judged all the same (None where it can)."""
        if not self._gap_unknown:
            return None
        return Invalid(
            InvalidReason.UNSEEN_TOO_LONG,
            f"{UNKNOWN_GAP}, in the hold: the machine started again and its clock was not set; give it a network "
            "or a battery for its clock, and test again",
        )

    def take(self, row: Second, last: Second | None) -> Iterator[Event]:
        """Take a row of the hold, after ``last`` (None: it is the first)."""
        plan = self._plan
        if self._since is None and last is not None and last.qualified and self._unseen(row, last):
            self._open(last, UNKNOWN_GAP if self._gap_unknown else UNSEEN[0])
            if not row.qualified:
                yield from self._judged(row)
        if not row.qualified:
            if self._since is None:
                self._open(row, self._why_not(row))
            if math.isfinite(row.temp_c) and not (
                abs(row.temp_c - plan.hold_temp_c) <= abs(self._worst_c - plan.hold_temp_c)
            ):
                self._worst_c = row.temp_c
            return
        if self._since is not None and row.hold_s - self._counted_s >= row.t_s - self._counted_t_s:
            self._since = None  # the clock has run on: a second without a good sample, both sides near
        elif self._since is not None:
            yield from self._judged(row)
        self._counted_s, self._counted_t_s = row.hold_s, row.t_s

    def end(self, row: Second) -> Iterator[Event]:
        """Close what is open at the last row of a run."""
        if self._since is not None:
            yield self._close(row)

    def _unseen(self, row: Second, last: Second) -> bool:
        """Say whether the hold clock stood still from one row to the next, though the first was good."""
        return row.hold_s == last.hold_s and (bool(row.qualified) or row.t_s - last.t_s > self._plan.gap_s)

    def _judged(self, row: Second) -> Iterator[Event]:
        yield self._close(row)
        if self._why in UNSEEN:
            self._judge(self._why, self.listed[-1].length_s)

    def _judge(self, why: str, unseen_s: float) -> None:
        most_s = self._plan.unseen_max_s
        if unseen_s > most_s:
            why = f"{why} for {unseen_s:.0f} s of the hold: {most_s:.0f} s are the most"
            self.too_long = Invalid(InvalidReason.UNSEEN_TOO_LONG, why)

    def _why_not(self, row: Second) -> str:
        plan = self._plan
        if plan.temp_needed and not math.isfinite(row.temp_c):
            return UNSEEN[1]
        if plan.temp_needed and abs(row.temp_c - plan.hold_temp_c) > plan.hold_band_c:
            return "temperature out of band"
        if plan.pressure_needed and not row.pressure_pa <= plan.pressure_limit_pa:
            return "pressure above the limit" if math.isfinite(row.pressure_pa) else "no pressure"
        return UNSEEN[2]

    def _open(self, row: Second, why: str) -> None:
        self._since, self._why, self._worst_c = row, why, row.temp_c

    def _close(self, row: Second) -> Event:
        assert self._since is not None
        excursion = Excursion(self._since.t_s, row.t_s, self._why, self._worst_c)
        self.listed.append(excursion)
        self._since = None
        what = ExcursionEnded(excursion.from_s, excursion.to_s, excursion.why, known(excursion.worst_temp_c))
        return Event(row.seq, row.t_s, what)
