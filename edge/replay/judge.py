"""A replay: somebody's recording through the same fold, phases and rule as a run on the instrument.

What the recording does not hold is declared by whoever replays it, and the result says so. This module must
never compute a mass or a time that the fold did not give.
"""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import Literal

import numpy as np
from msgspec.structs import replace as with_fields

from calibration.certificate import Certificate
from edge.database.journal import Journal, RunHeader
from edge.database.run_journal import Writing
from edge.errors import BadValue
from edge.procedure.definition import BalanceStated, EndedRun, Recorded, RunDefinition
from edge.procedure.parameters import RecordingShape, commanded_parameters, replay_parameters, unjudgeable
from edge.procedure.pipeline import Folded, Pipeline
from edge.records.command import OperatorWord
from edge.records.event import CommandGiven, Event
from edge.records.invalid import Invalid, InvalidReason
from edge.records.recording_told import RecordingTold
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import Specimen
from edge.standards.standard import Standard
from edge.verdict.judge import judge_run

from .observed import masses_by_hour, what_it_holds
from .recording import PLAUSIBLE_C, Recording

BATCH_S = 3600


@dataclass(frozen=True, slots=True)
class Declared:
    """What whoever replays a recording says of it.

    ``temp_c`` is a temperature, ``u_mass_g`` the standard uncertainty of a mass difference, ``start_mass_g`` what 100 %
    are where masses were recorded in %.
    """

    temp_c: float | None = None
    u_mass_g: float | None = None
    start_mass_g: float | None = None


NOTHING_DECLARED = Declared()
BOUNDS = {"temp_c": PLAUSIBLE_C, "u_mass_g": (0.0, 1e6), "start_mass_g": (1e-6, 1e6)}


def parse_declared(pairs: tuple[str, ...]) -> Declared:
    """Get what ``NAME=VALUE`` declares, for each of some pairs. Raises ``BadValue``."""
    values: dict[str, float] = {}
    for pair in pairs:
        name, _, text = (part.strip() for part in pair.partition("="))
        if name not in BOUNDS:
            raise BadValue("declare", name, "unknown: use temp_c=… (°C), u_mass_g=… (g) or start_mass_g=… (g)")
        try:
            values[name] = float(text)
        except ValueError:
            raise BadValue("declare", name, f"{text[:40]!r} is not a number: write NAME=NUMBER") from None
        low, high = BOUNDS[name]
        if not low <= values[name] <= high:
            raise BadValue("declare", name, f"{text[:40]} is not possible: give {low:g} to {high:g}")
    return Declared(**values)


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """How a recording is to be judged: by what, what is declared of it, and what its sample is.

    ``wall_s`` is the time of judging; ``blank`` the result of the blank run that is subtracted, ``is_blank``: the
    sample itself is an inert dummy; ``specimen`` is its record.
    """

    standard: Standard
    certificate: Certificate | None
    weigh: Literal["cold", "hot"]
    sample: Sample
    wall_s: float
    declared: Declared = NOTHING_DECLARED
    blanks: tuple[Result, ...] = ()
    is_blank: bool = False
    specimen: Specimen | None = None


def replay(recording: Recording, order: ReplayOrder, journal: Journal | None = None) -> Result:
    """Fold a recording, judge it, and then write it into ``journal`` where there is one. Returns the result.

    Raises ``BadValue``, ``BlankDoesNotMatch``, and the database's errors.
    """
    if recording.is_relative and order.declared.u_mass_g is not None:
        why = "the masses are in % of a start mass that nobody states: declare start_mass_g too"
        raise BadValue("declare", "u_mass_g", why)
    definition = _definition(recording, order)
    frames = recording.frames
    t0_ns = int(frames.t_ns[0])
    pipeline = Pipeline(definition.parameters, t0_ns)
    for command in recording.commands:
        pipeline.command(command)
    folded = pipeline.feed(frames)
    folded = folded.then(pipeline.finish("the recording ends"))
    ended = EndedRun(
        definition,
        pipeline.phases,
        datetime.datetime.fromtimestamp(order.wall_s, datetime.UTC).date(),
        recorded=_recorded(recording, definition, folded),
    )
    result = judge_run(ended)
    result = with_fields(result, warnings=(*result.warnings, *recording.notes))
    return result if journal is None else _stored(journal, recording, ended, folded, order.wall_s, result)


