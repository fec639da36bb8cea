"""The curve of a run as it is stored: least and greatest of each column, decimated where the rows are.

A 30-hour run has 108 000 seconds; at most ``MOST_COLUMNS`` columns come out of it, and no second is left out of them.
A time of which nothing was seen parts the columns: it is never bridged. This module must never write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path

import msgspec

from edge.errors import NoSuchRun
from edge.records.command import OperatorWord
from edge.records.curve import Column, PhaseSpan, RecordedCurve, WindowTaken
from edge.records.event import EventKind
from edge.records.phase import CARRIED, Phase
from edge.records.result import HappenedKind, HappenedTold
from edge.records.weighing import WeighingKind

from . import hash_chain
from .connection import Database, parsed_rows, translated_errors
from .queries import alarms_told, converter_resets
from .reading import open_readonly
from .stored_json import decoded, require_finite
from .two_chains import StoredRow

MOST_COLUMNS = 750
"""Each has two points: 1500 in all."""
KEPT_FOR_GAPS = 15
"""One column in so many is kept for the parts that gaps make."""
LEAST_GAP_S = 2.0
"""A shorter time without a second is none."""
OF_A_COLUMN = 0.25
"""A hole that is less of a column cannot be seen in it; it stands in the list of what happened."""

_OFF = ", ".join(repr(str(phase)) for phase in (*CARRIED, Phase.ZERO, Phase.CHECK, Phase.DONE))
_LOSS = f"case when phase in ({_OFF}) then null else loss_pct end"
"""A sample that is off the rig, on its way to the laboratory's balance or after M2, has no loss there."""
_SEEN = (
    f"count(*), count({_LOSS}), count(temp_c), min(elapsed_s), "
    f"max(elapsed_s), min({_LOSS}), max({_LOSS}), min(temp_c), "
    "max(temp_c), max(cell_temp_c), min(pressure_pa), max(pressure_pa)"
)
_RANGE = "from seconds where run_id = ? and second >= ? and second < ?"
_ONE = f"elapsed_s, {_LOSS}, temp_c, cell_temp_c, pressure_pa"


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    """What a range of seconds holds, in the order of ``_SEEN``."""

    n: int
    losses: int
    temps: int
    from_s: float | None
    to_s: float | None
    low_pct: float | None
    high_pct: float | None
    oven_low_c: float | None
    oven_high_c: float | None
    cell_c: float | None
    low_pa: float | None
    high_pa: float | None


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """A second, in the order of ``_ONE``."""

    elapsed_s: float
    loss_pct: float | None
    temp_c: float | None
    cell_temp_c: float | None
    pressure_pa: float | None


def stored_curve(path: Path, run_id: int, *, most: int = MOST_COLUMNS) -> RecordedCurve:
    """Get a run's curve with what happened in it. Raises ``NoSuchRun``, ``BadDatabase``."""
    with closing(open_readonly(path)) as db, translated_errors(path):
        return read_curve(db, run_id, most=most)


def read_curve(db: Database, run_id: int, *, most: int = MOST_COLUMNS) -> RecordedCurve:
    """Get a run's curve from an open database, in at most ``most`` columns. Raises as :func:`stored_curve`."""
    found = db.execute("select started_utc from runs where run_id = ?", [run_id]).fetchone()
    if found is None:
        raise NoSuchRun(f"no run {run_id}: halfpercent runs lists them")
    columns = curve_columns(db, run_id, most=most)
    with parsed_rows(f"run {run_id}: its events"):
        events = [(float(e["elapsed_s"]), str(e["kind"]), e) for e in hash_chain.events(db, run_id)]
        end_s = columns[-1].to_s if columns else max((t for t, _, _ in events), default=0.0)
        told = [(t_s, kind, decoded(e["data_json"])) for t_s, kind, e in events]
        return RecordedCurve(
            columns=columns,
            phases=tuple(told_phases(db, run_id, told, end_s)),
            windows=tuple(_windows(told)),
            happened=_happened(db, run_id, told),
            vented_s=tuple(t_s for t_s, kind, data in told if _is_vent(kind, data)),
            started_utc=str(found[0] or ""),
        )


