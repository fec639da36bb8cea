"""What a cell keeps of its creep: the empty holder, for two hours after a night's weight was taken off.

A second zero after a test carries what has not come back. This module must never take a weight for one that hung long
where the calibration's own night was short.
"""

from __future__ import annotations

from msgspec.structs import replace

from edge.errors import CalibrationRefused

from .bench import Bench
from .session import Minute, Piece, Series, Session
from .steps import Reporting, minute_of, progress

HUNG_H = 4.0
"""A weight that hung for less has not crept as far as a test's sample."""
MINUTES, LEAST_MINUTES = 120, 60


def read_return(bench: Bench, session: Session, reporting: Reporting) -> Session:
    """Have the night's weight taken off, and record the empty holder for two hours.

    One hour is enough: what is interrupted later is kept. Raises ``CalibrationRefused`` where no weight hung through a
    night of this calibration.
    """
    if session.loaded is None or session.loaded.hours < HUNG_H:
        raise CalibrationRefused(
            f"no weight has hung for {HUNG_H:g} h: first a night under load (halfpercent calibrate temperature), and "
            "leave the weight on until this step asks for it"
        )
    bench.put(None)
    piece = Piece(boot_id=bench.clock.boot_id, t0_ns=bench.clock.now_ns(), wall_s=bench.clock.wall_s())
    rows: tuple[Minute, ...] = ()
    air_pa: tuple[float | None, ...] = ()
    try:
        for minute in range(MINUTES):
            begin_s = (bench.clock.now_ns() - piece.t0_ns) / 1e9
            row = minute_of(bench.record(60), session, begin_s, first=minute == 0)
            if row is not None:
                rows, air_pa = (*rows, row), (*air_pa, bench.air_pa())
            if (minute + 1) % reporting.every_min == 0 or minute + 1 == MINUTES:
                reporting.say(progress(minute + 1, MINUTES, row))
    finally:
        if len(rows) >= LEAST_MINUTES:
            piece = replace(piece, minutes=rows, air_pa=air_pa)
            session = replace(session, returned=Series(weight=None, pieces=(piece,)))
            reporting.keep(session)
    return session
