"""A demo: a whole test on the simulated rig, through the real drivers, in seconds instead of a night."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from . import fold
from .course import Course
from .journal import Journal
from .result import COLUMNS, result_of
from .simulated import Simulated, SimulatedOperator
from .standard import Standard
from .terms import live_terms
from .words import Event, Phase, Row

COMMIT_EVERY_S = 300  # simulated time runs some thousand times faster than a disk is written in a real test

Show = Callable[[Row, str, list[Event]], None]


def run_demo(
    simulated: Simulated,
    standard: Standard,
    journal: Journal,
    *,
    sample_id: str,
    seed: int,
    show: Show,
    claim: str | None = None,
) -> dict[str, Any]:
    """Run one simulated test to its end, journalled like a real one. Returns the result with the true loss."""
    station, clock, certificate = simulated.station, simulated.clock, simulated.certificate
    operator = SimulatedOperator(simulated.rig)
    terms = live_terms(standard, certificate, stability_g=certificate.stability.zero_drift_g / 5.0)
    station.open()
    try:
        t0_ns, wall_s = clock.now_ns(), clock.wall_s()
        run = journal.begin(
            run_uid=f"demo-{sample_id}-{seed}",
            sample_id=sample_id,
            operator="simulated",
            kind="simulated",
            wall_s=wall_s,
            t0_ns=t0_ns,
            boot_id=clock.boot_id,
            standard=standard,
            certificate=certificate,
            settings=terms.as_settings() | {"devices": station.describe(), "seed": seed},
            batch_s=COMMIT_EVERY_S,
        )
        course = Course(terms.plan, fold.new_params(**terms.fold), terms.first, t0_ns)
        station.run(course, run, t0_ns, operator.words, show)
    finally:
        station.close()
    operator.words(Phase.DONE, 0.0)
    result = result_of(
        course.phases,
        standard,
        certificate,
        sample_id=sample_id,
        kind="simulated",
        declared=terms.declared,
        on=datetime.datetime.fromtimestamp(wall_s, datetime.UTC).date(),
        claim=claim,
    )
    result |= {"true_loss_pct": operator.true_loss_pct, "run_id": run.run_id, "seed": seed}
    run.end(clock.wall_s(), result, {column: result.get(name) for column, name in COLUMNS.items()})
    return result