def curve_columns(db: Database, run_id: int, *, most: int = MOST_COLUMNS) -> tuple[Column, ...]:
    """Get a run's seconds as at most ``most`` columns of least and greatest, in order; a gap parts two of them.

    Some of them are kept for gaps: where there are more gaps than that, those within a column are not seen.
    """
    with parsed_rows(f"run {run_id}: its seconds"):
        ends = [  # not least and greatest in one question: that would go through them all
            db.conn.execute(f"select second from seconds where run_id = ? order by second {way} limit 1", [run_id])
            for way in ("asc", "desc")
        ]
        first, last = (found[0] if (found := end.fetchone()) else None for end in ends)
        if not (isinstance(first, int) and isinstance(last, int)):
            return ()
        spare = most // KEPT_FOR_GAPS
        width = -(-(last - first + 1) // (most - spare))
        hole_s = max(LEAST_GAP_S, OF_A_COLUMN * width)
        bounds = [(run_id, start, start + width) for start in range(first, last + 1, width)]
        ask = f"select {_SEEN} {_RANGE}"
        found = [db.conn.execute(ask, of).fetchone() for of in bounds]
        require_finite(chain.from_iterable(found))
        out: list[Column] = []
        for of, seen in zip(bounds, msgspec.convert(found, list[_Seen]), strict=True):
            parts = _columns_in(db, of, seen, hole_s, spare)
            spare -= max(0, len(parts) - 1)
            for column in parts:
                apart = bool(out) and column.from_s - out[-1].to_s > hole_s
                out.append(replace(column, after_gap=apart))
        return tuple(out)


def _columns_in(db: Database, bounds: tuple[int, int, int], seen: _Seen, hole_s: float, spare: int) -> list[Column]:
    """Get the column of a range of seconds, or its parts if holes of ``hole_s`` are in it, at most ``spare`` more."""
    if seen.from_s is None or seen.to_s is None:
        return []
    expected = seen.to_s - seen.from_s + 1.0
    lacking = (n for n in (seen.losses, seen.temps) if 0 < n <= seen.n - hole_s)
    if expected - hole_s >= seen.n or any(lacking):
        rows = msgspec.convert(db.execute(f"select {_ONE} {_RANGE} order by second", bounds).fetchall(), list[_Row])
        parts = _parted(rows, hole_s)
        if len(parts) <= 1 + spare:
            return [_column_of(part) for part in parts]
    return [
        Column(
            from_s=seen.from_s,
            to_s=seen.to_s,
            low_pct=seen.low_pct,
            high_pct=seen.high_pct,
            oven_low_c=seen.oven_low_c,
            oven_high_c=seen.oven_high_c,
            cell_c=seen.cell_c,
            low_pa=seen.low_pa,
            high_pa=seen.high_pa,
        )
    ]


def _parted(rows: list[_Row], hole_s: float) -> list[list[_Row]]:
    """Get rows in parts: a new one after a hole of more than ``hole_s``, and where a value comes or goes."""
    parts: list[list[_Row]] = []
    for row in rows:
        before = parts[-1][-1] if parts else None
        if before is None or row.elapsed_s - before.elapsed_s > hole_s or _lacks(row) != _lacks(before):
            parts.append([])
        parts[-1].append(row)
    return parts


def _lacks(row: _Row) -> tuple[bool, bool]:
    return row.loss_pct is None, row.temp_c is None


def _column_of(rows: list[_Row]) -> Column:
    losses = [r.loss_pct for r in rows if r.loss_pct is not None]
    temps = [r.temp_c for r in rows if r.temp_c is not None]
    pressures = [r.pressure_pa for r in rows if r.pressure_pa is not None]
    return Column(
        from_s=rows[0].elapsed_s,
        to_s=rows[-1].elapsed_s,
        low_pct=min(losses, default=None),
        high_pct=max(losses, default=None),
        oven_low_c=min(temps, default=None),
        oven_high_c=max(temps, default=None),
        cell_c=max((r.cell_temp_c for r in rows if r.cell_temp_c is not None), default=None),
        low_pa=min(pressures, default=None),
        high_pa=max(pressures, default=None),
    )


Told = list[tuple[float, str, StoredRow]]
"""Events: time in s, kind, data."""


def told_phases(db: Database, run_id: int, told: Told, end_s: float) -> Iterator[PhaseSpan]:
    """Get the phases of a run from its events (time in s, kind, data), the last one up to ``end_s``."""
    changes = [(t_s, data) for t_s, kind, data in told if kind == EventKind.PHASE]
    from_s = 0.0
    for t_s, data in changes:
        yield PhaseSpan(Phase(data["from"]), from_s, t_s, str(data["why"]))
        from_s = t_s
    if changes:
        now = Phase(changes[-1][1]["to"])
    else:
        sql = "select phase from seconds where run_id = ? order by second limit 1"
        found = db.execute(sql, [run_id]).fetchone()
        if found is None:
            return
        now = Phase(found[0])
    if now is not Phase.DONE:
        yield PhaseSpan(now, from_s, max(end_s, from_s))


def _windows(told: Told) -> Iterator[WindowTaken]:
    for _, kind, data in told:
        if kind == EventKind.WEIGHING:
            from_s = float(data["from_s"])
            yield WindowTaken(WeighingKind(data["which"]), from_s, from_s + float(data["window_s"]))


def _is_vent(kind: str, data: StoredRow) -> bool:
    return kind == EventKind.OPERATOR and data.get("word") == OperatorWord.VENT


def _happened(db: Database, run_id: int, told: Told) -> tuple[HappenedTold, ...]:
    """Get what happened, in order of time: also of a run that has no result yet."""
    out = list(alarms_told(db, run_id))
    for reset in converter_resets(db, run_id):
        why = f"the {reset.chip} was reset ({reset.cause})"
        out.append(HappenedTold(from_s=reset.from_s, to_s=reset.at_s, what=HappenedKind.CONVERTER_RESET, why=why))
    for _, kind, data in told:
        if kind == EventKind.EXCURSION:
            why = str(data["why"])
            out.append(HappenedTold(from_s=data["from_s"], to_s=data["to_s"], what=HappenedKind.EXCURSION, why=why))
        elif kind == EventKind.RESUMED and "from_s" in data and data["gap_s"] != 0.0:
            long_s = data["at_least_s"] if data["gap_s"] is None else data["gap_s"]
            why = "nothing was measured"
            out.append(
                HappenedTold(from_s=data["from_s"], to_s=data["from_s"] + long_s, what=HappenedKind.STOP, why=why)
            )
    return tuple(sorted(out, key=lambda h: h.from_s))
