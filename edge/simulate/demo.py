"""A demo: a whole test on the simulated rig, through the real drivers and the real station, in seconds.

This module must never know what is true of the sample but to print it beside the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.database.journal import Journal
from edge.errors import StorageFull
from edge.procedure.definition import RunDefinition
from edge.procedure.parameters import live_parameters, stability_g
from edge.records.phase import Phase
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.run.live_run import Show
from edge.standards.standard import Standard
from edge.station.retrying_writer import RetryingWriter
from edge.station.station import Equipment, Hooks, SensorSettings, Station, at_once
from edge.verdict.judge import judge_night

from .instrument import PROBE, Simulated
from .operator import SimulatedOperator

COMMIT_EVERY_S = 300  # simulated time runs some thousand times faster than a disk is written in a real test


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """What a demo is of: the sample, by which standard, on the rig of which seed.

    ``zero_after`` and ``check_weight_g``: the operator takes the zero again after M2, and puts a weight on.
    """

    standard: Standard
    sample: Sample
    seed: int
    zero_after: bool = False
    check_weight_g: float | None = None


def run_demo(simulated: Simulated, order: DemoOrder, journal: Journal, show: Show | None = None) -> Result:
    """Run one simulated test to its end, journalled like a real one. Returns the result with the true loss.

    Raises ``StorageFull`` where nothing more can be written.
    """
    instrument, clock, certificate = simulated.instrument, simulated.clock, simulated.certificate
    operator = SimulatedOperator(simulated.rig, order.check_weight_g or 0.0)
    parameters = live_parameters(
        order.standard,
        certificate,
        stability_g=stability_g(certificate),
        zero_after=order.zero_after,
        check_weight_g=order.check_weight_g,
    )
    definition = RunDefinition(order.sample, "simulated", RunKind.SIMULATED, order.standard, certificate, parameters)

    def truth() -> float | None:
        operator.words(Phase.DONE, 0.0)
        return operator.true_loss_pct

    writer = RetryingWriter(journal, clock, COMMIT_EVERY_S)
    station = Station(
        Equipment(instrument, SensorSettings(PROBE, PROBE), writer, clock),
        at_once(judge_night),
        Hooks(simulated_truth_pct=truth, seed=order.seed),
    )
    instrument.open()
    try:
        station.begin(definition, f"demo-{order.sample.sample_id}-{order.seed}", {"seed": order.seed})
        station.run(lambda: station.live is not None and not writer.error, words=operator.words, show=show)
    finally:
        instrument.close()
    if station.last is None:  # nobody waits for a simulated night until there is room again
        raise StorageFull(writer.error)
    return station.last
