"""What is published, one JSON object a message: documented, versioned, each value with its unit in its name.

A row is identified by rig, run and number, so that a receiver can drop repeats. Masses come with the certificate that
made them and with their standard uncertainty as far as one second knows it. ``docs/schema/publish-1.json`` is made
from these records. This module must never send anything.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from calibration.certificate import Certificate
from edge.database.feed import EventRow, FeedRun, SecondRow
from edge.doctor.finding import Finding
from edge.records.status import RunStatus, StationStatus

VERSION = 1
"""Of the messages: higher whenever a field is taken away or means something else."""


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    rig: str


class SecondMessage(_Message, frozen=True, kw_only=True, tag="second"):
    """A second of a run. ``sequence`` is its number; the certificate is named by its hash.

    ``u_mass_g`` is the standard uncertainty of this second's mass: scatter of its mean, and the span's.
    """

    run_uid: str
    run_id: int
    sample_id: str
    sequence: int
    elapsed_s: float
    phase: str
    mass_g: float | None
    u_mass_g: float | None
    certificate_sha256: str
    temp_c: float | None
    u_temp_c: float | None
    cell_temp_c: float | None
    pressure_pa: float | None
    qualified: bool
    hold_s: float
    loss_pct: float | None
    samples_ok: int
    samples_bad: int


class EventMessage(_Message, frozen=True, kw_only=True, tag="event"):
    """An event: of a run where ``run_uid`` is given, else of the station itself."""

    run_uid: str | None
    run_id: int | None
    sequence: int
    wall_utc: str
    second: int | None
    kind: str
    who: str
    data: dict[str, Any]


class ResultMessage(_Message, frozen=True, kw_only=True, tag="result"):
    """What a run came to: ``result`` is the record of ``docs/schema/result-1.json``, null where it has none.

    ``altered`` is what of it first differs from its chain (null: nothing): then its result is not passed on.
    ``sequence`` is how often it was amended: the highest one stands. ``amends_sha256`` is of the one it replaces.
    """

    run_uid: str
    run_id: int
    sample_id: str
    kind: str
    state: str
    started_utc: str
    certificate_sha256: str
    result: dict[str, Any] | None
    altered: str | None = None
    sequence: int = 0
    amends_sha256: str | None = None


UNREACHABLE = "unreachable"
"""The state of a station that does not answer its publisher."""


class StateMessage(_Message, frozen=True, kw_only=True, tag="state"):
    """How the rig is now, retained: what the station answers ``status``, in short. What is not known is null."""

    state: str
    phase: str | None = None
    sample_id: str | None = None
    run_id: int | None = None
    mass_g: float | None = None
    temp_c: float | None = None
    cell_temp_c: float | None = None
    pressure_pa: float | None = None
    hold_s: float | None = None
    hold_required_s: float | None = None
    loss_pct: float | None = None
    alarms: tuple[str, ...] = ()
    interlock: str | None = None
    verdict: str | None = None
    pending_s: float | None = None
    free_bytes: int | None = None
    software: str | None = None


class CheckpointMessage(_Message, frozen=True, kw_only=True, tag="checkpoint"):
    """The signed head of the rig's log of seals, retained: ``note`` as ``halfpercent witness`` takes it (C2SP)."""

    note: str


class DoctorMessage(_Message, frozen=True, kw_only=True, tag="doctor"):
    """What the doctor finds from the station's answer and the rig's past, retained, and again on change."""

    found_utc: str
    findings: tuple[Finding, ...]


Message = SecondMessage | EventMessage | ResultMessage | StateMessage | CheckpointMessage | DoctorMessage


def second_message(rig: str, run: FeedRun, row: SecondRow, certificate: Certificate | None) -> SecondMessage:
    """Get the message of a second; uncertainties are null without the certificate."""
    return SecondMessage(
        rig=rig,
        run_uid=run.run_uid,
        run_id=run.run_id,
        sample_id=run.sample_id,
        sequence=row.second,
        elapsed_s=row.elapsed_s,
        phase=row.phase,
        mass_g=row.mass_g,
        u_mass_g=_u_mass_g(row, certificate),
        certificate_sha256=run.certificate_sha256,
        temp_c=row.temp_c,
        u_temp_c=None if certificate is None or row.temp_c is None else certificate.rtd.u_temp_c,
        cell_temp_c=row.cell_temp_c,
        pressure_pa=row.pressure_pa,
        qualified=bool(row.qualified),
        hold_s=row.hold_s,
        loss_pct=row.loss_pct,
        samples_ok=row.samples_ok,
        samples_bad=row.samples_bad,
    )


def _u_mass_g(row: SecondRow, certificate: Certificate | None) -> float | None:
    """Get the standard uncertainty of a second's mass in g: s/√n of its samples and the span's, without drifts."""
    if certificate is None or row.mass_g is None or row.sd_g is None or row.samples_ok < 2:
        return None
    span = certificate.span
    return math.hypot(row.sd_g / math.sqrt(row.samples_ok), row.mass_g * span.u_counts_per_g / span.counts_per_g)


def event_message(rig: str, run: FeedRun | None, row: EventRow) -> EventMessage:
    """Get the message of an event. What is no JSON object in the database is told as text."""
    try:
        data = msgspec.json.decode(row.data_json, type=dict[str, Any])
    except msgspec.DecodeError:
        data = {"unreadable": row.data_json[:200]}
    return EventMessage(
        rig=rig,
        run_uid=None if run is None else run.run_uid,
        run_id=None if run is None else run.run_id,
        sequence=row.event,
        wall_utc=row.wall_utc,
        second=row.second,
        kind=row.kind,
        who=row.who,
        data=data,
    )


def result_message(rig: str, run: FeedRun) -> ResultMessage:
    """Get the message of a run's end."""
    try:
        result = (
            None
            if run.result_json is None or run.altered
            else msgspec.json.decode(run.result_json, type=dict[str, Any])
        )
    except msgspec.DecodeError:
        result = None
    return ResultMessage(
        rig=rig,
        run_uid=run.run_uid,
        run_id=run.run_id,
        sample_id=run.sample_id,
        kind=run.kind,
        state=run.state,
        started_utc=run.started_utc,
        certificate_sha256=run.certificate_sha256,
        result=result,
        altered=run.altered,
        sequence=run.amended,
        amends_sha256=run.amends_sha256,
    )


def state_message(rig: str, status: StationStatus) -> StateMessage:
    """Get the state message of what the station answered ``status``."""
    run, readings, last = status.run or RunStatus(), status.readings, status.last_run
    return StateMessage(
        rig=rig,
        state=status.state or "unknown",
        phase=run.phase,
        sample_id=run.sample_id,
        run_id=run.run_id,
        mass_g=run.mass_g,
        temp_c=readings.temp_c,
        cell_temp_c=readings.cell_temp_c,
        pressure_pa=readings.pressure_pa,
        hold_s=run.hold_s,
        hold_required_s=run.hold_required_s,
        loss_pct=run.loss_pct,
        alarms=tuple(a.alarm for a in status.alarms if a.alarm is not None and not a.closed),
        interlock=status.interlock,
        verdict=None if last is None else last.verdict,
        pending_s=status.storage.pending_s,
        free_bytes=status.storage.free_bytes,
        software=status.software,
    )


def json_schema() -> dict[str, Any]:
    """Get the JSON Schema of the messages, with their version."""
    return msgspec.json.schema(Message) | {"version": VERSION}
