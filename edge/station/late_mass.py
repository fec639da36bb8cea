"""A mass that arrives after its run's end: the run is folded and judged again with it, and its result amended.

Read and judged beside the measurement or where no station runs; written by the one writer. This module must never judge
by itself: it is handed the judge, and never change what the old result says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from edge.control.protocol import Weigh
from edge.database.amending import LateMass, stored_result_sha256
from edge.database.connection import Database, translated_errors
from edge.database.queries import has_result, result_in, run_number, stored_run
from edge.database.reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from edge.database.run_check import check_run
from edge.errors import BadInput, DamagedDatabase, NoSuchRun
from edge.procedure.definition import EndedRun
from edge.records.result import Result
from edge.records.run import RunKind
from edge.run.ended_again import ended_at, ended_with
from edge.run.resume import stored_definition
from hw.balance import BalanceReading

from .weighing import said_by_balance


def late_mass(
    path: Path,
    order: Weigh,
    reading: BalanceReading | None,
    who: str,
    wall_s: float,
    judge: Callable[[EndedRun], Result],
) -> LateMass:
    """Get what a run that has ended comes to with a mass more, as it is to be written. ``who`` is who asks.

    Raises ``BadInput`` for a mass that cannot be of the run, ``NoSuchRun``, ``DamagedDatabase`` for one that is
    altered.
    """
    assert order.run is not None  # the caller has looked
    with (
        closing(open_readonly(path, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db,
        translated_errors(path),
    ):
        db.execute("begin")  # what is judged is one moment's
        run_id = run_number(db, path, str(order.run))
        if not has_result(db, run_id):
            raise NoSuchRun(f"{path}: run {run_id} has no result yet: a mass of a run that is measured is said to it")
        if altered := check_run(db, run_id, full=True):
            raise DamagedDatabase(f"{path}: run {run_id} is ALTERED: {altered}: it is not amended")
        stored = stored_run(db, run_id)
        if stored.kind is RunKind.REPLAY:
            raise BadInput(f"weigh: run {run_id} is a replay: its masses are the recording's")
        return _late_mass(db, path, run_id, (order, reading, who, wall_s), judge)


def _late_mass(
    db: Database,
    path: Path,
    run_id: int,
    asked: tuple[Weigh, BalanceReading | None, str, float],
    judge: Callable[[EndedRun], Result],
) -> LateMass:
    order, reading, who, wall_s = asked
    certificate = stored_definition(db, stored_run(db, run_id)).laboratory_balance
    after_s = max(0.0, wall_s - ended_at(db, run_id).timestamp())
    sql = "select max(elapsed_s) from events where run_id = ?"
    (end_s,) = db.execute(sql, [run_id]).fetchone()
    said = said_by_balance(order, certificate, reading, who, float(end_s) + after_s, after_s)
    result, old = judge(ended_with(db, run_id, said)), result_in(db, path, run_id)
    kept = {name: getattr(old, name) for name in ("true_loss_pct", "seed", "night")}
    result = with_fields(result, **{name: value for name, value in kept.items() if value is not UNSET})
    return LateMass(run_id, said, result, stored_result_sha256(db, run_id))
