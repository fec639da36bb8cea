"""A demo: a whole test on the simulated rig, through the real drivers and the real station, in seconds.

This module must never know what is true of the sample but to print it beside the result.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.control.protocol import Start
from edge.database.journal import Journal
from edge.errors import BadInput, StorageFull
from edge.procedure.definition import RunDefinition
from edge.procedure.parameters import live_parameters, stability_g
from edge.records.phase import Phase
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import Specimen
from edge.records.specimen_file import to_toml
from edge.run.live_run import Show
from edge.standards.standard import Standard
from edge.station.equipment import Equipment, Hooks, SensorSettings, at_once
from edge.station.retrying_writer import RetryingWriter
from edge.station.seal_ended import seal_ended
from edge.station.start import seen_before
from edge.station.station import Station
from edge.verdict.judge import judge_night

from .instrument import PROBE, Simulated
from .night import Say
from .night_file import Night
from .operator import SimulatedOperator
from .simulated_station import BY_ITSELF, SimulatedStation

COMMIT_EVERY_S = 300  # simulated time runs some thousand times faster than a disk is written in a real test


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """What a demo is of: the sample, by which standard, on the rig of which seed.

    ``zero_after`` and ``check_weight_g``: the operator takes the zero again after M2, and puts a weight on;
    ``specimen`` is the sample's record, ``check_before``: the weight is put on before the sample too.
    """

    standard: Standard
    sample: Sample
    seed: int
    zero_after: bool = False
    check_weight_g: float | None = None
    specimen: Specimen | None = None
    check_before: bool = False


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
        check_before=order.check_before,
    )
    definition = RunDefinition(
        order.sample,
        "simulated",
        RunKind.SIMULATED,
        order.standard,
        certificate,
        parameters,
        specimen=order.specimen,
        seen_before=seen_before(order.specimen, journal.path),
    )

    def truth() -> float | None:
        operator.words(Phase.DONE, 0.0)
        return operator.true_loss_pct

    writer = RetryingWriter(journal, clock, COMMIT_EVERY_S)
    station = Station(
        Equipment(instrument, SensorSettings(PROBE, PROBE), writer, clock),
        at_once(judge_night),
        Hooks(
            ended=lambda run_id: seal_ended(writer, run_id, clock.wall_s()), simulated_truth_pct=truth, seed=order.seed
        ),
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


def run_night(night: Night, order: DemoOrder, database: Path, show: Show | None, say: Say) -> Result:
    """Act a night out on the real service, from its start to the result, with a simulated operator.

    What the order asks for after M2 is asked for besides what the night does. Raises ``StorageFull`` where nothing more
    can be written, ``BadInput`` where no run came to its end.
    """
    check_weight_g = order.check_weight_g or night.head.check_weight_g
    zero_after = order.zero_after or night.head.zero_after
    head = msgspec.structs.replace(night.head, check_weight_g=check_weight_g)
    standard = order.standard
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "standard.toml").write_text(standard.text, encoding="utf-8")
        if order.specimen is not None:
            (folder / "specimen.toml").write_text(to_toml(order.specimen), encoding="utf-8")
        station = SimulatedStation(
            Night(night.name, head, night.events), database, folder, BY_ITSELF, hold_s=standard.hold_s.value, say=say
        )
        result = station.run(
            Start(
                sample=order.sample.sample_id,
                operator="simulated",
                standard=str(folder / "standard.toml"),
                certificate=str(station.certificate),
                claim=order.sample.claim,
                composition=order.sample.composition,
                zero_after=zero_after,
                check_weight_g=check_weight_g,
                check_before=order.check_before or night.head.check_before,
                specimen=None if order.specimen is None else str(folder / "specimen.toml"),
            ),
            until_done=True,
            show=show,
        )
    if result is None:
        raise BadInput(f"night {night.name}: no run came to its end: it stands in {database} as far as it went")
    return result
