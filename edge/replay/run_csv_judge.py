"""A run's own CSV, judged: by the plan of a live run, with what was commanded, as the instrument itself did.

The same frames and the same commands give the same seconds, bit for bit, and so the same verdict. This module must
never take a word of the file's for what its samples show.
"""

from __future__ import annotations

import datetime
import math
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace as with_fields

from calibration.certificate import Certificate
from calibration.certificate import loads as loads_certificate
from edge.database.journal import Journal, RunHeader
from edge.database.run_journal import Writing
from edge.errors import BadRecording
from edge.procedure.definition import EndedRun, Recorded, RunDefinition
from edge.procedure.phases import Phases
from edge.procedure.pipeline import Folded, Pipeline
from edge.records.command import OperatorWord
from edge.records.event import CommandGiven, Event
from edge.records.invalid import Invalid, InvalidReason
from edge.records.phase import Phase
from edge.records.recording_told import RecordingTold
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import Specimen
from edge.run.live_run import end_invalid
from edge.standards.standard import Standard, loads_standard
from edge.verdict.judge import judge_night

from .observed import masses_by_hour, what_it_holds
from .run_csv_reader import RunRead

BATCH_S = 3600
SIMULATED = "chips, oven and sample of this run were models: nothing of it was measured"


@dataclass(frozen=True, slots=True)
class Instead:
    """What whoever replays a run's file gives instead of what it says itself (None: as it says)."""

    standard: Standard | None = None
    certificate: Certificate | None = None
    sample: Sample | None = None
    specimen: Specimen | None = None


AS_IT_SAYS = Instead()


@dataclass(frozen=True, slots=True)
class RunJudged:
    """A run's file judged: the run as it ended, all that was folded, and the result."""

    ended: EndedRun
    folded: Folded
    result: Result


def judge_run_csv(read: RunRead, path: Path, instead: Instead = AS_IT_SAYS) -> RunJudged:
    """Fold a run's file again with what was commanded, and judge it. Raises ``BadInput`` and its kin, one line."""
    definition = _definition(read, path, instead)
    pipeline = Pipeline(definition.parameters, 0)
    for command in read.commands:
        pipeline.command(command)
    folded = pipeline.feed(read.frames)
    if read.head.rig_changed:
        end_invalid(pipeline, Invalid(InvalidReason.RIG_CHANGED, read.head.rig_changed))
    folded = folded.then(pipeline.finish("the run was stopped"))
    ended = EndedRun(
        definition,
        pipeline.phases,
        _day(read, path),
        stops=read.head.stops,
        alarms=read.head.alarms,
        resets=read.head.resets,
        on_balance=read.head.on_balance,
        barometer=read.head.barometer,
        recorded=_recorded(read, path, definition, pipeline.phases, folded),
    )
    result = judge_night(ended)
    if read.head.is_simulated or (definition.certificate is not None and definition.certificate.is_simulated):
        result = with_fields(result, warnings=(SIMULATED, *result.warnings))
    return RunJudged(ended, folded, result)


def read_as(read: RunRead) -> str:
    """Get the line that says how the file was read."""
    last = int(read.frames.seq[-1]) + 1
    words = len(read.commands)
    simulated = "a simulated run" if read.head.is_simulated else "a run"
    return (
        f"{simulated} that halfpercent exported: raw codes, {read.rows} rows over {last} s, {words} commands; judged "
        "by the plan of a live run"
    )


def _definition(read: RunRead, path: Path, instead: Instead) -> RunDefinition:
    head = read.head
    standard = instead.standard or loads_standard(head.standard_toml, f"{path}: its standard")
    certificate = instead.certificate or loads_certificate(head.certificate_toml, f"{path}: its certificate")
    return RunDefinition(
        sample=instead.sample or head.sample,
        operator=head.operator,
        kind=RunKind.REPLAY,
        standard=standard,
        certificate=certificate,
        parameters=head.parameters(standard, certificate),
        blank=head.blank,
        earlier_loads=() if head.earlier_loads is UNSET else head.earlier_loads,
        more_blanks=() if head.more_blanks is UNSET else head.more_blanks,
        is_blank=head.is_blank,
        specimen=instead.specimen or head.specimen,
        seen_before=head.seen_before,
        laboratory_balance=head.laboratory_balance,
        contradiction=head.contradiction,
        check_weight=head.check_weight,
        suitability=head.suitability,
    )


def _day(read: RunRead, path: Path) -> datetime.date:
    try:
        return datetime.datetime.fromisoformat(read.head.ended_utc or read.head.started_utc).date()
    except ValueError as e:
        raise BadRecording(f"{path}, line 1: when the run ended is no date: export the run again") from e


def _recorded(read: RunRead, path: Path, definition: RunDefinition, phases: Phases, folded: Folded) -> Recorded:
    rows, fold = folded.rows, definition.parameters.fold
    steps_ms = np.diff(read.frames.sample_us) // 1000
    told = RecordingTold(
        file=path.name,
        rows=read.rows,
        interval_s=float(np.median(steps_ms[steps_ms > 0])) / 1000.0 if np.any(steps_ms > 0) else 1.0,
        quantity="counts",
        gate_g=fold["gate_code"] / abs(fold["span_code_per_g"]),
        refused_by_gate=int(np.sum(rows["n_spike"])),
        not_numbers=int(np.sum(rows["n_bad"])),
        read_as=read_as(read),
    )
    loaded = rows[rows["t_s"] >= phases.entered_s.get(Phase.M1, math.inf)]  # before, what hung there was no sample
    observed = what_it_holds(loaded, definition.standard, temp_measured=True)
    return Recorded(told, observed, masses_by_hour(loaded, observed))


def store_run_csv(journal: Journal, read: RunRead, judged: RunJudged, wall_s: float) -> Result:
    """Write a judged run's file down as a replay of its own. Returns the result with its number."""
    definition = judged.ended.definition
    about = {
        "recording": judged.ended.recorded.file.file if judged.ended.recorded else "",
        "quantity": "counts",
        "sample": definition.sample.as_settings(),
        "blank_run": definition.is_blank,
    }
    header = RunHeader(
        run_uid=secrets.token_hex(8),
        sample_id=definition.sample.sample_id,
        operator=definition.operator,
        kind=definition.kind,
        standard=definition.standard,
        certificate=definition.certificate,
        settings=definition.parameters.as_settings()
        | about
        | definition.blank_settings()
        | definition.specimen_settings(),
        t0_ns=0,
    )
    run = journal.begin(header, Writing("recording", wall_s, BATCH_S))
    run.raw(read.frames)
    for command in read.commands:
        who = "operator" if isinstance(command.command, OperatorWord) else "instrument"
        run.log_event(Event(command.seq, float(command.seq), CommandGiven(command.command)), who, wall_s)
    run.derived(judged.folded.seconds(), judged.folded.phases, judged.folded.events, wall_s)
    result = with_fields(judged.result, run_id=run.run_id)
    run.save_result(result, wall_s)
    return result
