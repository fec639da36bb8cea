"""The stored curve: no second is left out, a time without a second parts it, and it stays within its bounds."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from short_demo import Demo
from sqlite_utils import Database

from edge.database.curve import MOST_COLUMNS, curve_columns, stored_curve
from edge.database.schema import table_sql
from edge.errors import DamagedDatabase, NoSuchRun
from edge.records.curve import Column
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind

Row = tuple[float, float | None, float | None]
"""Time in s, loss in %, temperature in °C."""


def database(rows: list[Row]) -> Database:
    db = Database(sqlite3.connect(":memory:"), execute_plugins=False)
    db.execute(table_sql("seconds"))
    sql = "insert into seconds (run_id, second, elapsed_s, loss_pct, temp_c) values (1, ?, ?, ?, ?)"
    db.conn.executemany(sql, [(i, *row) for i, row in enumerate(rows)])
    return db


def columns(rows: list[Row], most: int = MOST_COLUMNS) -> tuple[Column, ...]:
    with closing(database(rows)) as db:
        return curve_columns(db, 1, most=most)


# Mostly there: each change of what is there parts a column, and only so many parts are kept for it.
losses = temps = st.sampled_from((0.1, 0.2, 0.3, -1e3, 1e3, 0.4, 0.5, 0.6, 0.7, None))


def parted(rows: list[Row]) -> int:
    """Count the places where rows would be parted: after a hole, and where a value comes or goes."""
    pairs = pairwise(rows)
    return sum(
        b[0] - a[0] > 2.0 or any((x is None) != (y is None) for x, y in zip(a, b, strict=True)) for a, b in pairs
    )


steps_s = st.sampled_from((1, 1, 1, 1, 1, 1, 2, 3, 7, 40))


@given(st.lists(st.tuples(steps_s, losses, temps), max_size=60), st.integers(60, 300))
@settings(max_examples=25, deadline=None)
def test_no_second_is_left_out_and_no_gap_is_bridged(
    steps: list[tuple[int, float | None, float | None]], most: int
) -> None:
    rows: list[Row] = []
    t_s = 0.0
    for step_s, loss, temp in steps:
        t_s += step_s
        rows.append((t_s, loss, temp))
    found = columns(rows, most)
    width = -(-len(rows) // (most - most // 15))
    assert len(found) <= most
    if parted(rows) > most // 15:
        return  # more than are kept for gaps
    hole_s = max(2.0, 0.25 * width)
    for t, loss, temp in rows:
        (holds,) = [c for c in found if c.from_s <= t <= c.to_s]
        if loss is not None:
            assert holds.low_pct is not None
            assert holds.high_pct is not None
            assert holds.low_pct <= loss <= holds.high_pct
        if temp is not None:
            assert holds.oven_low_c is not None
            assert holds.oven_high_c is not None
            assert holds.oven_low_c <= temp <= holds.oven_high_c
    times = [t for t, _, _ in rows]
    for a, b in pairwise(times):
        if b - a > hole_s:
            (after,) = [c for c in found if c.from_s <= b <= c.to_s]
            assert after.from_s == b
            assert after.after_gap
    assert [c.from_s for c in found] == sorted(c.from_s for c in found)


def test_a_hole_in_the_loss_parts_the_columns_where_it_is() -> None:
    rows: list[Row] = [(float(t), None if 100 <= t < 160 else 0.1, 120.0) for t in range(400)]
    found = columns(rows, most=30)
    assert [c.loss_pct is None for c in found if c.to_s < 100.0 or c.from_s > 159.0].count(True) == 0
    lost = [c for c in found if c.loss_pct is None]
    assert (lost[0].from_s, lost[-1].to_s) == (100.0, 159.0)


def test_thirty_hours_are_at_most_1500_points_in_little_time() -> None:
    rows: list[Row] = [(float(t), (t % 600) * 1e-3, 120.0 + (t % 7) * 0.1) for t in range(108_000)]
    with closing(database(rows)) as db:
        began_s = time.thread_time()
        found = curve_columns(db, 1)
        used_s = time.thread_time() - began_s
    assert 2 * len(found) <= 1500
    assert max(c.high_pct or 0.0 for c in found) == 0.599
    assert used_s < 1.0, "about 0.05 s here: what is asked of the database is no more than one pass over its rows"


@pytest.mark.parametrize("value", ["'text'", "9e999"])
def test_what_is_no_number_is_one_line(value: str) -> None:
    with closing(database([(0.0, 0.1, 1.0)])) as db:
        db.execute(f"update seconds set loss_pct = {value}")
        with pytest.raises(DamagedDatabase, match="its seconds is damaged"):
            curve_columns(db, 1)


def test_a_run_has_its_phases_windows_and_what_happened(short_demo: Demo) -> None:
    curve = stored_curve(short_demo.path, 1)
    names = [p.phase for p in curve.phases]
    assert names == [Phase.TARE, Phase.LOAD, Phase.M1, Phase.PUMP, Phase.RAMP, Phase.HOLD, Phase.COOL, Phase.M2]
    assert all(a.to_s == b.from_s for a, b in pairwise(curve.phases))
    assert [w.which for w in curve.windows] == [WeighingKind.TARE, WeighingKind.M1, WeighingKind.M2]
    excursions = short_demo.result["excursions"]
    assert [h.from_s for h in curve.happened if h.what == "excursion"] == [e["from_s"] for e in excursions]
    assert curve.columns[-1].to_s == pytest.approx(curve.phases[-1].to_s, abs=2.0)


def test_a_run_that_is_not_there_is_one_line(short_demo: Demo, tmp_path: Path) -> None:
    with pytest.raises(NoSuchRun, match="no run 9"):
        stored_curve(short_demo.path, 9)
