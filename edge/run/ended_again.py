"""A stored run that has ended, folded again into what its judge is handed: to verify it, or for a mass that is late.

This module only reads; it must never judge, and never add a mass of which nobody says when it was weighed.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import replace

import msgspec

from edge.database.connection import Database, parsed_rows
from edge.database.queries import (
    alarms_told,
    balance_masses,
    barometer_readings,
    converter_resets,
    hand_overs,
    stops_told,
    stored_run,
)
from edge.errors import BadInput
from edge.procedure.definition import EndedRun, RunDefinition
from edge.procedure.phases import Phases
from edge.records.balance import BalanceMass, BalanceSaid
from edge.records.phase import Phase
from edge.records.weighing import WeighingKind

from .live_run import NEAR
from .refold import RefoldedRun, refold
from .resume import stored_definition

ENDS = ("another run was begun after it", "its simulated rig is no longer there", "the recording ends")
"""Why a run was ended where its frames end, but for the usual."""


def why_it_ended(db: Database, run_id: int) -> str | None:
    """Get why a run was ended where its frames end, as its result says; None where that is the usual."""
    (said,) = db.execute("select invalid_because from runs where run_id = ?", [run_id]).fetchone()
    return next((why for why in ENDS if isinstance(said, str) and why in said), None)


def ended_at(db: Database, run_id: int) -> datetime.datetime:
    """Get when a run ended, by the wall clock. Raises ``DamagedDatabase``."""
    with parsed_rows(f"run {run_id}: its end"):
        return datetime.datetime.fromisoformat(msgspec.convert(stored_run(db, run_id).ended_utc, str))


def ended_run(
    db: Database, run_id: int, again: RefoldedRun, day: datetime.date, definition: RunDefinition | None = None
) -> EndedRun:
    """Get a run that was folded again as its judge is handed it, on a day. Raises ``BadDatabase``."""
    return EndedRun(
        stored_definition(db, stored_run(db, run_id)) if definition is None else definition,
        again.pipeline.phases,
        day,
        run_id=run_id,
        stops=stops_told(db, run_id),
        alarms=alarms_told(db, run_id),
        resets=converter_resets(db, run_id),
        on_balance=balance_masses(db, run_id),
        barometer=barometer_readings(db, run_id),
        hand_overs=hand_overs(db, run_id),
    )


def ended_with(db: Database, run_id: int, said: BalanceSaid) -> EndedRun:
    """Get a run that has ended, with a mass more. Raises ``BadInput`` for one that cannot be, ``BadDatabase``."""
    at = ended_at(db, run_id)
    again = refold(db, run_id, ends=why_it_ended(db, run_id))
    ended = ended_run(db, run_id, again, at.date())
    _must_be_of_the_run(said, ended.phases)
    end_s = float(db.execute("select elapsed_s from events where run_id = ? order by event desc limit 1", [run_id])
                  .fetchone()[0])  # fmt: skip
    mass = msgspec.convert(said.data() | {"said_s": end_s}, BalanceMass)
    return replace(ended, on_balance=(*ended.on_balance, mass))


def _must_be_of_the_run(said: BalanceSaid, phases: Phases) -> None:
    """Raise ``BadInput`` for a mass that was weighed when the sample was hot, or that is not the sample's."""
    which, at_h = said.which.upper(), said.weighed_s / 3600.0
    pump_s, cool_s = (phases.entered_s.get(phase, math.nan) for phase in (Phase.PUMP, Phase.COOL))
    if said.which is WeighingKind.M1 and not said.weighed_s <= pump_s:
        raise BadInput(f"weigh {which}: at {at_h:.2f} h of the run it was no longer before the vacuum: say when it was")
    if said.which is not WeighingKind.M1 and not said.weighed_s >= cool_s:
        raise BadInput(f"weigh {which}: at {at_h:.2f} h of the run its hold was not complete: say when it was weighed")
    rig = phases.weighings.get(said.which)
    if rig is not None and abs(rig.value.mean - said.mass_g) > NEAR * abs(rig.value.mean):
        raise BadInput(
            f"{which} {said.mass_g:g} g: the rig has {rig.value.mean:.4g} g: look at the display, and say it again"
        )