def _definition(recording: Recording, order: ReplayOrder) -> RunDefinition:
    shape = RecordingShape(
        quantity=recording.quantity,
        interval_s=recording.interval_s,
        gate=recording.gate,
        temp_declared_c=None if recording.has_temp else order.declared.temp_c,
        has_cell_temp=recording.has_cell_temp,
        has_pressure=recording.has_pressure,
    )
    parameters = replay_parameters(order.standard, order.certificate, order.weigh, shape)
    if recording.commands and order.certificate is not None:
        zero_after = any(c.command is OperatorWord.ZERO for c in recording.commands)
        parameters = commanded_parameters(order.standard, order.certificate, shape, zero_after=zero_after)
    per_g = abs(parameters.fold.get("span_code_per_g", 1.0))
    return RunDefinition(
        sample=order.sample,
        operator="",
        kind=RunKind.REPLAY,
        standard=order.standard,
        certificate=order.certificate if recording.quantity == "counts" else None,
        parameters=parameters,
        blank=order.blanks[0] if order.blanks else None,
        more_blanks=order.blanks[1:],
        is_blank=order.is_blank,
        unjudgeable=_unjudgeable(recording, order, shape),
        specimen=order.specimen,
        balance=BalanceStated(recording.resolution / per_g, order.declared.u_mass_g),
    )


def _unjudgeable(recording: Recording, order: ReplayOrder, shape: RecordingShape) -> Invalid | None:
    if recording.never_moves:
        why = (
            "the display never moved in the whole recording, though it shows steps small enough to: it is stuck; "
            "record the balance itself"
        )
        return Invalid(InvalidReason.DISPLAY_STUCK, why)
    because = unjudgeable(order.standard, order.certificate, shape)
    if because is not None and because.reason is InvalidReason.TARE_UNKNOWN and recording.commands:
        return None  # it is taken from the recording
    return because


def _recorded(recording: Recording, definition: RunDefinition, folded: Folded) -> Recorded:
    rows, parameters = folded.rows, definition.parameters
    per_g = abs(parameters.fold.get("span_code_per_g", 1.0))
    told = RecordingTold(
        file=recording.path.name,
        rows=recording.rows,
        interval_s=recording.interval_s,
        quantity=recording.quantity,
        gate_g=recording.gate / per_g,
        refused_by_gate=int(np.sum(rows["n_spike"])),
        not_numbers=int(np.sum(rows["n_bad"])),
        read_as=recording.read_as,
    )
    observed = what_it_holds(rows, definition.standard, temp_measured=parameters.plan.temp_needed)
    lonely = int(np.sum((rows["n_ok"] == 0) & (rows["n_spike"] > 0)))
    return Recorded(told, observed, masses_by_hour(rows, observed), lonely)


def _stored(
    journal: Journal, recording: Recording, ended: EndedRun, folded: Folded, wall_s: float, result: Result
) -> Result:
    """Write a replay down as a run of its own. Returns the result with its number."""
    definition = ended.definition
    about = {
        "recording": recording.path.name,
        "quantity": recording.quantity,
        "sample": definition.sample.as_settings(),
    }
    header = RunHeader(
        run_uid=secrets.token_hex(8),
        sample_id=definition.sample.sample_id,
        operator=definition.operator,
        kind=definition.kind,
        standard=definition.standard,
        certificate=definition.certificate,
        settings=definition.parameters.as_settings() | about | definition.specimen_settings(),
        t0_ns=int(recording.frames.t_ns[0]),
    )
    run = journal.begin(header, Writing("recording", wall_s, BATCH_S))
    run.raw(recording.frames)
    for command in recording.commands:
        event = Event(command.seq, float(command.seq), CommandGiven(command.command))
        run.log_event(event, "operator", wall_s)
    run.derived(folded.seconds(), folded.phases, folded.events, wall_s)
    result = with_fields(result, run_id=run.run_id)
    run.save_result(result, wall_s)
    return result
