"""A stored run taken up again: folded from its raw frames, with the time in which nobody measured.

This module must never fill a gap, nor call a stop shorter than it may have been.
"""

from __future__ import annotations

import math

import msgspec

from calibration.balance_certificate import BalanceCertificate
from calibration.weight_record import WeightRecord
from edge.database.connection import Database
from edge.database.journal import Journal
from edge.database.queries import (
    StoredRun,
    clock_was_set,
    newest_wall_s,
    stored_certificate,
    stored_run,
)
from edge.database.run_journal import Writing
from edge.procedure.definition import RunDefinition
from edge.procedure.parameters import RunParameters
from edge.records.earlier_load import EarlierLoad
from edge.records.event import Resumed
from edge.records.result import from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import SeenBefore, Specimen
from edge.records.suitability import Control, RigShown
from edge.standards.standard import loads_standard
from hw.clock import NS_PER_S, Clock

from .live_run import Interruption, LiveRun, believed_length_s
from .refold import fold_again


def resume(journal: Journal, run_id: int, clock: Clock, *, clock_set: bool | None, batch_s: int) -> LiveRun:
    """Go on with a run from what is stored: fold it again, say how long nothing was measured, open its chains.

    ``clock_set``: the wall clock is set (None: nobody knows). On the same boot the length of the stop is known from the
    boot clock; after a new start only where the wall clock was set before and after, else it is at least the time since
    the start, and unknown. Raises ``BadDatabase`` where a chain is broken.
    """
    stored = stored_run(journal.db, run_id)
    again = fold_again(journal.db, run_id)
    definition = stored_definition(journal.db, stored)
    writing = journal.go_on(run_id, Writing(clock.boot_id, clock.wall_s(), batch_s))
    folded, pipeline, next_seq = again.folded, again.pipeline, again.last + 1
    writing.catch_up(folded.seconds(), folded.phases, folded.events, clock.wall_s())
    if again.last < 0:  # nothing was measured yet: the run begins now
        pipeline.restart_clock(clock.now_ns() - clock.now_ns() % NS_PER_S + NS_PER_S)
        stop = Interruption(0.0, 0.0)
    elif again.boot_id == clock.boot_id:
        since_zero_ns = clock.now_ns() - again.t0_ns
        length_s = max(0.0, since_zero_ns / NS_PER_S - next_seq)
        stop = Interruption(length_s, length_s)
        next_seq = max(next_seq, since_zero_ns // NS_PER_S)
    else:
        stop = _across_boots(journal.db, run_id, clock, clock_set)
        next_seq += math.ceil(stop.at_least_s if stop.length_s is None else stop.length_s)
        pipeline.restart_clock(clock.now_ns() - next_seq * NS_PER_S)
    run = LiveRun(definition, writing, pipeline, clock, next_seq)
    run.last_seq = again.last
    run.log_event(
        Resumed(clock.boot_id, pipeline.t0_ns, clock_set, again.last + 1.0, stop.length_s, stop.at_least_s),
        "instrument",
    )
    run.stopped(stop)
    return run


def stored_definition(db: Database, run: StoredRun) -> RunDefinition:
    """Get what a stored run is of and goes by."""
    blank, specimen = run.settings["blank"], run.settings.get("specimen")
    return RunDefinition(
        sample=Sample.from_settings(run.settings["sample"]),
        operator=run.operator,
        kind=run.kind,
        standard=loads_standard(run.standard_toml, f"run {run.run_id}: its standard"),
        certificate=stored_certificate(db, run),
        parameters=RunParameters.from_settings(run.settings),
        blank=None if blank is None else from_json(blank),
        is_blank=run.kind is RunKind.BLANK or run.settings.get("blank_run") is True,
        specimen=None if specimen is None else Specimen.from_settings(specimen),
        seen_before=msgspec.convert(run.settings.get("seen_before", []), tuple[SeenBefore, ...]),
        laboratory_balance=msgspec.convert(run.settings.get("laboratory_balance"), BalanceCertificate | None),
        contradiction=run.settings.get("contradiction", "invalid"),
        check_weight=msgspec.convert(run.settings.get("check_weight"), WeightRecord | None),
        suitability=msgspec.convert(run.settings.get("suitability"), Control | None),
        rig_shown=msgspec.convert(run.settings.get("rig_shown", []), tuple[RigShown, ...]),
        earlier_loads=msgspec.convert(run.settings.get("earlier_loads", []), tuple[EarlierLoad, ...]),
        more_blanks=tuple(from_json(more) for more in run.settings.get("more_blanks", [])),
    )


def _across_boots(db: Database, run_id: int, clock: Clock, clock_set: bool | None) -> Interruption:
    """Get how long nothing was measured where the machine has started since: by the wall clock, if it was set."""
    at_least_s = clock.now_ns() / NS_PER_S
    from_wall_s = newest_wall_s(db, run_id) if clock_was_set(db, run_id) else None
    if not clock_set or from_wall_s is None:
        return Interruption(None, at_least_s, from_wall_s)
    return Interruption(believed_length_s(clock.wall_s() - from_wall_s, at_least_s), at_least_s, from_wall_s)
