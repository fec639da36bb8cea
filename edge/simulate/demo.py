"""A demo: a whole test on the simulated rig, through the real drivers and the real station, in seconds.

This module must never know what is true of the sample but to print it beside the result.
"""

from __future__ import annotations

from typing import Any

from edge.database.journal import Journal
from edge.errors import StorageFull
from edge.procedure.parameters import live_parameters
from edge.records.phase import Phase
from edge.records.sample import Sample
from edge.run.definition import RunDefinition
from edge.run.live_run import Show, stability_g
from edge.standards.standard import Standard
from edge.station.retrying_writer import RetryingWriter
from edge.station.station import SensorSettings, Station

from .instrument import PROBE, Simulated
from .operator import SimulatedOperator

COMMIT_EVERY_S = 300  # simulated time runs some thousand times faster than a disk is written in a real test


def run_demo(
    simulated: Simulated,
    standard: Standard,
    journal: Journal,
    sample: Sample,
    *,
    seed: int,
    show: Show | None = None,
    zero_after: bool = False,
    check_weight_g: float | None = None,
) -> dict[str, Any]:
    """Run one simulated test to its end, journalled like a real one. Returns the result with the true loss.

    ``zero_after`` and ``check_weight_g``: the operator takes the zero again after M2, and puts a weight on. Raises
    ``StorageFull`` where nothing more can be written.
    """
    instrument, clock, certificate = simulated.instrument, simulated.clock, simulated.certificate
    operator = SimulatedOperator(simulated.rig, check_weight_g or 0.0)
    terms = live_parameters(
        standard,
        certificate,
        stability_g=stability_g(certificate),
        zero_after=zero_after,
        check_weight_g=check_weight_g,
    )
    given = RunDefinition(sample, "simulated", "simulated", standard, certificate, terms)
    keeper = RetryingWriter(journal, clock, COMMIT_EVERY_S)
    station = Station(instrument, keeper, clock, SensorSettings(PROBE, PROBE))

    def truth() -> float | None:
        operator.words(Phase.DONE, 0.0)
        return operator.true_loss_pct

    station.truth = truth
    instrument.open()
    try:
        station.begin(given, uid=f"demo-{sample.sample_id}-{seed}", settings={"seed": seed})
        station.run(lambda: station.live is not None and not keeper.error, words=operator.words, show=show)
    finally:
        instrument.close()
    if station.last is None:  # nobody waits for a simulated night until there is room again
        raise StorageFull(keeper.error)
    return station.last | {"seed": seed}
