"""The windows of a hold that is judged hot: at the record's start, at the hold's start and at its end.

Each is bounded in time, in one piece, and holds no second that does not count; so they never overlap. This module must
never take a mass from too few rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from edge.records.invalid import Invalid
from edge.records.second import Second
from edge.records.weighing import Weighing, WeighingKind

from .plan import MIN_ROWS, Plan
from .weighing_window import Window, weighing_at_edge

TOLD_ROWS = 120  # after so many rows the fold is told a start mass, before the judge has one


class HotWindows:
    """The rows of the three windows, and the first rows of all, from which the fold is told a start mass."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._untold: list[Second] | None = []
        self._start: list[Second] = []
        self._hold_start: list[Second] = []
        self._in_one_piece = True
        self._hold_end = Window()

    def seen(self, row: Second) -> None:
        """Take a row with a good sample, of any phase."""
        if self._untold is not None:
            self._untold.append(row)
        if self._fits(self._start, row):
            self._start.append(row)

    @property
    def may_tell(self) -> bool:
        """Get whether there are as many first rows as the fold's start mass is made of."""
        return self._untold is not None and len(self._untold) == TOLD_ROWS

    def told(self) -> list[Second]:
        """Get, once, the first rows for the fold's start mass; none where they were got before."""
        rows, self._untold = self._untold or [], None
        return rows

    def restart(self) -> None:
        """Forget the hold: the standard restarts its clock at an excursion."""
        self._hold_start, self._in_one_piece, self._hold_end = [], True, Window()

    def of_hold(self, row: Second) -> None:
        """Take a row of the hold, good or not."""
        if not row.qualified:
            self._in_one_piece = self._in_one_piece and not self._hold_start
            self._hold_end = Window()
        elif row.n_ok > 0:
            if self._in_one_piece and self._fits(self._hold_start, row):
                self._hold_start.append(row)
            self._hold_end.add(row, self._plan.hot_window_s)

    def weigh(self) -> Iterator[Weighing | Invalid]:
        """Get the masses at the windows' edges, or why one of them cannot be taken: then no more come."""
        windows: tuple[tuple[WeighingKind, list[Second], Literal["first", "last"]], ...] = (
            (WeighingKind.START, self._start, "first"),
            (WeighingKind.HOLD_START, self._hold_start, "first"),
            (WeighingKind.HOLD_END, list(self._hold_end.rows), "last"),
        )
        for which, rows, edge in windows:
            if which is WeighingKind.START and self._plan.reference != "start":
                continue
            if len(rows) < MIN_ROWS:
                where = f"the window at {which.replace('_', ' ')}"
                yield self._plan.too_few_rows(where, len(rows), self._plan.hot_window_s)
                return
            yield weighing_at_edge(which, rows, edge)

    def _fits(self, rows: list[Second], row: Second) -> bool:
        return not rows or row.t_s - rows[0].t_s <= self._plan.hot_window_s
